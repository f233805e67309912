"""Where each video frame of a movie is in the file, according to its sample tables."""

import struct
from collections.abc import Callable, Iterator
from itertools import chain, islice, repeat

from proxx_worker.media.boxes import MAX_BOXES, SAMPLES, TRACKS, Box, descend, is_video, rows_of, tables_at

_SIZES_AT = 12
_MAX_TABLE = 1 << 25
"""Chunk offsets of 46 hours at 50 frames a second, with a chunk for each frame."""


def video_frames(read: Callable[[int, int], bytes], size: int) -> Iterator[int]:
    """Byte offsets of the frames of the only video track, in the order in which they are stored.

    `read(offset, count)` gives up to `count` bytes of the file of `size` bytes. Raises `ValueError` if there is not one video
    track; at the end, if fewer frames have an offset than a size. Memory does not depend on what the tables claim.
    Structure: ISO/IEC 14496-12, 8.7.3 "Sample Size Boxes", 8.7.4 "Sample To Chunk Box", 8.7.5 "Chunk Offset Box".
    """
    budget = iter(range(MAX_BOXES))
    found = [track for track in descend(read, Box(b"", 0, size), TRACKS, budget) if is_video(read, track, budget)]
    if len(found) != 1:
        raise ValueError(f"the movie has {len(found)} video tracks")
    (track,) = found

    def table(kind: bytes) -> bytes:
        return next(iter(tables_at(read, track, (*SAMPLES, kind), budget, _MAX_TABLE)), b"")

    frames, sizes = _sizes(table(b"stsz"))
    chunks = chain(rows_of(table(b"stco"), ">I"), rows_of(table(b"co64"), ">Q"))
    counts = _counts(rows_of(table(b"stsc"), ">II4x"))
    placed = 0
    for offset in islice(_offsets(sizes, chunks, counts), frames):
        yield offset
        placed += 1
    if placed < frames:
        raise ValueError(f"{frames - placed} of {frames} frames of the movie are in no chunk")


def _sizes(table: bytes) -> tuple[int, Iterator[int]]:
    """How many frames there are, and the bytes of each: one number for all of them, or a row each."""
    if len(table) < _SIZES_AT:
        return 0, iter(())
    common, count = struct.unpack_from(">II", table, 4)
    return count, repeat(common) if common else (each for (each,) in rows_of(table[4:], ">I"))


def _counts(runs: Iterator[tuple[int, ...]]) -> Iterator[int]:
    """How many frames each chunk has; `runs`: the number of the first chunk (from 1), and frames a chunk from there on."""
    current = next(runs, None)
    if current is None:
        return
    for following in runs:
        yield from repeat(current[1], following[0] - current[0])
        current = following
    yield from repeat(current[1])  # to the last chunk


def _offsets(sizes: Iterator[int], chunks: Iterator[tuple[int, ...]], counts: Iterator[int]) -> Iterator[int]:
    for (start,), count in zip(chunks, counts, strict=False):
        position = start
        for size in islice(sizes, count):
            yield position
            position += size
