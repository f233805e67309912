"""Faults of copied audio: it is first decoded when the proxy is verified, so an error there is an error of the source."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.planning.expectation import ExpectedAudio
from proxx_worker.verification.damage_places import Place, listed
from proxx_worker.verification.proxy_probe import ProxyObservation, ProxyReport, StreamReport

_DECODER = "[aac]"
_FRAMES = (1024, 960)
"""Samples per AAC frame."""

_SILENT = 2
"""How many packets at the start may decode to nothing. libfaac writes one."""

_ROUNDING = Fraction(2, 1000)
"""An MP4's edit list counts in milliseconds."""

_QUOTED_LINES = 10


def audio_damage(expected: Sequence[ExpectedAudio], proxy: ProxyObservation) -> JobError | None:
    """SOURCE_DAMAGED if copied audio does not decode, and ffprobe reports no other fault of the proxy.

    A packet that does not decode leaves a gap: the next frame does not start where the last one ended. That gives stream and
    position. The decoder's messages give neither, and some faults it does not report at all.
    """
    copied = [position for position, stream in enumerate(expected) if stream.copied_from is not None]
    complaints = [line for line in proxy.complaints if line.startswith("[")]
    others = proxy.complaints if not complaints else [line for line in complaints if not line.startswith(_DECODER)]
    if not copied or proxy.exit_code != 0 or others:
        return None
    holes, more = _holes(proxy.report, copied, complained=bool(complaints))
    first = next(iter(holes), None)
    if first is None and not complaints:
        return None
    position = copied[0] if first is None and len(expected) == 1 else None if first is None else first[1]
    which = "its audio" if position is None else f"its audio stream {position + 1}"
    seconds = None if first is None else _seconds(first[0])
    where = "at an unknown time" if seconds is None else f"first near {seconds} s of its video"
    lines = complaints[:_QUOTED_LINES]
    return JobError(
        ErrorCode.SOURCE_DAMAGED,
        f"the source could not be read and decoded without errors, {where}, in {which}: "
        f"{next(iter(lines), 'a packet decodes to no audio')}; deliver the clip again, or repair it",
        {
            "near_seconds": seconds,
            "stream": None if position is None else expected[position].copied_from,
            "lines": list(lines),
            **listed((Place(_seconds(at), expected[stream].copied_from, "hole") for at, stream in holes), more),
        },
    )


def _seconds(time: Fraction) -> str:
    return f"{float(max(time, Fraction(0))):.3f}"


def _holes(report: ProxyReport, copied: Sequence[int], *, complained: bool) -> tuple[list[tuple[Fraction, int]], int]:
    """The gaps of all copied streams, and how many more there are.

    Each is the time in seconds from the first video frame, and the position of its audio stream, in the order of their times.
    """
    audios, videos = report.of_type("audio"), report.of_type("video")
    tick = videos[0].ratio("time_base") if videos else None
    start = videos[0].times[0] * tick if tick is not None and videos[0].times else Fraction(0)
    streams = [(audios[position], position) for position in copied if position < len(audios)]
    holes = [(hole - start, position) for stream, position in streams for hole in _of_stream(stream, complained=complained)]
    return sorted(holes), sum(stream.more_holes for stream, _ in streams)


def _of_stream(stream: StreamReport, *, complained: bool) -> Iterator[Fraction]:
    """Seconds from the file's start to each missing frame; none if that is unknown.

    Pauses in the source itself are not gaps: the packet before one lasts as long as the pause. Nor is a first packet that decodes
    to nothing without an error: libfaac writes one.
    """
    tick, start, lasts = stream.ratio("time_base"), stream.integer("start_pts"), stream.integer("duration_ts")
    if tick is None or start is None or lasts is None:
        return
    if not stream.times:
        yield start * tick
        return
    late = stream.times[0] - start
    if any(late > (0 if complained else _SILENT * frame) and late % frame == 0 for frame in _FRAMES):
        yield start * tick
    yield from (hole * tick for hole in stream.holes)
    if stream.end is not None and (start + lasts - stream.end) * tick > _ROUNDING:
        yield stream.end * tick
