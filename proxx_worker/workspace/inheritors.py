"""Processes that hold a lock which a dead process took: they inherited it. Only /proc tells, so on Linux alone."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress

from proxx_worker.contract.text import visible

_LOCK = re.compile(rb"^lock:\t\d+: FLOCK .* ([0-9a-f]+):([0-9a-f]+):(\d+) 0 EOF$", re.MULTILINE)


def inheritor_of(path: bytes) -> str | None:
    """A process of this user that has `path` locked by flock(2), as "process PID (NAME)"; None if none is found."""
    try:
        locked = os.stat(path)
        processes = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return None
    wanted = (os.major(locked.st_dev), os.minor(locked.st_dev), locked.st_ino)
    holder = next((pid for pid in sorted(processes) if wanted in _locks_of(pid)), None)
    return None if holder is None else f"process {holder} ({_name_of(holder)})"


def locks_in(information: bytes) -> list[tuple[int, int, int]]:
    """Device, as major and minor, and inode of what is locked by flock(2), by a descriptor's `fdinfo` (proc_pid_fdinfo(5))."""
    return [(int(major, 16), int(minor, 16), int(inode)) for major, minor, inode in _LOCK.findall(information)]


def _locks_of(pid: int) -> Iterator[tuple[int, int, int]]:
    folder = f"/proc/{pid}/fdinfo"
    with suppress(OSError):  # it has ended, or it is another user's
        for descriptor in os.listdir(folder):
            yield from locks_in(_content(f"{folder}/{descriptor}"))


def _name_of(pid: int) -> str:
    return visible(_content(f"/proc/{pid}/comm").decode("utf-8", "backslashreplace").rstrip("\n")) or "it has just ended"


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
