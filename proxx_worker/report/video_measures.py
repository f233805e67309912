"""Measures pairs of small images as they arrive: how different they are, how they move, which other frame would fit better.

Code values throughout: 8-bit luma and chroma, limited range, to which `comparison` converts both. All means are of one frame.
"""

from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import sub

from proxx_worker.report.comparison import MEAN_HEIGHT, MEAN_WIDTH, SAMPLE_HEIGHT, SAMPLE_WIDTH
from proxx_worker.report.hypotheses import Planes, Votes

REACH = 8
"""How many frames to either side are searched for a better fit."""

BLACK, WHITE = 16, 235
"""Nominal black and white."""

_LUMA = MEAN_WIDTH * MEAN_HEIGHT
_CHROMA = _LUMA // 4
MEANS_BYTES = 2 * (_LUMA + 2 * _CHROMA)
"""Of one mosaic of block means."""

_SAMPLES = SAMPLE_WIDTH * SAMPLE_HEIGHT
SAMPLES_BYTES = 2 * (_SAMPLES + 2 * (_SAMPLES // 4))
"""Of one mosaic of samples."""

_BETWEEN = bytes(range(BLACK + 1, WHITE))
_ABOVE_BLACK, _BELOW_WHITE = bytes(range(BLACK + 1, 256)), bytes(range(WHITE))
_WORTH_A_LOOK = 0.15
_FAR_OFF = 0.5
_BETTER = 0.5
_STILL = 0.03
_HARDLY_MOVES = 0.2
_HELD_FRAMES = 2
_VOTES = 200


@dataclass(slots=True)
class LumaRange:
    """Luma at the sampled points of all frames: `least`, `greatest`, and how many points lie at or beyond black and white."""

    least: int = 255
    greatest: int = 0
    at_black: int = 0
    at_white: int = 0
    points: int = 0

    def add(self, luma: bytes) -> None:
        """Take the points of one frame."""
        self.least = min(self.least, *luma)
        self.greatest = max(self.greatest, *luma)
        self.points += len(luma)
        if len(luma.translate(None, _BETWEEN)):
            self.at_black += len(luma.translate(None, _ABOVE_BLACK))
            self.at_white += len(luma.translate(None, _BELOW_WHITE))

    @property
    def black_share(self) -> float:
        """The share of points at or below black, 0 to 1."""
        return self.at_black / self.points if self.points else 0.0

    @property
    def white_share(self) -> float:
        """The share of points at or above white, 0 to 1."""
        return self.at_white / self.points if self.points else 0.0


@dataclass(frozen=True, slots=True)
class Held:
    """Frozen frames of the proxy: the first repeated one, how many, and how much the source changed meanwhile."""

    first: int
    frames: int
    moved: float


@dataclass(slots=True)
class VideoMeasures:
    """What was seen of each frame, and of the clip.

    `apart`: mean difference of luma; `worst_block`: greatest difference of a block's mean; `source_luma`, `proxy_luma`: means;
    `proxy_peak`: the brightest block; `offset`: how many frames from here the source frame lies that fits at least twice as well,
    0 for none; `gain`: by how much it does, in code values.
    """

    apart: "array[float]" = field(default_factory=lambda: array("f"))
    worst_block: "array[int]" = field(default_factory=lambda: array("B"))
    source_luma: "array[float]" = field(default_factory=lambda: array("f"))
    proxy_luma: "array[float]" = field(default_factory=lambda: array("f"))
    proxy_peak: "array[int]" = field(default_factory=lambda: array("B"))
    offset: "array[int]" = field(default_factory=lambda: array("b"))
    gain: "array[float]" = field(default_factory=lambda: array("f"))
    held: list[Held] = field(default_factory=list)
    source_range: LumaRange = field(default_factory=LumaRange)
    proxy_range: LumaRange = field(default_factory=LumaRange)
    votes: Votes = field(default_factory=Votes)

    @property
    def frames(self) -> int:
        """How many pairs were measured."""
        return len(self.apart)


class VideoMeter:
    """Takes the mosaics in order, and keeps at most 2 x REACH + 1 of them."""

    def __init__(self, expected_frames: int) -> None:
        """`expected_frames`: about how many will come, so that some 200 of them vote on how levels and colours came about."""
        self.measures = VideoMeasures()
        self._every = max(1, expected_frames // _VOTES)
        self._sources: deque[bytes] = deque(maxlen=2 * REACH + 1)
        self._proxies: deque[bytes] = deque(maxlen=REACH + 1)
        self._last_proxy: bytes | None = None
        self._held_from: tuple[int, bytes] | None = None
        self._moved = 0.0

    def take_means(self, mosaic: bytes) -> None:
        """The next frame's block means: planar 4:2:0, the source's above the proxy's. Raises `ValueError` for another size."""
        if len(mosaic) != MEANS_BYTES:
            raise ValueError(f"a mosaic of {len(mosaic)} bytes in place of {MEANS_BYTES}")
        source, proxy = mosaic[:_LUMA], mosaic[_LUMA : 2 * _LUMA]
        measures = self.measures
        differences = list(map(abs, map(sub, source, proxy)))
        number = measures.frames
        measures.apart.append(sum(differences) / _LUMA)
        measures.worst_block.append(max(differences))
        measures.source_luma.append(sum(source) / _LUMA)
        measures.proxy_luma.append(sum(proxy) / _LUMA)
        measures.proxy_peak.append(max(proxy))
        measures.offset.append(0)
        measures.gain.append(0.0)
        if number % self._every == 0:
            chroma = mosaic[2 * _LUMA :]
            measures.votes.add(
                Planes(source, chroma[:_CHROMA], chroma[2 * _CHROMA : 3 * _CHROMA], MEAN_WIDTH),
                Planes(proxy, chroma[_CHROMA : 2 * _CHROMA], chroma[3 * _CHROMA :], MEAN_WIDTH),
            )
        self._watch_stillness(number, source, proxy)
        self._sources.append(source)
        self._proxies.append(proxy)
        if number >= REACH:
            self._look_around(number - REACH)

    def take_samples(self, mosaic: bytes) -> None:
        """The next frame's samples, likewise."""
        if len(mosaic) != SAMPLES_BYTES:
            raise ValueError(f"a mosaic of {len(mosaic)} bytes in place of {SAMPLES_BYTES}")
        self.measures.source_range.add(mosaic[:_SAMPLES])
        self.measures.proxy_range.add(mosaic[_SAMPLES : 2 * _SAMPLES])

    def finish(self) -> VideoMeasures:
        """The measurements, after the last frame."""
        frames = self.measures.frames
        self._end_stillness(frames)
        for number in range(max(0, frames - REACH), frames):
            self._look_around(number)
        return self.measures

    def _watch_stillness(self, number: int, source: bytes, proxy: bytes) -> None:
        last, self._last_proxy = self._last_proxy, proxy
        if last is None:
            return
        moved = 0.0 if last == proxy else _apart(last, proxy)
        # A codec keeps refining a still image, so a little movement compared with much in the source does not count.
        if moved < _STILL or moved < _HARDLY_MOVES * _apart(self._sources[-1], source):
            if self._held_from is None:
                self._held_from, self._moved = (number, self._sources[-1]), 0.0
            self._moved = max(self._moved, _apart(self._held_from[1], source))
        else:
            self._end_stillness(number)

    def _end_stillness(self, number: int) -> None:
        if self._held_from is not None:
            first = self._held_from[0]
            if number - first >= _HELD_FRAMES:
                self.measures.held.append(Held(first, number - first, self._moved))
            self._held_from = None

    def _look_around(self, number: int) -> None:
        """Whether the proxy's frame `number` fits another source frame much better than its own."""
        measures = self.measures
        own = measures.apart[number]
        if own < _WORTH_A_LOOK:
            return
        newest = measures.frames - 1
        oldest_source = newest - len(self._sources) + 1
        proxy = self._proxies[number - newest - 1]
        best, offset = own, 0
        for distance in range(1, REACH + 1 if own > _FAR_OFF else 2):
            for step in (distance, -distance):
                place = number + step - oldest_source
                if 0 <= place < len(self._sources):
                    apart = _apart(self._sources[place], proxy)
                    if apart < best:
                        best, offset = apart, step
        if offset and best < _BETTER * own:
            measures.offset[number] = offset
            measures.gain[number] = own - best


def _apart(one: Sequence[int], other: Sequence[int]) -> float:
    differences: Iterator[int] = map(sub, one, other)
    return sum(map(abs, differences)) / len(one)
