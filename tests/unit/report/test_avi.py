"""AVI files in pieces of any size."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.report.avi import AviStreams


def chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def listed(kind: bytes, data: bytes, *, name: bytes = b"LIST", size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(data) + 4 if size is None else size) + kind + data


MOVIE = [(b"00dc", b"first"), (b"01wb", b"audio!"), (b"00dc", b""), (b"10wb", b"x")]
FILE = listed(
    b"AVI ",
    listed(b"hdrl", chunk(b"avih", b"h" * 56))
    + chunk(b"JUNK", b"j" * 7)
    + listed(b"movi", b"".join(chunk(*one) for one in MOVIE), size=0)
    + chunk(b"idx1", b"i" * 16),
    name=b"RIFF",
    size=0xFFFFFFFF,
)


@given(st.lists(st.integers(1, 40), max_size=60))
def test_chunks_come_whole_however_the_bytes_come(sizes: list[int]) -> None:
    streams, found, rest = AviStreams(), [], FILE
    for size in [*sizes, len(FILE)]:
        found += list(streams.feed(rest[:size]))
        rest = rest[size:]
    assert found == [(0, b"first"), (1, b"audio!"), (0, b""), (10, b"x")]


def test_an_absurd_size_is_no_measurement() -> None:
    with pytest.raises(ValueError, match="a chunk of"):
        list(AviStreams().feed(listed(b"AVI ", b"", name=b"RIFF") + b"00dc" + struct.pack("<I", 1 << 30)))
