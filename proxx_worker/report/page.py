"""The report as one self-contained HTML file: it needs no script to be readable, and makes no requests.

Names can be anything a file system allows: the template escapes everything, and bidirectional controls are shown as escapes.
"""

import base64
import hashlib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from proxx_worker.contract.errors import JsonValue
from proxx_worker.contract.result import Check
from proxx_worker.contract.text import value_text, visible
from proxx_worker.media.facts import VideoFacts
from proxx_worker.report.charts import ssim_chart, waveforms
from proxx_worker.report.document import ExaminedJob
from proxx_worker.report.examine import ExaminedTask
from proxx_worker.report.finding import Finding, Kind, Verdict
from proxx_worker.report.gate import missed_limit
from proxx_worker.report.pictures import ShownFrame
from proxx_worker.report.summary import AudioSummary
from proxx_worker.report.video_measures import LumaRange

PICTURE_BYTES_PER_TASK = 225_000
"""Of JPEG files; in base64 they take a third more."""

_LOG_LINES = 120
_LOG_COLUMNS = 300
_COMMAND_CHARACTERS = 6000
_HDR = {"smpte2084": "PQ", "arib-std-b67": "HLG"}

REMEDIES: Mapping[Kind, str] = {
    Kind.FRAME_SLIP: "Do not cut with this proxy: edits would be off by these frames. Make it again from the source.",
    Kind.BLACK_FRAMES: "Look at the frame in the source; if it is not black there, make the proxy again.",
    Kind.FROZEN_FRAMES: "Make the proxy again, and check the source's storage if it happens again.",
    Kind.LEVELS: "Check the source's range tag. If it is right, make the proxy again; if not, correct it in the source.",
    Kind.MATRIX: "Check the source's matrix tag. If it is right, make the proxy again; if it is wrong, correct it in the source.",
    Kind.FIELD_ORDER: "Do not use this proxy for interlaced delivery. Check the source's field order, then make it again.",
    Kind.AUDIO_LAG: "Do not judge sync by this proxy. Make it again, and compare with the source in the editor.",
    Kind.AUDIO_HOLE: "Listen to the source at this place; where it has audio, make the proxy again.",
    Kind.CHANNEL_SWAP: "Do not mix with this proxy. Make it again; nothing in the project maps channels.",
    Kind.FILE_CHANGED: "Find the file that the result names, or submit the job again.",
    Kind.DAMAGED: "Compare these frames with the source before you use the proxy.",
}
_VERDICT_WORDS = {
    Verdict.PASS: "Pass",
    Verdict.SUSPICIOUS: "Suspicious",
    Verdict.FAIL: "Fail",
    Verdict.NOT_COMPARED: "Not compared",
}
_ADVICE = {
    Verdict.PASS: "All frames and all audio were compared with the source. Nothing stands out.",
    Verdict.SUSPICIOUS: "Something stands out that may be harmless. Look at it before the proxy is used.",
    Verdict.FAIL: "The proxy does not show what its source shows. Do not use it.",
    Verdict.NOT_COMPARED: "The proxy was not compared.",
}


@dataclass(frozen=True, slots=True)
class ReportPage:
    """The content of the page. `pictures`: by the indexes of job and task. `gate`: the caller's `--fail-below`.

    `compact`: tasks without images are summarized, as in a page on a whole workspace. `made_by`: this program and its
    version.
    """

    title: str
    jobs: Sequence[ExaminedJob]
    made_by: str
    gate: float | None = None
    compact: bool = False
    pictures: Mapping[tuple[int, int], Sequence[ShownFrame]] = field(default_factory=dict)


def render(page: ReportPage) -> bytes:
    """The HTML file."""
    style, script = _part("report.css"), _part("report.js")
    environment = Environment(
        loader=PackageLoader("proxx_worker.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    many = len(page.jobs) > 1 or page.compact
    text = environment.get_template("report.html.j2").render(
        page=page,
        many=many,
        style=Markup(style),  # noqa: S704 - our own file, not a value
        script=Markup(script),  # noqa: S704 - the same
        style_hash=_hash(style),
        script_hash=_hash(script),
        jobs=[_job_view(page, number, job, many=many) for number, job in enumerate(page.jobs)],
        verdicts=[(verdict.value, _VERDICT_WORDS[verdict], _count(page.jobs, verdict)) for verdict in Verdict],
        missed=missed_limit(page.jobs, page.gate),
        codes=sorted({job.job.error.code for job in page.jobs if job.job.error is not None}),
    )
    return text.encode("utf-8", "backslashreplace")


def _part(name: str) -> str:
    return files("proxx_worker.report").joinpath("templates", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _shown(value: object) -> object:
    """Text without terminal or bidirectional controls; our own markup as it is."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _count(jobs: Sequence[ExaminedJob], verdict: Verdict) -> int:
    return sum(task.verdict is verdict for job in jobs for task in job.tasks)


def _job_view(page: ReportPage, number: int, job: ExaminedJob, *, many: bool) -> dict[str, object]:
    prefix = f"job-{number + 1}-" if many else ""
    ssim = job.ssim_min
    return {
        "anchor": f"job-{number + 1}",
        "name": job.job.jobspec.name,
        "status": job.job.status.value,
        "error": job.job.error,
        "verdict": job.verdict.value,
        "verdict_word": _VERDICT_WORDS[job.verdict],
        "ssim": None if ssim is None else f"{ssim:.4f}",
        "findings": sum(len(task.findings) for task in job.tasks),
        "finished_at": job.job.finished_at,
        "facts": _job_facts(job),
        "log": _log_lines(job.log) if job.log is not None and not page.compact else None,
        "tasks": [
            _task_view(page, f"{prefix}task-{task.task.index + 1}", task, page.pictures.get((number, place), ()))
            for place, task in enumerate(job.tasks)
        ],
    }


def _job_facts(job: ExaminedJob) -> list[tuple[str, str]]:
    settings = job.job.settings or {}
    facts = [
        ("Job", job.job.job_id),
        ("Profile", job.job.proxy_profile or "explicit settings"),
        ("Settings", ", ".join(f"{key} {value}" for key, value in settings.items() if value is not None)),
        ("Worker", f"proxx-worker {job.job.worker.version}, {job.job.worker.ffmpeg or 'no FFmpeg'}"),
        ("Finished", f"{job.job.finished_at}, after {job.job.duration_seconds:.1f} s"),
    ]
    return [(name, value) for name, value in facts if value]


def _log_lines(log: str) -> list[str]:
    lines = log.splitlines()
    cut = [f"({len(lines) - _LOG_LINES} earlier lines are in the log)"] if len(lines) > _LOG_LINES else []
    return [*cut, *(line[:_LOG_COLUMNS] for line in lines[-_LOG_LINES:])]


def _task_view(page: ReportPage, anchor: str, examined: ExaminedTask, shown: Sequence[ShownFrame]) -> dict[str, object]:
    task, summary = examined.task, examined.summary
    brief = page.compact and not shown
    return {
        "anchor": anchor,
        "number": task.index + 1,
        "name": task.source.rsplit("/", 1)[-1] or task.source,
        "verdict": examined.verdict.value,
        "verdict_word": _VERDICT_WORDS[examined.verdict],
        "advice": _ADVICE[examined.verdict],
        "reason": None if examined.findings else examined.reason,
        "findings": [_finding_view(anchor, finding, shown) for finding in examined.findings],
        "ssim": None if summary is None or summary.ssim_mean is None else _ssim_view(page, examined, anchor, shown),
        "hdr": _hdr(examined),
        "luma": [] if summary is None else [_luma("Source", summary.source_luma), _luma("Proxy", summary.proxy_luma)],
        "audio_streams": [] if summary is None else [_audio_view(audio, summary.seconds) for audio in summary.audio_streams],
        "frames": [_frame_view(anchor, frame) for frame in shown],
        "failed_checks": [_check_view(check) for check in task.checks if check.ok is False],
        "checks": [] if brief else [_check_view(check) for check in sorted(task.checks, key=_bad_first)],
        "tags": _tags(examined),
        "facts": _task_facts(examined),
        "command": None if brief or task.command is None else shlex.join(task.command)[:_COMMAND_CHARACTERS],
    }


def _finding_view(anchor: str, finding: Finding, shown: Sequence[ShownFrame]) -> dict[str, object]:
    there = any(frame.place.frame == finding.frame for frame in shown)
    return {
        "kind": finding.kind.replace("_", " "),
        "message": finding.message,
        "certain": finding.certain,
        "remedy": REMEDIES[finding.kind],
        "where": None if finding.timecode is None else finding.timecode,
        "href": f"#{anchor}-frame-{finding.frame}" if there else None,
        "figure": _figure(finding),
    }


def _figure(finding: Finding) -> str | None:
    if finding.value is None:
        return None
    return f"measured {finding.value:g}" + ("" if finding.threshold is None else f", limit {finding.threshold:g}")


def _ssim_view(page: ReportPage, examined: ExaminedTask, anchor: str, shown: Sequence[ShownFrame]) -> dict[str, object]:
    summary = examined.summary
    if summary is None or summary.ssim_mean is None or summary.ssim_min is None:
        raise ValueError("nothing was compared")
    title = (
        f"SSIM of {summary.frames} frames: mean {summary.ssim_mean:.4f}, "
        f"least {summary.ssim_min:.4f} at frame {summary.ssim_min_frame}"
    )
    there = any(frame.place.frame == summary.ssim_min_frame for frame in shown)
    return {
        "mean": f"{summary.ssim_mean:.4f}",
        "min": f"{summary.ssim_min:.4f}",
        "min_frame": summary.ssim_min_frame,
        "href": f"#{anchor}-frame-{summary.ssim_min_frame}" if there else None,
        "floor": None if summary.ssim_floor is None else f"{summary.ssim_floor:.3f}",
        "below_gate": page.gate is not None and summary.ssim_min < page.gate,
        "chart": Markup(ssim_chart(summary, title, page.gate)),  # noqa: S704 - numbers, and a title that is escaped there
        "frames": summary.frames,
        "size": f"{summary.comparison.width}x{summary.comparison.height}",
    }


def _hdr(examined: ExaminedTask) -> str | None:
    summary = examined.summary
    transfer = None if summary is None else summary.comparison.source.video.color.transfer
    return None if transfer is None else _HDR.get(transfer)


def _luma(name: str, luma: LumaRange) -> dict[str, str]:
    if not luma.points:
        return {"name": name, "range": "", "black": "", "white": ""}
    return {
        "name": name,
        "range": f"{luma.least} to {luma.greatest}",
        "black": f"{luma.black_share:.2%}",
        "white": f"{luma.white_share:.2%}",
    }


def _audio_view(audio: AudioSummary, seconds: float) -> dict[str, object]:
    lag = "the lag could not be measured" if audio.lag_seconds is None else f"lag {audio.lag_seconds * 1000:+.0f} ms"
    source, proxy = (f"{lufs:.1f} LUFS" if lufs is not None else "silent" for lufs in (audio.lufs_source, audio.lufs_proxy))
    title = f"Waveforms of audio {audio.index}, source above proxy, {seconds:.1f} s"
    return {
        "index": audio.index,
        "channels": f"{audio.channels} channel{'s' if audio.channels > 1 else ''}",
        "lag": lag,
        "source": source,
        "proxy": proxy,
        "waves": Markup(waveforms(audio.source_wave, audio.proxy_wave, title)),  # noqa: S704 - numbers, and an escaped title
    }


def _frame_view(anchor: str, frame: ShownFrame) -> dict[str, object]:
    place = frame.place
    label = f"Frame {place.frame}" + (f", {place.timecode}" if place.timecode else "")
    return {
        "anchor": f"{anchor}-frame-{place.frame}",
        "label": label,
        "why": place.why,
        "ssim": None if place.ssim is None else f"{place.ssim:.4f}",
        "source_frame": None if place.source_frame == place.frame else place.source_frame,
        "width": frame.width,
        "height": frame.height,
        "views": [
            (name, f"{name} at {label.lower()}", f"data:image/jpeg;base64,{base64.b64encode(data).decode()}")
            for name, data in (("Source", frame.source), ("Proxy", frame.proxy), ("Difference x 8", frame.difference))
        ],
    }


def _bad_first(check: Check) -> int:
    return {False: 0, None: 1, True: 2}[check.ok]


def _check_view(check: Check) -> dict[str, str]:
    words = {True: "as expected", False: "wrong", None: "nothing to compare with"}
    return {
        "name": check.name.replace("_", " "),
        "expected": _value(check.expected),
        "actual": _value(check.actual),
        "ok": {True: "yes", False: "no", None: "open"}[check.ok],
        "word": words[check.ok],
    }


def _value(value: JsonValue) -> str:
    return value_text(value)[:200]


def _tags(examined: ExaminedTask) -> list[tuple[str, str, str, bool]]:
    """Colour tags: name, expected, actual, and whether they differ."""
    rows = []
    for name in ("color_range", "color_matrix", "color_primaries", "color_transfer"):
        check = examined.task.check(name)
        if check is not None:
            rows.append((name.removeprefix("color_"), _value(check.expected), _value(check.actual), check.ok is False))
    return rows


def _task_facts(examined: ExaminedTask) -> list[tuple[str, str]]:
    task = examined.task
    size = None if task.output_size_bytes is None else f"{task.output_size_bytes / 1e6:,.2f} MB"
    memory = None if task.peak_memory_bytes is None else f"{task.peak_memory_bytes / 1e6:,.0f} MB"
    summary = examined.summary
    rows = [
        ("Source", task.source),
        ("Proxy", task.output),
        ("SHA-256", task.output_sha256),
        ("Size", size),
        ("Source video", None if summary is None else _video(summary.comparison.source.video)),
        ("Proxy video", None if summary is None else _video(summary.comparison.proxy.video)),
        (
            "Start timecode",
            None if summary is None or summary.comparison.source.timecode is None else summary.comparison.source.timecode.text,
        ),
        (
            "Encode",
            None
            if task.duration_seconds is None
            else f"{task.duration_seconds:.1f} s, CPU {task.cpu_seconds or 0:.1f} s, memory {memory}",
        ),
        ("Notes", "; ".join(str(note) for note in _notes(task.source_media)) or None),
    ]
    return [(name, value) for name, value in rows if value is not None]


def _video(video: VideoFacts) -> str:
    rate = f"{float(video.rate):.3f}".rstrip("0").rstrip(".")
    fields = "" if not video.interlaced else ", top field first" if video.top_field_first else ", bottom field first"
    turned = f", turned by {video.rotation}°" if video.rotation else ""
    return f"{video.codec} {video.width}x{video.height}, {rate} frames/s, {video.pixel_format}{fields}{turned}"


def _notes(media: Mapping[str, JsonValue] | None) -> Sequence[JsonValue]:
    notes = (media or {}).get("notes")
    return notes if isinstance(notes, list) else []
