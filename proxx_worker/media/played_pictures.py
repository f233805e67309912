"""How many pictures of a QuickTime or MP4 file are played, from its tables: edits leave some out, and packets may be empty.

ffprobe reports the length of the edit list and the number of packets, and neither gives the number of pictures. An edit that
begins on a B-frame plays one picture less than it has packets; an empty packet repeats the picture before it ("drop frame").
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, chain, repeat
from typing import TypeVar

from proxx_worker.media.boxes import SAMPLES, TABLE_HEADER, Box, entry_count, rows_of, timescale
from proxx_worker.media.movie import Movie, Read, edits_of, whole_movie

Checkpoint = Callable[[], object]
Item = TypeVar("Item")

_MOST_BYTES = 16 << 20
"""Of one table: two million packets, nine hours of 60 a second."""

_MOST_PACKETS = _MOST_BYTES // 4
"""Of all tracks together: as many as a table of that length has sizes for, about a second's work. A table of one size for all may
claim any number, in a file of 400 bytes."""

_BLOCK = 1 << 16
"""Packets, or rows of a table, from one checkpoint to the next."""

_MOST_TRACKS = 8
_HUGE = 1 << 31
_FAR = 1 << 28
"""mov.c takes steps of so many ticks for going back, and passes over offsets of so many."""


@dataclass(frozen=True, slots=True)
class PlayedPictures:
    """`pictures`: packets whose time lies in the edit list; `empty`: those in there without bytes, not counted among them."""

    pictures: int
    empty: int

    @property
    def notes(self) -> tuple[str, ...]:
        """A note for the operator about empty packets; none if there are none."""
        packets = self.pictures + self.empty
        said = f"{self.empty} of {packets} video packets are empty: they repeat the frame before them, and were left out"
        return (said,) if self.empty else ()


def played_pictures(read: Read, size: int, checkpoint: Checkpoint) -> Mapping[int, PlayedPictures]:
    """What each video track of a movie plays, by the track's number, as far as its tables prove it.

    They prove it where they are whole (no fragments) and agree, and where an edit list has a single edit, perhaps behind empty
    ones, so that no picture is played twice. A picture is played whose time lies in that edit: FFmpeg's mov.c
    (mov_fix_index) leaves out one that begins before.

    `read(offset, count)` gives up to `count` bytes of the file of `size` bytes. `checkpoint` is called between pieces of the
    tables; an exception from it ends the work. Structure: ISO/IEC 14496-12, 8.6.1 (`stts`, `ctts`), 8.6.6 (`elst`), 8.7.3
    (`stsz`).
    """
    movie = whole_movie(read, size)
    if movie is None:
        return {}
    tracks = [track for track in movie.tracks() if movie.is_video(track)][:_MOST_TRACKS]
    most = _MOST_PACKETS // max(len(tracks), 1)
    return movie.by_number([(movie.number(track), _played(movie, track, most, checkpoint)) for track in tracks])


def _played(movie: Movie, track: Box, most: int, checkpoint: Checkpoint) -> PlayedPictures | None:
    sizes, steps, offsets, headers, edits = (
        movie.tables(track, path, _MOST_BYTES)
        for path in (
            (*SAMPLES, b"stsz"), (*SAMPLES, b"stts"), (*SAMPLES, b"ctts"), (b"mdia", b"mdhd"), (b"edts", b"elst"),
        )
    )  # fmt: skip
    if not len(sizes) == len(steps) == len(headers) == 1 or len(offsets) > 1 or len(edits) > 1:
        return None
    packets, lengths = _lengths(sizes[0], most)
    times = _times(packets, steps[0], offsets[0] if offsets else None, checkpoint)
    part = _edit(edits[0] if edits else None, timescale(headers[0]), movie)
    if not packets or times is None or part is None:
        return None
    pictures, first, without = 0, part.stop, list[int]()
    for length, time in _in_blocks(zip(lengths, times, strict=False), checkpoint):
        if time in part and length:
            pictures, first = pictures + 1, min(first, time)
        elif time in part:
            without.append(time)
    # Before the first picture there is none to repeat: such packets are missing like any picture that does not decode.
    empty = sum(1 for time in without if time > first)
    return PlayedPictures(pictures + len(without) - empty, empty)


def _in_blocks(items: Iterable[Item], checkpoint: Checkpoint) -> Iterator[Item]:
    """`items` as they are, with a call of `checkpoint` before each block of them."""
    for at, item in enumerate(items):
        if at % _BLOCK == 0:
            checkpoint()
        yield item


def _lengths(table: bytes, most: int) -> tuple[int, Iterable[int]]:
    """How many packets there are, and the size of each; none if there are more than `most`, or fewer than the table declares."""
    if len(table) < TABLE_HEADER + 4:
        return 0, ()
    of_all, count = struct.unpack_from(">II", table, 4)  # the size that all of them have, 0 where they have none in common
    if count > most or (not of_all and count > (len(table) - TABLE_HEADER - 4) // 4):
        return 0, ()
    return count, repeat(of_all, count) if of_all else (length for (length,) in rows_of(table[4:], ">I"))


def _times(packets: int, steps: bytes, offsets: bytes | None, checkpoint: Checkpoint) -> Iterator[int] | None:
    """When each packet's picture is shown, in ticks of the media; None if the tables do not agree."""
    if not _agrees(steps, ">II", packets, range(_HUGE), checkpoint):
        return None
    decoded = accumulate(_of_each(steps, ">II"), initial=0)
    if offsets is None:
        return decoded
    if not _agrees(offsets, ">Ii", packets, range(1 - _FAR, _FAR), checkpoint):
        return None
    return (time + shift for time, shift in zip(decoded, _of_each(offsets, ">Ii"), strict=False))


def _agrees(runs: bytes, shape: str, packets: int, values: range, checkpoint: Checkpoint) -> bool:
    """Whether a table of runs (a count, and the value of each) is about that many packets, and has only such values."""
    counted = 0
    for count, value in _in_blocks(rows_of(runs, shape), checkpoint):
        counted += count
        if value not in values:
            return False
    return counted == packets


def _of_each(runs: bytes, shape: str) -> Iterator[int]:
    """The value of each packet."""
    return chain.from_iterable(repeat(value, count) for count, value in rows_of(runs, shape))


def _edit(table: bytes | None, media_clock: int, movie: Movie) -> range | None:
    """The ticks of the media that are played, all if there is no edit list; None if they are not one contiguous range."""
    if table is None or entry_count(table) == 0:
        return range(_HUGE * _HUGE)
    edits = edits_of(table)
    played = [edit for at, edit in enumerate(edits) if not edit.plays_nothing or at == len(edits) - 1]
    if len(played) != 1 or not played[0].lasts or played[0].begins < 0 or not movie.clock:
        return None
    begins = played[0].begins
    return range(begins, begins + movie.in_media_ticks(played[0].lasts, media_clock))
