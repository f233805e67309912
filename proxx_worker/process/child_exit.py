"""How a child process ended, and what it used."""

import signal
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ChildExit:
    """How a child ended.

    `exit_code`: negative is the signal that killed it. `stopped`: a stop was requested before its end was seen. `stalled`: it was
    ended for showing no sign of life, `out_of_memory`: for holding more than it may. `cpu_seconds`: user and system, of all its
    threads. `peak_memory_bytes`: resident. `survivors`: a process that it had started was still there, and was killed where
    the system can tell which one it is.
    """

    exit_code: int
    stopped: bool
    stalled: bool
    cpu_seconds: float
    peak_memory_bytes: int
    survivors: bool = False
    out_of_memory: bool = False


NEVER_STARTED: Final = ChildExit(-signal.SIGTERM, stopped=True, stalled=False, cpu_seconds=0.0, peak_memory_bytes=0)
"""A stop came first."""
