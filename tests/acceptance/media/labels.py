"""What containers and bitstreams say of colour and fields, read from their own bytes: no library, no FFmpeg.

Code points are those of ISO/IEC 23091-2 (H.273): 1 BT.709, 2 unspecified, 5 and 6 BT.601, 9 BT.2020, 16 PQ, 18 HLG.
"""

import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PRIMARIES = {None: 2, "bt709": 1, "bt470bg": 5, "smpte170m": 6, "bt2020": 9}
TRANSFERS = {None: 2, "bt709": 1, "smpte170m": 6, "smpte2084": 16, "arib-std-b67": 18}
MATRICES = {None: 2, "bt709": 1, "bt470bg": 5, "smpte170m": 6, "bt2020nc": 9}
_CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
_SAMPLE_ENTRY_HEADER = 86
_UNSPECIFIED = 2


@dataclass(frozen=True, slots=True)
class Coded:
    """`primaries`, `transfer`, `matrix` as code points; `full`: the range flag, None where the format has none."""

    primaries: int
    transfer: int
    matrix: int
    full: bool | None


@dataclass(frozen=True, slots=True)
class Movie:
    """Of a MOV's or MP4's picture track: its `colr`, `fiel` and `pasp` atoms (None: not there); whether the index is first."""

    color: Coded | None
    fields: tuple[int, int] | None
    pixel_aspect: tuple[int, int] | None
    starts_fast: bool


def movie(path: Path) -> Movie:
    """Read a MOV or MP4."""
    data = path.read_bytes()
    order = [kind for kind, _, _ in _boxes(data, 0, len(data))]
    atoms = dict(_picture_atoms(data))
    color, fields, aspect = atoms.get(b"colr"), atoms.get(b"fiel"), atoms.get(b"pasp")
    return Movie(
        color=None if color is None else _colr(color),
        fields=None if fields is None else (fields[0], fields[1]),
        pixel_aspect=None if aspect is None else struct.unpack(">II", aspect[:8]),
        starts_fast=order.index(b"moov") < order.index(b"mdat"),
    )


def prores(path: Path) -> Coded:
    """The first ProRes frame header (SMPTE RDD 36, 5.1.1): size, version, creator, width, height, flags, aspect, colour."""
    data = path.read_bytes()
    header = data.index(b"icpf") + 4
    primaries, transfer, matrix = data[header + 14], data[header + 15], data[header + 16]
    return Coded(primaries or _UNSPECIFIED, transfer or _UNSPECIFIED, matrix or _UNSPECIFIED, None)


def prores_fields(path: Path) -> str:
    """`progressive`, `tt` or `bb`: two bits of the first ProRes frame header."""
    data = path.read_bytes()
    flags = data[data.index(b"icpf") + 4 + 12]
    return ("progressive", "tt", "bb")[flags >> 2 & 3]


def parameter_sets(path: Path, codec: str) -> dict[str, str]:
    """What the bare H.264 or HEVC stream says of itself once it is taken out of its container: ffprobe's fields by name.

    `field_order` of H.264 is that of the first picture's `pic_struct`, which decoders ignore.
    """
    kind = {"h264": "h264", "hevc": "hevc"}[codec]
    bare = subprocess.run(
        [
            "ffmpeg", "-nostdin", "-v", "error", "-i", path, "-map", "0:V:0", "-c", "copy", "-bsf:v", f"{kind}_mp4toannexb",
            "-f", kind, "-",
        ],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    said = subprocess.run(
        [
            "ffprobe", "-v", "error", "-f", kind, "-of", "default=nw=1", "-i", "-",
            "-show_entries", "stream=color_range,color_space,color_primaries,color_transfer,field_order",
        ],
        check=True, capture_output=True, input=bare,
    ).stdout  # fmt: skip
    return dict(line.split("=", 1) for line in said.decode().splitlines())


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the contents of each box."""
    while start + 8 <= end:
        (size,) = struct.unpack_from(">I", data, start)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, start + 8)
            head = 16
        size = size or end - start
        if size < head:
            return  # QuickTime ends a list of boxes with four zeros
        yield data[start + 4 : start + 8], start + head, start + size
        start += size


def _picture_atoms(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The atoms of the first picture track's sample description."""
    for track_start, track_end in _inside(data, 0, len(data), (b"moov", b"trak")):
        kinds = [data[start + 8 : start + 12] for start, _ in _inside(data, track_start, track_end, (b"mdia", b"hdlr"))]
        if b"vide" not in kinds:
            continue
        for start, end in _inside(data, track_start, track_end, (b"mdia", b"minf", b"stbl", b"stsd")):
            for kind, first, last in _boxes(data, start + 8 + _SAMPLE_ENTRY_HEADER, end):
                yield kind, data[first:last]
        return


def _inside(data: bytes, start: int, end: int, path: tuple[bytes, ...]) -> Iterator[tuple[int, int]]:
    for kind, first, last in _boxes(data, start, end):
        if kind == path[0]:
            if len(path) == 1:
                yield first, last
            else:
                yield from _inside(data, first, last, path[1:])


def _colr(content: bytes) -> Coded:
    """`nclc` (QuickTime) or `nclx` (ISO, with a range flag)."""
    primaries, transfer, matrix = struct.unpack_from(">HHH", content, 4)
    return Coded(primaries, transfer, matrix, bool(content[10] & 0x80) if content[:4] == b"nclx" else None)
