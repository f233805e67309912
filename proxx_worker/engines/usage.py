"""How much memory processes have held."""

import resource
import sys
from pathlib import Path
from typing import Final

MAXRSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Bytes per unit of `ru_maxrss`."""


def own_peak() -> int:
    """The resident peak of this process, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT


def peak_of(pid: int) -> int:
    """The resident peak of a running process as /proc tells it, in bytes; 0 where it does not."""
    try:
        with Path(f"/proc/{pid}/status").open("rb") as status:
            for line in status:
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        return 0
    return 0
