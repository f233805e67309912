"""How long a child's pipes may go unread: waking for every bit of output costs CPU time that an encoder could use."""

from typing import Final

LONGEST_SECONDS: Final = 0.25
FIRST_SECONDS: Final = 0.03
"""The first rest, and the one after much was found. Each may last three times as long as the one before."""

_GROWTH: Final = 3
_SHORTEST_SECONDS: Final = 0.002  # below it, waking up costs more than it saves
_WANTED_BYTES: Final = 16 << 10
_MUCH_BYTES: Final = 32 << 10
"""Half of what a pipe holds. Where so much is found, the child may have been waiting, and how fast it talks is not known."""


class ReadBackoff:
    """Decides after each look at the pipes. A rest ends, at the rate seen last, when they are a quarter full.

    A pipe holds 64 KiB, and a child whose pipe is full is blocked: ffprobe tells of thousands of small frames in the longest
    rest.
    """

    def __init__(self, now: float, longest: float = LONGEST_SECONDS) -> None:
        """`now`: when the child was started, monotonic seconds. `longest`: no rest is longer, and none than LONGEST_SECONDS."""
        self._looked_at = now
        self._longest = min(longest, LONGEST_SECONDS)
        self._most = FIRST_SECONDS

    def next_delay(self, size: int, now: float) -> float:
        """Seconds to leave the pipes alone after a look at `now` found `size` bytes in the fuller one; 0: wait for a word."""
        passed, self._looked_at = now - self._looked_at, now
        if size >= _MUCH_BYTES:
            self._most = FIRST_SECONDS
            return 0.0
        if size <= 0:
            return 0.0
        rest = min(self._most, self._longest, passed * _WANTED_BYTES / size)
        self._most = max(FIRST_SECONDS, rest * _GROWTH)
        return rest if rest >= _SHORTEST_SECONDS else 0.0
