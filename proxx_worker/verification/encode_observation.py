"""Observations of one encode: its progress, the frames that the source presented, and the encoder's error messages."""

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from proxx_worker.media.ffmpeg_words import Meaning, find, says
from proxx_worker.planning.audio_report import Placement
from proxx_worker.planning.field_report import read_line
from proxx_worker.verification.heard_audio import HeardAudio, Listener
from proxx_worker.verification.progress import Progress, ProgressParser

_TAIL_LINES = 20
_COMPLAINT_LINES = 100
_COMPLAINT = re.compile(r"\[(?:error|fatal|panic)\] ")


@dataclass(frozen=True, slots=True)
class EncodeObservation:
    """One finished encode.

    `exit_code`: negative for a signal. `file_size`: bytes of the output. `stderr_tail`: the encoder's last lines. `complaints`:
    its first error lines; from probing, only those about dropped packets. `times`: of the frames that the source presented, in
    source ticks, in order. `untimed`: the numbers of those without a time, from 0; they are none of `times`. `restarts`: how
    often the video changed its size or format partway.
    `complained_at`, `complained_last`: how many frames had been presented at the first and the last complaint, which is near the
    fault (decoders work ahead); `heard_at`: the same for each of `complaints`. `audio`: what was decoded of each audio stream,
    None for one that was copied. `audio_units`: how much audio was encoded, in units of 1024 bytes; None if not reported.
    `kinds`: of each kind of frame that the source has (`progressive`, `tt`, `bb`), the number of its first frame, from 0.
    """

    exit_code: int
    progress: Progress
    file_size: int
    stderr_tail: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()
    times: Sequence[int] = ()
    untimed: Sequence[int] = ()
    restarts: int = 0
    complained_at: int | None = None
    heard_at: tuple[int, ...] = ()
    complained_last: int | None = None
    audio: tuple[HeardAudio | None, ...] = ()
    audio_units: int | None = None
    kinds: Mapping[str, int] = field(default_factory=dict)

    @property
    def presented(self) -> int:
        """How many frames the source presented."""
        return len(self.times) + len(self.untimed)


class EncodeObserver:
    """Collects an `EncodeObservation` while the encode runs. Memory is bounded except for the time of each video frame.

    `placements`: how each audio stream is placed on the proxy's timeline; None for one that is copied. `pause` is called in every
    later pass over the times, as in `Integers`.
    """

    def __init__(self, placements: Sequence[Placement | None] = (), pause: Callable[[], object] = bool) -> None:
        """Start with nothing seen."""
        self._listeners = tuple(None if placement is None else Listener(placement) for placement in placements)
        self._parser = ProgressParser(self._listeners, pause)
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._complaints: list[str] = []
        self._heard_at: list[int] = []
        self._started = False
        self._complained_at: int | None = None
        self._complained_last: int | None = None
        self._audio_units: int | None = None
        self._kinds: dict[str, int] = {}

    def feed_stdout(self, data: bytes) -> list[Progress]:
        """Parse the next bytes of standard output. Returns the progress blocks that they complete."""
        return self._parser.feed(data)

    def feed_line(self, line: str) -> None:
        """Add the next line of standard error, without its newline."""
        if (kind := read_line(line)) is not None:
            self._kinds.setdefault(*kind)
            return
        self._tail.append(line)
        # Lines before this one come from probing the file, including streams that are not used.
        self._started = self._started or says(Meaning.STARTED, line)
        if (said := find(Meaning.AUDIO_WRITTEN, line)) is not None:
            self._audio_units = int(said["units"])
        wanted = self._started and (_COMPLAINT.search(line) or says(Meaning.CORRUPT, line))
        # FFmpeg does not read again what it read while probing the file.
        wanted = wanted or says(Meaning.DROPPED, line)
        if not wanted or says(Meaning.HARMLESS, line):
            return
        if self._complained_at is None:
            self._complained_at = self._parser.count
        self._complained_last = self._parser.count
        if len(self._complaints) < _COMPLAINT_LINES:
            self._complaints.append(line)
            self._heard_at.append(self._parser.count)

    def finish(self, exit_code: int, file_size: int) -> EncodeObservation:
        """The observation, after the process has exited and all its output was fed."""
        return EncodeObservation(
            exit_code=exit_code,
            progress=self._parser.last,
            file_size=file_size,
            stderr_tail=tuple(self._tail),
            complaints=tuple(self._complaints),
            times=self._parser.times,
            untimed=self._parser.untimed,
            restarts=self._parser.restarts,
            complained_at=self._complained_at,
            heard_at=tuple(self._heard_at),
            complained_last=self._complained_last,
            audio_units=self._audio_units,
            kinds=self._kinds,
            audio=tuple(None if listener is None else listener.heard() for listener in self._listeners),
        )
