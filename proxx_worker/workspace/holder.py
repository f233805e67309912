"""Who holds a workspace, as its lock file says, and whether that process is known to be dead.

A process is its pid together with a start token (boot id and start time), because pids are used again.
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
    """What the lock file says of its holder."""

    pid: int
    host: str
    since: str
    start_token: str | None
    """None where the system does not say when a process started."""

    def encode(self) -> bytes:
        """The lock file's content: one line of JSON."""
        fields = {"pid": self.pid, "host": self.host, "since": self.since, "start_token": self.start_token}
        return json.dumps(fields).encode() + b"\n"

    @classmethod
    def decode(cls, content: bytes) -> Self | None:
        """Read `encode`'s bytes back; None for anything else (a holder may be writing them at this moment)."""
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
        """The holder that the lock file `path` names; None where it names none or is not there."""
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
    seen = _look_at(pid)
    return Holder(pid, socket.gethostname(), since, None if seen is None else seen.start_token)


def is_dead_here(holder: Holder) -> bool:
    """Whether the holder was a process of this host and is certainly gone. False wherever that cannot be known."""
    if holder.host != socket.gethostname():
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    seen = _look_at(holder.pid)
    if seen is None or holder.start_token is None:
        return False
    return seen.is_corpse or seen.start_token != holder.start_token


@dataclass(frozen=True, slots=True)
class SeenProcess:
    """What identifies a process."""

    start_token: str
    """When it started: what distinguishes a process from a later one with its pid."""
    is_corpse: bool
    """It has ended, and its parent has not asked for it yet."""


def _look_at(pid: int) -> SeenProcess | None:
    """What the system says about a process; None where there is no such process, or it may not be inspected."""
    return look_in_proc(pid) if sys.platform == "linux" else look_by_psutil(pid)


def look_in_proc(pid: int) -> SeenProcess | None:
    """Ask proc(5) for boot id and start in ticks, which a clock change does not affect (psutil gives wall-clock time)."""
    with suppress(OSError, IndexError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        # The command's name is in parentheses and may hold anything: state is the first field after it, start time the 20th.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return SeenProcess(f"{boot}:{fields[19].decode('ascii')}", is_corpse=fields[0] in {b"Z", b"X"})
    return None


def look_by_psutil(pid: int) -> SeenProcess | None:
    """Ask psutil, for every other system."""
    import psutil  # noqa: PLC0415 - costs a tenth of a second, and Linux needs none of it

    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return SeenProcess(f"{process.create_time():.6f}", is_corpse=process.status() == psutil.STATUS_ZOMBIE)
    return None
