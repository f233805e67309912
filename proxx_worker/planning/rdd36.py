"""Leaves tags unspecified in ProRes frames whose header has no word for them.

FFmpeg's encoders write 0 for a matrix without a word. SMPTE RDD 36 means "unknown" by that, but FFmpeg reads it as RGB, and shows
wrong colours whatever the container says. 2 is unknown for both (measured: FFmpeg 5.1, 7.1, 8.0 and 9.0).
"""

from collections.abc import Sequence

HEADER_BYTES = 25
"""How much of a frame is needed: up to and including the bytes with the tags."""

TAGS_AT = 22
"""The offset in a frame of three bytes: primaries, transfer and matrix. 8 bytes stand before the frame header."""

_IDENTIFIER_AT, _IDENTIFIER = slice(4, 8), b"icpf"
_UNSPECIFIED = 2
_HEAD = 8


def unspecified(header: bytes, hidden: Sequence[bool]) -> bytes:
    """The bytes for `TAGS_AT`, from a frame's first `HEADER_BYTES`, with the tags that are `hidden` unspecified.

    Raises `ValueError` if this is not a ProRes frame.
    """
    if len(header) < HEADER_BYTES or header[_IDENTIFIER_AT] != _IDENTIFIER:
        raise ValueError(f"a frame begins with {header[:_HEAD].hex()}, which is not ProRes")
    tags = header[TAGS_AT:HEADER_BYTES]
    return bytes(_UNSPECIFIED if hide else tag for tag, hide in zip(tags, hidden, strict=True))
