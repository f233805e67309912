"""A part of the tests that is the same wherever and whenever it is asked for: `--slice K/N`.

Each test is in exactly one of the N slices, by its name alone, so that other tests come and go without moving it. A test of many
points that asks for the fixture `part` is in all of them, and takes a slice of its points.
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Slice:
    """The `number`-th of `count` parts; numbers start at 1."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Slice":
        """Of `K/N`. Raises `ValueError` where 1 <= K <= N does not hold."""
        match = re.fullmatch(r"([0-9]+)/([0-9]+)", text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise ValueError(f"{text} is no slice: K/N with K from 1 to N")
        return cls(int(match[1]), int(match[2]))

    def of(self, points: Sequence[T]) -> Sequence[T]:
        """Those of `points` that are in it: every `count`-th. Each is in exactly one slice."""
        return points[self.number - 1 :: self.count]

    def share(self, least: int) -> int:
        """What is left of a demand for so many points: its part, rounded down."""
        return least // self.count

    def holds(self, test: str) -> bool:
        """Whether the test of that name is in it."""
        return zlib.crc32(test.encode()) % self.count == self.number - 1


WHOLE = Slice(1, 1)
