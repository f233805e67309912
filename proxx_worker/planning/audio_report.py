"""How an encode reports, on its standard output, where each frame of its decoded audio starts and ends.

FFmpeg's `ametadata=mode=print` writes a frame's time and nothing else about it. So each frame is given a number for its time,
which holds the stream and the place of the frame's end; it is printed, and the time is put back. The samples are not touched. A
frame starts where the one before it ended, the first one at 0; where that is not so, another number says where it starts, before.
Video frames are reported on the same output, each by one small write: threads may interleave these lines, but never break one.
Audio numbers are far below any time that a video frame can have: -2^52 microseconds are 142 years before the clip.

FFmpeg computes in doubles, which hold whole numbers up to 2^53: 44 bits of time, and 8 that say which report it is. Every number
holds the time itself, so that it is put back exactly, whatever came before: 2^42 samples are 265 days at 192 kHz. What is further
away is said to be that far, and is refused, as FFmpeg cannot fill such a hole.

Not in a branch of the filter graph (`asplit`, `anullsink`): FFmpeg 7.1 asks such a branch for frames first, because its times are
the earliest, and can reach a point where no filter has anything to do; it then ends with a failed assertion.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, ProxxError

_REPORTS = 1 << 8
_FARTHEST = 1 << 42
_FLOOR = -(1 << 53)
_CEILING = -(1 << 52)
_ZERO = (_FLOOR + _CEILING) // 2
"""The number of a time of 0."""

_NUMBERED = "lt(t,-1e9)"
"""Whether a frame has such a number, in seconds: 31 years before the clip, which no number is after, up to 4 MHz."""

MOST_STREAMS = _REPORTS // 4
"""Each has two reports, of what was decoded and of what was placed on the proxy's timeline, and each of these starts and ends."""


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
class FrameEdge:
    """One line of a report. `ends`: a frame ends at `time`, in samples, or else starts; `placed`: from the second report."""

    stream: int
    placed: bool
    ends: bool
    time: int


def read_edge(number: int) -> FrameEdge | None:
    """What the number of a reported frame encodes; None if it is just a time."""
    if not _FLOOR <= number < _CEILING:
        return None
    time, report = divmod(number - _ZERO, _REPORTS)
    return FrameEdge(report // 4, placed=bool(report & 2), ends=bool(report & 1), time=time)


def reported(stream: int, *, placed: bool = False) -> tuple[str, ...]:
    """The filters that report every frame of a stream and pass it on unchanged."""
    start = 4 * stream + 2 * placed + _ZERO
    # A cell that was stored keeps its value for the following frames; it is 0 at first. Here 0 holds where the last frame ended,
    # and 1 the time of this one.
    follows = f"eq(st(1,clip(PTS,-{_FARTHEST},{_FARTHEST})),ld(0))"
    return (
        f"asetpts='if({follows},ld(1),ld(1)*{_REPORTS}{start:+})+0*st(0,ld(1)+NB_SAMPLES)'",
        "ametadata=mode=delete",
        "ametadata=mode=add:key=heard:value=1",
        f"ametadata=mode=print:file=-:direct=1:enable='{_NUMBERED}'",
        f"asetpts='if(lt(PTS,{_CEILING}),PTS,PTS*{_REPORTS}{start:+})+NB_SAMPLES*{_REPORTS}+1'",
        "ametadata=mode=print:file=-:direct=1",
        f"asetpts='(PTS{-start - 1:+})/{_REPORTS}-NB_SAMPLES'",
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
