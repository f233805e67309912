"""Where a file stores its start timecode and reel name, and whether the timecode is valid."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from proxx_worker.media.facts import Timecode
from proxx_worker.media.ffprobe_json import Section, without_controls
from proxx_worker.media.timecode_count import nominal

_TIMECODE = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})([:;.])([0-9]{1,3})")
"""FFmpeg gives frames one digit up to 10 frames/s, three above 100: libavutil/timecode.c, av_timecode_make_string."""

_HOURS, _SIXTY = 24, 60
_DROP_RATES = (Fraction(30000, 1001), Fraction(60000, 1001), Fraction(120000, 1001))


@dataclass(frozen=True, slots=True)
class Found:
    """The timecode to carry, and what was found but ignored."""

    timecode: Timecode | None
    notes: tuple[str, ...]


def find_timecode(
    demuxer: str,
    container: Section,
    video: Section,
    streams: Sequence[Section],
    rate: Fraction,
    told_rate: Fraction | None = None,
) -> Found:
    """The first valid start timecode in the order in which editors read them.

    MOV and MP4: the track that the video refers to (FFmpeg puts it on the video's own tags), then any tmcd track, then the
    container's tags, then Sony's rtmd metadata track, where XAVC S cameras keep it. MXF: the material package (the container's
    tags) is the clip as it presents itself, the source package's (the stream's tags) is where it came from: used where the
    material package has none, as in Avid OP-Atom. Elsewhere: stream, then container.

    Text that is not a timecode at this rate is skipped and noted: it cannot be carried, and nothing is invented. If the timecode
    track counts otherwise than `rate` (30 a second beside 60 pictures), the timecode is the label of the same moment at `rate`. A
    rate that varies has an average for `rate`, which counts nothing: there the timecode track's own counts, then `told_rate`
    (None where the rate is constant).
    """
    of_video, of_container = [("stream", video)], [("format", container)]
    tmcd, rtmd = _tracks(streams, "tmcd"), _tracks(streams, "rtmd")
    order = of_container + of_video if demuxer == "mxf" else of_video + tmcd + of_container + rtmd
    notes: list[str] = []
    chosen: Timecode | None = None
    for origin, section in order:
        text = section.tag("timecode")
        if text is None:
            continue
        own = _own_rates(text, tmcd)
        rates = [rate] if told_rate is None else [*own, told_rate, rate]
        other = _other_count(own, rate) if told_rate is None else None
        timecode = _first_possible(text, rates, origin) if other is None else recounted(text, other, rate, origin)
        if timecode is None and other is not None:
            notes.append(
                f"{origin} timecode {text!r} counts {other} frames/s, and no frame of the video's {rate} is there: ignored"
            )
        elif timecode is None:
            notes.append(f"{origin} timecode {text!r} is not valid at {rates[0]} frames/s: ignored")
        elif chosen is None:
            chosen = timecode
            if other is not None and timecode.text != usual_timecode(text):
                notes.append(f"{origin} timecode {text!r} counts {other} frames/s: {timecode.text} at the video's {rate}")
        elif timecode.text != chosen.text:
            notes.append(f"{origin} timecode {timecode.text} differs from the {chosen.origin} timecode: ignored")
    return Found(chosen, tuple(notes))


def _tracks(streams: Sequence[Section], tag: str) -> list[tuple[str, Section]]:
    return [(tag, stream) for stream in streams if stream.text("codec_tag_string") == tag]


def _own_rates(text: str, tracks: Sequence[tuple[str, Section]]) -> list[Fraction]:
    """The rates of the timecode tracks that say `text`. FFmpeg repeats on the video what the track says that it refers to."""
    rates = (track.ratio("avg_frame_rate") for _, track in tracks if track.tag("timecode") == text)
    return [rate for rate in rates if rate is not None]


def _other_count(own_rates: Sequence[Fraction], rate: Fraction) -> Fraction | None:
    """The first of a timecode's own rates if none of them has as many labels a second as `rate`; else None."""
    return None if any(nominal(own) == nominal(rate) for own in own_rates) else next(iter(own_rates), None)


def recounted(text: str, own_rate: Fraction, rate: Fraction, origin: str) -> Timecode | None:
    """The label at `rate` for the moment of `text` at `own_rate`: `01:00:01;40` at 59.94 for `01:00:01;20` at 29.97.

    None if no label of `rate` is at that moment, or if it has no such clock: only multiples of 29.97 have drop-frame.
    """
    match = _TIMECODE.fullmatch(text)
    if match is None or int(match[5]) >= nominal(own_rate):
        return None
    frames = Fraction(int(match[5]) * nominal(rate), nominal(own_rate))
    return parse_timecode(f"{text[: match.start(5)]}{frames.numerator:02}", rate, origin) if frames.denominator == 1 else None


def _first_possible(text: str, rates: Sequence[Fraction], origin: str) -> Timecode | None:
    """The timecode at the first of `rates` that can count it, the last of which is the video's."""
    for rate in rates:
        timecode = parse_timecode(text, rate, origin)
        if timecode is not None:
            return timecode if rate == rates[-1] else replace(timecode, own_rate=rate)
    return None


def parse_timecode(text: str, rate: Fraction, origin: str) -> Timecode | None:
    """`HH:MM:SS:FF`, drop-frame with `;` or `.` before the frames; None if it is not possible at `rate`.

    Frames must be below the labels of a second (`nominal`). Drop-frame needs a 1001 rate, and its dropped labels do not exist:
    frames 0 and 1 of most minutes, twice and four times as many at 59.94 and 119.88.
    """
    match = _TIMECODE.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds, frames = (int(match[group]) for group in (1, 2, 3, 5))
    base = nominal(rate)
    drop = match[4] != ":"
    if hours >= _HOURS or minutes >= _SIXTY or seconds >= _SIXTY or frames >= base:
        return None
    if drop and (not counts_drop_frames(rate) or (minutes % 10 and seconds == 0 and frames < base // 15)):
        return None
    separator = ";" if drop else ":"
    return Timecode(f"{hours:02}:{minutes:02}:{seconds:02}{separator}{frames:02}", drop, origin)


def usual_timecode(text: str) -> str:
    """`01:00:00:5` and `01:00:00:005` as `01:00:00:05`, the form of `Timecode.text`; other text unchanged."""
    match = _TIMECODE.fullmatch(text)
    return text if match is None else f"{text[: match.start(5)]}{int(match[5]):02}"


def counts_drop_frames(rate: Fraction) -> bool:
    """Whether a rate has drop-frame (SMPTE ST 12-1): 29.97 and its multiples, also as 2997/100 or a phone's average.

    Within 1 in 2000, half the way to 30.
    """
    return any(abs(rate / exact - 1) * 2000 < 1 for exact in _DROP_RATES)


@dataclass(frozen=True, slots=True)
class FoundReel:
    """A reel or tape name, and what was left out of it, as a note."""

    name: str | None
    notes: tuple[str, ...]


def find_reel(container: Section, video: Section, streams: Sequence[Section]) -> FoundReel:
    """The reel or tape name: the video stream's own (MXF source package), a tmcd track's (QuickTime), the container's.

    With its spaces, but without control characters: it ends up in a command line and on terminals.
    """
    tmcd = [stream for stream in streams if stream.text("codec_tag_string") == "tmcd"]
    stored = next((reel for section in (video, *tmcd, container) if (reel := section.exact_tag("reel_name"))), None)
    name = None if stored is None else without_controls(stored)
    notes = () if name == stored else (f"control characters of the reel name {stored!r} are left out: {name!r}",)
    return FoundReel(name, notes)
