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
_STATUS_BYTES: Final = 4096


def own_peak() -> int:
    """The resident peak of this process, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT


def peak_of(pid: int) -> int:
    """The resident peak of a running process as /proc tells it, in bytes; 0 where it does not."""
    found = _PEAK.search(_status_of(pid))
    return 0 if found is None else int(found[1]) * 1024


def held_by(pid: int) -> int:
    """The memory that a running process has to itself, resident or swapped out, in bytes; 0 where /proc does not tell it."""
    return sum(int(kilobytes) for kilobytes in _HELD.findall(_status_of(pid))) * 1024


def _status_of(pid: int) -> bytes:
    try:
        # Without a file object: it is asked for some thirty times a second.
        descriptor = os.open(f"/proc/{pid}/status", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(descriptor, _STATUS_BYTES)
        finally:
            os.close(descriptor)
    except OSError:
        return b""
