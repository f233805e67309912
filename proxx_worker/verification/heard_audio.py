"""The decoded frames of one audio stream: their times, and the audio that they must give on the proxy's timeline."""

from dataclasses import dataclass

from proxx_worker.planning.audio_report import FrameEdge, Placement

_NOTED = 20


@dataclass(frozen=True, slots=True)
class Correction:
    """A frame that did not start where the last one ended: `samples` of silence inserted, or (negative) samples dropped."""

    at: int
    samples: int


@dataclass(frozen=True, slots=True)
class HeardAudio:
    """An audio stream as decoded, in samples at the source's rate, counted from the proxy's first sample.

    `first`: position of its first sample, None if there was none. `length`: how many samples it must give, silence included.
    `corrections`: the first ones after its start; `corrected`: how many there were. `placed`: how many samples it gave, at the
    proxy's rate, if reported. `restarts`: how often it changed its rate, format or channels. `widest`: the farthest
    that a frame was from the end of the one before it, the first one from the proxy's start, corrected or not.
    """

    rate: int
    frames: int
    first: int | None
    length: int
    corrections: tuple[Correction, ...] = ()
    corrected: int = 0
    placed: int | None = None
    restarts: int = 0
    widest: Correction = Correction(0, 0)


class _Frames:
    """Makes frames of a report's lines: the starts that are told, and every end."""

    def __init__(self) -> None:
        self._starts: dict[int, int] = {}
        self._end = 0

    def add(self, number: int, edge: FrameEdge) -> tuple[int, int] | None:
        """The time and length of frame `number`, if this line ends it."""
        if not edge.ends:
            self._starts[number] = edge.time
            return None
        start = self._starts.pop(number, self._end)
        self._end = edge.time
        return start, edge.time - start


class Listener:
    """Follows the reported frames of one stream, in constant memory.

    It computes what `aresample` does with `async=1:min_comp=0` (libswresample/swresample.c, swr_next_pts): a frame that starts
    further than the slack from the end of the last one is moved to its time, by inserting silence or dropping samples; all
    others follow on directly. Until there is output, the slack is 0.
    """

    def __init__(self, placement: Placement) -> None:
        """Starts empty."""
        self._placement = placement
        self._frames = 0
        self._first: int | None = None
        self._here = 0
        self._length = 0
        self._corrections: list[Correction] = []
        self._corrected = 0
        self._placed: int | None = None
        self._restarts = 0
        self._widest = Correction(0, 0)
        self._decoded_frames, self._placed_frames = _Frames(), _Frames()

    def hear(self, number: int, edge: FrameEdge) -> None:
        """Add the next line of a report. `number`: how many frames its filter had seen before."""
        frame = (self._placed_frames if edge.placed else self._decoded_frames).add(number, edge)
        if frame is None:
            return
        time, samples = frame
        if edge.placed:
            self._placed = (self._placed or 0) + samples
        else:
            self._decode(number, time + self._placement.shift - self._placement.origin, samples)

    def _decode(self, number: int, time: int, samples: int) -> None:
        """Add a decoded frame at `time`, counted from the proxy's first sample."""
        if number == 0 and self._frames:
            self._restarts += 1
        self._frames += 1
        away = time - self._here
        if abs(away) > abs(self._widest.samples):
            self._widest = Correction(self._here, away)
        if self._first is None:
            self._first = time
        elif abs(away) > self._placement.slack:
            self._corrected += 1
            if len(self._corrections) < _NOTED:
                self._corrections.append(Correction(self._here, away))
        if abs(away) > self._placement.slack or self._length == 0:
            self._here = time
        self._here += samples
        self._length = max(self._length, self._here)

    def heard(self) -> HeardAudio:
        """The stream so far."""
        return HeardAudio(
            rate=self._placement.rate,
            frames=self._frames,
            first=self._first,
            length=self._length,
            corrections=tuple(self._corrections),
            corrected=self._corrected,
            placed=self._placed,
            restarts=self._restarts,
            widest=self._widest,
        )
