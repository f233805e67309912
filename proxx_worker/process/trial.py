"""One start of a child, made to see that children can be started at all."""

import signal

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.text import visible
from proxx_worker.process.child import run_child
from proxx_worker.process.sandbox import Confinement, Sandbox
from proxx_worker.process.spawn import locate_setpriv, unreadable
from proxx_worker.process.stop import StopFlag

_SAID_BYTES = 4096
_STALL_SECONDS = 10.0
"""A start takes about 3 ms. One that hangs must not hang whoever tries it."""


def try_confined(sandbox: Sandbox, program: str, memory_bytes: int | None) -> None:
    """Start the FFmpeg or ffprobe at `program` confined and have it show its license, which it does without opening a file.

    Raises SANDBOX_UNAVAILABLE where it does not start so, IO_ERROR.
    """
    stop = StopFlag()
    said = bytearray()
    try:
        child = run_child(
            [program, "-hide_banner", "-L"],
            stop=stop,
            on_stdout=_ignore,
            on_stderr=said.extend,
            stall_seconds=_STALL_SECONDS,
            missing=ErrorCode.SANDBOX_UNAVAILABLE,
            confinement=Confinement(sandbox, memory_bytes=memory_bytes),
        )
    finally:
        stop.close()
    if child.exit_code != 0 or child.stalled:
        last = bytes(said[-_SAID_BYTES:]).decode("utf-8", "backslashreplace").strip().rpartition("\n")[2]
        raise unreadable(program, f"it {_how_it_ended(child.exit_code)}{f' ({visible(last)})' if last else ''}")


def try_start() -> str | None:
    """Start a child the way FFmpeg is started: setpriv, by setpriv. Returns its path; None where the system has no such guard.

    That the guard is there says little: a filter of system calls, a /proc that is not mounted or a limit on processes lets it
    fail on every start. The guard is its own trivial child, as it is the one program that is surely there.

    Raises IO_ERROR, naming the cause, where it cannot be started or does not end well.
    """
    program = locate_setpriv()
    if program is None:
        return None
    stop = StopFlag()
    try:
        child = run_child(
            [program, "--help"],
            stop=stop,
            on_stdout=_ignore,
            on_stderr=_ignore,
            stall_seconds=_STALL_SECONDS,
            missing=ErrorCode.IO_ERROR,
        )
    finally:
        stop.close()
    if child.exit_code == 0 and not child.stalled:
        return program
    raise ProxxError(
        ErrorCode.IO_ERROR,
        f"{program} must be able to start a program and see it end well, but it {_how_it_ended(child.exit_code)}. "
        "A filter of system calls must leave it prctl and capset, and /proc must be mounted.",
        program=program,
        exit_code=child.exit_code,
    )


def _how_it_ended(exit_code: int) -> str:
    if exit_code >= 0:
        return f"ended with {exit_code}"
    try:
        return f"was killed by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was killed by signal {-exit_code}"


def _ignore(_chunk: bytes) -> None:
    """What it says of itself is of no interest."""
