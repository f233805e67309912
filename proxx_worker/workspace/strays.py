"""Files in the inbox that are not JobSpecs: left alone and reported once, because someone may be waiting for a result."""

import heapq
from collections.abc import Iterable
from typing import Final

_MOST: Final = 1000
"""How many are tracked, to bound the memory that a folder full of clips costs."""


class Strays:
    """Reports only files seen in two scans, so not an upload as `spec.json.part` that is then renamed."""

    def __init__(self) -> None:
        """Starts empty."""
        self._before: frozenset[bytes] = frozenset()
        self._reported: set[bytes] = set()
        self._due: set[bytes] = set()

    def seen(self, names: Iterable[bytes]) -> None:
        """Record the names that a scan found."""
        now = frozenset(heapq.nsmallest(_MOST, names))
        self._reported &= now
        self._due = ((self._due | (now & self._before)) & now) - self._reported
        self._before = now

    def take(self) -> tuple[bytes, ...]:
        """The names to report now, sorted; each is returned once while it exists."""
        due = tuple(sorted(self._due))
        self._reported |= self._due
        self._due = set()
        return due
