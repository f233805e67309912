"""Durations that a movie leaves open: all bits 1 in `mvhd` or `mdhd` (ISO/IEC 14496-12, 8.2.2 and 8.4.2, "duration").

Live recorders write them before they know the length. FFmpeg 5.1 takes them for numbers (49 days at a thousandth of a second),
and later versions report a track's as 0.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from proxx_worker.media.boxes import MAX_BOXES, Box, media_duration, tables_at
from proxx_worker.media.facts import MediaFacts, RawSource
from proxx_worker.media.ffprobe_json import Section

Read = Callable[[int, int], bytes]

_ALL_ONES = ((1 << 32) - 1, (1 << 64) - 1)
_HEADER = 32
"""As many bytes of a header as hold its duration in both versions."""


def stated_duration(stream: Section, time_base: Fraction | None) -> Fraction | None:
    """A stream's duration in seconds; None if its file does not state one, even if ffprobe reports a number."""
    ticks = stream.integer("duration_ts")
    if ticks is None or time_base is None or ticks < 0 or ticks in _ALL_ONES:
        return None
    return None if ticks == 0 and stream.positive("nb_frames") else ticks * time_base


def without_unknown_duration(facts: MediaFacts | RawSource, read: Read, size: int) -> MediaFacts | RawSource:
    """A movie's facts, with the duration of its longest stream if its header states none; other facts are returned unchanged.

    If a stream's own is unknown, too, nothing states the movie's. A duration that the header does state stays.
    `read(offset, count)` gives up to `count` bytes of the file of `size` bytes.
    """
    if isinstance(facts, RawSource) or facts.demuxer != "mov":
        return facts
    lengths = [facts.video.duration, *(stream.duration for stream in facts.audio)]
    known = [length for length in lengths if length is not None]
    longest = max(known) if len(known) == len(lengths) else None
    headers = tables_at(read, Box(b"", 0, size), (b"moov", b"mvhd"), iter(range(MAX_BOXES)), _HEADER)
    stated = [media_duration(header) for header in headers]
    # Of fragments the header states 0, and FFmpeg takes the file's duration from its streams.
    if any(ticks in _ALL_ONES for ticks in stated) or (longest is None and not any(stated)):
        return replace(facts, duration=longest)
    return facts
