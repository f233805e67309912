"""One encode: FFmpeg as a child, its words into the job's log, what was seen of it as an observation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.engines.source_file import OpenSource
from proxx_worker.engines.tools import Tools
from proxx_worker.observe.joblog import JobLog
from proxx_worker.planning.plan import TaskPlan
from proxx_worker.process.child import ChildExit, run_child
from proxx_worker.process.stderr_lines import StderrLines
from proxx_worker.process.stop import StopSignal
from proxx_worker.verification.encode_observation import EncodeObservation, EncodeObserver
from proxx_worker.verification.progress import Progress

STANDARD_INPUT = "/dev/fd/0"
"""The source as the encoder names it. FFmpeg opens it anew, so it can seek; it takes no commands from there (`-nostdin`)."""

_FRAME_REPORT = b"frame:"


class StagedOutput(Protocol):
    """The empty file that the encoder fills."""

    @property
    def name(self) -> str:
        """Its name in `folder`, which is also its final one."""
        ...

    @property
    def folder(self) -> str:
        """Where the encoder starts, so that the bare name leads to this file and to no other."""
        ...

    def size(self) -> int:
        """Bytes in it now."""
        ...

    def growth(self) -> tuple[int, ...]:
        """A value that changes with every write to it."""
        ...


@dataclass(frozen=True, slots=True)
class EncodeRun:
    """A finished encode. `argv`: as the encoder saw it; the output is named relative to the folder that it started in."""

    observation: EncodeObservation
    argv: tuple[str, ...]
    child: ChildExit
    fault: JobError | None
    """INTERRUPTED, ENCODE_STALLED, or ENCODE_FAILED for a process left behind; None where the encoder ended by itself."""

    def require_ended(self) -> None:
        """Raise `fault`, if there is one."""
        if self.fault is not None:
            raise ProxxError.of(self.fault)


def encode(  # noqa: PLR0913 - keyword-only parts that the executor wires
    tools: Tools,
    plan: TaskPlan,
    source: OpenSource,
    staged: StagedOutput,
    *,
    stop: StopSignal,
    stall_seconds: float,
    on_progress: Callable[[Progress], None],
    log: JobLog,
    pass_fds: Sequence[int] = (),
) -> EncodeRun:
    """Encode `source` into `staged` by `plan`, and wait for the end.

    The encoder reads its standard input, which is the source as it was opened and checked: a path could lead elsewhere by now.
    The encoder starts in the staging folder and gets the output's bare name: the command is the same wherever the output goes,
    and an output directory that is swapped for a symlink meanwhile leads it nowhere.

    Raises FFMPEG_MISSING, IO_ERROR (no process can be started), and what `on_progress` or `log` raise. A stop, a stall and an
    encode that failed are returned, not raised: what was seen up to then belongs into the result.
    """
    argv = plan.argv(tools.ffmpeg, STANDARD_INPUT, staged.name)
    observer = EncodeObserver()
    lines = StderrLines(observer.feed_line, log.encoder_lines)
    life = _Life(staged, observer, on_progress)
    log.event("encoder_started", level="DEBUG", argv=list(argv))
    child = run_child(
        argv,
        stop=stop,
        on_stdout=life.hear,
        on_stderr=lines.feed,
        growth=life.sign,
        stall_seconds=stall_seconds,
        stdin=source.descriptor,
        pass_fds=pass_fds,
        cwd=staged.folder,
        missing=ErrorCode.FFMPEG_MISSING,
    )
    lines.finish()
    size = staged.size()
    log.event(
        "encoder_ended",
        exit_code=child.exit_code,
        size_bytes=size,
        cpu_seconds=round(child.cpu_seconds, 3),
        peak_memory_bytes=child.peak_memory_bytes,
    )
    return EncodeRun(observer.finish(child.exit_code, size), tuple(argv), child, _fault(child, stall_seconds))


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

    def sign(self) -> tuple[object, ...]:
        # Said again once a second: the status file holds changes back, and an encoder that hangs brings no further occasion.
        self._on_progress(self._last)
        return self._reports, self._last.frames, self._last.position, *self._staged.growth()


def _fault(child: ChildExit, stall_seconds: float) -> JobError | None:
    if child.stopped:
        return JobError(
            ErrorCode.INTERRUPTED, "the worker was told to stop while this was encoded. Submit the job again once it runs again."
        )
    if child.stalled:
        return JobError(
            ErrorCode.ENCODE_STALLED,
            f"the encoder must get on, but it showed no progress and wrote nothing for {stall_seconds:g} s. "
            "Check that the source's and the output's storage answer; a slower machine may need a longer `stall_seconds`.",
            {"stall_seconds": stall_seconds},
        )
    if child.survivors:
        return JobError(
            ErrorCode.ENCODE_FAILED,
            "the encoder must end with all that it started, but it left a process behind that could still have written. "
            "Let `ffmpeg` be FFmpeg itself, or a wrapper that replaces itself with it (`exec`).",
        )
    return None
