"""How Matroska's frame duration, a whole number of nanoseconds, is read as a rate."""

from fractions import Fraction
from math import ceil, floor

_SECOND = 10**9
_LARGEST_TERM = 30_000
"""FFmpeg reads the rate as a ratio with terms up to this (libavformat/matroskadec.c, `av_reduce`): 120000/1001 as 29011/242."""

_ROUNDING = Fraction(2, _SECOND)


def means(found: Fraction, exact: Fraction) -> bool:
    """Whether FFmpeg reports `found` for a frame duration that means the rate `exact`.

    Writers cut or round the nanoseconds. The terms of the report then put it up to 18 ns away, where few ratios lie, and nothing
    but the ratio itself is taken for that; others only within 2 ns. 2997/100 is 33 ns from 30000/1001, and is itself.
    """
    duration = _SECOND / exact
    return abs(1 / exact - 1 / found) <= _ROUNDING or found in {_read(floor(duration)), _read(ceil(duration))}


def _read(nanoseconds: int) -> Fraction | None:
    seconds = Fraction(nanoseconds, _SECOND).limit_denominator(_LARGEST_TERM)
    return 1 / seconds if seconds else None
