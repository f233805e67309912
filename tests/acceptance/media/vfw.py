"""Matroska whose picture is stored as in AVI (V_MS/VFW/FOURCC), as mkvmerge makes it of an AVI. FFmpeg only reads such files."""

import json
import struct
import subprocess
from itertools import count
from pathlib import Path


def as_vfw(avi: Path, matroska: Path, code: bytes, size: tuple[int, int], rate: int) -> None:
    """Move an AVI's packets into Matroska, each at its place. `code`: the four-character code; the audio is PCM, 48 kHz, mono."""
    data, (width, height) = avi.read_bytes(), size
    header = struct.pack("<IiiHH4sIiiII", 40, width, height, 1, 24, code, 0, 0, 0, 0, 0)
    picture = _element(
        "AE", _numbers(D7=1, x73C5=1, x83=1, x9C=0, x23E383=10**9 // rate), _element("86", b"V_MS/VFW/FOURCC"),
        _element("63A2", header), _element("E0", _numbers(B0=width, BA=height)),
    )  # fmt: skip
    audio = _element(
        "AE", _numbers(D7=2, x73C5=2, x83=2, x9C=0), _element("86", b"A_PCM/INT/LIT"),
        _element("E1", _element("B5", struct.pack(">d", 48000)), _numbers(x9F=1, x6264=16)),
    )  # fmt: skip
    packets = sorted(_packets(avi, rate))
    clusters = b"".join(
        _element(
            "1F43B675", _numbers(E7=time), _element("A3", bytes([0x80 | track, 0, 0, 0x80 if key else 0]), data[at : at + size])
        )
        for time, track, key, at, size in packets
    )
    length = 1000 * sum(track == 1 for _, track, *_ in packets) / rate
    matroska.write_bytes(
        _element("1A45DFA3", _element("4282", b"matroska"), _numbers(x4287=4, x4285=2))
        + _element(
            "18538067", _element("1549A966", _numbers(x2AD7B1=10**6), _element("4489", struct.pack(">d", length))),
            _element("1654AE6B", picture, audio), clusters,
        )
    )  # fmt: skip


def _packets(avi: Path, rate: int) -> list[tuple[int, int, bool, int, int]]:
    """Milliseconds, track, whether it is a keyframe, position and size."""
    entries = "packet=stream_index,pos,size,flags,dts_time"
    command = ("ffprobe", "-v", "error", "-show_entries", entries, "-of", "json", avi)
    said = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["packets"]
    place = count()
    return [
        (
            round(float(packet["dts_time"]) * 1000) if packet["stream_index"] else next(place) * 1000 // rate,
            packet["stream_index"] + 1,
            "K" in packet["flags"],
            int(packet["pos"]),
            int(packet["size"]),
        )
        for packet in said
    ]


def _element(name: str, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return bytes.fromhex(name) + struct.pack(">Q", len(content) | 1 << 56) + content


def _numbers(**values: int) -> bytes:
    """Elements with numbers, by their names in hexadecimal, after an `x` where they begin with a digit."""
    return b"".join(_element(name.removeprefix("x"), struct.pack(">Q", value)) for name, value in values.items())
