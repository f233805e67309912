"""Clips whose structure is broken: boxes, KLV and EBML lengths, counts, offsets, sample tables, codec headers, and plain bytes.

One seed makes one clip. What is broken is chosen among what the format has, so that a reader gets past the beginning and fails
deep inside, where it trusts a number.
"""

import random
import struct
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SOURCES: dict[str, Sequence[str]] = {
    "prores.mov": ("-c:v", "prores", "-c:a", "pcm_s16le"),
    "h264.mp4": ("-c:v", "libx264", "-g", "5", "-c:a", "aac"),
    "hevc.mp4": ("-c:v", "libx265", "-x265-params", "log-level=error", "-c:a", "aac"),
    "fragments.mp4": ("-c:v", "libx264", "-g", "5", "-movflags", "frag_keyframe+empty_moov", "-c:a", "aac"),
    "png.mov": ("-c:v", "png", "-c:a", "pcm_s24le"),
    "dnxhr.mov": ("-c:v", "dnxhd", "-profile:v", "dnxhr_lb", "-pix_fmt", "yuv422p", "-s", "256x144", "-an"),
    "h264.mkv": ("-c:v", "libx264", "-g", "5", "-c:a", "flac"),
    "vp9.webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"),
    "mpeg2.mxf": ("-c:v", "mpeg2video", "-c:a", "pcm_s16le"),
    "dnxhr.mxf": ("-c:v", "dnxhd", "-profile:v", "dnxhr_lb", "-pix_fmt", "yuv422p", "-s", "256x144", "-c:a", "pcm_s16le"),
    "mjpeg.avi": ("-c:v", "mjpeg", "-c:a", "pcm_s16le"),
    "mpeg2.ts": ("-c:v", "mpeg2video", "-c:a", "mp2"),
}
"""A name, and how FFmpeg encodes ten small frames and their sound into it."""

_NUMBERS = (0, 1, 2, 7, 8, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0xFFFF_FFF8)
_CONTAINERS = frozenset(
    {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta", b"moof", b"traf", b"mvex", b"gmhd"}
)
_KLV_KEY = b"\x06\x0e\x2b\x34"
_EBML_MASTERS = frozenset({0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0xAE, 0xE0, 0xE1, 0x1F43B675, 0x1C53BB6B, 0xBB, 0xA0})


@dataclass(frozen=True, slots=True)
class Part:
    """A box, a KLV packet or an EBML element: where it starts, where its length is written, where its value begins and ends."""

    start: int
    length_at: int
    length_size: int
    value: int
    end: int
    name: bytes


def make_sources(folder: Path) -> dict[str, bytes]:
    """The whole clips, by name."""
    made = {}
    for name, options in SOURCES.items():
        inputs = ["-f", "lavfi", "-i", "testsrc2=size=128x72:rate=25", "-f", "lavfi", "-i", "sine=sample_rate=48000"]
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *inputs, "-t", "0.4", "-pix_fmt", "yuv420p", *options]
        subprocess.run([*command, folder / name], check=True)
        made[name] = (folder / name).read_bytes()
    return made


def broken(name: str, whole: bytes, seed: int) -> bytes:
    """The clip `name` with one to three faults, the same for the same seed."""
    chance = random.Random(f"{name} {seed}")  # noqa: S311 - a play of chance, not a secret
    data = bytearray(whole)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        parts = [*parts_of(bytes(data))]
        faults: list[Callable[[bytearray, Sequence[Part], random.Random], None]] = [
            _length, _length, _number, _number, _number, _number, _name, _bytes, _bits, _cut, _twice, _without, _moved, _zeroes,
        ]  # fmt: skip
        chance.choice(faults if parts else [_bits, _cut, _zeroes])(data, parts, chance)
    return bytes(data)


def parts_of(data: bytes) -> Iterator[Part]:
    """Every part of a movie, an MXF file or a Matroska file, nested ones too; none of another format."""
    if data[:4] == _KLV_KEY:
        yield from _klv(data)
    elif data[:4] == b"\x1a\x45\xdf\xa3":
        yield from _ebml(data, 0, len(data))
    elif data[4:8] in {b"ftyp", b"moov", b"wide", b"mdat", b"free"}:
        yield from _boxes(data, 0, len(data))


def _boxes(data: bytes, start: int, end: int) -> Iterator[Part]:
    while start + 8 <= end:
        (size,) = struct.unpack_from(">I", data, start)
        stop = start + size if size >= 8 else end
        if stop > end:
            return
        part = Part(start, start, 4, start + 8, stop, data[start + 4 : start + 8])
        yield part
        if part.name in _CONTAINERS:
            yield from _boxes(data, part.value, stop)
        start = stop


def _klv(data: bytes) -> Iterator[Part]:
    start = 0
    while data[start : start + 4] == _KLV_KEY and start + 17 <= len(data):
        first = data[start + 16]
        size = first & 0x7F if first & 0x80 else 0
        length = int.from_bytes(data[start + 17 : start + 17 + size]) if size else first
        value = start + 17 + size
        stop = min(value + length, len(data))
        yield Part(start, start + 16, 1 + size, value, stop, data[start : start + 16])
        start = stop


def _ebml(data: bytes, start: int, end: int) -> Iterator[Part]:
    while start < end:
        name_size, length_size = _vint(data, start), 0
        if name_size and start + name_size < end:
            length_size = _vint(data, start + name_size)
        if not length_size:
            return
        length_at = start + name_size
        value = length_at + length_size
        mask = (1 << 7 * length_size) - 1
        length = int.from_bytes(data[length_at:value]) & mask
        stop = end if length == mask else min(value + length, end)
        name = data[start:length_at]
        yield Part(start, length_at, length_size, value, stop, name)
        if int.from_bytes(name) in _EBML_MASTERS:
            yield from _ebml(data, value, stop)
        start = stop


def _vint(data: bytes, at: int) -> int:
    return 9 - data[at].bit_length() if data[at] else 0


def _any(parts: Sequence[Part], chance: random.Random) -> Part:
    """A part, small ones as likely as large ones: it is the tables that matter."""
    return chance.choice(parts)


def _length(data: bytearray, parts: Sequence[Part], chance: random.Random) -> None:
    part = _any(parts, chance)
    size = part.length_size
    true = part.end - part.start
    value = chance.choice((*_NUMBERS, true - 1, true + 1, true * 2, len(data)))
    field = (value & (1 << 8 * size) - 1).to_bytes(size)
    if part.name[:4] == _KLV_KEY and size > 1:
        field = bytes(data[part.length_at : part.length_at + 1]) + field[1:]
    data[part.length_at : part.length_at + size] = field


def _number(data: bytearray, parts: Sequence[Part], chance: random.Random) -> None:
    """A count, an offset, a size or a header's field inside a part, among its first or at any place."""
    part = _any(parts, chance)
    room = part.end - part.value
    if room < 4:
        return _bits(data, parts, chance)
    size = chance.choice([it for it in (1, 2, 4, 8) if it <= room])
    at = part.value + chance.randrange(min(room - size + 1, chance.choice((8, 32, 128, room))))
    data[at : at + size] = (chance.choice(_NUMBERS) * chance.choice((1, 1, 1 << 32)) & (1 << 8 * size) - 1).to_bytes(size)
    return None


def _name(data: bytearray, parts: Sequence[Part], chance: random.Random) -> None:
    part, other = _any(parts, chance), _any(parts, chance)
    size = min(len(part.name), len(other.name))
    at = part.start + 4 if part.length_at == part.start else part.start
    data[at : at + size] = other.name[:size]


def _bytes(data: bytearray, parts: Sequence[Part], chance: random.Random) -> None:
    part = _any(parts, chance)
    for _ in range(chance.randrange(1, 16)):
        data[chance.randrange(part.start, max(part.end, part.start + 1))] = chance.randrange(256)


def _bits(data: bytearray, _parts: Sequence[Part], chance: random.Random) -> None:
    for _ in range(chance.randrange(1, 200)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _cut(data: bytearray, _parts: Sequence[Part], chance: random.Random) -> None:
    del data[chance.randrange(16, len(data)) :]


def _twice(data: bytearray, parts: Sequence[Part], chance: random.Random) -> None:
    part = _any(parts, chance)
    data[part.end : part.end] = data[part.start : part.end] * chance.choice((1, 1, 2, 50 if part.end - part.start < 1000 else 1))


def _without(data: bytearray, parts: Sequence[Part], chance: random.Random) -> None:
    part = _any(parts[1:] or parts, chance)
    if part.end - part.start < len(data) - 16:
        del data[part.start : part.end]


def _moved(data: bytearray, parts: Sequence[Part], chance: random.Random) -> None:
    part, other = _any(parts, chance), _any(parts, chance)
    taken = bytes(data[part.start : part.end])
    data[other.start : other.start] = taken[: 1 << 16]


def _zeroes(data: bytearray, _parts: Sequence[Part], chance: random.Random) -> None:
    at = chance.randrange(len(data))
    size = min(chance.choice((4, 64, 512, 4096)), len(data) - at)
    data[at : at + size] = bytes(size)
