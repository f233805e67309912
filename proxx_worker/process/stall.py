"""When a child counts as stalled."""

import math
from collections.abc import Callable
from typing import Final

_TICK: Final = 1.0


class StallDetector:
    """Counts the time without progress, in slices that were really watched.

    A slice never counts for more than the wait that was asked for: a worker that was itself stopped and continued, or a machine
    that slept, has not watched the child in between.
    """

    def __init__(self, growth: Callable[[], object] | None, stall_seconds: float | None) -> None:
        """`growth`: a value that changes with all progress; without it, output on stdout counts as progress."""
        self._growth = growth
        self._limit = math.inf if stall_seconds is None else stall_seconds
        self.tick = min(_TICK, self._limit / 4)
        """Seconds between two looks."""
        self._bytes = 0
        self._last: object = None
        self._idle = 0.0
        self._unchecked = 0.0

    def record_output(self, count: int) -> None:
        """`count` bytes came on stdout."""
        self._bytes += count

    def passed(self, seconds: float) -> bool:
        """`seconds` went by. Returns whether the child has stalled."""
        watched = min(seconds, self.tick)
        self._idle += watched
        self._unchecked += watched
        if self._unchecked >= self.tick or self._idle >= self._limit:
            self._unchecked = 0.0
            token = self._bytes if self._growth is None else self._growth()
            if token != self._last:
                self._last = token
                self._idle = 0.0
        return self._idle >= self._limit
