"""Parses the encode's standard output: progress blocks, and one line per video or audio frame of the source.

FFmpeg writes both in single small writes, so they never interleave within a line. Anything else is ignored: a parser of a
child's output must survive any bytes.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.media.integers import Integers
from proxx_worker.planning.audio_report import read_edge
from proxx_worker.verification.heard_audio import Listener

_PRESENTED = re.compile(rb"frame:(\d{1,18})\s+pts:(-?\d{1,18}|NOPTS)\s+pts_time:\S*\s*")
_MAX_LINE = 4096
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Progress:
    """One progress block; None for values that it does not have.

    `frames`: encoded so far. `position`: seconds of output. `speed`: multiple of real time. `total_size`: bytes written. `ended`:
    this is the last block.
    """

    frames: int = 0
    position: Fraction | None = None
    speed: float | None = None
    total_size: int | None = None
    ended: bool = False


class ProgressParser:
    """Parses the encode's standard output into `Progress` values and the times of the presented frames.

    `listeners`: for each audio stream the receiver of its frames; None if its frames are not reported. `pause`: as in `Integers`.
    """

    def __init__(self, listeners: Sequence[Listener | None] = (), pause: Callable[[], object] = bool) -> None:
        """Starts empty."""
        self._listeners = listeners
        self._partial = b""
        self._skipping = False
        self._fields: dict[bytes, bytes] = {}
        self.times = Integers(pause=pause)
        """The times of the presented frames that had one, in source ticks."""
        self.untimed = Integers(pause=pause)
        """The numbers of those that had none, from 0."""
        self.restarts = 0
        """How often the decoded video changed its size, format or orientation partway, so that FFmpeg rebuilt its filters."""
        self.last = Progress()
        """The latest block."""

    @property
    def count(self) -> int:
        """How many frames have been presented."""
        return len(self.times) + len(self.untimed)

    def feed(self, data: bytes) -> list[Progress]:
        """Parse the next bytes. Returns the blocks that they complete."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        blocks = [block for line in lines if (block := self._line(line)) is not None]
        if len(self._partial) > _MAX_LINE:
            # Not from FFmpeg: drop this part of the line, and the rest when it arrives.
            self._partial, self._skipping = b"", True
        return blocks

    def _line(self, line: bytes) -> Progress | None:
        if self._skipping:
            self._skipping = False
            return None
        if match := _PRESENTED.fullmatch(line):
            self._frame(int(match[1]), None if match[2] == b"NOPTS" else int(match[2]))
            return None
        key, separator, value = line.partition(b"=")
        if not separator:
            return None
        self._fields[key.strip()] = value.strip()
        if key.strip() != b"progress":
            return None
        fields, self._fields = self._fields, {}
        self.last = _block(fields)
        return self.last

    def _frame(self, number: int, time: int | None) -> None:
        heard = None if time is None else read_edge(time)
        if heard is None:
            if number == 0 and self.count:
                self.restarts += 1
            if time is None:
                self.untimed.append(self.count)
            else:
                self.times.append(time)
            return
        listener = self._listeners[heard.stream] if heard.stream < len(self._listeners) else None
        if listener is not None:
            listener.hear(number, heard)


def _block(fields: dict[bytes, bytes]) -> Progress:
    microseconds = _integer(fields.get(b"out_time_us"))
    return Progress(
        frames=_integer(fields.get(b"frame")) or 0,
        position=None if microseconds is None else Fraction(microseconds, _MICROSECONDS),
        speed=_decimal(fields.get(b"speed", b"").removesuffix(b"x")),
        total_size=_integer(fields.get(b"total_size")),
        ended=fields[b"progress"] == b"end",
    )


def _integer(text: bytes | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(rb"-?\d{1,18}", text) else None


def _decimal(text: bytes | None) -> float | None:
    return float(text) if text is not None and re.fullmatch(rb"\s*\d{1,12}(\.\d{1,12})?", text) else None
