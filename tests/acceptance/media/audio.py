"""Audio compared with audio: each channel of a proxy beside the same channel of its source, where it begins and what is in it."""

import subprocess
from array import array
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from operator import mul

from tests.acceptance.media.inspection import Look

RATE = 8000
"""Samples per second that are compared: enough to find a shift of an eighth of a millisecond."""

_LONGEST_WINDOW = RATE // 2
_SHORTEST_WINDOW = RATE // 40
_LAGS = range(-80, 81)
_SILENCE = 40.0
"""Root mean square of 16-bit samples below which a channel has nothing to compare."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel: its samples, and the second (of the file's picture) at which they begin."""

    samples: "array[int]"
    start: Fraction


@dataclass(frozen=True, slots=True)
class Match:
    """How a proxy's channel lies beside its source's: `lag` in ms (positive: too late), `correlation` there (1: the same)."""

    lag: float
    correlation: float


def channels(media: Look, stream: int) -> list[Channel]:
    """The channels of an audio stream (by its number among the audio streams), against the first frame of the picture.

    Every sample stands where the file's clock puts it: silence is put into holes.
    """
    sound = media.sounds[stream]
    out = subprocess.run(
        [
            "ffmpeg", "-nostdin", "-v", "quiet", "-i", media.path, "-map", f"0:a:{stream}", "-ar", str(RATE),
            "-c:a", "pcm_s16le", "-f", "s16le", "-",
        ],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    samples = array("h", out)
    for decoded, length in reversed(sound.holes):
        at = round(decoded * RATE) * sound.channels
        samples[at:at] = array("h", bytes(2 * sound.channels * round(length * RATE)))
    start = (sound.start or Fraction(0)) - media.times[0]
    return [Channel(samples[at :: sound.channels], start) for at in range(sound.channels)]


def match(source: Channel, proxy: Channel) -> Match | None:
    """Lay the loudest half second that both have (less where they are short) over each other; None where the source is silent."""
    # A moment of the picture at sample n of the source is at sample n + shift of the proxy.
    shift = round((source.start - proxy.start) * RATE)
    first = max(0, -shift - _LAGS[0])
    last = min(len(source.samples), len(proxy.samples) - shift - _LAGS[-1])
    size = min(_LONGEST_WINDOW, (last - first) // 2)
    if size < _SHORTEST_WINDOW:
        return None
    power, at = max((_power(source.samples[at : at + size]), at) for at in range(first, last - size, max(1, size // 4)))
    if power < _SILENCE * sqrt(size):
        return None
    window = source.samples[at : at + size]
    best = Match(0.0, -1.0)
    for lag in _LAGS:
        begin = at + shift + lag
        other = proxy.samples[begin : begin + size]
        other_power = _power(other)
        if other_power:
            correlation = sum(map(mul, window, other)) / (power * other_power)
            if correlation > best.correlation:
                best = Match(lag * 1000 / RATE, correlation)
    return best


def _power(samples: "array[int]") -> float:
    return sqrt(sum(map(mul, samples, samples)))
