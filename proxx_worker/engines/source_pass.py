"""One more ffprobe over a whole source, after an encode: confined, and ended if it makes no progress."""

from collections.abc import Callable, Sequence
from typing import Protocol

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.engines.port import EngineContext
from proxx_worker.engines.source_file import OpenSource
from proxx_worker.engines.tools import Tools
from proxx_worker.process.child import run_child
from proxx_worker.process.child_exit import ChildExit

_STDERR_BYTES = 4 << 10


class Reader(Protocol):
    """Takes what ffprobe reports, as it arrives."""

    taken: int
    """Bytes of report so far. While they grow, the pass makes progress."""

    def feed(self, data: bytes) -> None:
        """The next bytes of standard output."""


def run_source_pass(
    argv: Sequence[str], tools: Tools, source: OpenSource, context: EngineContext, keep_alive: Callable[[], None], reader: Reader
) -> tuple[ChildExit, str]:
    """Run `argv`, which opens `source`. Returns how it ended, and the end of what it wrote to standard error.

    `keep_alive` is called at least once a second.

    Raises FFPROBE_MISSING, SANDBOX_UNAVAILABLE, IO_ERROR (no process can be started, or one cannot be ended), and what
    `keep_alive` raises.
    """
    stderr = bytearray()

    def keep_end(chunk: bytes) -> None:
        stderr.extend(chunk)
        del stderr[:-_STDERR_BYTES]

    def growth() -> int:
        keep_alive()
        return reader.taken

    child = run_child(
        argv,
        stop=context.stop,
        on_stdout=reader.feed,
        on_stderr=keep_end,
        growth=growth,
        stall_seconds=context.stall_seconds,
        pass_fds=(*context.pass_fds, source.descriptor),
        missing=ErrorCode.FFPROBE_MISSING,
        confinement=tools.confinement(reads=(source.descriptor,)),
    )
    return child, stderr.decode("utf-8", "replace")
