"""What FFmpeg cannot write into an MXF file: a unique UMID, derived from its content, and its true display aspect.

FFmpeg's bit-exact mode gives every file the same UMID of zeros, so an editing system may take different clips for one;
without that mode it uses random ones, so no two runs give the same bytes. Here the zeros are replaced by a value derived
from the file itself as FFmpeg wrote it: unique per clip, equal on every run.

FFmpeg's muxer also declares square pixels for all DNxHD and DNxHR video: an anamorphic clip would look squeezed. The descriptor's
AspectRatio is set to the planned one. And if the video is BT.2020, this is written into each DNxHR frame (see vc3.py).

The length of the file does not change.

Pure: chunks and offsets in, offsets and bytes out. The caller reads and writes.
"""

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.media.integers import Integers
from proxx_worker.planning.vc3 import COLOR_VOLUME_AT, HEADER_BYTES, bt2020_color_volume

_PREFIX = bytes.fromhex("060a2b34010101050101" + "0d0013000000")
"""How a UMID by FFmpeg begins: SMPTE 330M label, length 0x13, instance number 0. The material number follows: 15 bytes for the
file, and one for the package."""

_MATERIAL_BYTES = 15
_ZEROS = bytes(_MATERIAL_BYTES)
_KEY_BYTES = 16
_SETS_AND_PACKS = bytes.fromhex("060e2b3402")
"""Keys of metadata: the header's sets, and the packs before each frame. Essence (0102) and fill (0101) are skipped."""

_PICTURE = bytes.fromhex("060e2b34010201010d01030115")
"""How the keys of picture items begin (SMPTE ST 379-2, generic container); FFmpeg writes each frame into one of its own."""

_UNIVERSAL = bytes.fromhex("060e2b34")
_LONG_FORM = 0x80
_MAX_LENGTH_BYTES = 8
_PICTURE_DESCRIPTORS = frozenset(bytes.fromhex("060e2b34025301010d0101010101" + kind) for kind in ("2800", "2900"))
"""Keys of the CDCI and RGBA picture essence descriptors (SMPTE ST 377-1, annex F)."""

_ASPECT_RATIO = 0x320E
_ASPECT_BYTES = 8
_MAX_SET_BYTES = 1 << 20
_PURPOSE = b"proxx-worker UMID 1\0"


@dataclass(frozen=True, slots=True)
class MxfPatch:
    """What to write into the file; offsets are bytes from its start, ascending.

    The 15 bytes `umid` go to each of `umid_offsets` (five in the metadata, one per frame), the 8 bytes `aspect` to each of
    `aspect_offsets`, and each byte of `frame_bytes` to its place in `frame_offsets`.
    """

    umid_offsets: Sequence[int]
    umid: bytes
    aspect_offsets: tuple[int, ...]
    aspect: bytes
    frame_offsets: Sequence[int] = ()
    frame_bytes: bytes = b""

    def writes(self) -> Iterator[tuple[int, bytes]]:
        """Each offset with its bytes."""
        yield from ((offset, self.aspect) for offset in self.aspect_offsets)
        yield from ((offset, self.umid) for offset in self.umid_offsets)
        yield from self.frames()

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """Those into the frames."""
        return ((offset, bytes((byte,))) for offset, byte in zip(self.frame_offsets, self.frame_bytes, strict=True))


class MxfScanner:
    """Reads an MXF file once, in chunks of any size, and finds what to patch.

    The whole file is hashed for the UMID. The scan follows the KLV structure, so that audio or video data that happens to look
    like a UMID is left alone.
    """

    def __init__(self, display_aspect: Fraction, *, says_bt2020: bool = False) -> None:
        """Start at the beginning of a file whose video has this `display_aspect` (width / height).

        `says_bt2020`: its frames are DNxHR, and their headers must state BT.2020's matrix.
        """
        self._aspect = struct.pack(">II", display_aspect.numerator, display_aspect.denominator)
        self._says_bt2020 = says_bt2020
        self._aspect_offsets: list[int] = []
        self._frame_offsets = Integers()
        self._frame_bytes = bytearray()
        self._hash = hashlib.sha256()
        self._position = 0
        self._pending = b""
        self._skip = 0
        self._offsets = Integers()

    def feed(self, chunk: bytes) -> None:
        """Read the next bytes. Raises `ValueError` if they are not KLV, that is not FFmpeg's MXF."""
        self._hash.update(chunk)
        skipped = min(self._skip, len(chunk))
        self._skip -= skipped
        self._position += skipped
        data = self._pending + chunk[skipped:]
        at = 0
        while self._skip == 0 and (end := self._item(data, at)) is not None:
            at = min(end, len(data))
            self._skip = end - at
        self._pending = data[at:]
        self._position += at

    def finish(self) -> MxfPatch:
        """The patch, after the whole file was fed. Raises `ValueError` if the file ends inside an item or has no UMID."""
        if self._pending or self._skip:
            raise ValueError("the MXF file ends inside an item")
        if not self._offsets:
            raise ValueError("the MXF file has no UMID to replace")
        umid = derive_umid(self._hash.digest())
        aspects, frames = tuple(self._aspect_offsets), bytes(self._frame_bytes)
        return MxfPatch(self._offsets, umid, aspects, self._aspect, self._frame_offsets, frames)

    def _item(self, data: bytes, at: int) -> int | None:
        """Read the item at `at`. Returns its end, or None if more bytes are needed to know it."""
        extent = self._extent(data, at)
        if extent is None:
            return None
        value, end = extent
        if data.startswith(_SETS_AND_PACKS, at) and end - value <= _MAX_SET_BYTES:  # a longer one is an index table: no UMID
            if len(data) < end:
                return None
            self._look_at_metadata(data[at : at + _KEY_BYTES], data[value:end], self._position + value)
        elif self._says_bt2020 and data.startswith(_PICTURE, at):
            if len(data) < value + HEADER_BYTES:
                return None
            self._frame_bytes += bt2020_color_volume(data[value : value + HEADER_BYTES])
            self._frame_offsets.append(self._position + value + COLOR_VOLUME_AT)
        return end

    def _extent(self, data: bytes, at: int) -> tuple[int, int] | None:
        """Where the value of the item at `at` begins and ends, or None if more bytes are needed to know it."""
        if len(data) - at <= _KEY_BYTES:
            return None
        if not data.startswith(_UNIVERSAL, at):
            raise ValueError(f"not an MXF item at byte {self._position + at}")
        header = at + _KEY_BYTES
        first = data[header]
        if first < _LONG_FORM:
            return header + 1, header + 1 + first
        if first - _LONG_FORM > _MAX_LENGTH_BYTES:
            raise ValueError(f"an impossible length at byte {self._position + header}")
        value = header + 1 + (first - _LONG_FORM)
        return None if len(data) < value else (value, value + int.from_bytes(data[header + 1 : value]))

    def _look_at_metadata(self, key: bytes, metadata: bytes, position: int) -> None:
        for found in _umids(metadata):
            self._offsets.append(position + found)
        if key in _PICTURE_DESCRIPTORS:
            self._aspect_offsets += (position + found for found in _aspects(metadata))


def _umids(metadata: bytes) -> Iterator[int]:
    at = metadata.find(_PREFIX)
    while at >= 0:
        material = at + len(_PREFIX)
        if metadata[material : material + _MATERIAL_BYTES] == _ZEROS:
            yield material
        at = metadata.find(_PREFIX, material)


def _aspects(local_set: bytes) -> Iterator[int]:
    """The offsets of AspectRatio's value in a set of two-byte tags and two-byte lengths."""
    at = 0
    while at + 4 <= len(local_set):
        tag, length = struct.unpack_from(">HH", local_set, at)
        at += 4
        if tag == _ASPECT_RATIO and length == _ASPECT_BYTES and at + length <= len(local_set):
            yield at
        at += length


def derive_umid(digest: bytes) -> bytes:
    """The 15 bytes of material number for a file whose SHA-256, with zeros in their place, is `digest`. Never all zeros."""
    return hashlib.sha256(_PURPOSE + digest).digest()[:_MATERIAL_BYTES]
