"""Stdout and stderr, made reliable for commands. Imports only the standard library, because the parser needs it."""

import io
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class StdoutRefusedError(OSError):
    """Stdout cannot be written, for example because its disk is full. A reader that is gone is `BrokenPipeError`, as usual."""


class _Stdout(io.FileIO):
    """Stdout's descriptor, with refusals that can be told from those of files."""

    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise StdoutRefusedError(error.errno, error.strerror) from error


class _Stderr(io.FileIO):
    """Stderr's descriptor. What it refuses is lost: there is nowhere else to report it, and the exit code still counts."""

    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def guard_stdout(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """The process's own stdout, `stream`, in the same encoding, as one that raises `StdoutRefusedError`."""
    return _over(stream, _Stdout(stream.fileno(), "w", closefd=False))


def guard_stderr(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """The process's own stderr, `stream`, in the same encoding, as one that a full disk or a reader who has gone cannot fail."""
    return _over(stream, _Stderr(stream.fileno(), "w", closefd=False))


def _over(stream: io.TextIOWrapper, descriptor: io.FileIO) -> io.TextIOWrapper:
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(descriptor),
        encoding=stream.encoding,
        errors=stream.errors,
        # With PYTHONUNBUFFERED, as in most containers, it only writes through, and the buffer here would keep lines back.
        line_buffering=stream.line_buffering or stream.write_through,
        write_through=stream.write_through,
    )


def discard_stdout() -> None:
    """Nobody reads stdout any more: discard further output, so that the interpreter's last flush does not fail."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
