"""Who holds a workspace according to its lock file, and whether that process is known to be dead.

A process is identified by its PID and a start token (boot id and start time), because PIDs are reused.
"""

import json
import os
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

MAX_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Holder:
    """The holder as recorded in the lock file."""

    pid: int
    host: str
    since: str
    start_token: str | None
    """None if the system does not report when a process started."""

    def encode(self) -> bytes:
        """The lock file's content: one line of JSON."""
        fields = {"pid": self.pid, "host": self.host, "since": self.since, "start_token": self.start_token}
        return json.dumps(fields).encode() + b"\n"

    @classmethod
    def decode(cls, content: bytes) -> Self | None:
        """The reverse of `encode`; None for anything else (a holder may be writing it at this moment)."""
        try:
            fields: object = json.loads(content)
        except ValueError:
            return None
        match fields:
            case {"pid": int(pid), "host": str(host), "since": str(since), "start_token": (str() | None) as token}:
                return cls(pid, host, since, token)
            case _:
                return None

    @classmethod
    def read(cls, path: bytes) -> Self | None:
        """The holder recorded in the lock file `path`; None if it has none or does not exist."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            return cls.decode(os.read(fd, MAX_BYTES))
        except OSError:
            return None
        finally:
            os.close(fd)


def this_process(since: str) -> Holder:
    """The current process as a holder."""
    pid = os.getpid()
    state = _inspect(pid)
    return Holder(pid, socket.gethostname(), since, None if state is None else state.start_token)


def is_dead_here(holder: Holder) -> bool:
    """Whether the holder was a process on this host and is certainly gone. False if that is unknown."""
    if holder.host != socket.gethostname():
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    state = _inspect(holder.pid)
    if state is None or holder.start_token is None:
        return False
    return state.is_zombie or state.start_token != holder.start_token


@dataclass(frozen=True, slots=True)
class ProcessState:
    """When a process started, and whether it is a zombie."""

    start_token: str
    """When it started, which distinguishes it from a later process with the same PID."""
    is_zombie: bool
    """It has exited and was not reaped yet."""


def _inspect(pid: int) -> ProcessState | None:
    """The state of a process; None if there is no such process, or it may not be inspected."""
    return inspect_by_proc(pid) if sys.platform == "linux" else inspect_by_psutil(pid)


def inspect_by_proc(pid: int) -> ProcessState | None:
    """Read boot id and start ticks from proc(5). Clock changes do not affect them, unlike psutil's wall-clock time."""
    with suppress(OSError, IndexError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        # The command name is in parentheses and may contain anything: state is the first field after it, start time the 20th.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return ProcessState(f"{boot}:{fields[19].decode('ascii')}", is_zombie=fields[0] in {b"Z", b"X"})
    return None


def inspect_by_psutil(pid: int) -> ProcessState | None:
    """Use psutil, on every other system."""
    import psutil  # noqa: PLC0415 - takes 0.1 s to import, and Linux does not need it

    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return ProcessState(f"{process.create_time():.6f}", is_zombie=process.status() == psutil.STATUS_ZOMBIE)
    return None
