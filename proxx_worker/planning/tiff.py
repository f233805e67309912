"""Just enough TIFF to tell a DNG from another still."""

import struct
from enum import Enum

_IFD_ENTRY = 12
_DNG_VERSION = 50706
_HEADER = 8


class TiffKind(Enum):
    """Which TIFF it is."""

    DNG = "dng"
    STILL = "still"


def tiff_kind(head: bytes) -> TiffKind | None:
    """DNG where the first directory holds DNGVersion, STILL for any other TIFF, None for no TIFF.

    A directory beyond `head` is looked at as far as it is there. Tag 50706: Adobe, Digital Negative Specification.
    """
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(head[:4])
    if order is None or len(head) < _HEADER:
        return None
    (offset,) = struct.unpack_from(f"{order}I", head, 4)
    entries = head[offset + 2 :]
    count = struct.unpack(f"{order}H", head[offset : offset + 2])[0] if len(head) >= offset + 2 else 0
    tags = {
        struct.unpack_from(f"{order}H", entries, position)[0]
        for position in range(0, min(count * _IFD_ENTRY, len(entries) - 1), _IFD_ENTRY)
    }
    return TiffKind.DNG if _DNG_VERSION in tags else TiffKind.STILL
