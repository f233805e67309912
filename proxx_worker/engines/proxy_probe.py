"""Probes a finished proxy: one ffprobe process decodes all of it."""

from collections.abc import Sequence
from functools import partial

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.engines.tools import Tools
from proxx_worker.planning.expectation import Expectation
from proxx_worker.process.child import run_child
from proxx_worker.process.stop import StopSignal, checkpoint
from proxx_worker.verification.proxy_probe import ProxyObservation, ProxyReader, proxy_probe_argv

_STDERR_BYTES = 64 << 10


def probe_proxy(
    tools: Tools,
    expected: Expectation,
    path: str,
    stop: StopSignal,
    *,
    cwd: str = "/",
    stall_seconds: float | None = None,
    pass_fds: Sequence[int] = (),
    reads: Sequence[int] = (),
) -> ProxyObservation:
    """Decode and describe the proxy at `path`, relative to `cwd`; `expected` decides which entries are requested.

    `reads`: the proxy's descriptor, the file that a confined ffprobe may read.

    Raises `stop.error` for a stop, OUTPUT_INVALID if ffprobe makes no progress for `stall_seconds`, ENCODE_OUT_OF_MEMORY,
    FFPROBE_MISSING, IO_ERROR.
    """
    reader, stderr = ProxyReader(partial(checkpoint, stop, "it verified a proxy")), bytearray()

    def keep_end(chunk: bytes) -> None:
        stderr.extend(chunk)
        del stderr[:-_STDERR_BYTES]

    child = run_child(
        proxy_probe_argv(tools.ffprobe, path, expected),
        stop=stop,
        on_stdout=reader.feed,
        on_stderr=keep_end,
        stall_seconds=stall_seconds,
        pass_fds=pass_fds,
        cwd=cwd,
        missing=ErrorCode.FFPROBE_MISSING,
        confinement=tools.confinement(reads=reads),
    )
    if child.stopped:
        raise stop.error("it verified a proxy")
    if child.out_of_memory:
        raise ProxxError.of(tools.out_of_memory("verifying a proxy"))
    if child.stalled:
        raise ProxxError(
            ErrorCode.OUTPUT_INVALID,
            f"a proxy must decode to its end, but ffprobe printed nothing for {stall_seconds} s. Check the storage.",
        )
    return ProxyObservation(child.exit_code, reader.finish(), stderr.decode("utf-8", "replace"))
