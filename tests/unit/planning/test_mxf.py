import hashlib
import itertools
import struct
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.planning.mxf import MxfPatch, MxfScanner, derive_umid
from tests.unit.planning.test_vc3 import dnxhr

UMID = bytes.fromhex("060a2b340101010501010d0013000000") + bytes(16)
FOREIGN = bytes.fromhex("060a2b340101010501010d0013000000") + b"0123456789abcdef"
SET = bytes.fromhex("060e2b34025301010d01010101013600")
DESCRIPTOR = bytes.fromhex("060e2b34025301010d01010101012800")
SYSTEM_ITEM = bytes.fromhex("060e2b34024301010d01030104020100")
ESSENCE = bytes.fromhex("060e2b34010201010d01030115010501")
SOUND = bytes.fromhex("060e2b34010201010d01030116010100")
ASPECT = Fraction(16, 9)


def item(key: bytes, value: bytes, length_bytes: int = 3) -> bytes:
    if length_bytes == 0:
        return key + bytes([len(value)]) + value
    return key + bytes([0x80 + length_bytes]) + len(value).to_bytes(length_bytes) + value


def scanned(data: bytes, chunks: Sequence[int] = (), *, says_bt2020: bool = False) -> MxfPatch:
    scanner = MxfScanner(ASPECT, says_bt2020=says_bt2020)
    edges = [0, *sorted(min(cut, len(data)) for cut in chunks), len(data)]
    for start, end in itertools.pairwise(edges):
        scanner.feed(data[start:end])
    return scanner.finish()


HEADER = item(SET, b"ab" + UMID + b"cd" + UMID)
PICTURE = item(DESCRIPTOR, struct.pack(">HHI", 0x3203, 4, 1920) + struct.pack(">HHII", 0x320E, 8, 5, 4), 0)
FRAME = item(SYSTEM_ITEM, UMID, 0) + item(ESSENCE, b"picture" + UMID + struct.pack(">HHII", 0x320E, 8, 5, 4))
FILE = HEADER + PICTURE + FRAME + FRAME


def test_umids_and_aspect_are_found_in_the_metadata_alone() -> None:
    patch = scanned(FILE)
    first = 20 + 2 + 16
    frames = len(HEADER) + len(PICTURE)
    assert patch.umid_offsets == (first, first + 34, frames + 17 + 16, frames + len(FRAME) + 17 + 16)
    assert patch.aspect_offsets == (len(HEADER) + 17 + 8 + 4,)
    assert patch.aspect == bytes.fromhex("0000001000000009")
    assert patch.umid == derive_umid(hashlib.sha256(FILE).digest())
    assert list(patch.writes()) == [(patch.aspect_offsets[0], patch.aspect), *((at, patch.umid) for at in patch.umid_offsets)]


def test_the_patched_file_says_so() -> None:
    data = bytearray(FILE)
    patch = scanned(FILE)
    for at, value in patch.writes():
        data[at : at + len(value)] = value
    assert len(data) == len(FILE)
    assert data.count(patch.umid) == 4
    assert data.count(UMID) == 2  # in the essence
    assert struct.pack(">HHII", 0x320E, 8, 16, 9) in data


@given(st.lists(st.integers(0, len(FILE)), max_size=12))
def test_the_chunks_do_not_matter(cuts: list[int]) -> None:
    assert scanned(FILE, cuts) == scanned(FILE)


WIDE_FRAME = item(SYSTEM_ITEM, UMID, 0) + item(ESSENCE, dnxhr(0b1000_0001) + b"picture") + item(SOUND, b"sound")
WIDE_FILE = HEADER + PICTURE + WIDE_FRAME + WIDE_FRAME
COLOR_VOLUME = len(HEADER) + len(PICTURE) + 17 + 32 + 20 + 0x2C


@given(st.lists(st.integers(0, len(WIDE_FILE)), max_size=12))
def test_each_frame_says_bt2020(cuts: list[int]) -> None:
    patch = scanned(WIDE_FILE, cuts, says_bt2020=True)
    assert list(patch.frames()) == [(COLOR_VOLUME, b"\x83"), (COLOR_VOLUME + len(WIDE_FRAME), b"\x83")]
    plain = scanned(WIDE_FILE)
    assert plain == replace(patch, frame_offsets=(), frame_bytes=b"")
    assert list(patch.writes()) == [*plain.writes(), *patch.frames()]


def test_a_frame_may_be_no_more_than_its_header() -> None:
    data = HEADER + item(ESSENCE, dnxhr(0))
    assert list(scanned(data, says_bt2020=True).writes())[-1] == (len(HEADER) + 20 + 0x2C, b"\2")


def test_frames_are_left_alone_unless_they_must_say_bt2020() -> None:
    scanner = MxfScanner(ASPECT)
    scanner.feed(WIDE_FILE)
    assert list(scanner.finish().frames()) == []


def test_what_says_bt2020_must_be_dnxhr() -> None:
    with pytest.raises(ValueError, match="begins with 7069637475, which is not DNxHR"):
        scanned(HEADER + item(ESSENCE, b"picture" + bytes(60)), says_bt2020=True)


def test_other_content_gives_another_umid() -> None:
    assert scanned(FILE).umid != scanned(HEADER + PICTURE + FRAME).umid


def test_a_umid_of_another_maker_is_left_alone() -> None:
    assert scanned(HEADER + item(SET, FOREIGN)).umid_offsets == scanned(HEADER).umid_offsets


def test_every_umid_of_a_set_is_found() -> None:
    assert scanned(item(SET, UMID * 4)).umid_offsets == tuple(20 + 16 + 32 * number for number in range(4))


def test_a_huge_set_is_an_index() -> None:
    largest = item(SET, UMID + bytes((1 << 20) - len(UMID)), 8)
    assert scanned(largest + HEADER).umid_offsets[:2] == [25 + 16, len(largest) + 38]
    huge = item(SET, UMID + bytes((1 << 20) - len(UMID) + 1), 8)
    assert scanned(huge + HEADER).umid_offsets[0] == len(huge) + 38


@pytest.mark.parametrize(("size", "length_bytes"), [(0, 0), (127, 0), (200, 1), (300, 2), (70_000, 3), (70_000, 8)])
def test_a_length_is_read_from_all_its_bytes(size: int, length_bytes: int) -> None:
    first = item(SOUND, bytes(size), length_bytes)
    assert scanned(first + HEADER).umid_offsets == (len(first) + 38, len(first) + 72)


def test_a_length_of_no_bytes_is_none() -> None:
    empty = SOUND + b"\x80"
    assert scanned(empty + HEADER).umid_offsets == (len(empty) + 38, len(empty) + 72)


def test_each_picture_gets_its_aspect_wherever_its_descriptor_has_it() -> None:
    aspect = struct.pack(">HHII", 0x320E, 8, 5, 4)
    other = item(
        bytes.fromhex("060e2b34025301010d01010101012900"), struct.pack(">HH", 0x3203, 40_000) + b"\xff" * 40_000 + aspect
    )
    expected = (len(HEADER) + 17 + 8 + 4, len(HEADER) + len(PICTURE) + 20 + 4 + 40_000 + 4)
    assert scanned(HEADER + PICTURE + other).aspect_offsets == expected


@pytest.mark.parametrize(
    "tags", [b"", b"\x32", struct.pack(">HHI", 0x320E, 4, 1), struct.pack(">HH", 0x3203, 600), struct.pack(">HHI", 0x320E, 8, 16)]
)
def test_a_descriptor_without_an_aspect(tags: bytes) -> None:
    assert scanned(HEADER + item(DESCRIPTOR, tags)).aspect_offsets == ()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the MXF file has no UMID to replace"),
        (PICTURE, "the MXF file has no UMID to replace"),
        (HEADER[:-1], "the MXF file ends inside an item"),
        (HEADER + ESSENCE + b"\x83\x00\x00\x05abc", "the MXF file ends inside an item"),
        (b"not an MXF file at all", "not an MXF item at byte 0"),
        (HEADER + b"x" * 40, f"not an MXF item at byte {len(HEADER)}"),
        (SET + b"\x89" + bytes(40), "an impossible length at byte 16"),
    ],
)
def test_what_is_no_mxf(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}$"):
        scanned(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(data: bytes) -> None:
    try:
        scanned(data)
    except ValueError:
        return
    raise AssertionError("random bytes hold no UMID")
