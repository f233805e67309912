"""Starts a child with a fixed environment and nothing inherited, so that it dies with the worker."""

import errno
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.text import visible
from proxx_worker.process.ending import heed_children, kill_and_reap
from proxx_worker.process.limits import NO_ROOM, most_reserved, within
from proxx_worker.process.sandbox import UNCONFINED, Confinement, Sandbox, Start, StartRefusedError
from proxx_worker.process.stop import StopSignal

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
"""A child's whole environment. FFmpeg and its libraries read variables of their own (`FFREPORT`, `LD_PRELOAD`, `HOME`)."""

SETPRIV_PLACES = ("/usr/bin/setpriv", "/bin/setpriv")
"""Where util-linux installs it. `PATH` locates FFmpeg and ffprobe only (contract section 6)."""

_RESOURCES = NO_ROOM | {errno.E2BIG, errno.EIO}
_GUARD_FAILURES = frozenset({1, 126, 127})
_GUARD_NAME = b"setpriv: "
_GUARD_EXEC = b"setpriv: failed to execute "
_EXEC_FAILURES = frozenset({126, 127})
"""What shells and loaders exit with if the program, or one of its libraries, cannot be read."""


class Process(Protocol):
    """A running child: its PID, its two pipes, and its exit code once the one who waited for it has recorded it."""

    pid: int
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None
    returncode: int | None


def start_child(
    argv: Sequence[str],
    *,
    cwd: str,
    stdin: int | None,
    pass_fds: Sequence[int],
    missing: ErrorCode,
    confinement: Confinement = UNCONFINED,
    own_group: bool = False,
    stop: StopSignal | None = None,
) -> Process:
    """Start `argv` (an absolute program path first) with non-blocking pipes as stdout and stderr, and `stdin` or /dev/null.

    The child stays in the worker's process group (an unconfined one may lead its own) and inherits only `pass_fds`. Raises
    `missing` if the program cannot be run, IO_ERROR if the system has no room for a process or no `setpriv`, SANDBOX_UNAVAILABLE
    if the child cannot be confined, `StopRequestedError` if a confined one has not started when a stop is requested.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("a child must be started by the main thread: it is killed when the thread that started it ends")
    if not argv[0].startswith("/"):
        raise ValueError(f"a child's program must be an absolute path: {argv[0]}")
    heed_children()
    try:
        if confinement.sandbox is None:
            process = _start_guarded(argv, cwd, stdin, pass_fds, confinement.memory_bytes, own_group=own_group)
        else:
            start = Start(
                argv, cwd, stdin, pass_fds, ENVIRONMENT, confinement.reads, confinement.writes, confinement.memory_bytes
            )
            process = _start_confined(confinement.sandbox, start, stop)
    except OSError as error:
        if error.errno in _RESOURCES or error.filename == cwd:
            raise _no_room(argv[0], cwd, error) from error
        raise _cannot_run(argv[0], str(error.strerror), missing) from error
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            os.set_blocking(pipe.fileno(), False)
    return process


def _start_guarded(
    argv: Sequence[str], cwd: str, stdin: int | None, pass_fds: Sequence[int], memory_bytes: int | None, *, own_group: bool
) -> Process:
    process = subprocess.Popen(
        # Bytes, so that the encoding of paths does not depend on the locale.
        [argument.encode("utf-8", "surrogateescape") for argument in (*guard(argv[0], os.getpid()), *argv[1:])],
        stdin=subprocess.DEVNULL if stdin is None else stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        close_fds=True,
        pass_fds=pass_fds,
        cwd=cwd,
        env=ENVIRONMENT,
        process_group=0 if own_group else None,
    )
    if memory_bytes is not None:
        try:
            _limit_memory(process.pid, memory_bytes)
        except (OSError, ValueError) as error:
            kill_and_reap(process.pid)
            process.returncode = -signal.SIGKILL  # so that subprocess does not wait for it again
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
            raise ProxxError(
                ErrorCode.IO_ERROR,
                f"the memory of {argv[0]} must be limited, but the system refused: {error}. "
                "Allow the worker prlimit, or leave `encoder_memory_bytes` out.",
                program=argv[0],
            ) from error
    return process


def _limit_memory(pid: int, memory_bytes: int) -> None:
    """Limit the process before setpriv has become the tool. Raises `OSError`, `ValueError`."""
    if sys.platform == "linux":
        with suppress(ProcessLookupError):  # it may have ended already
            _, hard = resource.prlimit(pid, resource.RLIMIT_DATA)
            resource.prlimit(pid, resource.RLIMIT_DATA, within(most_reserved(memory_bytes), hard))


def _start_confined(sandbox: Sandbox, start: Start, stop: StopSignal | None) -> Process:
    """Raises `OSError` if the program cannot be executed, SANDBOX_UNAVAILABLE if the confinement is what refuses it."""
    try:
        return sandbox.start(start, stop)
    except StartRefusedError as refusal:
        if refusal.error.errno == errno.EACCES and is_executable_file(start.argv[0]):
            raise unreadable(start.argv[0], "it, or what runs it, may not be executed there") from refusal
        raise refusal.error from refusal


def guard(program: str, worker: int) -> list[str]:
    """The words before a program's arguments that make it die with the process `worker`, even on SIGKILL; Linux only.

    The death signal can only be set once the child runs, so a worker that dies before that would go unnoticed. The program is
    therefore named through the worker's own entry in /proc: the kernel removes that before it sends death signals, so the exec
    fails if the worker is already gone.
    """
    setpriv = locate_setpriv()
    if setpriv is None:
        return [program]
    return [setpriv, "--pdeathsig", "KILL", "--", f"/proc/{worker}/root{program}"]


def locate_setpriv(places: Sequence[str] = SETPRIV_PLACES) -> str | None:
    """The absolute path of util-linux's `setpriv`; None on systems that have none (macOS).

    Raises IO_ERROR if Linux lacks it: without it an encoder would outlive a killed worker.
    """
    found = next(filter(is_executable_file, places), None) if sys.platform == "linux" else None
    if sys.platform == "linux" and found is None:
        raise ProxxError(
            ErrorCode.IO_ERROR,
            f"setpriv must be at {' or '.join(places)}: it ends the encoder if the worker is killed. Install util-linux.",
            places=list(places),
        )
    return found


def is_executable_file(path: str) -> bool:
    """Whether there is a regular file at `path` that this user may run."""
    try:
        return stat.S_ISREG(Path(path).stat().st_mode) and os.access(path, os.X_OK)
    except (OSError, ValueError):
        return False


def check_started(program: str, exit_code: int, stderr_head: bytes, missing: ErrorCode, *, confined: bool = False) -> None:
    """Raise if the guard failed rather than the program: `missing` if the program cannot be run, else IO_ERROR.

    `stderr_head`: the beginning of the child's stderr. For a confined child, raise SANDBOX_UNAVAILABLE if the program never
    started: shells and loaders exit with those codes, FFmpeg does not.
    """
    if confined:
        if exit_code in _EXEC_FAILURES:
            raise unreadable(program, visible(stderr_head.split(b"\n", 1)[0].decode("utf-8", "backslashreplace")))
        return
    guarded = sys.platform == "linux"
    if not guarded or exit_code not in _GUARD_FAILURES or not stderr_head.startswith(_GUARD_NAME):
        return
    said = stderr_head.split(b"\n", 1)[0].decode("utf-8", "backslashreplace")
    reason = said.rpartition(": ")[2]
    if stderr_head.startswith(_GUARD_EXEC) and reason not in {os.strerror(number) for number in _RESOURCES}:
        raise _cannot_run(program, reason, missing)
    raise ProxxError(
        ErrorCode.IO_ERROR,
        f"setpriv must be able to start {program}: {said}. It must be util-linux's, /proc must be mounted, and a system "
        "call filter must allow it prctl and capset.",
        program=program,
    )


def unreadable(program: str, reason: str) -> ProxxError:
    """SANDBOX_UNAVAILABLE for a program that cannot start because of the confinement itself."""
    return ProxxError(
        ErrorCode.SANDBOX_UNAVAILABLE,
        f"{program} must be able to start confined: {reason}. Name the folders that it needs to run in `sandbox_read`.",
        program=program,
        reason=reason,
    )


def _no_room(program: str, cwd: str, error: OSError) -> ProxxError:
    """IO_ERROR for a start that failed by what the system has left, or by the folder to start in."""
    return ProxxError(
        ErrorCode.IO_ERROR,
        f"a process for {program} must start in {cwd}: {error.strerror}. Check the limits on processes, memory and open files.",
        program=program,
        errno=errno.errorcode.get(error.errno or 0),
    )


def _cannot_run(program: str, reason: str, missing: ErrorCode) -> ProxxError:
    return ProxxError(
        missing,
        f"{program} must be a program that this user can run: {reason}. Install FFmpeg there, or configure another path.",
        program=program,
        reason=reason,
    )
