"""The envelope of audio, its peak in every millisecond, channel by channel; and comparisons of two envelopes. Pure."""

import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from math import log10, sqrt
from operator import mul

from proxx_worker.report.comparison import AUDIO_RATE

SAMPLES_PER_POINT = AUDIO_RATE // 1000
POINTS_PER_SECOND = 1000
FULL_SCALE = 32768

LONGEST_LAG_SECONDS = 0.5
"""How far to either side the audio is searched."""

_SAMPLE_BYTES = 2
_COARSE = 8
_WINDOW = 20_000
_LIKE = 0.5
_CLEARLY_BETTER = 0.1
_AS_GOOD = 0.97
_VARIES = 0.05
_BLOCK = 10
_HEARD = FULL_SCALE * 10 ** (-45 / 20)
_SILENT = FULL_SCALE * 10 ** (-60 / 20)
_HOLE_BLOCKS = 2
_EDGE_POINTS = 60
_SWAPPED = 0.9
_UNLIKE = 0.7

Course = Sequence[int]


class AudioMeter:
    """Takes 16-bit samples of all channels, interleaved, in pieces of any size; keeps one peak per channel and millisecond."""

    def __init__(self, channels: int) -> None:
        """Of so many channels."""
        self.courses: tuple[array[int], ...] = tuple(array("H") for _ in range(channels))
        self._channels = channels
        self._partial = b""

    def feed(self, data: bytes) -> None:
        """Take the next samples."""
        data = self._partial + data
        step = SAMPLES_PER_POINT * self._channels * _SAMPLE_BYTES
        whole = len(data) // step * step
        self._partial = data[whole:]
        samples = array("h")
        samples.frombytes(data[:whole])
        if sys.byteorder == "big":
            samples.byteswap()
        for channel, course in enumerate(self.courses):
            own = samples[channel :: self._channels]
            for start in range(0, len(own), SAMPLES_PER_POINT):
                points = own[start : start + SAMPLES_PER_POINT]
                course.append(max(-min(points), *points))


@dataclass(frozen=True, slots=True)
class Lag:
    """`points`: how many milliseconds the proxy's audio is late (negative: early). `likeness`: correlation there, 0 to 1."""

    points: int
    likeness: float


def lag_between(source: Course, proxy: Course) -> Lag | None:
    """How late the proxy's audio is; None if its envelope does not show it: silence, a steady tone, or different audio."""
    start = _liveliest(source)
    one, other = source[start : start + _WINDOW], proxy[start : start + _WINDOW]
    longest = round(LONGEST_LAG_SECONDS * POINTS_PER_SECOND)
    if min(len(one), len(other)) < 2 * _COARSE or not (_varies(one) and _varies(other)):
        return None
    longest = min(longest, min(len(one), len(other)) // 2)
    coarse = [
        (lag * _COARSE, like)
        for lag, like in _likenesses(_thinned(one), _thinned(other), -(longest // _COARSE), longest // _COARSE)
    ]
    greatest = max(like for _, like in coarse)
    near = min((lag for lag, like in coarse if like >= _AS_GOOD * greatest), key=abs)
    fine = _likenesses(one, other, max(-longest, near - 2 * _COARSE), min(longest, near + 2 * _COARSE))
    at_zero = next((like for lag, like in _likenesses(one, other, 0, 0)), 0.0)
    greatest = max(like for _, like in fine)
    points, likeness = min(((lag, like) for lag, like in fine if like >= greatest - 1e-9), key=lambda found: abs(found[0]))
    if likeness < _LIKE:
        return None
    return Lag(points, likeness) if likeness - at_zero >= _CLEARLY_BETTER else Lag(0, at_zero)


def _liveliest(course: Course) -> int:
    """The start of the window in which the audio changes most."""
    if len(course) <= _WINDOW:
        return 0
    starts = range(0, len(course) - _WINDOW + 1, _WINDOW // 2)
    return max(
        starts, key=lambda start: sum(abs(course[i] - course[i - 1]) for i in range(start + _COARSE, start + _WINDOW, _COARSE))
    )


def _varies(course: Course) -> bool:
    mean = sum(course) / len(course)
    return mean > _SILENT and sqrt(sum((point - mean) ** 2 for point in course) / len(course)) > _VARIES * mean


def _thinned(course: Course) -> list[float]:
    return [sum(course[start : start + _COARSE]) / _COARSE for start in range(0, len(course) - _COARSE + 1, _COARSE)]


def _likenesses(one: Sequence[float], other: Sequence[float], least: int, most: int) -> list[tuple[int, float]]:
    """The correlation of `one` with `other` moved back by each lag."""
    one_mean, other_mean = sum(one) / len(one), sum(other) / len(other)
    one, other = [point - one_mean for point in one], [point - other_mean for point in other]
    found = []
    for lag in range(least, most + 1):
        here, there = one[max(0, -lag) :], other[max(0, lag) :]
        length = min(len(here), len(there))
        here, there = here[:length], there[:length]
        power = sqrt(sum(map(mul, here, here)) * sum(map(mul, there, there)))
        found.append((lag, sum(map(mul, here, there)) / power if power else 0.0))
    return found


@dataclass(frozen=True, slots=True)
class Hole:
    """Silence where the source has audio: seconds from the file's start, and the channel, from 0."""

    start: float
    seconds: float
    channel: int


def holes_in(source: Sequence[Course], proxy: Sequence[Course], late: int) -> list[Hole]:
    """Gaps of 20 ms and more, in order; `late`: by how many points the proxy's audio is late."""
    found = []
    for channel, (source_course, proxy_course) in enumerate(zip(source, proxy, strict=False)):
        one, other = source_course[max(0, -late) :], proxy_course[max(0, late) :]
        first: int | None = None
        blocks = min(len(one), len(other)) // _BLOCK
        for block in range(blocks + 1):
            place = block * _BLOCK
            silent = (
                block < blocks and max(other[place : place + _BLOCK]) <= _SILENT and max(one[place : place + _BLOCK]) >= _HEARD
            )
            if silent and first is None:
                first = place
            elif not silent and first is not None:
                # The first packet of a lossy codec may be silent: priming, which is never audible in an editor.
                if place - first >= _HOLE_BLOCKS * _BLOCK and place > _EDGE_POINTS:
                    found.append(Hole((first + max(0, late)) / POINTS_PER_SECOND, (place - first) / POINTS_PER_SECOND, channel))
                first = None
    return sorted(found, key=lambda hole: (hole.start, hole.channel))


def swaps_between(source: Sequence[Course], proxy: Sequence[Course], late: int) -> list[tuple[int, int]]:
    """Pairs of channels that changed places: each is the other's audio, and is not its own."""
    count = min(len(source), len(proxy))
    start = _liveliest(source[0]) if count else 0
    ones = [course[start + max(0, -late) : start + _WINDOW] for course in source[:count]]
    others = [course[start + max(0, late) : start + _WINDOW] for course in proxy[:count]]

    def likeness(one: int, other: int) -> float:
        here, there = ones[one], others[other]
        if not here or not there or not (_varies(here) and _varies(there)):
            return 0.0
        return _likenesses(here, there, 0, 0)[0][1]

    own = [likeness(channel, channel) for channel in range(count)]
    return [
        (one, other)
        for one in range(count)
        for other in range(one + 1, count)
        if max(own[one], own[other]) < _UNLIKE and min(likeness(one, other), likeness(other, one)) > _SWAPPED
    ]


def decibels(peak: float) -> float:
    """A peak in dB of full scale; silence is -120."""
    return 20 * log10(max(peak, FULL_SCALE * 1e-6) / FULL_SCALE)
