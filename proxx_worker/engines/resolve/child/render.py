"""One render: one project, one timeline, one job. False is a refusal; None is no answer, and what can be read back decides."""

import os
import time
from collections.abc import Mapping

from proxx_worker.engines.resolve.child.session import Session
from proxx_worker.engines.resolve.child.survey import import_one
from proxx_worker.engines.resolve.child.wire import FAILED, dictionary, refuse, sequence

COMPLETE = 100
_SINGLE_CLIP = 1
_UNKNOWN = frozenset({"", "unknown"})
_LOOK = "Look at Resolve: a dialog may be open."


class Render:
    """One job, from its project to its files."""

    def __init__(self, session: Session) -> None:
        """Nothing is made yet."""
        self._session = session
        self._wire = session.wire
        self._request = session.request
        self._before = set(self._names())
        self.rendering = False

    @property
    def project(self) -> object:
        """The project; None before it was made."""
        return self._session.project

    def run(self) -> dict[str, object]:
        """Render. Returns what the answer tells: the percentage, and the names of the new files. Raises `RefusalError`."""
        self._session.create_project()
        self._make_timeline()
        self._set_output()
        job = self._add_job()
        self.rendering = True
        self._expect(self._wire.call(self.project, "StartRendering", [job], False), "start the render")  # noqa: FBT003 - not interactive
        percentage = self._watch(job)
        self.rendering = False
        self._settle()
        return {"percentage": percentage, "files": self._new()}

    def abandon(self, seconds: float) -> None:
        """End a render that may still go on, and remove the project; one that renders on stays open, as the mark of it."""
        if self.project is None:
            return
        call = self._wire.call
        if self.rendering and call(self.project, "IsRenderingInProgress") is True:
            call(self.project, "StopRendering")
            ended = self._wire.wait(
                seconds,
                rest=self._request.limits.poll,
                done=lambda: call(self.project, "IsRenderingInProgress", poll=True) is not True,
            )
            if not ended:
                self._wire.tell("left", project=self._request.project)
                return
        self._session.remove(self.project)

    def stop(self) -> None:
        """End the render at once. The project stays open: while it renders, it is the mark by which the next job ends it."""
        if self.project is not None and self.rendering:
            self._wire.call(self.project, "StopRendering")

    def _make_timeline(self) -> None:
        call, request = self._wire.call, self._request
        for key, value in request.project_settings:
            self._expect(call(self.project, "SetSetting", key, value), f"set {key} to {value}")
            self._same(key, value, call(self.project, "GetSetting", key))
        pool = call(self.project, "GetMediaPool")
        item, fault = import_one(self._session, pool, request.sources[0])
        if fault is not None:
            refuse(FAILED, f"{fault}. Look at Resolve: it was one clip when it was surveyed.")
        timeline = call(pool, "CreateTimelineFromClips", request.project, [item])
        if timeline is None:
            refuse(FAILED, f"Resolve must make a timeline of the clip, but it makes none. {_LOOK}")
        if request.timecode is not None:
            self._expect(call(timeline, "SetStartTimecode", request.timecode), f"start the timeline at {request.timecode}")

    def _set_output(self) -> None:
        call, request = self._wire.call, self._request
        self._expect(call(self.project, "LoadRenderPreset", request.preset), f"load the preset {request.preset!r}")
        what = f"render {request.codec} in {request.format}"
        self._expect(call(self.project, "SetCurrentRenderFormatAndCodec", request.format, request.codec), what)
        current = dictionary(call(self.project, "GetCurrentRenderFormatAndCodec"))
        for key, wanted in (("format", request.format), ("codec", request.codec)):
            found = current.get(key)
            if isinstance(found, str) and found not in {*_UNKNOWN, wanted}:
                refuse(FAILED, f"Resolve must {what}, but it says that its {key} is {found}. {_LOOK}", found=found, wanted=wanted)
        self._expect(call(self.project, "SetCurrentRenderMode", _SINGLE_CLIP), "render one clip")
        place = (("TargetDir", request.target), ("CustomName", request.name))
        # One key a call: a key or value that is refused would take all the others with it.
        for key, value in (*place, *request.render_settings):
            self._expect(call(self.project, "SetRenderSettings", {key: value}), f"set {key} to {value}")

    def _add_job(self) -> str:
        job = self._wire.call(self.project, "AddRenderJob")
        if not isinstance(job, str) or not job:
            refuse(FAILED, f"Resolve must take the job, but it queues none: it may not write to {self._request.target}. {_LOOK}")
        jobs = [dictionary(entry) for entry in sequence(self._wire.call(self.project, "GetRenderJobList"))]
        entry = next((entry for entry in jobs if entry.get("JobId") == job), None)
        if entry is None:
            refuse(FAILED, f"Resolve must show the job that it took, but its queue has no {job}. {_LOOK}")
        self._wire.tell("job", id=job, entry={key: value for key, value in entry.items() if isinstance(value, str | int | float)})
        self._compare(entry)
        return job

    def _compare(self, entry: Mapping[str, object]) -> None:
        """The queue's entry is the only place where it can be read what was really set."""
        wanted: dict[str, object] = {"TargetDir": self._request.target}
        wanted |= {key: value for key, value in self._request.render_settings if key in {"FormatWidth", "FormatHeight"}}
        for key, value in wanted.items():
            self._same(key, value, entry.get(key))
        name = entry.get("OutputFilename")
        if isinstance(name, str) and not name.startswith(self._request.name):
            refuse(FAILED, f"Resolve must render {self._request.name}, but its queue says {name}. {_LOOK}", found=name)

    def _watch(self, job: str) -> int:
        """Wait for the end: not rendering, 100 percent, no error. The status's own word is in the language of the interface."""
        limits, last = self._request.limits, -1
        size, since = self._size(), time.monotonic()
        rendered = since
        while True:
            status = dictionary(self._wire.call(self.project, "GetRenderJobStatus", job, poll=True))
            rendering = self._wire.call(self.project, "IsRenderingInProgress", poll=True)
            if error := status.get("Error"):
                refuse(FAILED, f"Resolve must render without an error, but it says: {error}. See its log.", error=str(error))
            told = status.get("CompletionPercentage")
            percentage = int(told) if isinstance(told, int | float) else None
            if percentage == COMPLETE and rendering is False:
                self._wire.tell("progress", percentage=percentage)
                return percentage
            now, grown = time.monotonic(), self._size()
            rendered = now if rendering is True else rendered
            if (percentage is not None and percentage != last) or grown != size:
                size, since = grown, now
            if percentage is not None and percentage != last:
                last = percentage
                self._wire.tell("progress", percentage=percentage)
            if now - max(rendered, since) > limits.idle and rendering is not True:
                self._over_too_soon(status, rendering)
            if last <= 0 and now - since > limits.begin:
                refuse(
                    FAILED,
                    f"a render must begin, but this one stood at 0 % for {limits.begin:g} s and wrote nothing: Resolve hangs, or "
                    "there is nothing to render. Restart Resolve.",
                )
            time.sleep(limits.poll)

    def _over_too_soon(self, status: Mapping[str, object], rendering: object) -> None:
        if not status or rendering is None:
            waited = f"{self._request.limits.idle:g} s"
            refuse(
                FAILED, f"Resolve must tell how far it is, but it has not for {waited}: it was closed, or crashed. Restart it."
            )
        where = f"at {status.get('CompletionPercentage')} %, and says {status.get('JobStatus')!r}"
        refuse(FAILED, f"a render must come to 100 %, but Resolve has stopped {where}. See its log.", status=str(status))

    def _settle(self) -> None:
        """Wait until the new files stand still: the end is told before the last byte is written."""
        limits = self._request.limits
        size, since = self._size(), time.monotonic()

        def still() -> bool:
            nonlocal size, since
            if (now := self._size()) != size:
                size, since = now, time.monotonic()
            return time.monotonic() - since >= limits.settle

        if not self._wire.wait(limits.idle, rest=min(limits.poll, limits.settle), done=still):
            refuse(FAILED, f"a finished render must stand still, but its file still grows {limits.idle:g} s after 100 %. {_LOOK}")

    def _new(self) -> list[str]:
        return sorted(set(self._names()) - self._before)

    def _names(self) -> list[str]:
        with os.scandir(self._request.target) as entries:
            return [entry.name for entry in entries]

    def _size(self) -> list[tuple[str, int]]:
        sizes: list[tuple[str, int]] = []
        for name in self._new():
            try:
                sizes.append((name, os.lstat(f"{self._request.target}/{name}").st_size))
            except OSError:
                continue  # it has just gone
        return sizes

    def _expect(self, answer: object, what: str) -> None:
        if answer is False:
            refuse(FAILED, f"Resolve must {what}, but it refuses. {_LOOK}")

    def _same(self, key: str, wanted: object, found: object) -> None:
        """Compare a read-back with what was set. Numbers may come as text, and rates rounded; None is no answer."""
        if found is None or _plain(found) == _plain(wanted):
            return
        refuse(FAILED, f"Resolve must keep {key} as {wanted}, but it says {found}. {_LOOK}", key=key, found=str(found))


def _plain(value: object) -> str:
    """A value as it is compared: `23.976`, `24000/1001` and 23.976024 are one rate, and a folder may end with a slash."""
    text = str(value).removesuffix(" DF").rstrip("/")
    try:
        return f"{float(text):.2f}"
    except ValueError:
        return text
