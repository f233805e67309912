"""The boxes (atoms) of QuickTime and MP4 files, and the tables in them. Nothing is decoded.

`read(offset, count)` gives up to `count` bytes of the file everywhere here. Structure: Apple, QuickTime File Format, "Atoms";
ISO/IEC 14496-12, 4.2, "Object Structure".
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

TABLE_HEADER = 8
"""Version, flags and the number of entries, before the entries themselves."""

MAX_TABLE = 1 << 20
"""How many bytes of a foreign file's table are read."""

_HEADER = 8
_LONG_HEADER = 16
MAX_BOXES = 10_000
"""How many box headers are read. A movie of 100 tracks has some 2,000; a hostile one is found by then, or is not supported."""


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its four letters, and where its content begins and ends in the file."""

    kind: bytes
    start: int
    end: int


def descend(read: Callable[[int, int], bytes], parent: Box, path: tuple[bytes, ...], budget: Iterator[int]) -> Iterator[Box]:
    """All boxes at the end of `path` below `parent`."""
    for box in children(read, parent, budget):
        if box.kind == path[0]:
            if len(path) == 1:
                yield box
            else:
                yield from descend(read, box, path[1:], budget)


def children(read: Callable[[int, int], bytes], parent: Box, budget: Iterator[int]) -> Iterator[Box]:
    """The boxes right below `parent`, until one makes no sense or `budget` is used up."""
    position = parent.start
    while position + _HEADER <= parent.end and next(budget, None) is not None:
        header = read(position, _LONG_HEADER)
        if len(header) < _HEADER or not header[4:8].isascii():
            return
        length, start = struct.unpack_from(">I", header)[0], position + _HEADER
        if length == 1 and len(header) == _LONG_HEADER:
            length, start = struct.unpack_from(">Q", header, _HEADER)[0], position + _LONG_HEADER
        elif length == 0:
            length = parent.end - position
        if length < start - position:
            return
        yield Box(header[4:8], start, min(position + length, parent.end))
        position += length


def read_tables(
    read: Callable[[int, int], bytes], parent: Box, path: tuple[bytes, ...], budget: Iterator[int], limit: int = MAX_TABLE
) -> list[bytes]:
    """The contents of all boxes at the end of `path`: of one that is longer than `limit`, only the beginning."""
    return [read(box.start, min(box.end - box.start, limit)) for box in descend(read, parent, path, budget)]


def entry_count(table: bytes) -> int | None:
    """How many entries a table says that it has."""
    return int(struct.unpack_from(">I", table, 4)[0]) if len(table) >= TABLE_HEADER else None


def table_entries(table: bytes, shape: str) -> list[tuple[int, ...]]:
    """The entries of a table; none where it does not hold as many as it says."""
    count = entry_count(table) or 0
    whole = table[TABLE_HEADER : TABLE_HEADER + count * struct.calcsize(shape)]
    return list(struct.iter_unpack(shape, whole)) if len(whole) == count * struct.calcsize(shape) else []
