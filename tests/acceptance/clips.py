"""Media made at test time, as small as it can be and still show the point, and what ffprobe says of what came out."""

import json
import shutil
import subprocess
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

TIMECODE = "10:11:12:13"
DROP_FRAME_TIMECODE = "01:00:00;02"


def ffmpeg(*arguments: str | Path) -> None:
    """Run FFmpeg; the last argument is the file it makes."""
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments], check=True, stdin=subprocess.DEVNULL)


def tool(name: str) -> str:
    """Where PATH finds a tool: what the worker must find, too."""
    path = shutil.which(name)
    assert path is not None, f"{name} is not on PATH"
    return path


@cache
def decoders() -> frozenset[str]:
    """The names of the decoders that this FFmpeg has and uses unasked: those marked as experimental it does not."""
    listed = subprocess.run(["ffmpeg", "-v", "error", "-decoders"], check=True, capture_output=True, text=True).stdout
    rows = (line.split() for line in listed.partition(" ------\n")[2].splitlines())
    return frozenset(name for flags, name, *_ in rows if "X" not in flags)


def make_clip(path: Path, *, size: str = "320x180", rate: str = "25", frames: int = 25, timecode: str = TIMECODE) -> Path:
    """H.264 with two sound streams (stereo, then mono, 48 kHz PCM) and timecode, in QuickTime."""
    seconds = f"{float(frames / Fraction(rate)):.6f}"
    ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}",
        "-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds},aformat=channel_layouts=stereo",
        "-f", "lavfi", "-i", f"sine=frequency=880:sample_rate=48000:duration={seconds}",
        "-map", "0", "-map", "1", "-map", "2",
        "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le", "-timecode", timecode, path,
    )  # fmt: skip
    return path


def make_long_clip(path: Path) -> Path:
    """An hour of one gray picture: some megabytes, ready at once, and no encoder here is done with it before it is stopped."""
    seconds = path.with_name(f"seconds-of-{path.name}")
    ffmpeg("-f", "lavfi", "-i", "color=gray:size=320x180:rate=25:duration=10", "-c:v", "libx264", "-preset", "ultrafast", seconds)
    ffmpeg("-stream_loop", "359", "-i", seconds, "-c", "copy", path)
    return path


def probe(path: Path) -> dict[str, Any]:
    """Ffprobe's answer: format, streams, and every picture decoded and counted."""
    answer = subprocess.run(
        ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-count_frames", "-of", "json", path],
        check=True,
        capture_output=True,
    )
    # 8.0's own Opus parser takes offence at sound files, in ffprobe alone; its decoder does not.
    complaints = [line for line in answer.stderr.decode().splitlines() if not line.endswith("Error parsing Opus packet header.")]
    assert complaints == []
    document: dict[str, Any] = json.loads(answer.stdout)
    return document


def streams(media: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The streams of a kind: `video`, `audio`."""
    return [stream for stream in media["streams"] if stream["codec_type"] == kind]


def timecodes(media: dict[str, Any]) -> set[str]:
    """Every timecode that the file bears, wherever it lives."""
    holders = [media["format"], *media["streams"]]
    tags = [{key.lower(): value for key, value in holder.get("tags", {}).items()} for holder in holders]
    return {tag["timecode"] for tag in tags if "timecode" in tag}
