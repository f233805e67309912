"""Examines one task of a finished job, from its result's record to its findings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.errors import ErrorClass, ErrorCode, JsonValue, ProxxError
from proxx_worker.contract.finished import FinishedJob, FinishedTask
from proxx_worker.contract.result import TaskStatus
from proxx_worker.engines.ffprobe import probe_source
from proxx_worker.engines.source_file import SourceIdentity, open_probed, open_source
from proxx_worker.engines.tools import Tools
from proxx_worker.media.facts import MediaFacts
from proxx_worker.media.source_record import source_media
from proxx_worker.process.stop import StopSignal
from proxx_worker.report.compare import compare, sha256_of
from proxx_worker.report.comparison import plan_comparison
from proxx_worker.report.finding import Finding, Kind, Verdict, verdict_of
from proxx_worker.report.findings import judge
from proxx_worker.report.pictures import ShownFrame, show_frames
from proxx_worker.report.summary import Summary, summarize

_STEADY = ("codec", "width", "height", "rate", "duration", "pixel_format")


@dataclass(frozen=True, slots=True)
class Examiner:
    """What every examination needs. `on_frames(task, frames)`: gets the number of compared frames. `worst`: to show."""

    tools: Tools
    stop: StopSignal
    stall_seconds: float
    worst: int
    on_frames: Callable[[FinishedTask, int], None]


@dataclass(frozen=True, slots=True)
class ExaminedTask:
    """`reason`: why it was not compared, None if it was. `identities`: of source and proxy as they were compared."""

    task: FinishedTask
    verdict: Verdict
    findings: tuple[Finding, ...]
    reason: str | None = None
    summary: Summary | None = None
    identities: tuple[SourceIdentity, SourceIdentity] | None = None


def examine(examiner: Examiner, job: FinishedJob, task: FinishedTask) -> ExaminedTask:
    """Compare the task's proxy with its source. The proxy's SHA-256 is checked first.

    Raises INTERRUPTED, and errors of this machine, not of the task's files (FFMPEG_MISSING, IO_ERROR).
    """
    output = task.output_file
    if task.status is not TaskStatus.COMPLETED or output is None:
        why = task.error.message if task.error is not None else "there is no proxy: the job failed"
        return ExaminedTask(task, Verdict.NOT_COMPARED, (), why)
    try:
        with open_source(output) as proxy:
            digest = sha256_of(proxy, examiner.stop)
    except ProxxError as error:
        _pass_on(error)
        hint = _IF_GATHERED if error.code is ErrorCode.SOURCE_MISSING else ""
        return _changed(task, Verdict.FAIL, f"the proxy cannot be read: {error.error.message}{hint}", certain=True)
    if digest != task.output_sha256:
        return _changed(
            task, Verdict.FAIL, f"{output} is not the file that this result names: its SHA-256 is {digest}", certain=True
        )
    try:
        return _compare(examiner, job, task, output)
    except ProxxError as error:
        _pass_on(error)
        if error.code in {ErrorCode.SOURCE_MISSING, ErrorCode.SOURCE_CHANGED}:
            return _changed(task, Verdict.NOT_COMPARED, error.error.message, certain=False)
        return ExaminedTask(task, Verdict.NOT_COMPARED, (), error.error.message)


_IF_GATHERED = " If `gather` has moved it, name the gathered.json of its new folder beside the results."


def _pass_on(error: ProxxError) -> None:
    """Re-raise errors that are not about the task's files."""
    if error.code is ErrorCode.INTERRUPTED or (
        error.code.error_class is ErrorClass.ENVIRONMENT and error.code is not ErrorCode.SOURCE_CHANGED
    ):
        raise error


def _changed(task: FinishedTask, verdict: Verdict, message: str, *, certain: bool) -> ExaminedTask:
    return ExaminedTask(task, verdict, (Finding(Kind.FILE_CHANGED, message, certain),), message)


def _compare(examiner: Examiner, job: FinishedJob, task: FinishedTask, output: str) -> ExaminedTask:
    tools, stop, stall_seconds = examiner.tools, examiner.stop, examiner.stall_seconds
    probed = [probe_source(tools, path, stop, stall_seconds=stall_seconds) for path in (task.source_file, output)]
    source, proxy = (found.media for found in probed)
    if not (isinstance(source, MediaFacts) and isinstance(proxy, MediaFacts)):
        return ExaminedTask(task, Verdict.NOT_COMPARED, (), "camera RAW is not decoded here: check it in Resolve")
    comparison = plan_comparison(source, proxy, _converted_rate(job))
    identities = probed[0].identity, probed[1].identity
    with (
        open_probed(task.source_file, identities[0], _anywhere) as source_file,
        open_probed(output, identities[1], _anywhere) as proxy_file,
    ):
        measurements = compare(
            tools, comparison, source_file, proxy_file,
            counted=task.counted_frames(), stop=stop, stall_seconds=stall_seconds,
            on_frames=lambda frames: examiner.on_frames(task, frames),
        )  # fmt: skip
    findings = (*_source_changed(task, source), *judge(measurements))
    return ExaminedTask(
        task,
        verdict_of(findings),
        findings,
        summary=summarize(measurements, findings, examiner.worst),
        identities=identities,
    )


def _anywhere(_path: str) -> None:
    """The operator chooses the results, so their files may be anywhere."""


def _converted_rate(job: FinishedJob) -> Fraction | None:
    settings = job.settings or {}
    fps = settings.get("fps")
    if settings.get("fps_mode") != "explicit" or fps is None:
        return None
    return Fraction(str(fps))


def _source_changed(task: FinishedTask, source: MediaFacts) -> Iterator[Finding]:
    """Whether the source is still what the worker saw, by the facts in its result."""
    before = (task.source_media or {}).get("video")
    now: JsonValue = source_media(source).model_dump(mode="json")["video"]
    if not isinstance(before, dict) or not isinstance(now, dict):
        return
    changed = [name for name in _STEADY if name in before and before[name] != now.get(name)]
    if changed:
        told = ", ".join(f"{name} was {before[name]}, is {now.get(name)}" for name in changed)
        yield Finding(Kind.FILE_CHANGED, f"the source is not the file that the job encoded: {told}", certain=False)


def frame_images(examiner: Examiner, examined: ExaminedTask, most_bytes: int) -> list[ShownFrame]:
    """The frames to show, extracted from the files; none if they were not compared, or have changed since."""
    if examined.summary is None or examined.identities is None or examined.task.output_file is None:
        return []
    try:
        with (
            open_probed(examined.task.source_file, examined.identities[0], _anywhere) as source,
            open_probed(examined.task.output_file, examined.identities[1], _anywhere) as proxy,
        ):
            return show_frames(
                examiner.tools, examined.summary.comparison, source, proxy, examined.summary.places,
                most_bytes=most_bytes, stop=examiner.stop, stall_seconds=examiner.stall_seconds,
            )  # fmt: skip
    except ProxxError as error:
        _pass_on(error)
        return []
