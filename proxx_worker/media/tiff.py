"""Just enough TIFF to distinguish a DNG from another still."""

import struct
from collections.abc import Callable
from enum import Enum

_IFD_ENTRY = 12
_DNG_VERSION = 50706
_HEADER = 8
_COUNT = 2


class TiffKind(Enum):
    """Which TIFF it is."""

    DNG = "dng"
    STILL = "still"


def tiff_kind(read: Callable[[int, int], bytes]) -> TiffKind | None:
    """DNG where the first directory holds DNGVersion, STILL for any other TIFF, None for no TIFF.

    `read(offset, size)` gives up to `size` bytes: many writers put the directory after the image. An incomplete one is
    read as far as it goes. Tag 50706: Adobe, Digital Negative Specification.
    """
    header = read(0, _HEADER)
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(header[:4])
    if order is None or len(header) < _HEADER:
        return None
    (offset,) = struct.unpack_from(f"{order}I", header, 4)
    counted = read(offset, _COUNT)
    count = struct.unpack(f"{order}H", counted)[0] if len(counted) == _COUNT else 0
    entries = read(offset + _COUNT, count * _IFD_ENTRY)
    tags = {struct.unpack_from(f"{order}H", entries, position)[0] for position in range(0, len(entries) - 1, _IFD_ENTRY)}
    return TiffKind.DNG if _DNG_VERSION in tags else TiffKind.STILL
