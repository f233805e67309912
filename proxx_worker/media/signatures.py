"""Formats recognized by a file's first bytes: camera RAW, stills, playlists and the like, by content, never by name.

Sources of the magic values are named beside them. Panasonic V-RAW (.vrw) has no published signature: such a file is
SOURCE_UNSUPPORTED until one is known, never "probably RAW".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from proxx_worker.media.tiff import TiffKind, tiff_kind

HEAD_BYTES = 128 << 10
"""How much of a file's beginning `sniff` wants to see: an MXF header partition after the longest run-in (64 KiB, ST 377-1)."""


@dataclass(frozen=True, slots=True)
class RawSignature:
    """A camera RAW format, under the name that messages show."""

    format: str


class RefusedKind(StrEnum):
    """What sort of file is refused."""

    STILL = "still"
    TEXT = "text"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A format that no proxy is made from, and why; `reason` completes "the file is ..."."""

    reason: str
    kind: RefusedKind


RAW_CODEC_TAGS: Mapping[str, str] = {
    "aprn": "ProRes RAW",
    "aprh": "ProRes RAW HQ",
    "CRAW": "Canon RAW (CRM, CR3)",
    **dict.fromkeys(("brxq", "brhq", "brst", "brlt", "brvn", "brvm", "brvl", "brs2", "brxh"), "Blackmagic RAW"),
}
"""QuickTime sample entries of RAW pictures.

ProRes RAW and Blackmagic RAW: MediaInfoLib `CodecID_Video_Mpeg4.csv`; Canon: lclevy/canon_cr3.
"""

ONE_FILE_PER_FRAME = frozenset({"DNG", "ARRIRAW"})
"""Camera RAW with a file per frame: such a file is a still, and a folder of them is the clip. ARRIRAW in MXF is a clip."""

_MXF_PARTITION = bytes.fromhex("060e2b34 02050101 0d010201 01")


def sniff(head: bytes, read: Callable[[int, int], bytes]) -> RawSignature | Refusal | None:
    """The format shown by the head; None for anything that is left to ffprobe.

    `read(offset, size)` gives up to `size` bytes of the file: a TIFF's directory may lie behind its picture.
    """
    kind = tiff_kind(read)
    raw = "DNG" if kind is TiffKind.DNG else _raw_format(head)
    if raw is not None:
        return RawSignature(raw)
    if kind is TiffKind.STILL:
        return Refusal("a TIFF still, not a clip", RefusedKind.STILL)
    return next(
        (Refusal(reason, kind) for kind, table in _REFUSED.items() for pattern, reason in table if pattern.match(head)), None
    )


def _raw_format(head: bytes) -> str | None:
    if _MXF_PARTITION in head:
        return next((name for pattern, name in _RAW_IN_MXF if pattern.search(head)), None)
    return next((name for pattern, name in _RAW if pattern.match(head)), None)


def _pattern(expression: bytes) -> re.Pattern[bytes]:
    return re.compile(expression, re.DOTALL)


_RAW: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (_pattern(rb".{4}RED[12]"), "REDCODE RAW (R3D)"),  # exiftool Red.pm; MediaInfoLib File_Mpeg4
    (_pattern(rb"ARRI\x12\x34\x56\x78|ARRI\x78\x56\x34\x12"), "ARRIRAW"),  # MediaInfoLib File_ArriRaw: magic, byte order mark
    (_pattern(rb".{4}ftypcrx "), "Canon RAW (CRM, CR3)"),  # lclevy/canon_cr3; AdrianEddy/telemetry-parser canon
    (_pattern(rb".{4}ftyp.{0,4084}iNRAW"), "Nikon N-RAW"),  # TryHall/NEV-Converter-Pro: in the first 4096 bytes
    (_pattern(rb".{4}ftyp.{0,4084}iNR3D"), "REDCODE RAW (Nikon R3D NE)"),  # the same
    # Vision Research, Cine File Format: type "CI", header of 44 bytes, compression 0 to 2, version 1.
    (_pattern(rb"CI\x2c\0[\0-\x02]\0\x01\0"), "Phantom Cine"),
    (_pattern(rb"MLVI.{4}v2\.0"), "Magic Lantern RAW (MLV)"),  # Magic Lantern, mlv_structure.h: file header, version string
)

_LABEL = rb"\x06\x0e\x2b\x34\x04\x01\x01."
_RAW_IN_MXF: tuple[tuple[re.Pattern[bytes], str], ...] = (
    # MediaInfoLib File_Mxf_Automated.h: essence containers (in every partition pack), picture codings (in the descriptor).
    (_pattern(_LABEL + rb"(\x0d\x01\x03\x01\x02\x22[\x01\x02]|\x04\x01\x02\x01\x02\x01[\x01\x02])"), "ARRIRAW (MXF)"),
    # The same and File_Mxf.cpp: Sony's private labels of RAW SQ, which X-OCN continues.
    (_pattern(_LABEL + rb"(\x0e\x06\x0d\x03\x02\x01|\x0e\x06\x04\x01\x02\x04\x02)"), "Sony RAW (X-OCN)"),
)

_MARKUP = rb"(?:\xef\xbb\xbf)?\s*"
_POINTER = "a playlist or script that refers to other files, which a source must not"
_REFUSED: Mapping[RefusedKind, tuple[tuple[re.Pattern[bytes], str], ...]] = {
    RefusedKind.STILL: (
        (_pattern(rb"\xff\xd8\xff"), "a JPEG still (or bare JPEG frames without times), not a clip"),
        # PNG, third edition, 11.3.6.1: an acTL chunk before the first IDAT makes an animation.
        (_pattern(rb"\x89PNG\r\n\x1a\n(?:(?!IDAT).){0,65536}acTL"), "an animated PNG; convert it to a movie first"),
        (_pattern(rb"\x89PNG\r\n\x1a\n"), "a PNG still, not a clip"),
        (_pattern(rb"SDPX|XPDS"), "a DPX still, not a clip"),
        (_pattern(rb"v/1\x01"), "an OpenEXR still, not a clip"),
        (_pattern(rb"GIF8[79]a"), "a GIF image, not a clip"),
        (_pattern(rb"RIFF.{4}WEBP"), "a WebP image, not a clip"),
        (_pattern(rb"BM.{4}\0\0\0\0"), "a BMP still, not a clip"),
        (_pattern(rb".{4}ftyp(heic|heix|heim|heis|mif1|avif|jxl )"), "a HEIF, AVIF or JPEG XL still, not a clip"),
        (_pattern(rb"\0\0\0\x0c(jP  |JXL )\r\n\x87\n|\xff\x4f\xff\x51"), "a JPEG 2000 or JPEG XL still, not a clip"),
        (_pattern(rb"8BPS"), "a Photoshop document, not a clip"),
        (_pattern(rb"\x80\x2a\x5f\xd7|\xd7\x5f\x2a\x80"), "a Cineon still, not a clip"),
    ),
    RefusedKind.TEXT: (
        (_pattern(rb"version https://git-lfs\.github\.com/"), "a git-lfs pointer: the media itself has not been fetched"),
        (_pattern(_MARKUP + rb"#EXTM3U|" + _MARKUP + rb"ffconcat version|\[playlist\]|\[Reference\]|v=0\r?\n"), _POINTER),
        (
            _pattern(_MARKUP + rb"<(\?xml|MPD|SmoothStreaming|smil|asx|svg|\w+:?CompositionPlaylist)"),
            f"an XML document: {_POINTER}",
        ),
    ),
    RefusedKind.DOCUMENT: (
        (_pattern(rb"%PDF-|PK\x03\x04|\x1f\x8b\x08|7z\xbc\xaf\x27\x1c|Rar!"), "a document or an archive; unpack it first"),
    ),
}
"""First bytes of what is refused, by each format's own specification."""
