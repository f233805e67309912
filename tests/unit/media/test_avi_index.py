"""Chunks of no bytes in an AVI, which repeat the picture before them."""

import struct
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.media.avi_index import without_empty_end
from proxx_worker.media.facts import MediaFacts, RawSource
from tests.unit.planning.sources import CLIP

FILE = replace(CLIP, formats=("avi",))


def chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def index(*lengths: int, name: bytes = b"00dc") -> bytes:
    picture = b"".join(name + struct.pack("<III", 16, 4, length) for length in lengths)
    return chunk(b"idx1", picture + b"01wb" + struct.pack("<III", 16, 4, 0))


def avi(*chunks: bytes) -> bytes:
    content = b"AVI " + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(content)) + content


MEDIA = chunk(b"LIST", b"movi" + bytes(51))


def found(content: bytes, facts: MediaFacts = FILE) -> MediaFacts:
    after = without_empty_end(facts, lambda offset, size: content[offset : offset + size], len(content))
    assert isinstance(after, MediaFacts)
    return after


NOTE = "{} of {} video packets are empty: they repeat the frame before them, and were left out"


@pytest.mark.parametrize(
    ("lengths", "behind", "empty"),
    [((9, 9, 0, 0, 0), 3, 3), ((9, 0, 9, 0), 1, 2), ((9, 0, 9), 0, 1)],
)
def test_the_picture_ends_with_the_last_chunk_that_has_bytes(lengths: tuple[int, ...], behind: int, empty: int) -> None:
    for name in (b"00dc", b"00db"):
        after = found(avi(MEDIA, index(*lengths, name=name)))
        assert after.video.duration == 1 - Fraction(behind, 25)
        assert after.notes == (NOTE.format(empty, len(lengths)),)
    unknown = replace(FILE, video=replace(FILE.video, duration=None))
    assert found(avi(MEDIA, index(*lengths)), unknown).video.duration is None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (avi(MEDIA, index(9, 9)), "no chunk is empty"),
        (avi(MEDIA, index(0, 0)), "all are"),
        (avi(MEDIA, index(9, 0, name=b"02dc")), "another stream"),
        (avi(MEDIA), "no index"),
        (avi(MEDIA, index(9, 0))[:-10], "an index that was cut off"),
        (avi(MEDIA, index(9, 0)) + avi(MEDIA), "several parts"),
        (avi(MEDIA, *[chunk(b"JUNK", b"")] * 1000, index(9, 0)), "more chunks than any file has"),
        (b"RIFF", "no AVI"),
    ],
)
def test_what_the_index_does_not_tell_is_left_as_it_is(content: bytes, why: str) -> None:
    assert found(content) is FILE, why


def test_other_sources_are_not_looked_at() -> None:
    raw = RawSource("R3D")
    assert without_empty_end(raw, lambda _offset, _size: b"", 0) is raw
    assert found(avi(MEDIA, index(9, 0)), CLIP) is CLIP


@given(st.binary(max_size=60), st.integers(0, 200))
def test_any_bytes_come_to_an_end(noise: bytes, place: int) -> None:
    whole = avi(MEDIA, index(9, 0))
    found(whole[:place] + noise + whole[place:])
