"""Signals BT.2020's matrix in DNxHR frames, which FFmpeg's encoder cannot do.

It writes BT.709 into the header of every frame, whatever its options. Decoders follow that header, so without this BT.2020 video
would have to be converted to a mix that no reader expects: BT.709's matrix with BT.2020's primaries. The field is the
colour volume of SMPTE ST 2019-1:2016: 0 is BT.709, 1 is BT.2020 with non-constant luminance. FFmpeg 5.1, 7.1, 8.0 and 9.0 read it
so (measured: each bit of the header changed in turn, `color_space` of a decoded frame).
"""

HEADER_BYTES = 0x2D
"""How much of a frame is needed: up to and including the byte with the colour volume."""

COLOR_VOLUME_AT = 0x2C
"""The byte's offset in a frame."""

MATRIX = "bt2020nc"
"""The matrix that it signals, in FFmpeg's name."""

_VERSION_AT, _VERSION = 4, 3
_COMPRESSION_ID_AT = 0x28
_DNXHR = range(1270, 1275)
"""Compression ids of DNxHR. DNxHD's are smaller, and its headers, of an older version, have no colour volume."""

_HEAD = 5
_VOLUME = 0b110
_BT2020 = 0b010


def bt2020_color_volume(header: bytes) -> bytes:
    """The byte for `COLOR_VOLUME_AT`, from a frame's first `HEADER_BYTES`. Raises `ValueError` if this is not a DNxHR frame."""
    compression = int.from_bytes(header[_COMPRESSION_ID_AT : _COMPRESSION_ID_AT + 4])
    if len(header) < HEADER_BYTES or header[_VERSION_AT] != _VERSION or compression not in _DNXHR:
        raise ValueError(f"a frame begins with {header[:_HEAD].hex()}, which is not DNxHR")
    return bytes([header[COLOR_VOLUME_AT] & ~_VOLUME | _BT2020])
