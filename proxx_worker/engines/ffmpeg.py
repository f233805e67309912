"""The FFmpeg engine: one child per output. Its output goes to the job's log, its observations become evidence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.contract.output_settings import OutputSettings
from proxx_worker.engines.completion import complete_mxf, hide_tags_in_mov, say_bt2020_in_mov
from proxx_worker.engines.damage_search import search_damage
from proxx_worker.engines.field_confirmation import confirm_fields
from proxx_worker.engines.port import Accepted, Encoded, EngineContext, Media, Plan, StagedOutput, StagingArea, Unfinished, Usage
from proxx_worker.engines.source_file import OpenSource
from proxx_worker.engines.tools import Tools
from proxx_worker.media.facts import MediaFacts
from proxx_worker.planning.field_report import read_line
from proxx_worker.planning.plan import TaskPlan, plan_task
from proxx_worker.process.child import run_child
from proxx_worker.process.child_exit import ChildExit
from proxx_worker.process.stderr_lines import StderrLines
from proxx_worker.process.stop import CUT_SHORT
from proxx_worker.verification.encode_observation import EncodeObserver
from proxx_worker.verification.ffmpeg_evidence import FfmpegEvidence
from proxx_worker.verification.field_changes import depends_on_threads
from proxx_worker.verification.progress import Progress
from proxx_worker.verification.source_times import claim

STANDARD_INPUT = "/dev/fd/0"
"""The source's name for the encoder. FFmpeg reopens it, so it can seek; it reads no commands from it (`-nostdin`)."""

_FRAME_REPORT = b"frame:"


@dataclass(frozen=True, slots=True)
class FfmpegEngine:
    """Satisfies `EnginePort`. `tools` finds FFmpeg and ffprobe or raises FFMPEG_MISSING / FFPROBE_MISSING."""

    tools: Callable[[], Tools]

    def require_available(self) -> None:
        """Raise FFMPEG_MISSING, FFPROBE_MISSING, or SANDBOX_UNAVAILABLE."""
        self.tools().require_confined()

    def plan(self, settings: OutputSettings, media: Media, preset: str | None) -> TaskPlan:
        """See `plan_task`. Routing sends no camera RAW and no presets here."""
        if not isinstance(media, MediaFacts):
            raise TypeError(f"not ordinary media: {media}")
        return plan_task(settings, media)

    def survey(self, tasks: Sequence[Accepted], context: EngineContext) -> Sequence[Accepted]:
        """The tasks unchanged: ffprobe has reported everything already."""
        return tasks

    def encode(
        self, plan: Plan, source: OpenSource, staging: StagingArea, name: str, context: EngineContext
    ) -> Encoded | Unfinished:
        """Encode `source` into a new file in staging, and wait until it is done.

        The encoder reads the opened and checked source from its standard input, as a path could lead elsewhere by now. It starts
        in the staging folder and gets the output's bare name: so the command does not depend on the output's location, and
        swapping the output directory for a symlink does not redirect it.

        A source whose frame times differ from its container's is encoded again, with a plan based on those times (decision
        0027). The first encode measures them: reading every source twice for the few wrong ones would cost more.

        Raises FFMPEG_MISSING, FFPROBE_MISSING, SANDBOX_UNAVAILABLE, IO_ERROR (no process can be started), and what `on_progress`
        or `log` raise.
        """
        task = _task_plan(plan)
        staged = staging.create(name)
        first = self._encode(task, source, staged, context)
        if isinstance(first, Unfinished):
            return first
        try:
            return self._as_measured(task, first, source, context)
        except ProxxError as stopped:
            if stopped.code not in CUT_SHORT:
                raise
            return Unfinished(stopped.error, first.usage, first.argv, first.exit_code)

    def _as_measured(self, task: TaskPlan, first: Encoded, source: OpenSource, context: EngineContext) -> Encoded | Unfinished:
        """`first` itself if its plan fits the frames that it presented, else a second encode; with what other passes find."""
        staged = first.staged
        again = first.evidence.replanned() if isinstance(first.evidence, FfmpegEvidence) else None
        if again is None:
            return self._with_second_passes(first, source, context)
        context.log.event("replanned", claimed=claim(task), measured=claim(again))
        second = self._encode(again, source, staged, context, claimed=claim(task))
        whole = replace(second, usage=_sum(first.usage, second.usage))
        return self._with_second_passes(whole, source, context)

    def _with_second_passes(
        self, encoded: Encoded | Unfinished, source: OpenSource, context: EngineContext
    ) -> Encoded | Unfinished:
        return self._with_confirmed_fields(self._with_all_places(encoded, source, context), source, context)

    def _with_confirmed_fields(
        self, encoded: Encoded | Unfinished, source: OpenSource, context: EngineContext
    ) -> Encoded | Unfinished:
        """If the kinds of a good encode's frames may depend on the decoder's threads, take those of a single one."""
        if isinstance(encoded, Unfinished) or not isinstance(evidence := encoded.evidence, FfmpegEvidence):
            return encoded
        plan, encode = evidence.plan, evidence.encode
        if not (evidence.shows_kinds() and depends_on_threads(plan, encode)):
            return encoded
        keep_alive = partial(context.on_progress, encode.progress)
        found = confirm_fields(self.tools(), plan.facts, source, context, keep_alive, encode.presented)
        usage = _sum(encoded.usage, found.usage)
        if found.fault is not None:
            return Unfinished(found.fault, usage, encoded.argv, encoded.exit_code)
        return replace(encoded, evidence=replace(evidence, encode=replace(encode, kinds=found.kinds)), usage=usage)

    def _with_all_places(self, encoded: Encoded | Unfinished, source: OpenSource, context: EngineContext) -> Encoded | Unfinished:
        """If the source is damaged, search all of it, so that an editor knows every place and can decide."""
        if isinstance(encoded, Unfinished) or not isinstance(evidence := encoded.evidence, FfmpegEvidence):
            return encoded
        if not evidence.has_places():
            return encoded
        keep_alive = partial(context.on_progress, evidence.encode.progress)
        search = search_damage(self.tools(), evidence.plan.facts, source, context, keep_alive)
        usage = _sum(encoded.usage, search.usage)
        if search.found is None:
            fault = context.stop.error("a damaged source was searched").error
            return Unfinished(fault, usage, encoded.argv, encoded.exit_code)
        return replace(encoded, evidence=replace(evidence, search=search.found), usage=usage)

    def _encode(
        self, task: TaskPlan, source: OpenSource, staged: StagedOutput, context: EngineContext, claimed: str | None = None
    ) -> Encoded | Unfinished:
        tools = self.tools()
        argv = task.argv(tools.ffmpeg, STANDARD_INPUT, staged.name)
        placements = [stream.placement for stream in task.design.audio]
        observer = EncodeObserver(placements, context.checkpoint("this was encoded"))
        lines = StderrLines(observer.feed_line, partial(_log_lines, context))
        tracker = _EncoderProgress(staged, observer, context.on_progress)
        context.log.event("encoder_started", level="DEBUG", argv=list(argv))
        child = run_child(
            argv,
            stop=context.stop,
            on_stdout=tracker.feed,
            on_stderr=lines.feed,
            growth=tracker.progress_token,
            stall_seconds=context.stall_seconds,
            stdin=source.descriptor,
            pass_fds=context.pass_fds,
            cwd=staged.folder,
            missing=ErrorCode.FFMPEG_MISSING,
            confinement=tools.confinement(reads=(source.descriptor,), writes=(staged.fd,)),
        )
        lines.finish()
        size = staged.size()
        context.log.event(
            "encoder_ended",
            exit_code=child.exit_code,
            size_bytes=size,
            cpu_seconds=round(child.cpu_seconds, 3),
            peak_memory_bytes=child.peak_memory_bytes,
        )
        usage = Usage(child.cpu_seconds, child.peak_memory_bytes)
        fault = tools.out_of_memory("the encode") if child.out_of_memory else _fault(child, context)
        if fault is not None:
            return Unfinished(fault, usage, tuple(argv), child.exit_code)
        evidence = FfmpegEvidence(task, observer.finish(child.exit_code, size), claimed)
        return Encoded(staged, evidence, usage, tuple(argv), child.exit_code, None if claimed is None else task, evidence.notes())

    def finalize(self, plan: Plan, encoded: Encoded, context: EngineContext) -> None:
        """See `completion`. A failed encode is left as it is, so that its own error is reported."""
        task = _task_plan(plan)
        if encoded.exit_code != 0:
            return
        checkpoint = context.checkpoint("a proxy was completed")
        if task.completes_mxf:
            complete_mxf(encoded.staged, task.design.geometry.display_aspect, checkpoint, says_bt2020=task.says_bt2020)
        elif task.says_bt2020:
            say_bt2020_in_mov(encoded.staged, checkpoint)
        elif task.hides_tags:
            hide_tags_in_mov(encoded.staged, checkpoint, task.design.color.hidden)


def _log_lines(context: EngineContext, lines: Sequence[str]) -> None:
    """Hand an encoder's lines to the job's log, but for the report on fields: its text differs from run to run (an address)."""
    said = [line for line in lines if read_line(line) is None]
    if said:
        context.log.encoder_lines(said)


def _sum(first: Usage, second: Usage) -> Usage:
    """The usage of two processes that ran one after the other."""
    return Usage(first.cpu_seconds + second.cpu_seconds, max(first.peak_memory_bytes, second.peak_memory_bytes))


def _task_plan(plan: Plan) -> TaskPlan:
    if not isinstance(plan, TaskPlan):
        raise TypeError(f"not an FFmpeg plan: {plan}")
    return plan


class _EncoderProgress:
    """Signs of an encoder's progress: frames read, frames written, and the file itself.

    The file counts because FFmpeg reports nothing while it moves the index of a long MP4 to the front. Repeated progress blocks
    do not count, because it may write them without making progress.
    """

    def __init__(self, staged: StagedOutput, observer: EncodeObserver, on_progress: Callable[[Progress], None]) -> None:
        self._staged = staged
        self._observer = observer
        self._on_progress = on_progress
        self._reports = 0
        self._last = Progress()

    def feed(self, chunk: bytes) -> None:
        self._reports += chunk.count(_FRAME_REPORT)
        for progress in self._observer.feed_stdout(chunk):
            self._last = progress
            self._on_progress(progress)

    def progress_token(self) -> tuple[object, ...]:
        # Repeated once a second: the status file delays changes, and an encoder that hangs triggers no further update.
        self._on_progress(self._last)
        return self._reports, self._last.frames, self._last.position, *self._staged.growth()


def _fault(child: ChildExit, context: EngineContext) -> JobError | None:
    if child.stopped:
        return context.stop.error("this was being encoded").error
    if child.stalled:
        return JobError(
            ErrorCode.ENCODE_STALLED,
            f"the encoder must make progress, but it reported none and wrote nothing for {context.stall_seconds:g} s. "
            "Check that the storage of source and output responds; a slow machine may need a longer `stall_seconds`.",
            {"stall_seconds": context.stall_seconds},
        )
    if child.survivors:
        return JobError(
            ErrorCode.ENCODE_FAILED,
            "the encoder must end with everything it started, but it left a process behind that could still write to the output. "
            "Use FFmpeg itself as `ffmpeg`, or a wrapper that replaces itself with it (`exec`).",
        )
    return None
