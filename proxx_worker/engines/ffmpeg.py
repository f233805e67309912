"""The FFmpeg engine: one child per output, its words into the job's log, what was seen of it as evidence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.contract.output_settings import OutputSettings
from proxx_worker.engines.completion import complete_mxf, say_bt2020_in_mov
from proxx_worker.engines.port import Accepted, Encoded, EngineContext, Media, Plan, StagedOutput, StagingArea, Unfinished, Usage
from proxx_worker.engines.source_file import OpenSource
from proxx_worker.engines.tools import Tools
from proxx_worker.media.facts import MediaFacts
from proxx_worker.planning.plan import TaskPlan, plan_task
from proxx_worker.process.child import run_child
from proxx_worker.process.child_exit import ChildExit
from proxx_worker.process.stderr_lines import StderrLines
from proxx_worker.verification.encode_observation import EncodeObserver
from proxx_worker.verification.ffmpeg_evidence import FfmpegEvidence
from proxx_worker.verification.progress import Progress
from proxx_worker.verification.source_times import claim

STANDARD_INPUT = "/dev/fd/0"
"""The source as the encoder names it. FFmpeg opens it anew, so it can seek; it takes no commands from there (`-nostdin`)."""

_FRAME_REPORT = b"frame:"


@dataclass(frozen=True, slots=True)
class FfmpegEngine:
    """Satisfies `EnginePort`. `tools` finds FFmpeg and ffprobe or raises FFMPEG_MISSING / FFPROBE_MISSING."""

    tools: Callable[[], Tools]

    def require_available(self) -> None:
        """Raise FFMPEG_MISSING, FFPROBE_MISSING, or SANDBOX_UNAVAILABLE."""
        self.tools().require_confined()

    def plan(self, settings: OutputSettings, media: Media, preset: str | None) -> TaskPlan:
        """See `plan_task`. Camera RAW and presets are another engine's: routing brings neither here."""
        if not isinstance(media, MediaFacts):
            raise TypeError(f"not FFmpeg's to plan: {media}")
        return plan_task(settings, media)

    def survey(self, tasks: Sequence[Accepted], around: EngineContext) -> Sequence[Accepted]:
        """The tasks as they are: ffprobe has told all that can be known."""
        return tasks

    def encode(
        self, plan: Plan, source: OpenSource, staging: StagingArea, name: str, around: EngineContext
    ) -> Encoded | Unfinished:
        """Encode `source` into a new file of staging, and wait for the end.

        The encoder reads its standard input, which is the source as it was opened and checked: a path could lead elsewhere by
        now. It starts in the staging folder and gets the output's bare name: the command is the same wherever the output goes,
        and an output directory that is swapped for a symlink meanwhile leads it nowhere.

        A source whose frames come at other times than its container claims is encoded once more, by what they tell: decision
        0027. The first encode is what measures them, and reading every source twice for the few that lie would cost more.

        Raises FFMPEG_MISSING, IO_ERROR (no process can be started), and what `on_progress` or `log` raise.
        """
        task = _own(plan)
        staged = staging.create(name)
        first = self._encode(task, source, staged, around)
        again = first.evidence.replanned() if isinstance(first, Encoded) and isinstance(first.evidence, FfmpegEvidence) else None
        if again is None:
            return first
        around.log.event("replanned", claimed=claim(task), measured=claim(again))
        second = self._encode(again, source, staged, around, claimed=claim(task))
        return replace(second, usage=_sum(first.usage, second.usage))

    def _encode(
        self, task: TaskPlan, source: OpenSource, staged: StagedOutput, around: EngineContext, claimed: str | None = None
    ) -> Encoded | Unfinished:
        tools = self.tools()
        argv = task.argv(tools.ffmpeg, STANDARD_INPUT, staged.name)
        observer = EncodeObserver([sound.placement for sound in task.design.sound])
        lines = StderrLines(observer.feed_line, around.log.encoder_lines)
        life = _Life(staged, observer, around.on_progress)
        around.log.event("encoder_started", level="DEBUG", argv=list(argv))
        child = run_child(
            argv,
            stop=around.stop,
            on_stdout=life.hear,
            on_stderr=lines.feed,
            growth=life.progress_token,
            stall_seconds=around.stall_seconds,
            stdin=source.descriptor,
            pass_fds=around.pass_fds,
            cwd=staged.folder,
            missing=ErrorCode.FFMPEG_MISSING,
            confinement=tools.confinement(reads=(source.descriptor,), writes=(staged.fd,)),
        )
        lines.finish()
        size = staged.size()
        around.log.event(
            "encoder_ended",
            exit_code=child.exit_code,
            size_bytes=size,
            cpu_seconds=round(child.cpu_seconds, 3),
            peak_memory_bytes=child.peak_memory_bytes,
        )
        usage = Usage(child.cpu_seconds, child.peak_memory_bytes)
        fault = tools.out_of_memory("the encode") if child.out_of_memory else _fault(child, around)
        if fault is not None:
            return Unfinished(fault, usage, tuple(argv), child.exit_code)
        evidence = FfmpegEvidence(task, observer.finish(child.exit_code, size), claimed)
        return Encoded(staged, evidence, usage, tuple(argv), child.exit_code, None if claimed is None else task)

    def finalize(self, plan: Plan, encoded: Encoded, around: EngineContext) -> None:
        """See `completion`; an encode that failed is left as it is, for its own error to be told."""
        task = _own(plan)
        if encoded.exit_code != 0:
            return
        checkpoint = around.checkpoint("a proxy was completed")
        if task.completes_mxf:
            complete_mxf(encoded.staged, task.design.picture.display_aspect, checkpoint, says_bt2020=task.says_bt2020)
        elif task.says_bt2020:
            say_bt2020_in_mov(encoded.staged, checkpoint)


def _sum(first: Usage, second: Usage) -> Usage:
    """What two processes took, one after the other."""
    return Usage(first.cpu_seconds + second.cpu_seconds, max(first.peak_memory_bytes, second.peak_memory_bytes))


def _own(plan: Plan) -> TaskPlan:
    if not isinstance(plan, TaskPlan):
        raise TypeError(f"not a plan of FFmpeg's: {plan}")
    return plan


class _Life:
    """What tells that an encoder gets on: frames that it read, frames that it wrote, and the file itself.

    The file counts because FFmpeg says nothing while it moves the index of a long MP4 to the front; its repeated progress blocks
    do not, because it may write them while nothing moves.
    """

    def __init__(self, staged: StagedOutput, observer: EncodeObserver, on_progress: Callable[[Progress], None]) -> None:
        self._staged = staged
        self._observer = observer
        self._on_progress = on_progress
        self._reports = 0
        self._last = Progress()

    def hear(self, chunk: bytes) -> None:
        self._reports += chunk.count(_FRAME_REPORT)
        for progress in self._observer.feed_stdout(chunk):
            self._last = progress
            self._on_progress(progress)

    def progress_token(self) -> tuple[object, ...]:
        # Said again once a second: the status file holds changes back, and an encoder that hangs brings no further occasion.
        self._on_progress(self._last)
        return self._reports, self._last.frames, self._last.position, *self._staged.growth()


def _fault(child: ChildExit, around: EngineContext) -> JobError | None:
    if child.stopped:
        return around.stop.error("this was encoded").error
    if child.stalled:
        return JobError(
            ErrorCode.ENCODE_STALLED,
            f"the encoder must get on, but it showed no progress and wrote nothing for {around.stall_seconds:g} s. "
            "Check that the source's and the output's storage answer; a slower machine may need a longer `stall_seconds`.",
            {"stall_seconds": around.stall_seconds},
        )
    if child.survivors:
        return JobError(
            ErrorCode.ENCODE_FAILED,
            "the encoder must end with all that it started, but it left a process behind that could still have written. "
            "Let `ffmpeg` be FFmpeg itself, or a wrapper that replaces itself with it (`exec`).",
        )
    return None
