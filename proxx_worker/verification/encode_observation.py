"""Observations of one encode: its progress, the frames that the source presented, and the encoder's error messages."""

import re
from collections import Counter, deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from proxx_worker.media.ffmpeg_words import Meaning, find, is_information, says, speaker
from proxx_worker.planning.audio_report import Placement
from proxx_worker.planning.field_report import read_line
from proxx_worker.verification.heard_audio import HeardAudio, Listener
from proxx_worker.verification.progress import Progress, ProgressParser

_TAIL_LINES = 20
_COMPLAINT_LINES = 100
_COMPLAINT_KINDS = 100
_COMPLAINT = re.compile(r"\[(?:error|fatal|panic)\] ")


@dataclass(frozen=True, slots=True)
class EncodeObservation:
    """One finished encode.

    `exit_code`: negative for a signal. `file_size`: bytes of the output. `stderr_tail`: the encoder's last lines, without its
    description of the source. `complaints`: its first error lines of each kind; from probing, only those about dropped packets.
    `times`: of the frames that the source presented, in source ticks, in order. `untimed`: the numbers of those without a time,
    from 0; they are none of `times`. `restarts`: how often the video changed its size, format or orientation partway.
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


@dataclass(slots=True)
class _Said:
    """What FFmpeg has said on standard error; the fields are those of `EncodeObservation`."""

    tail: deque[str] = field(default_factory=lambda: deque(maxlen=_TAIL_LINES))
    complaints: list[str] = field(default_factory=list)
    heard_at: list[int] = field(default_factory=list)
    complained_at: int | None = None
    complained_last: int | None = None
    audio_units: int | None = None
    kinds: dict[str, int] = field(default_factory=dict)
    of_a_kind: Counter[Hashable] = field(default_factory=Counter)

    def complain(self, line: str, count: int) -> None:
        """Add a complaint that came after `count` presented frames. Of each kind the first ones are kept.

        A demuxer may complain of an index for hours; it must not hide what a decoder says of one frame.
        """
        if self.complained_at is None:
            self.complained_at = count
        self.complained_last = count
        kind = (speaker(line), *(meaning for meaning in Meaning if says(meaning, line)))
        if kind not in self.of_a_kind and len(self.of_a_kind) == _COMPLAINT_KINDS:
            return
        self.of_a_kind[kind] += 1
        if self.of_a_kind[kind] <= _COMPLAINT_LINES:
            self.complaints.append(line)
            self.heard_at.append(count)


class EncodeObserver:
    """Collects an `EncodeObservation` while the encode runs. Memory is bounded except for the time of each video frame.

    `placements`: how each audio stream is placed on the proxy's timeline; None for one that is copied. `pause` is called in every
    later pass over the times, as in `Integers`.
    """

    def __init__(self, placements: Sequence[Placement | None] = (), pause: Callable[[], object] = bool) -> None:
        """Start with nothing seen."""
        self._listeners = tuple(None if placement is None else Listener(placement) for placement in placements)
        self._parser = ProgressParser(self._listeners, pause)
        self._said = _Said()
        self._probed: _Said | None = None
        self._started = False

    def feed_stdout(self, data: bytes) -> list[Progress]:
        """Parse the next bytes of standard output. Returns the progress blocks that they complete."""
        return self._parser.feed(data)

    def feed_line(self, line: str) -> None:
        """Add the next line of standard error, without its newline."""
        if says(Meaning.DESCRIBED, line) and self._probed is None:
            self._probed = deepcopy(self._said)
        elif says(Meaning.STARTED, line):
            # Lines before this one come from probing the file, including streams that are not used. The file's description is
            # forgotten: a metadata key may contain line ends, and so any line at all, even this one. The last one is FFmpeg's.
            self._started = True
            self._said = self._said if self._probed is None else deepcopy(self._probed)
        said = self._said
        if (kind := read_line(line)) is not None:
            said.kinds.setdefault(*kind)
            return
        said.tail.append(line)
        if (written := find(Meaning.AUDIO_WRITTEN, line)) is not None:
            said.audio_units = int(written["units"])
        if self._is_complaint(line) and not says(Meaning.HARMLESS, line):
            said.complain(line, self._parser.count)

    def _is_complaint(self, line: str) -> bool:
        # FFmpeg does not read again what it read while probing the file.
        if says(Meaning.DROPPED, line):
            return True
        complains = not is_information(line) and _COMPLAINT.search(line) is not None
        return self._started and (complains or says(Meaning.CORRUPT, line))

    def finish(self, exit_code: int, file_size: int) -> EncodeObservation:
        """The observation, after the process has exited and all its output was fed."""
        said = self._said
        return EncodeObservation(
            exit_code=exit_code,
            progress=self._parser.last,
            file_size=file_size,
            stderr_tail=tuple(said.tail),
            complaints=tuple(said.complaints),
            times=self._parser.times,
            untimed=self._parser.untimed,
            restarts=self._parser.restarts,
            complained_at=said.complained_at,
            heard_at=tuple(said.heard_at),
            complained_last=said.complained_last,
            audio_units=said.audio_units,
            kinds=said.kinds,
            audio=tuple(None if listener is None else listener.heard() for listener in self._listeners),
        )
