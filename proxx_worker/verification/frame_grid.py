"""Times as whole numbers. A clip of an hour has 100,000 frames, and rationals cost some thirty times as much for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm


@dataclass(frozen=True, slots=True)
class Scale:
    """So many parts of a second that each of some times is a whole number of them."""

    per_second: int

    @classmethod
    def common(cls, *seconds: Fraction) -> "Scale":
        """The coarsest scale on which all these times are whole."""
        return cls(lcm(*(time.denominator for time in seconds)))

    def of(self, seconds: Fraction) -> int:
        """A time on this scale. Raises `ValueError` where it is not whole on it."""
        count = seconds * self.per_second
        if count.denominator != 1:
            raise ValueError(f"{seconds} s is not a whole number of 1/{self.per_second} s")
        return count.numerator


def places_on_grid(times: Sequence[int], tick: Fraction, rate: Fraction) -> list[int]:
    """For each of `times`, the number of the frame whose place is nearest, on the grid that begins with the first of them.

    `times` are in ticks of `tick` seconds, the grid has `rate` frames a second. Halfway between two: the even one, as of `round`.
    """
    step = tick * rate
    return [_nearest((time - times[0]) * step.numerator, step.denominator) for time in times]


def first_gap(places: Sequence[int]) -> int | None:
    """The first place on the grid without its one frame; None where there is none."""
    return next((wanted for wanted, place in enumerate(places) if place != wanted), None)


def _nearest(numerator: int, denominator: int) -> int:
    below, rest = divmod(numerator, denominator)
    return below + (2 * rest > denominator or (2 * rest == denominator and below % 2 == 1))
