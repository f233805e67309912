"""Heads are written by hand from the formats' own descriptions; the real files among the test clips are in the table of clips."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.media import content_kind as module
from proxx_worker.media.content_kind import ContentKind, content_kind
from proxx_worker.media.demuxers import MEDIA_DEMUXERS
from tests.unit.media.test_quicktime import box
from tests.unit.media.test_tiff import DNG_VERSION, tiff

PARTITION = bytes.fromhex("060e2b34020501010d01020101020400")


def kind_of(content: bytes) -> ContentKind:
    return content_kind(lambda offset, size: content[offset : offset + size], len(content))


def essence(kind: int) -> bytes:
    return bytes.fromhex("060e2b34040101010d010301 02") + bytes([kind]) + b"\1\0"


def track(handler: bytes, *entries: bytes) -> bytes:
    table = box(b"stsd", struct.pack(">II", 0, len(entries)), *(box(entry, b"\0" * 8) for entry in entries))
    return box(b"trak", box(b"mdia", box(b"hdlr", b"\0" * 8, handler, b"\0" * 12), box(b"minf", box(b"stbl", table))))


def movie(*tracks: bytes, brand: bytes = b"isom") -> bytes:
    return box(b"ftyp", brand) + box(b"mdat", b"\0" * 50) + box(b"moov", *tracks)


def packets(size: int, first: int = 0) -> bytes:
    return b"\xaa" * first + (b"\x47" + b"\xaa" * (size - 1)) * 5


EBML = b"\x1a\x45\xdf\xa3" + b"\x01" * 20
ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + b"\0" * 30
ASF_PICTURE = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
ASF_SOUND = bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")


@pytest.mark.parametrize(
    "content",
    [
        movie(track(b"soun", b"mp4a"), track(b"vide", b"avc1")),
        box(b"wide") + box(b"mdat", b"\0" * 100),  # cut off before its index: somebody's clip all the same
        movie(track(b"tmcd", b"tmcd")),
        movie(box(b"trak", box(b"mdia"))),
        PARTITION + b"\0" * 88 + essence(0x04),
        PARTITION + b"\0" * 88 + essence(0x06) + essence(0x0C),
        PARTITION + b"\0" * 88,
        b"\0" * 65000 + PARTITION + b"\0" * 88 + essence(0x04),
        EBML + b"\x86\x8fV_MPEG4/ISO/AVC" + b"\x86\x86A_OPUS",
        EBML,
        packets(188),
        packets(188, first=100),
        packets(192, first=4),
        b"\0\0\1\xba\x44\0\4",
        b"RIFF\0\0\0\0AVI LIST",
        b"\x1f\x07\0\x3f\0\0",
        b"\x1f\x07\0\xbf\0\0",
        ASF + ASF_PICTURE + ASF_SOUND,
        ASF,
        b"FLV\x01\x05\0\0\0\x09",
        b"FLV\x01\x01\0\0\0\x09",
        bytes.fromhex("b7d800203749da11a64e0007e95ead8d") + b"\0" * 10,
        b"\0\0\0\0\1\xbc\0\0\0\x60\0\0\0\0\xe1\xe2\1",
        b"DKIF\0\0\x20\0VP90",
        b"OggS\0\2" + b"\0" * 22 + b"\x80theora",
        b"\0\0\1\xb3\x14\0\xb4\x34",
        b"\0\0\0\1\x09\xf0\0\0\0\1\x67",
        b"\0\0\0\1\x67\x4d\0\x1f",
        b"\0\0\1\x06\x05\xff",
        b"\0\0\0\1\x40\x01\x0c\x01",
        b"\0\0\0\1\x46\x01\x10",
    ],
)
def test_a_movie_is_known(content: bytes) -> None:
    assert kind_of(content) is ContentKind.MOVIE


@pytest.mark.parametrize(
    "content",
    [
        movie(track(b"soun", b"mp4a")),
        movie(track(b"soun", b"mp4a"), track(b"vide", b"jpeg"), brand=b"M4A "),
        PARTITION + b"\0" * 88 + essence(0x06),
        EBML + b"\x86\x86A_OPUS",
        ASF + ASF_SOUND,
        b"FLV\x01\x04\0\0\0\x09",
        b"OggS\0\2" + b"\0" * 22 + b"OpusHead",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"RF64\xff\xff\xff\xffWAVEds64",
        b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb",
        b"FORM\0\0\0\0AIFC",
        b"caff\0\1",
        b"ID3\4\0\0",
        b"\xff\xfb\x90\x64\0",
        b"\xff\xf1\x50\x80\0",
        b"fLaC\0\0\0\x22",
        b"\x0b\x77\x00\x00",
        b".snd\0\0\0\x18",
    ],
)
def test_sound_is_known(content: bytes) -> None:
    assert kind_of(content) is ContentKind.AUDIO


@pytest.mark.parametrize(
    "content",
    [
        b"\0\0\0\x18ftypcrx \0\0\0\1crx isom",
        b"\0\0\1\xe8RED2\0\2" + b"\0" * 50,
        movie(track(b"vide", b"aprn")),
        movie(track(b"vide", b"brst"), track(b"soun", b"in24")),
        PARTITION + b"\0" * 9000 + bytes.fromhex("060e2b340401010d0d01030102220100"),
    ],
)
def test_camera_raw_is_known(content: bytes) -> None:
    assert kind_of(content) is ContentKind.RAW


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", ContentKind.EMPTY),
        (b"\xff\xd8\xff\xe0", ContentKind.STILL),
        (tiff("<", 254, DNG_VERSION), ContentKind.STILL),
        (b"ARRI\x12\x34\x56\x78" + b"\0" * 40, ContentKind.STILL),
        (b"<?xml version='1.0'?><NonRealTimeMeta/>", ContentKind.TEXT),
        (b"Heading\r\nFIELD_DELIM\tTABS\r\n", ContentKind.TEXT),
        ("Szene: Frühstück".encode("latin-1"), ContentKind.TEXT),
        ("clip".encode("utf-16"), ContentKind.TEXT),
        (b"version https://git-lfs.github.com/spec/v1\noid", ContentKind.TEXT),
        (b"%PDF-1.7\n", ContentKind.DOCUMENT),
        (b"\0\1\2\3\4\5\6\7", ContentKind.UNKNOWN),
        (b"\x47" + b"\0\xaa" * 250, ContentKind.UNKNOWN),
    ],
)
def test_everything_else_is_named(content: bytes, kind: ContentKind) -> None:
    assert kind_of(content) is kind


def test_every_container_that_is_let_in_is_known_here() -> None:
    assert {*module._CONTAINERS, "mxf"} == set(MEDIA_DEMUXERS)  # noqa: SLF001


@given(st.binary(max_size=400))
def test_any_bytes_have_a_kind(content: bytes) -> None:
    assert kind_of(content) in ContentKind
