"""How much memory processes have held."""

import os
import re
import resource
import sys
from typing import Final

MAXRSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Bytes per unit of `ru_maxrss`."""


_PEAK: Final = re.compile(rb"^VmHWM:\s*(\d+) kB", re.MULTILINE)
_STATUS_BYTES: Final = 4096


def own_peak() -> int:
    """The resident peak of this process, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT


def peak_of(pid: int) -> int:
    """The resident peak of a running process as /proc tells it, in bytes; 0 where it does not."""
    try:
        # Without a file object: it is asked for some thirty times a second.
        descriptor = os.open(f"/proc/{pid}/status", os.O_RDONLY | os.O_CLOEXEC)
        try:
            found = _PEAK.search(os.read(descriptor, _STATUS_BYTES))
        finally:
            os.close(descriptor)
    except OSError:
        return 0
    return 0 if found is None else int(found[1]) * 1024
