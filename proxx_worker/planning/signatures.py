"""What the first bytes of a file say: camera RAW formats, stills, playlists and the like, by content, never by name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from proxx_worker.planning.tiff import TiffKind, tiff_kind

HEAD_BYTES = 65536
"""How much of a file's beginning `sniff` wants to see: any format's first structures, an MXF header partition."""


@dataclass(frozen=True, slots=True)
class RawSignature:
    """A camera RAW format, under the name that messages show."""

    format: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A format that no proxy is made from, and why; `reason` completes "the file is ..."."""

    reason: str


RAW_CODEC_TAGS: Mapping[str, str] = {
    "aprn": "ProRes RAW",
    "aprh": "ProRes RAW HQ",
    "CRAW": "Canon RAW",
    **dict.fromkeys(("brxq", "brst", "brvn", "brs2", "brxh", "braw"), "Blackmagic RAW"),
}
"""QuickTime sample entries of RAW pictures. ProRes RAW: FFmpeg libavformat/isom_tags.c; Canon: lclevy/canon_cr3."""


def sniff(head: bytes) -> RawSignature | Refusal | None:
    """What the head gives away; None for anything that ffprobe is to judge."""
    if head[4:8] in {b"RED1", b"RED2"}:
        return RawSignature("REDCODE RAW (R3D)")
    if head.startswith(b"ARRI") and len(head) > 8:  # noqa: PLR2004
        return RawSignature("ARRIRAW")
    if head[4:12] == b"ftypcrx ":
        return RawSignature("Canon RAW (CRM, CR3)")
    kind = tiff_kind(head)
    if kind is TiffKind.DNG:
        return RawSignature("DNG")
    if kind is TiffKind.STILL:
        return Refusal("a TIFF still, not a clip")
    return next((Refusal(reason) for pattern, reason in _REFUSED if pattern.match(head)), None)


def _starts(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.DOTALL)


_REFUSED: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (_starts(rb"version https://git-lfs\.github\.com/"), "a git-lfs pointer: the media itself has not been fetched"),
    (_starts(rb"\xff\xd8\xff"), "a JPEG still, not a clip"),
    (_starts(rb"\x89PNG\r\n\x1a\n"), "a PNG still, not a clip"),
    (_starts(rb"SDPX|XPDS"), "a DPX still, not a clip"),
    (_starts(rb"v/1\x01"), "an OpenEXR still, not a clip"),
)
