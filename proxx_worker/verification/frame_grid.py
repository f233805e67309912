"""Frame times as integers. A one-hour clip has 100,000 frames, and rationals are about thirty times slower."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm


@dataclass(frozen=True, slots=True)
class Scale:
    """A time unit of 1/`per_second` s, chosen so that given times are integers in it."""

    per_second: int

    @classmethod
    def common(cls, *seconds: Fraction) -> "Scale":
        """The coarsest scale in which all these times are integers."""
        return cls(lcm(*(time.denominator for time in seconds)))

    def of(self, seconds: Fraction) -> int:
        """A time in this scale. Raises `ValueError` if it is not an integer."""
        count = seconds * self.per_second
        if count.denominator != 1:
            raise ValueError(f"{seconds} s is not a whole number of 1/{self.per_second} s")
        return count.numerator


def places_on_grid(times: Sequence[int], tick: Fraction, rate: Fraction) -> Iterator[int]:
    """For each of `times`, the number of the nearest frame on a grid that begins at the first of them: 0 for that one.

    `times` are in ticks of `tick` seconds, the grid has `rate` frames per second. Ties go to the even number, as with `round`.
    One at a time, as a list of a day's places would take 200 MB.
    """
    step = tick * rate
    first, numerator, denominator = times[0] if times else 0, step.numerator, step.denominator
    return (_nearest((time - first) * numerator, denominator) for time in times)


def first_gap(places: Iterable[int]) -> int | None:
    """The first grid position that does not have exactly one frame; None if all do."""
    return next((wanted for wanted, place in enumerate(places) if place != wanted), None)


def _nearest(numerator: int, denominator: int) -> int:
    below, rest = divmod(numerator, denominator)
    return below + (2 * rest > denominator or (2 * rest == denominator and below % 2 == 1))
