"""Where a file's audio stands by its own clock, to the sample, and how far a proxy's lies from its source's. Knows no worker."""

import json
import random
import subprocess
import wave
from array import array
from fractions import Fraction
from math import sqrt
from operator import mul
from pathlib import Path

RATE = 48000
_FOLLOWS = Fraction(2, 1000)
"""Containers that count milliseconds round every time: a frame so near to the end of the one before it follows it."""

_COARSE = 4
_FARTHEST = RATE // 20
_WINDOW = RATE // 10


def write_noise(path: Path, seconds: int = 4, rate: int = RATE, seed: int = 7) -> Path:
    """Mono noise without its highest octaves, so that lossy codecs keep its shape. Every tenth of a second is like no other."""
    source = random.Random(seed)  # noqa: S311 - noise, the same every time
    tail = [0.0] * 6
    samples = array("h")
    for _ in range(seconds * rate):
        tail = [*tail[1:], source.uniform(-1, 1)]
        samples.append(round(sum(tail) * 2300))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", "NONE"))
        file.writeframes(samples.tobytes())
    return path


def timeline(path: Path, rate: int = RATE) -> "array[int]":
    """The first audio stream at 48 kHz, its first sample at the first picture; silence where the file has none.

    Each frame stands where ffprobe says. `rate`: the file's own; with another than 48 kHz it may have no holes.
    """
    entries = "frame=media_type,pts,nb_samples:stream=codec_type,time_base"
    frames = json.loads(
        _output("ffprobe", "-v", "quiet", "-of", "json", "-show_frames", "-show_streams", "-show_entries", entries, path)
    )
    ticks = {
        stream["codec_type"]: Fraction(stream["time_base"]) for stream in reversed(frames["streams"]) if "codec_type" in stream
    }
    picture = (
        min(frame["pts"] for frame in frames["frames"] if frame["media_type"] == "video" and "pts" in frame) * ticks["video"]
    )
    sounding = [frame for frame in frames["frames"] if frame["media_type"] == "audio"]
    into = ("-map", "0:a:0", "-ac", "1", "-ar", str(RATE), "-f", "s16le", "-")
    samples = array("h", _output("ffmpeg", "-nostdin", "-v", "quiet", "-i", path, *into))
    placed: array[int] = array("h")
    at = 0
    first = round((sounding[0]["pts"] * ticks["audio"] - picture) * RATE)
    end = first
    for frame in sounding:
        size = frame["nb_samples"] if rate == RATE else len(samples) - at
        # The last frame that a decoder had held back has no time: it follows.
        start = round((frame["pts"] * ticks["audio"] - picture) * RATE) if "pts" in frame else end
        if abs(start - end) <= _FOLLOWS * RATE:
            start = end
        _lay(placed, start, samples[at : at + size])
        at, end = at + size, start + size
        if rate != RATE:
            break
    return placed


def _lay(onto: "array[int]", start: int, samples: "array[int]") -> None:
    if start < 0:
        start, samples = 0, samples[-start:]
    if start > len(onto):
        onto.extend([0] * (start - len(onto)))
    onto[start : start + len(samples)] = samples


def _output(*command: str | Path) -> bytes:
    return subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout


def lag(source: "array[int]", proxy: "array[int]", second: float) -> float:
    """By how many milliseconds the proxy is late at `second` of the picture, within 50. Fails where it has other sound there."""
    at = round(second * RATE)
    window = source[at : at + _WINDOW]
    coarse = window[::_COARSE]
    near = max(
        range(-_FARTHEST, _FARTHEST + 1, _COARSE), key=lambda by: _alike(coarse, proxy[at + by : at + by + _WINDOW : _COARSE])
    )
    best = max(range(near - _COARSE, near + _COARSE + 1), key=lambda by: _alike(window, proxy[at + by : at + by + _WINDOW]))
    alike = _alike(window, proxy[at + best : at + best + _WINDOW])
    assert alike > 0.5, f"at {second} s there is other sound: the best correlation is {alike:.2f}"
    return best * 1000 / RATE


def loudness(samples: "array[int]", start: float, end: float) -> float:
    """Root mean square between two seconds."""
    part = samples[round(start * RATE) : round(end * RATE)]
    return sqrt(sum(map(mul, part, part)) / len(part))


def _alike(window: "array[int]", other: "array[int]") -> float:
    if len(other) != len(window):
        return -1.0
    power = sqrt(sum(map(mul, window, window)) * sum(map(mul, other, other)))
    return sum(map(mul, window, other)) / power if power else -1.0
