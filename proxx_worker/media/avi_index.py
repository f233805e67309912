"""Empty chunks in an AVI, found by its index: capture programs write one for each dropped frame.

Structure: Microsoft, AVI RIFF File Reference. The index comes after all chunks, so a truncated file has none.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from proxx_worker.media.facts import MediaFacts, RawSource

Read = Callable[[int, int], bytes]

_HEADER = 8
_FIRST_CHUNK = 12
_ENTRY = struct.Struct("<4s8xI")
"""An entry of the index: name, flags, offset and length."""

_MOST_BYTES = 16 << 20
_MOST_CHUNKS = 1000
_PICTURES = (b"dc", b"db")
"""The names of video chunks, after the number of their stream."""


def without_empty_end(facts: MediaFacts | RawSource, read: Read, size: int) -> MediaFacts | RawSource:
    """An AVI's facts, with its video ending at the last chunk that is not empty; other facts are returned unchanged.

    `read(offset, count)` gives up to `count` bytes of the file of `size` bytes.
    """
    if isinstance(facts, RawSource) or facts.demuxer != "avi":
        return facts
    lengths = _lengths(read, size, facts.video.index)
    last = max((place for place, length in enumerate(lengths) if length), default=None)
    empty = lengths.count(0)
    if last is None or not empty:
        return facts
    video, behind = facts.video, len(lengths) - 1 - last
    duration = None if video.duration is None else video.duration - behind / video.rate
    note = f"{empty} of {len(lengths)} video packets are empty: they repeat the frame before them, and were left out"
    return replace(facts, video=replace(video, duration=duration), notes=(*facts.notes, note))


def _lengths(read: Read, size: int, stream: int) -> Sequence[int]:
    """The size of each video chunk of the stream; empty if there is no index of the whole file."""
    names = {f"{stream:02}".encode() + kind for kind in _PICTURES}
    for kind, at, length in _chunks(read, size):
        if kind == b"idx1" and length <= _MOST_BYTES and at + length <= size:
            table = read(at, length - length % _ENTRY.size)
            return [count for name, count in _ENTRY.iter_unpack(table) if name in names]
    return ()


def _chunks(read: Read, size: int) -> Iterator[tuple[bytes, int, int]]:
    """The chunks of a file that is a single RIFF, with kind, offset and length. If there are several, each has its own index."""
    head = read(0, _FIRST_CHUNK)
    if len(head) < _FIRST_CHUNK or struct.unpack_from("<I", head, 4)[0] + _HEADER + 1 < size:
        return
    at = _FIRST_CHUNK
    for _ in range(_MOST_CHUNKS):
        header = read(at, _HEADER)
        if len(header) < _HEADER:
            return
        kind, length = struct.unpack("<4sI", header)
        yield kind, at + _HEADER, length
        at += _HEADER + length + length % 2
