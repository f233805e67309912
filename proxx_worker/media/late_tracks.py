"""How long the tracks of a movie play that begin late: behind empty edits, with which their edit lists begin.

ffprobe reports the end of the edit list, or the length of the media, whichever is earlier (libavformat/mov.c, mov_fix_index).
Where the media is trimmed, that counts the empty edits, which the start says already: half a second of nothing and one of
two seconds of media last 1.5 s by its `duration_ts`. FFmpeg 5.1 to 9.0 agree in that.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import dropwhile

from proxx_worker.media.boxes import (
    MAX_BOXES,
    TRACKS,
    Box,
    descend,
    entry_count,
    rows_of,
    tables_at,
    timescale,
    track_number,
)
from proxx_worker.media.ffprobe_json import Section
from proxx_worker.media.streams import track_id

Read = Callable[[int, int], bytes]

_NOTHING = -1
"""The media time of an edit that plays nothing."""


def late_tracks(read: Read, size: int) -> Mapping[int, int]:
    """By the track's number: how many ticks of its media the edits behind the empty ones play; only tracks that begin so.

    None where there are fragments: FFmpeg does not look at the end of an edit list there.

    `read(offset, count)` gives up to `count` bytes of the file of `size` bytes. Structure: ISO/IEC 14496-12, 8.6.6 (`elst`).
    """
    budget = iter(range(MAX_BOXES))
    whole = Box(b"", 0, size)
    movies = list(descend(read, whole, (b"moov",), budget))
    clocks = tables_at(read, whole, (b"moov", b"mvhd"), budget)
    if len(clocks) != 1 or any(True for movie in movies for _ in descend(read, movie, (b"mvex",), budget)):
        return {}
    clock = timescale(clocks[0])
    found = [
        (track_number(read, track, budget), _lasts(read, track, clock, budget)) for track in descend(read, whole, TRACKS, budget)
    ]
    if next(budget, None) is None:
        return {}  # not all of it was seen
    numbers = Counter(number for number, _ in found)
    return {number: lasts for number, lasts in found if number is not None and lasts is not None and numbers[number] == 1}


def _lasts(read: Read, track: Box, movie_clock: int, budget: Iterator[int]) -> int | None:
    """The length of the edits behind the empty ones; None if there are none before them, or none behind them."""
    edits, headers = (tables_at(read, track, path, budget) for path in ((b"edts", b"elst"), (b"mdia", b"mdhd")))
    if not len(edits) == len(headers) == 1 or not entry_count(edits[0]) or not movie_clock:
        return None
    rows = list(rows_of(edits[0], ">Qq4x" if edits[0][:1] == b"\1" else ">Ii4x"))
    played = list(dropwhile(lambda row: row[1] == _NOTHING, rows))
    media_clock = timescale(headers[0])
    # Each is rounded half away from zero, as av_rescale does.
    lasts = sum((2 * ticks * media_clock + movie_clock) // (2 * movie_clock) for ticks, _ in played)
    return lasts if lasts and len(played) < len(rows) else None


def without_empty_edits(stream: Section, late: Mapping[int, int]) -> Section:
    """The stream with the duration that it has from its start on. `late`: what `late_tracks` found in its file."""
    number, ticks = track_id(stream), stream.integer("duration_ts")
    lasts = None if number is None else late.get(number)
    if ticks is None or lasts is None or ticks <= lasts:
        return stream
    return Section({**stream.values, "duration_ts": lasts})


def end_of(streams: Sequence[Section]) -> Fraction | None:
    """When the last of `streams` ends, in the file's own time; None if one does not say."""
    ends = []
    for stream in streams:
        tick, start, lasts = stream.ratio("time_base"), stream.integer("start_pts"), stream.integer("duration_ts")
        if tick is None or start is None or lasts is None:
            return None
        ends.append((start + lasts) * tick)
    return max(ends, default=None)
