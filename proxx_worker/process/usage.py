"""How much memory processes have used."""

import os
import re
import resource
import sys
from typing import Final

MAXRSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Bytes per unit of `ru_maxrss`."""


_HELD: Final = re.compile(rb"^(?:RssAnon|RssShmem|VmSwap):\s*(\d+) kB", re.MULTILINE)
_PEAK: Final = re.compile(rb"^VmHWM:\s*(\d+) kB", re.MULTILINE)
_AT_ONCE: Final = 4096
_LOOKS: Final = 5


def own_peak() -> int:
    """The resident peak of this process, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT


def peak_of(pid: int, proc: str = "/proc") -> int:
    """The resident peak of a running process as /proc tells it, in bytes; 0 where it does not."""
    found = _PEAK.search(_read(f"{proc}/{pid}/status"))
    return 0 if found is None else int(found[1]) * 1024


def held_by(pid: int, proc: str = "/proc") -> int:
    """The memory that a running process has to itself, resident or swapped out, in bytes; 0 where /proc does not tell it.

    A process whose first thread has ended tells it under its other threads alone, which may come and go.
    """
    held = _held(_read(f"{proc}/{pid}/status"))
    for _ in range(_LOOKS):
        if held is not None:
            break
        held = next((it for thread in _threads(pid, proc) if (it := _held(_read(thread))) is not None), None)
    return held or 0


def _held(status: bytes) -> int | None:
    """None if the thread has no memory any more: it has ended."""
    found = _HELD.findall(status)
    return sum(map(int, found)) * 1024 if found else None


def _threads(pid: int, proc: str) -> list[str]:
    try:
        return [f"{proc}/{pid}/task/{thread}/status" for thread in os.listdir(f"{proc}/{pid}/task")]  # noqa: PTH208 - names alone
    except OSError:
        return []


def _read(path: str) -> bytes:
    """The whole file: a list of many groups comes before the memory. Empty if the process is gone."""
    content = b""
    try:
        # Without a file object: it is asked for some thirty times a second.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            while chunk := os.read(descriptor, _AT_ONCE):
                content += chunk
        finally:
            os.close(descriptor)
    except OSError:
        return b""
    return content
