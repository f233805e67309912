"""Looks at the first pictures of a finished proxy: one FFmpeg copies their headers, confined like every other probe."""

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.engines.port import EngineContext, StagedOutput
from proxx_worker.engines.tools import Tools
from proxx_worker.planning.expectation import Expectation
from proxx_worker.process.child import run_child
from proxx_worker.verification.first_pictures import MOST_BYTES, FirstPictures, first_pictures_argv, read_structures

_STDERR_BYTES = 4 << 10


def look_at_first_pictures(tools: Tools, expected: Expectation, staged: StagedOutput, context: EngineContext) -> FirstPictures:
    """Read what the first pictures of the proxy `staged` say of their fields. An FFmpeg that fails is told by its exit code.

    Raises `stop.error` for a stop, OUTPUT_INVALID if it makes no progress, ENCODE_OUT_OF_MEMORY, FFMPEG_MISSING, IO_ERROR.
    """
    headers, stderr = bytearray(), bytearray()
    child = run_child(
        first_pictures_argv(tools.ffmpeg, staged.name, expected),
        stop=context.stop,
        on_stdout=lambda chunk: headers.extend(chunk[: MOST_BYTES - len(headers)]),
        on_stderr=lambda chunk: stderr.extend(chunk[: _STDERR_BYTES - len(stderr)]),
        stall_seconds=context.stall_seconds,
        pass_fds=context.pass_fds,
        cwd=staged.folder,
        missing=ErrorCode.FFMPEG_MISSING,
        confinement=tools.confinement(reads=(staged.fd,)),
    )
    if child.stopped:
        raise context.stop.error("it verified a proxy")
    if child.out_of_memory:
        raise ProxxError.of(tools.out_of_memory("verifying a proxy"))
    if child.stalled:
        raise ProxxError(
            ErrorCode.OUTPUT_INVALID,
            f"a proxy's first pictures must be readable, but ffmpeg printed nothing for {context.stall_seconds:g} s. "
            "Check the storage.",
        )
    return FirstPictures(child.exit_code, read_structures(bytes(headers)), stderr.decode("utf-8", "replace"))
