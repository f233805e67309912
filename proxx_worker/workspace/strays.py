"""Files in the inbox that are not JobSpecs: left alone, and reported once, because someone may be waiting for them."""

import heapq
from collections.abc import Iterable
from typing import Final

_MOST: Final = 1000
"""So many are remembered; a folder full of clips must not cost memory at every scan."""


class Strays:
    """Only what was there for two scans is reported: an upload as `spec.json.part` that is then renamed is not."""

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._before: frozenset[bytes] = frozenset()
        self._reported: set[bytes] = set()
        self._due: set[bytes] = set()

    def seen(self, names: Iterable[bytes]) -> None:
        """A scan saw these names."""
        now = frozenset(heapq.nsmallest(_MOST, names))
        self._reported &= now
        self._due = ((self._due | (now & self._before)) & now) - self._reported
        self._before = now

    def take(self) -> tuple[bytes, ...]:
        """Those that are due to be reported, sorted; each is returned once while it is there."""
        due = tuple(sorted(self._due))
        self._reported |= self._due
        self._due = set()
        return due
