"""How long the tracks of a movie play that begin late: behind empty edits, with which their edit lists begin.

ffprobe reports the end of the edit list, or the length of the media, whichever is earlier (libavformat/mov.c, mov_fix_index).
Where the media is trimmed, that counts the empty edits, which the start says already: half a second of nothing and one of
two seconds of media last 1.5 s by its `duration_ts`. FFmpeg 5.1 to 9.0 agree in that.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import dropwhile

from proxx_worker.media.boxes import Box, timescale
from proxx_worker.media.ffprobe_json import Section
from proxx_worker.media.movie import Movie, Read, edits_of, whole_movie
from proxx_worker.media.streams import track_id


def late_tracks(read: Read, size: int) -> Mapping[int, int]:
    """By the track's number: how many ticks of its media the edits behind the empty ones play; only tracks that begin so.

    None where there are fragments: FFmpeg does not look at the end of an edit list there.

    `read(offset, count)` gives up to `count` bytes of the file of `size` bytes. Structure: ISO/IEC 14496-12, 8.6.6 (`elst`).
    """
    movie = whole_movie(read, size)
    return {} if movie is None else movie.by_number([(movie.number(track), _lasts(movie, track)) for track in movie.tracks()])


def _lasts(movie: Movie, track: Box) -> int | None:
    """The length of the edits behind the empty ones; None if there are none before them, or none behind them."""
    lists, headers = movie.tables(track, (b"edts", b"elst")), movie.tables(track, (b"mdia", b"mdhd"))
    if not len(lists) == len(headers) == 1 or not movie.clock:
        return None
    edits = edits_of(lists[0])
    played = list(dropwhile(lambda edit: edit.plays_nothing, edits))
    media_clock = timescale(headers[0])
    lasts = sum(movie.in_media_ticks(edit.lasts, media_clock) for edit in played)
    return lasts if lasts and len(played) < len(edits) else None


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
