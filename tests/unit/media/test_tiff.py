import struct

import pytest

from proxx_worker.media.tiff import TiffKind
from proxx_worker.media.tiff import tiff_kind as kind_of_file

DNG_VERSION = 50706


def tiff_kind(content: bytes) -> TiffKind | None:
    return kind_of_file(lambda offset, size: content[offset : offset + size])


def tiff(order: str, *tags: int, offset: int = 8) -> bytes:
    magic = b"II*\0" if order == "<" else b"MM\0*"
    entries = b"".join(struct.pack(f"{order}HHII", tag, 1, 4, 0) for tag in tags)
    return magic + struct.pack(f"{order}I", offset) + b"\0" * (offset - 8) + struct.pack(f"{order}H", len(tags)) + entries


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("offset", [8, 100, 1_000_000])
def test_a_dng_is_a_tiff_with_its_version_tag(order: str, offset: int) -> None:
    assert tiff_kind(tiff(order, 254, 256, DNG_VERSION, 50707, offset=offset)) is TiffKind.DNG


@pytest.mark.parametrize("head", [tiff("<", 254, 256), tiff("<"), tiff("<", DNG_VERSION)[:8], tiff("<", 254, DNG_VERSION)[:20]])
def test_any_other_tiff_is_a_still(head: bytes) -> None:
    assert tiff_kind(head) is TiffKind.STILL


def test_a_directory_beyond_the_end_is_not_seen() -> None:
    assert tiff_kind(b"II*\0\xff\xff\xff\xff") is TiffKind.STILL


@pytest.mark.parametrize("head", [b"", b"II*\0", b"II+\0\0\0\0\0", b"\0\0\0\x18ftypqt  "])
def test_what_is_no_tiff(head: bytes) -> None:
    assert tiff_kind(head) is None
