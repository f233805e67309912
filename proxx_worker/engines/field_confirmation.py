"""The confirmation of an H.264 source's kinds of frames: one ffprobe with one decoder context, after a good encode."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.engines.port import EngineContext, Usage
from proxx_worker.engines.source_file import OpenSource
from proxx_worker.engines.source_pass import run_source_pass
from proxx_worker.engines.tools import Tools
from proxx_worker.media.facts import MediaFacts
from proxx_worker.media.ffmpeg_words import without_addresses
from proxx_worker.planning.field_confirmation import confirmation_argv
from proxx_worker.process.child_exit import ChildExit
from proxx_worker.verification.field_confirmation import FieldKinds

_LINES = 10


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A finished pass. `kinds`: of each kind of frame, the number of its first one; `fault`: why they are not known."""

    kinds: Mapping[str, int]
    fault: JobError | None
    usage: Usage


def confirm_fields(
    tools: Tools, facts: MediaFacts, source: OpenSource, context: EngineContext, keep_alive: Callable[[], None], frames: int
) -> Confirmed:
    """Decode the video of `source`, which has given `frames` frames, at least one. `keep_alive` is called at least once a second.

    Without a complete answer the clip could be refused on one machine and not on another: so a pass that fails fails the task.

    Raises FFPROBE_MISSING, SANDBOX_UNAVAILABLE, IO_ERROR (no process can be started, or one cannot be ended), and what
    `keep_alive` raises.
    """
    found = FieldKinds()
    context.log.event("field_confirmation_started", level="DEBUG")
    argv = confirmation_argv(facts, tools.ffprobe, source.descriptor_path)
    child, stderr = run_source_pass(argv, tools, source, context, keep_alive, found)
    usage = Usage(child.cpu_seconds, child.peak_memory_bytes)
    fault = _fault(child, stderr, tools, context) or _too_few(found.frames, frames)
    if fault is not None:
        return Confirmed({}, fault, usage)
    # Of a recording that begins between keyframes, the pass also reports frames before the first that a proxy has.
    kinds = found.of_last(frames)
    context.log.event("fields_confirmed", kinds=dict(kinds), cpu_seconds=round(usage.cpu_seconds, 3))
    return Confirmed(kinds, None, usage)


def _fault(child: ChildExit, stderr: str, tools: Tools, context: EngineContext) -> JobError | None:
    """Why the pass did not come to the source's end; None if it did."""
    if child.stopped:
        return context.stop.error("the source's fields were confirmed").error
    if child.out_of_memory:
        return tools.out_of_memory("confirming a source's fields")
    if child.stalled:
        return JobError(
            ErrorCode.ENCODE_STALLED,
            f"the pass that confirms a source's fields must make progress, but ffprobe reported no frame for "
            f"{context.stall_seconds:g} s. Check that the storage of the source responds; a slow machine may need a longer "
            "`stall_seconds`.",
            {"stall_seconds": context.stall_seconds},
        )
    if child.exit_code != 0:
        how = f"signal {-child.exit_code}" if child.exit_code < 0 else f"exit code {child.exit_code}"
        lines = [without_addresses(line) for line in stderr.splitlines()[-_LINES:]]
        return JobError(
            ErrorCode.ENCODE_FAILED,
            f"a source with frames of several kinds must be decoded a second time, but ffprobe ended with {how}: "
            f"{lines[-1] if lines else 'it printed nothing'}",
            {"exit_code": child.exit_code, "lines": [*lines]},
        )
    return None


def _too_few(confirmed: int, presented: int) -> JobError | None:
    """Ffprobe also ends with 0 where the storage fails partway."""
    if confirmed >= presented:
        return None
    return JobError(
        ErrorCode.ENCODE_FAILED,
        f"ffprobe must decode the frames that FFmpeg decodes, but found {confirmed} where FFmpeg found {presented}, so the "
        "source's fields are not known. Check the storage, and that `ffmpeg` and `ffprobe` come from the same FFmpeg.",
        {"frames": presented, "frames_confirmed": confirmed},
    )
