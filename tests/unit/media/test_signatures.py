"""Heads are written by hand from the formats' own descriptions; the real files among the test clips are in the table of clips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.media.signatures import HEAD_BYTES, RawSignature, Refusal
from proxx_worker.media.signatures import sniff as sniff_file
from tests.unit.media.test_tiff import DNG_VERSION, tiff

PARTITION = bytes.fromhex("060e2b34020501010d01020101020400")


def sniff(content: bytes) -> RawSignature | Refusal | None:
    return sniff_file(content[:HEAD_BYTES], lambda offset, size: content[offset : offset + size])


def label(item: str, version: int = 0x0D) -> bytes:
    return bytes.fromhex("060e2b34040101") + bytes([version]) + bytes.fromhex(item)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\0\0\1\xe8RED1\0\1", "REDCODE RAW (R3D)"),
        (b"\0\0\1\xe8RED2\0\2", "REDCODE RAW (R3D)"),
        (b"ARRI\x12\x34\x56\x78" + b"\0" * 40, "ARRIRAW"),
        (b"ARRI\x78\x56\x34\x12" + b"\0" * 40, "ARRIRAW"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "Canon RAW (CRM, CR3)"),
        (b"\0\0\0\x18ftypniko" + b"\0" * 900 + b"iNRAW", "Nikon N-RAW"),
        (b"\0\0\0\x18ftypniko" + b"\0" * 900 + b"iNR3D", "REDCODE RAW (Nikon R3D NE)"),
        (b"CI\x2c\0\2\0\1\0" + b"\0" * 36, "Phantom Cine"),
        (b"MLVI\x34\0\0\0v2.0\0", "Magic Lantern RAW (MLV)"),
        (tiff("<", 254, DNG_VERSION), "DNG"),
        (tiff(">", 254, DNG_VERSION, offset=2 * HEAD_BYTES), "DNG"),
        (PARTITION + b"\0" * 88 + label("0d01030102220100"), "ARRIRAW (MXF)"),
        (PARTITION + b"\0" * 88 + label("0d01030102220200", version=0x0E), "ARRIRAW (MXF)"),
        (PARTITION + b"\0" * 5000 + label("0401020102010202"), "ARRIRAW (MXF)"),
        (b"\0" * 65000 + PARTITION + b"\0" * 88 + label("0e060d0302010100"), "Sony RAW (X-OCN)"),
        (PARTITION + b"\0" * 9000 + label("0e06040102040200"), "Sony RAW (X-OCN)"),
    ],
)
def test_camera_raw_is_known_by_its_content(head: bytes, name: str) -> None:
    assert sniff(head) == RawSignature(name)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:", "git-lfs pointer"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "JPEG still"),
        (b"\x89PNG\r\n\x1a\n\0", "PNG still"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + b"\0" * 17 + b"\0\0\0\x08acTL", "animated PNG"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + b"\0" * 17 + b"\0\0\0\x08IDAT acTL", "PNG still"),
        (b"SDPX\0\0\x20\0", "DPX still"),
        (b"XPDS\0\0\x20\0", "DPX still"),
        (b"v/1\x01\x02\0\0\0", "OpenEXR still"),
        (b"GIF89a", "GIF"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "WebP"),
        (b"BM\x36\x10\0\0\0\0\0\0\x36\0", "BMP still"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIF"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "AVIF"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\xff\x4f\xff\x51\0\x2f", "JPEG 2000"),
        (b"8BPS\0\1", "Photoshop"),
        (b"\x80\x2a\x5f\xd7\0\0", "Cineon"),
        (tiff(">", 254), "TIFF still"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\n", "playlist"),
        (b"\xef\xbb\xbf#EXTM3U\n", "playlist"),
        (b"ffconcat version 1.0\nfile x", "playlist"),
        (b"[playlist]\nFile1=x", "playlist"),
        (b"v=0\r\no=- 0 0 IN IP4 127.0.0.1", "playlist"),
        (b"<?xml version='1.0'?><MPD>", "XML"),
        (b"\n <MPD xmlns=", "XML"),
        (b"<smil>", "XML"),
        (b"PK\x03\x04", "archive"),
        (b"%PDF-1.7", "document"),
    ],
)
def test_what_no_proxy_is_made_from_is_refused_by_name(head: bytes, reason: str) -> None:
    found = sniff(head)
    assert isinstance(found, Refusal)
    assert reason in found.reason


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
        b"\0\0\0\x18ftypmp42\0\0\0\0isom",
        b"\0\0\0\x08wide\0\0\0\0mdat",
        b"\x1aE\xdf\xa3",
        PARTITION + b"\0" * 88 + label("0d01030102040100"),  # MPEG
        PARTITION + b"\0" * 88 + label("0e06040101010508"),  # Sony's S-Log2, as XAVC carries it
        b"RIFF\0\0\0\0AVI LIST",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"G@\x00\x10",
        b"\0\0\1\xba",
        b"BMW, a car",
        b"ARRIVAL of the train",
        b"an iNRAW word in a text",
        b"hello",
    ],
)
def test_everything_else_is_ffprobe_s_to_judge(head: bytes) -> None:
    assert sniff(head) is None


@given(st.binary(max_size=300))
def test_any_bytes_have_an_answer(head: bytes) -> None:
    assert isinstance(sniff(head), RawSignature | Refusal | None)


def test_a_head_without_a_match_is_read_in_linear_time() -> None:
    assert sniff(b"\0\0\0\x18ftyp" + b"iNRA" * (HEAD_BYTES // 4)) is None
    assert sniff(PARTITION + b"\x06\x0e\x2b\x34\x04\x01\x01" * (HEAD_BYTES // 7)) is None
    assert sniff(b" " * HEAD_BYTES) is None
