"""How an encode reports, on its standard output, the time and length of each frame of its decoded audio.

FFmpeg's `ametadata=mode=print` writes a frame's time and nothing else about it. So each frame is given a number for its time,
which holds stream, length and time; it is printed, and the time is put back. The samples are not touched. Video frames are
reported on the same output, each by one small write: threads may interleave these lines, but never break one. Audio numbers are
far below any time that a video frame can have: -2^52 microseconds are 142 years before the clip.

FFmpeg computes in doubles, which hold whole numbers up to 2^53: 29 bits of time, 16 of length, 7 of stream. The time is restored
to within 2^28 samples of the one before it (93 minutes at 48 kHz), and the first one to within as much of 0.

Not in a branch of the filter graph (`asplit`, `anullsink`): FFmpeg 7.1 asks such a branch for frames first, because its times are
the earliest, and can reach a point where no filter has anything to do; it then ends with a failed assertion.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, ProxxError

_STREAMS = 1 << 7
_LENGTHS = 1 << 16
_TIMES = 1 << 29
_FLOOR = -(1 << 53)
_CEILING = -(1 << 52)

MOST_STREAMS = _STREAMS // 2
"""Each has two reports: of what was decoded, and of what was placed on the proxy's timeline."""

MOST_SAMPLES = _LENGTHS - 1
"""A frame that is reported with this many may have more. No usual encoder writes such frames; FLAC's longest has 65,535."""


@dataclass(frozen=True, slots=True)
class Placement:
    """How decoded audio is placed on the proxy's timeline, in samples at the source's rate.

    `origin`: the time of the proxy's first sample, as FFmpeg counts it, after everything was delayed by `shift`. `slack`: how far
    a frame may start from the end of the previous one and still follow it without a correction. `rate`: samples per second.
    """

    origin: int
    shift: int
    slack: int
    rate: int

    @property
    def seconds(self) -> str:
        """`slack` as FFmpeg takes it: half a sample more, because it computes in single floats."""
        return f"{float(Fraction(2 * self.slack + 1, 2 * self.rate)):.7f}"


@dataclass(frozen=True, slots=True)
class HeardFrame:
    """One line of a report. `time` counts samples and wraps, see `near`; `placed`: from its stream's second report."""

    stream: int
    placed: bool
    time: int
    samples: int

    def near(self, expected: int) -> int:
        """Its time, if near `expected`: within 2^28 samples, which are 93 minutes at 48 kHz."""
        return expected + (self.time - expected + _TIMES // 2) % _TIMES - _TIMES // 2


def read_frame(number: int) -> HeardFrame | None:
    """What the number of a reported frame encodes; None if it is just a time."""
    if not _FLOOR <= number < _CEILING:
        return None
    rest, code = divmod(number - _FLOOR, _STREAMS)
    time, samples = divmod(rest, _LENGTHS)
    return HeardFrame(code // 2, placed=bool(code % 2), time=time, samples=samples)


def reported(stream: int, *, placed: bool = False) -> tuple[str, ...]:
    """The filters that report every frame of a stream and pass it on unchanged."""
    number = f"(mod(PTS,{_TIMES})*{_LENGTHS}+min(NB_SAMPLES,{MOST_SAMPLES}))*{_STREAMS}+{2 * stream + placed}-{-_FLOOR}"
    before = "if(isnan(PREV_OUTPTS),0,PREV_OUTPTS)"
    time = f"floor((PTS+{-_FLOOR})/{_LENGTHS * _STREAMS})"
    return (
        f"asetpts='{number}'",
        "ametadata=mode=delete",
        "ametadata=mode=add:key=heard:value=1",
        "ametadata=mode=print:file=-:direct=1",
        f"asetpts='{before}+mod({time}-{before}+{_TIMES // 2},{_TIMES})-{_TIMES // 2}'",
    )


def refuse_too_many(streams: Iterable[object]) -> None:
    """Raise SOURCE_UNSUPPORTED for more streams than can be told apart."""
    count = sum(1 for _ in streams)
    if count > MOST_STREAMS:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"the source has {count} audio streams, but at most {MOST_STREAMS} can be tracked: deliver it with fewer",
            streams=count,
        )
