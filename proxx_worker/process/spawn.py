"""Starting a child: a fixed environment, nothing inherited, and an end that comes with the worker's own."""

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
from proxx_worker.process.sandbox import UNCONFINED, Confinement, Sandbox, Start, StartRefusedError, most_reserved

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
"""All that a child gets. FFmpeg and its libraries read variables of their own (`FFREPORT`, `LD_PRELOAD`, `HOME`)."""

SETPRIV_PLACES = ("/usr/bin/setpriv", "/bin/setpriv")
"""Where util-linux installs it. `PATH` locates FFmpeg and ffprobe only (contract section 6)."""

_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.E2BIG, errno.EIO})
_GUARD_FAILURES = frozenset({1, 126, 127})
_GUARD_NAME = b"setpriv: "
_GUARD_EXEC = b"setpriv: failed to execute "
_NEVER_BECAME = frozenset({126, 127})
"""What shells and loaders exit with where what they were to run, or a library of it, cannot be read."""


class Process(Protocol):
    """A child that runs: its number, its two pipes, and its exit code once whoever waited for it has noted it."""

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
) -> Process:
    """Start `argv` (absolute program first) with stdout and stderr as pipes that do not block, and `stdin` or nothing to read.

    It stays in the worker's process group, or, where it is not confined, may lead one of its own, and inherits `pass_fds` only.
    Raises `missing` where the program cannot be run, IO_ERROR where the system has no room for a process or no `setpriv`,
    SANDBOX_UNAVAILABLE where it cannot be confined.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("a child must be started by the main thread: it is killed when the thread that started it ends")
    if not argv[0].startswith("/"):
        raise ValueError(f"a child's program must be an absolute path: {argv[0]}")
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        # Inherited from whoever started the worker. The kernel would throw every child's exit code away.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        if confinement.sandbox is None:
            process = _start_guarded(argv, cwd, stdin, pass_fds, confinement.memory_bytes, own_group=own_group)
        else:
            process = _start_confined(confinement.sandbox, argv, cwd, stdin, pass_fds, confinement)
    except OSError as error:
        if error.errno in _RESOURCES or error.filename == cwd:
            raise ProxxError(
                ErrorCode.IO_ERROR,
                f"a process for {argv[0]} must start in {cwd}: {error.strerror}. "
                "Check the limits on processes, memory and open files.",
                program=argv[0],
                errno=errno.errorcode.get(error.errno or 0),
            ) from error
        raise _cannot_run(argv[0], str(error.strerror), missing) from error
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            os.set_blocking(pipe.fileno(), False)
    return process


def _start_guarded(
    argv: Sequence[str], cwd: str, stdin: int | None, pass_fds: Sequence[int], memory_bytes: int | None, *, own_group: bool
) -> Process:
    process = subprocess.Popen(
        # Bytes: how text becomes a path must not depend on the locale.
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
    if memory_bytes is not None and sys.platform == "linux":
        with suppress(ProcessLookupError):  # it may have ended already
            # Well before the tool itself runs, which setpriv has yet to become.
            resource.prlimit(process.pid, resource.RLIMIT_DATA, (most_reserved(memory_bytes),) * 2)
    return process


def _start_confined(
    sandbox: Sandbox, argv: Sequence[str], cwd: str, stdin: int | None, pass_fds: Sequence[int], confinement: Confinement
) -> Process:
    """Raises `OSError` where the program cannot be executed, SANDBOX_UNAVAILABLE where it is the confinement that refuses it."""
    start = Start(
        argv, cwd, stdin, pass_fds, ENVIRONMENT, confinement.reads, confinement.writes, memory_bytes=confinement.memory_bytes
    )
    try:
        return sandbox.start(start)
    except StartRefusedError as refusal:
        if refusal.error.errno == errno.EACCES and is_executable_file(argv[0]):
            raise unreadable(argv[0], "it, or what runs it, may not be executed there") from refusal
        raise refusal.error from refusal


def guard(program: str, worker: int) -> list[str]:
    """What comes before a program's arguments so that it dies with the process `worker`, even on SIGKILL; on Linux only.

    The death signal cannot be set before the child runs, so a worker that dies in between would be missed. The program is
    therefore named through the worker's own entry in /proc, which is gone by then: the kernel takes it away before it sends the
    death signals, so the exec fails where the signal came too early.
    """
    setpriv = locate_setpriv()
    if setpriv is None:
        return [program]
    return [setpriv, "--pdeathsig", "KILL", "--", f"/proc/{worker}/root{program}"]


def locate_setpriv(places: Sequence[str] = SETPRIV_PLACES) -> str | None:
    """The absolute path of util-linux's `setpriv`; None on systems without such a thing (macOS).

    Raises IO_ERROR on Linux where it is missing: without it an encoder would outlive a killed worker.
    """
    found = next(filter(is_executable_file, places), None) if sys.platform == "linux" else None
    if sys.platform == "linux" and found is None:
        raise ProxxError(
            ErrorCode.IO_ERROR,
            f"setpriv must be at {' or '.join(places)}: it makes an encoder end with a killed worker. Install util-linux.",
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
    """Raise where it was the guard that ended, not the program: `missing` where the program cannot be run, else IO_ERROR.

    `stderr_head`: how the child's stderr began. Where it was confined, raise SANDBOX_UNAVAILABLE for a program that did not come
    into being: shells and loaders end so, FFmpeg does not.
    """
    if confined:
        if exit_code in _NEVER_BECAME:
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
        f"setpriv must be able to start {program}: {said}. It must be util-linux's, /proc must be mounted, and a filter of "
        "system calls must leave it prctl and capset.",
        program=program,
    )


def unreadable(program: str, reason: str) -> ProxxError:
    """SANDBOX_UNAVAILABLE for a program that the confinement itself keeps from starting."""
    return ProxxError(
        ErrorCode.SANDBOX_UNAVAILABLE,
        f"{program} must be able to start confined: {reason}. Name the folders that it needs to run in `sandbox_read`.",
        program=program,
        reason=reason,
    )


def _cannot_run(program: str, reason: str, missing: ErrorCode) -> ProxxError:
    return ProxxError(
        missing,
        f"{program} must be a program that this user can run: {reason}. Install FFmpeg there, or configure another path.",
        program=program,
        reason=reason,
    )
