"""The confirmation of an H.264 source's kinds of frames: one ffprobe with one decoder context, after a good encode."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.engines.port import EngineContext, Usage
from proxx_worker.engines.source_file import OpenSource
from proxx_worker.engines.source_pass import read_source
from proxx_worker.engines.tools import Tools
from proxx_worker.media.facts import MediaFacts
from proxx_worker.planning.field_confirmation import confirmation_argv
from proxx_worker.process.child_exit import ChildExit
from proxx_worker.verification.field_confirmation import FieldKinds


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
    # It decodes what the encode has decoded without an error.
    argv = confirmation_argv(facts, tools.ffprobe, source.descriptor_path)
    child = read_source(argv, tools, source, context, keep_alive, found)
    usage = Usage(child.cpu_seconds, child.peak_memory_bytes)
    fault = _fault(child, tools, context) or _no_frames(found.frames)
    if fault is not None:
        return Confirmed({}, fault, usage)
    # A pass over a recording that begins between keyframes also reports frames that no proxy has.
    kinds = {kind: min(number, frames - 1) for kind, number in found.kinds.items()}
    context.log.event("fields_confirmed", kinds=dict(kinds), cpu_seconds=round(usage.cpu_seconds, 3))
    return Confirmed(kinds, None, usage)


def _fault(child: ChildExit, tools: Tools, context: EngineContext) -> JobError | None:
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
        return JobError(
            ErrorCode.ENCODE_FAILED,
            f"a source with progressive and interlaced frames must be decoded a second time, but ffprobe ended with "
            f"{child.exit_code}. Check that `ffmpeg` and `ffprobe` are of the same FFmpeg.",
            {"exit_code": child.exit_code},
        )
    return None


def _no_frames(confirmed: int) -> JobError | None:
    if confirmed:
        return None
    return JobError(
        ErrorCode.ENCODE_FAILED,
        "ffprobe must decode the frames that FFmpeg decodes, but found none, so the source's fields are not known. Check that "
        "`ffmpeg` and `ffprobe` are of the same FFmpeg.",
        {"frames_confirmed": 0},
    )
