"""The boxes ("atoms") of a QuickTime or MP4 file, and the tables in them, read without trust: bounded, and never past the file.

Structure: ISO/IEC 14496-12, 4.2, "Object Structure"; Apple, QuickTime File Format, "Atoms".
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

TRACKS = (b"moov", b"trak")
SAMPLES = (b"mdia", b"minf", b"stbl")

BOX_HEADER = 8
_LONG_HEADER = 16
TABLE_HEADER = 8
MAX_BOXES = 10_000
"""How many box headers are read. A movie of 100 tracks has some 2,000; one with more is hostile, or not supported."""
MAX_TABLE = 1 << 20
_HANDLER_AT, _HANDLER_END = 8, 12
_HEADER_IDS = {b"\0": 12, b"\1": 20}
"""The offset of the track's number in `tkhd`, by its version."""


@dataclass(frozen=True, slots=True)
class Box:
    """Its four characters, and where its content is in the file."""

    kind: bytes
    start: int
    end: int


def descend(read: Callable[[int, int], bytes], parent: Box, path: tuple[bytes, ...], budget: Iterator[int]) -> Iterator[Box]:
    """All boxes at the end of `path` below `parent`. `budget` is used up by one for each header that is read."""
    for box in children(read, parent, budget):
        if box.kind == path[0]:
            if len(path) == 1:
                yield box
            else:
                yield from descend(read, box, path[1:], budget)


def children(read: Callable[[int, int], bytes], parent: Box, budget: Iterator[int]) -> Iterator[Box]:
    """The boxes in `parent`, up to the first that cannot be one."""
    position = parent.start
    while position + BOX_HEADER <= parent.end and next(budget, None) is not None:
        header = read(position, _LONG_HEADER)
        if len(header) < BOX_HEADER or not header[4:8].isascii():
            return
        length, start = struct.unpack_from(">I", header)[0], position + BOX_HEADER
        if length == 1 and len(header) == _LONG_HEADER:
            length, start = struct.unpack_from(">Q", header, BOX_HEADER)[0], position + _LONG_HEADER
        elif length == 0:
            length = parent.end - position
        if length < start - position:
            return
        yield Box(header[4:8], start, min(position + length, parent.end))
        position += length


def tables_at(
    read: Callable[[int, int], bytes], parent: Box, path: tuple[bytes, ...], budget: Iterator[int], most: int = MAX_TABLE
) -> list[bytes]:
    """The contents of all boxes at the end of `path`: of a table that is longer than `most` bytes, only the beginning."""
    return [read(box.start, min(box.end - box.start, most)) for box in descend(read, parent, path, budget)]


def entry_count(table: bytes) -> int | None:
    """How many entries a table declares."""
    return int(struct.unpack_from(">I", table, 4)[0]) if len(table) >= TABLE_HEADER else None


def rows_of(table: bytes, shape: str) -> Iterator[tuple[int, ...]]:
    """The entries of a table, one at a time (a list would take ten times the memory); none if it has fewer than it declares."""
    length = (entry_count(table) or 0) * struct.calcsize(shape)
    whole = table[TABLE_HEADER : TABLE_HEADER + length]
    return struct.iter_unpack(shape, whole if len(whole) == length else b"")


def is_video(read: Callable[[int, int], bytes], track: Box, budget: Iterator[int]) -> bool:
    """Whether the track's handler is that of video."""
    return any(header[_HANDLER_AT:_HANDLER_END] == b"vide" for header in tables_at(read, track, (b"mdia", b"hdlr"), budget))


def media_duration(header: bytes) -> int | None:
    """Ticks, from `mdhd`."""
    at, shape = (24, ">Q") if header[:1] == b"\1" else (16, ">I")
    return int(struct.unpack_from(shape, header, at)[0]) if len(header) >= at + struct.calcsize(shape) else None


def timescale(header: bytes) -> int:
    """Ticks per second, from `mdhd` and `mvhd`; 0 if they are truncated."""
    at = 20 if header[:1] == b"\1" else 12
    return int(struct.unpack_from(">I", header, at)[0]) if len(header) >= at + 4 else 0


def track_number(read: Callable[[int, int], bytes], track: Box, budget: Iterator[int]) -> int | None:
    """The track's number in the movie; None if it has no header, or several."""
    headers = tables_at(read, track, (b"tkhd",), budget)
    header = headers[0] if len(headers) == 1 else b""
    at = _HEADER_IDS.get(header[:1])
    return None if at is None or len(header) < at + 4 else int(struct.unpack_from(">I", header, at)[0])
