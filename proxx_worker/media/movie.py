"""A movie without fragments, and the edits of its tracks: what its tables tell of each track, by the track's number.

Structure: ISO/IEC 14496-12, 8.2 (`moov`, `mvhd`), 8.6.6 (`elst`), 8.8.1 (`mvex`).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from proxx_worker.media.boxes import (
    MAX_BOXES,
    MAX_TABLE,
    TRACKS,
    Box,
    descend,
    is_video,
    rows_of,
    tables_at,
    timescale,
    track_number,
)

Read = Callable[[int, int], bytes]
"""`read(offset, count)` gives up to `count` bytes of the file."""

Told = TypeVar("Told")

_NOTHING = -1
"""The media time of an edit that plays nothing."""


class Edit(NamedTuple):
    """`lasts`: ticks of the movie; `begins`: ticks of the media."""

    lasts: int
    begins: int

    @property
    def plays_nothing(self) -> bool:
        """Whether the edit is an empty one."""
        return self.begins == _NOTHING


@dataclass(frozen=True, slots=True)
class Movie:
    """An open movie. `budget`: how many more boxes may be read of it; `clock`: its ticks a second, 0 if it does not say."""

    read: Read
    size: int
    budget: Iterator[int]
    clock: int

    def tracks(self) -> Iterator[Box]:
        """All of them, in the file's order."""
        return descend(self.read, Box(b"", 0, self.size), TRACKS, self.budget)

    def is_video(self, track: Box) -> bool:
        """Whether the track's handler is that of video."""
        return is_video(self.read, track, self.budget)

    def tables(self, track: Box, path: tuple[bytes, ...], most: int = MAX_TABLE) -> list[bytes]:
        """The contents of all boxes at the end of `path`: of a table that is longer than `most` bytes, only the beginning."""
        return tables_at(self.read, track, path, self.budget, most)

    def number(self, track: Box) -> int | None:
        """The track's number; None if it has none, or several."""
        return track_number(self.read, track, self.budget)

    def in_media_ticks(self, ticks: int, media_clock: int) -> int:
        """Ticks of the movie in those of a track's media: rounded half away from zero, as av_rescale does."""
        return (2 * ticks * media_clock + self.clock) // (2 * self.clock)

    def by_number(self, told: list[tuple[int | None, Told | None]]) -> Mapping[int, Told]:
        """What is told of each track that has a number of its own; nothing if not all of the movie was seen."""
        if next(self.budget, None) is None:
            return {}
        numbers = Counter(number for number, _ in told)
        return {number: found for number, found in told if number is not None and found is not None and numbers[number] == 1}


def whole_movie(read: Read, size: int) -> Movie | None:
    """The movie in a file of `size` bytes; None if it has fragments, or there are several."""
    budget, whole = iter(range(MAX_BOXES)), Box(b"", 0, size)
    movies = list(descend(read, whole, (b"moov",), budget))
    clocks = tables_at(read, whole, (b"moov", b"mvhd"), budget)
    if len(clocks) != 1 or any(True for movie in movies for _ in descend(read, movie, (b"mvex",), budget)):
        return None
    return Movie(read, size, budget, timescale(clocks[0]))


def edits_of(table: bytes) -> list[Edit]:
    """The entries of an `elst`, of either version; none if it has fewer than it declares."""
    return [Edit(lasts, begins) for lasts, begins in rows_of(table, ">Qq4x" if table[:1] == b"\1" else ">Ii4x")]
