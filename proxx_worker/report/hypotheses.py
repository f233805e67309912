"""Hypotheses that explain the proxy's levels and colours: each sampled frame votes for the one that fits it best.

A frame whose range or matrix was not converted is a linear function of one that was. So are block means, which makes small images
sufficient. Votes, not sums: a black or slipped frame spoils only its own vote.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from operator import sub
from typing import ClassVar

_BLACK, _SPAN, _MID, _CHROMA_SPAN, _FULL = 16.0, 219.0, 128.0, 224.0, 255.0
_CLEAR = 0.5

_Row = tuple[float, float, float]


class Reading(Enum):
    """Ways in which code values can be wrong."""

    FULL_AS_LIMITED = "full-range values are read as limited range"
    LIMITED_AS_FULL = "limited-range values are read as full range"
    BT601_AS_BT709 = "BT.601 colours are read as BT.709"
    BT709_AS_BT601 = "BT.709 colours are read as BT.601"
    BT2020_AS_BT709 = "BT.2020 colours are read as BT.709"
    BT709_AS_BT2020 = "BT.709 colours are read as BT.2020"


LEVELS = frozenset({Reading.FULL_AS_LIMITED, Reading.LIMITED_AS_FULL})
"""Readings that are about range. The others are about the matrix."""


@dataclass(frozen=True, slots=True)
class Planes:
    """One small image in planar 4:2:0; `width` of luma, both sides even."""

    luma: bytes
    blue: bytes
    red: bytes
    width: int

    def points(self) -> list[_Row]:
        """Luma (mean of the four), Cb and Cr of each chroma sample."""
        width, half = self.width, self.width // 2
        luma = self.luma
        means = [
            (luma[top] + luma[top + 1] + luma[top + width] + luma[top + width + 1]) / 4
            for row in range(len(self.blue) // half)
            for top in range(2 * row * width, 2 * row * width + width, 2)
        ]
        return list(zip(means, self.blue, self.red, strict=True))


@dataclass(slots=True)
class Votes:
    """The votes so far.

    `cast`: frames that were asked; `unlike`: those that are not as they should be; `won`: by reading, those that it fits less
    than half as badly. `brightness`: of each frame, mean luma of the proxy less that of the source; `apart`: its mean
    difference.
    """

    NOTHING_TO_SEE: ClassVar[float] = 0.8
    """Mean difference over luma and chroma, in code values, below which a frame is as it should be."""

    cast: int = 0
    unlike: int = 0
    won: Counter[Reading] = field(default_factory=Counter)
    brightness: list[float] = field(default_factory=list)
    apart: list[float] = field(default_factory=list)

    def add(self, source: Planes, proxy: Planes) -> None:
        """Let one frame vote."""
        self.cast += 1
        wanted, seen = source.points(), proxy.points()
        self.brightness.append((sum(proxy.luma) - sum(source.luma)) / len(source.luma))
        as_is = _distance(wanted, seen)
        self.apart.append(as_is)
        if as_is < self.NOTHING_TO_SEE:
            return
        self.unlike += 1
        distances = {reading: _distance([_apply(rows, point) for point in wanted], seen) for reading, rows in _CHANGES.items()}
        best = min(distances, key=distances.__getitem__)
        if distances[best] < _CLEAR * as_is:
            self.won[best] += 1


def _distance(wanted: list[_Row], seen: list[_Row]) -> float:
    """Mean of the absolute differences of all components."""
    return sum(sum(map(abs, map(sub, one, other))) for one, other in zip(wanted, seen, strict=True)) / (3 * len(wanted))


_Change = tuple[tuple[float, float, float, float], ...]
"""Three rows; each gives a component from luma, Cb, Cr and 1."""


def _apply(rows: _Change, point: _Row) -> _Row:
    luma, blue, red = point
    first, second, third = (a * luma + b * blue + c * red + d for a, b, c, d in rows)
    return min(255.0, max(0.0, first)), min(255.0, max(0.0, second)), min(255.0, max(0.0, third))


def _matrix_change(coded: tuple[float, float], read: tuple[float, float]) -> _Change:
    """What becomes of values that were coded by one matrix, are read by another, and are coded by the first again to be compared.

    `coded`, `read`: the weights of red and blue in luma (ITU-T H.273, table 4). The change is linear: its columns are what
    becomes of luma, Cb and Cr alone.
    """
    columns = [_recode(unit, read, coded) for unit in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))]
    rows = []
    for place, (scale, zero) in enumerate(((_SPAN, _BLACK), (_CHROMA_SPAN, _MID), (_CHROMA_SPAN, _MID))):
        luma, blue, red = (column[place] for column in columns)
        terms = (luma * scale / _SPAN, blue * scale / _CHROMA_SPAN, red * scale / _CHROMA_SPAN)
        rows.append((*terms, zero - terms[0] * _BLACK - (terms[1] + terms[2]) * _MID))
    return tuple(rows)


def _recode(signal: _Row, read: tuple[float, float], coded: tuple[float, float]) -> _Row:
    """Y', Cb, Cr (1, and +-0.5) read by one matrix and coded by the other."""
    luma, blue_difference, red_difference = signal
    red_weight, blue_weight = read
    red = luma + 2 * (1 - red_weight) * red_difference
    blue = luma + 2 * (1 - blue_weight) * blue_difference
    green = (luma - red_weight * red - blue_weight * blue) / (1 - red_weight - blue_weight)
    red_weight, blue_weight = coded
    again = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    return again, (blue - again) / (2 * (1 - blue_weight)), (red - again) / (2 * (1 - red_weight))


_BT601, _BT709, _BT2020 = (0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593)
_CHANGES: Mapping[Reading, _Change] = {
    Reading.FULL_AS_LIMITED: (
        (_FULL / _SPAN, 0.0, 0.0, -_BLACK * _FULL / _SPAN),
        (0.0, _FULL / _CHROMA_SPAN, 0.0, _MID * (1 - _FULL / _CHROMA_SPAN)),
        (0.0, 0.0, _FULL / _CHROMA_SPAN, _MID * (1 - _FULL / _CHROMA_SPAN)),
    ),
    Reading.LIMITED_AS_FULL: (
        (_SPAN / _FULL, 0.0, 0.0, _BLACK),
        (0.0, _CHROMA_SPAN / _FULL, 0.0, _MID * (1 - _CHROMA_SPAN / _FULL)),
        (0.0, 0.0, _CHROMA_SPAN / _FULL, _MID * (1 - _CHROMA_SPAN / _FULL)),
    ),
    Reading.BT601_AS_BT709: _matrix_change(_BT601, _BT709),
    Reading.BT709_AS_BT601: _matrix_change(_BT709, _BT601),
    Reading.BT2020_AS_BT709: _matrix_change(_BT2020, _BT709),
    Reading.BT709_AS_BT2020: _matrix_change(_BT709, _BT2020),
}
