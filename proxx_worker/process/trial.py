"""Starts one child to prove that children can be started at all."""

import signal

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.text import visible
from proxx_worker.process.child import run_child
from proxx_worker.process.child_exit import ChildExit
from proxx_worker.process.sandbox import Confinement, Sandbox
from proxx_worker.process.spawn import locate_setpriv, unreadable
from proxx_worker.process.stop import StopRequestedError, StopSignal

_SAID_BYTES = 4096
_STALL_SECONDS = 10.0
"""A start takes about 3 ms. One that hangs must not hang the caller."""


def try_confined(sandbox: Sandbox, program: str, memory_bytes: int | None, stop: StopSignal) -> None:
    """Start the FFmpeg or ffprobe at `program` confined and let it print its license, which needs no file.

    Raises SANDBOX_UNAVAILABLE if it does not start, IO_ERROR, also if it does not end; `StopRequestedError`.
    """
    said = bytearray()
    child = run_child(
        [program, "-hide_banner", "-L"],
        stop=stop,
        on_stdout=_ignore,
        on_stderr=said.extend,
        stall_seconds=_STALL_SECONDS,
        missing=ErrorCode.SANDBOX_UNAVAILABLE,
        confinement=Confinement(sandbox, memory_bytes=memory_bytes),
    )
    _require_end(program, child)
    if child.exit_code != 0:
        last_line = bytes(said[-_SAID_BYTES:]).decode("utf-8", "backslashreplace").strip().rpartition("\n")[2]
        raise unreadable(program, f"it {_how_it_ended(child.exit_code)}{f' ({visible(last_line)})' if last_line else ''}")


def try_start(stop: StopSignal) -> str | None:
    """Start a child the way FFmpeg is started, by setpriv. Returns setpriv's path; None if the system has no such guard.

    That setpriv exists proves little: a system call filter, a missing /proc or a limit on processes makes every start fail.
    setpriv is its own trivial child, as the one program that is certain to exist.

    Raises IO_ERROR, naming the cause, if it cannot be started or fails; `StopRequestedError`.
    """
    program = locate_setpriv()
    if program is None:
        return None
    child = run_child(
        [program, "--help"],
        stop=stop,
        on_stdout=_ignore,
        on_stderr=_ignore,
        stall_seconds=_STALL_SECONDS,
        missing=ErrorCode.IO_ERROR,
    )
    _require_end(program, child)
    if child.exit_code == 0:
        return program
    raise ProxxError(
        ErrorCode.IO_ERROR,
        f"{program} must be able to start a program, but it {_how_it_ended(child.exit_code)}. "
        "A system call filter must allow prctl and capset, and /proc must be mounted.",
        program=program,
        exit_code=child.exit_code,
    )


def _require_end(program: str, child: ChildExit) -> None:
    """Raise if the child did not end by itself, so that its exit code says nothing."""
    if child.stopped:
        raise StopRequestedError
    if child.stalled:
        raise ProxxError(
            ErrorCode.IO_ERROR,
            f"{program} must start and end by itself, but it hung for {_STALL_SECONDS:.0f} s and was ended. "
            "Try it by hand, and check that the storage that it lies on responds.",
            program=program,
        )


def _how_it_ended(exit_code: int) -> str:
    if exit_code >= 0:
        return f"ended with {exit_code}"
    try:
        return f"was killed by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was killed by signal {-exit_code}"


def _ignore(_chunk: bytes) -> None:
    """Discard the output."""
