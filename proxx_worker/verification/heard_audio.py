"""The decoded frames of one audio stream: their times, and the audio that they must give on the proxy's timeline."""

from dataclasses import dataclass

from proxx_worker.planning.audio_report import MOST_SAMPLES, HeardFrame, Placement

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
    proxy's rate, if reported. `restarts`: how often it changed its rate, format or channels. `certain`: False if a frame was
    longer than a report can state.
    """

    rate: int
    frames: int
    first: int | None
    length: int
    corrections: tuple[Correction, ...] = ()
    corrected: int = 0
    placed: int | None = None
    restarts: int = 0
    certain: bool = True


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
        self._certain = True

    def hear(self, number: int, frame: HeardFrame) -> None:
        """Add the next frame. `number`: how many frames its filter had seen before."""
        if frame.placed:
            self._placed = (self._placed or 0) + frame.samples
            return
        if number == 0 and self._frames:
            self._restarts += 1
        self._frames += 1
        moved = self._placement.shift - self._placement.origin
        time = frame.near(self._here - moved) + moved
        away = time - self._here
        if self._first is None:
            self._first = time
        elif abs(away) > self._placement.slack:
            self._corrected += 1
            if len(self._corrections) < _NOTED:
                self._corrections.append(Correction(self._here, away))
        if abs(away) > self._placement.slack or self._length == 0:
            self._here = time
        self._here += frame.samples
        self._length = max(self._length, self._here)
        self._certain = self._certain and frame.samples < MOST_SAMPLES

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
            certain=self._certain,
        )
