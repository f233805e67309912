"""One render: one project, one timeline, one job. False means refused; None is no answer, so the value is read back."""

import os
import time
from collections.abc import Mapping

from proxx_worker.engines.resolve.child.session import Session
from proxx_worker.engines.resolve.child.survey import import_one
from proxx_worker.engines.resolve.child.wire import FAILED, dictionary, refuse, sequence

COMPLETE = 100
_SINGLE_CLIP = 1
_UNKNOWN = frozenset({"", "unknown"})
_REMEDY = "Check Resolve: a dialog may be open."


class Render:
    """One render, from its project to its files."""

    def __init__(self, session: Session) -> None:
        """Creates nothing yet."""
        self._session = session
        self._wire = session.wire
        self._request = session.request
        self._before = set(self._names())
        self.rendering = False

    @property
    def project(self) -> object:
        """The project; None before it is created."""
        return self._session.project

    def run(self) -> dict[str, object]:
        """Render. Returns the answer's fields: the percentage and the names of the new files. Raises `RefusalError`."""
        self._session.create_project()
        self._make_timeline()
        self._set_output()
        job = self._add_job()
        self.rendering = True
        self._require_accepted(self._wire.call(self.project, "StartRendering", [job], False), "start the render")  # noqa: FBT003 - not interactive
        percentage = self._watch(job)
        self.rendering = False
        self._wait_until_stable()
        return {"percentage": percentage, "files": self._new_files()}

    def abandon(self, seconds: float) -> None:
        """Stop a render that may still be running, and remove its project; if it cannot be stopped, leave the project open."""
        if self.project is None:
            return
        call = self._wire.call
        if self.rendering and call(self.project, "IsRenderingInProgress") is True:
            call(self.project, "StopRendering")
            ended = self._wire.wait(
                seconds,
                interval=self._request.limits.poll,
                done=lambda: call(self.project, "IsRenderingInProgress", poll=True) is not True,
            )
            if not ended:
                self._wire.send("left", project=self._request.project)
                return
        self._session.remove(self.project)

    def stop(self) -> None:
        """Stop the render without waiting. The project stays open, so that the next job finds and ends the render."""
        if self.project is not None and self.rendering:
            self._wire.call(self.project, "StopRendering")

    def _make_timeline(self) -> None:
        call, request = self._wire.call, self._request
        for key, value in request.project_settings:
            self._require_accepted(call(self.project, "SetSetting", key, value), f"set {key} to {value}")
            self._check_readback(key, value, call(self.project, "GetSetting", key))
        pool = call(self.project, "GetMediaPool")
        item, fault = import_one(self._session, pool, request.sources[0])
        if fault is not None:
            refuse(FAILED, f"{fault}. Check Resolve: it imported this as one clip during the survey.")
        timeline = call(pool, "CreateTimelineFromClips", request.project, [item])
        if timeline is None:
            refuse(FAILED, f"Resolve must create a timeline from the clip, but did not. {_REMEDY}")
        if request.timecode is not None:
            self._require_accepted(
                call(timeline, "SetStartTimecode", request.timecode), f"start the timeline at {request.timecode}"
            )

    def _set_output(self) -> None:
        call, request = self._wire.call, self._request
        self._require_accepted(call(self.project, "LoadRenderPreset", request.preset), f"load the preset {request.preset!r}")
        what = f"render {request.codec} in {request.format}"
        self._require_accepted(call(self.project, "SetCurrentRenderFormatAndCodec", request.format, request.codec), what)
        current = dictionary(call(self.project, "GetCurrentRenderFormatAndCodec"))
        for key, wanted in (("format", request.format), ("codec", request.codec)):
            found = current.get(key)
            if isinstance(found, str) and found not in {*_UNKNOWN, wanted}:
                refuse(FAILED, f"Resolve must {what}, but reports {key} {found}. {_REMEDY}", found=found, wanted=wanted)
        self._require_accepted(call(self.project, "SetCurrentRenderMode", _SINGLE_CLIP), "render one clip")
        place = (("TargetDir", request.target), ("CustomName", request.name))
        # One key per call, because one refused key or value would discard all the others.
        for key, value in (*place, *request.render_settings):
            self._require_accepted(call(self.project, "SetRenderSettings", {key: value}), f"set {key} to {value}")

    def _add_job(self) -> str:
        job = self._wire.call(self.project, "AddRenderJob")
        if not isinstance(job, str) or not job:
            refuse(
                FAILED, f"Resolve must queue the job, but did not. {_REMEDY} It may lack permission for {self._request.target}."
            )
        jobs = [dictionary(entry) for entry in sequence(self._wire.call(self.project, "GetRenderJobList"))]
        entry = next((entry for entry in jobs if entry.get("JobId") == job), None)
        if entry is None:
            refuse(FAILED, f"Resolve must list the job that it accepted, but its queue has no {job}. {_REMEDY}")
        self._wire.send("job", id=job, entry={key: value for key, value in entry.items() if isinstance(value, str | int | float)})
        self._check_entry(entry)
        return job

    def _check_entry(self, entry: Mapping[str, object]) -> None:
        """The queue entry is the only way to read back the render settings."""
        wanted: dict[str, object] = {"TargetDir": self._request.target}
        wanted |= {key: value for key, value in self._request.render_settings if key in {"FormatWidth", "FormatHeight"}}
        for key, value in wanted.items():
            self._check_readback(key, value, entry.get(key))
        name = entry.get("OutputFilename")
        if isinstance(name, str) and not name.startswith(self._request.name):
            refuse(FAILED, f"Resolve must render {self._request.name}, but its queue has {name}. {_REMEDY}", found=name)

    def _watch(self, job: str) -> int:
        """Wait until it is done: not rendering, 100 percent, no error. `JobStatus` is localized, so not used."""
        limits, last = self._request.limits, -1
        size, since = self._sizes(), time.monotonic()
        rendered = since
        while True:
            status = dictionary(self._wire.call(self.project, "GetRenderJobStatus", job, poll=True))
            rendering = self._wire.call(self.project, "IsRenderingInProgress", poll=True)
            if error := status.get("Error"):
                refuse(FAILED, f"Resolve must render without errors, but it reports: {error}. See its log.", error=str(error))
            completion = status.get("CompletionPercentage")
            percentage = int(completion) if isinstance(completion, int | float) else None
            if percentage == COMPLETE and rendering is False:
                self._wire.send("progress", percentage=percentage)
                return percentage
            now, grown = time.monotonic(), self._sizes()
            rendered = now if rendering is True else rendered
            if (percentage is not None and percentage != last) or grown != size:
                size, since = grown, now
            if percentage is not None and percentage != last:
                last = percentage
                self._wire.send("progress", percentage=percentage)
            if now - max(rendered, since) > limits.idle and rendering is not True:
                self._fail_stopped(status, rendering)
            if last <= 0 and now - since > limits.begin:
                refuse(
                    FAILED,
                    f"a render must begin, but this one stayed at 0 % for {limits.begin:g} s and wrote nothing: Resolve hangs, "
                    "or there is nothing to render. Restart Resolve.",
                )
            time.sleep(limits.poll)

    def _fail_stopped(self, status: Mapping[str, object], rendering: object) -> None:
        if not status or rendering is None:
            waited = f"{self._request.limits.idle:g} s"
            refuse(
                FAILED, f"Resolve must report its progress, but it has not for {waited}: it was closed, or crashed. Restart it."
            )
        where = f"at {status.get('CompletionPercentage')} % with status {status.get('JobStatus')!r}"
        refuse(FAILED, f"a render must reach 100 %, but Resolve stopped {where}. See its log.", status=str(status))

    def _wait_until_stable(self) -> None:
        """Wait until the new files stop growing: Resolve reports the end before it has written the last byte."""
        limits = self._request.limits
        size, since = self._sizes(), time.monotonic()

        def still() -> bool:
            nonlocal size, since
            if (now := self._sizes()) != size:
                size, since = now, time.monotonic()
            return time.monotonic() - since >= limits.settle

        if not self._wire.wait(limits.idle, interval=min(limits.poll, limits.settle), done=still):
            refuse(FAILED, f"a finished render must not grow, but its file still grows {limits.idle:g} s after 100 %. {_REMEDY}")

    def _new_files(self) -> list[str]:
        return sorted(set(self._names()) - self._before)

    def _names(self) -> list[str]:
        with os.scandir(self._request.target) as entries:
            return [entry.name for entry in entries]

    def _sizes(self) -> list[tuple[str, int]]:
        sizes: list[tuple[str, int]] = []
        for name in self._new_files():
            try:
                sizes.append((name, os.lstat(f"{self._request.target}/{name}").st_size))
            except OSError:
                continue  # just removed
        return sizes

    def _require_accepted(self, answer: object, what: str) -> None:
        if answer is False:
            refuse(FAILED, f"Resolve must {what}, but refuses. {_REMEDY}")

    def _check_readback(self, key: str, wanted: object, found: object) -> None:
        """Compare a value read back with the one set. Numbers may be text, and rates rounded; None is no answer."""
        if found is None or _normalized(found) == _normalized(wanted):
            return
        refuse(FAILED, f"Resolve must keep {key} as {wanted}, but reports {found}. {_REMEDY}", key=key, found=str(found))


def _normalized(value: object) -> str:
    """A value for comparison: 23.976 and 23.976024 are the same rate, and a folder may end with a slash."""
    text = str(value).removesuffix(" DF").rstrip("/")
    try:
        return f"{float(text):.2f}"
    except ValueError:
        return text
