"""What an editing system sees of a file: streams, every frame decoded, every sample counted. ffprobe says it, read here alone.

Source and proxy are looked at in the same way. Nothing here knows the worker.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

_FRAMES = "stream_index,media_type,pts,nb_samples,interlaced_frame,top_field_first,pict_type,key_frame"
_COLOR = "color_range,color_space,color_primaries,color_transfer"
FLICK = "1:705600000"
"""What every common frame rate's times are whole multiples of, as FFmpeg's option for an encoder's time base."""

_ROUNDING = Fraction(2, 1000)
"""Containers that count milliseconds round every time."""

_NOT_SAID = (None, "unknown", "unspecified", "N/A")


@dataclass(frozen=True, slots=True)
class Color:
    """Colour tags in FFmpeg's names, None where nothing is said."""

    range: str | None
    matrix: str | None
    primaries: str | None
    transfer: str | None


@dataclass(frozen=True, slots=True)
class Sound:
    """One audio stream: `seconds` from its first sample to its last, `start` of the first one in seconds.

    `holes`: where nothing is decoded, each as the seconds decoded before it and its length, which `seconds` includes.
    """

    codec: str
    channels: int
    layout: str | None
    rate: int
    seconds: Fraction
    start: Fraction | None
    holes: tuple[tuple[Fraction, Fraction], ...]


@dataclass(frozen=True, slots=True)
class Look:
    """One file.

    `width`, `height`: of the decoded picture; `cropping`: options before `-i`. `turns`: clockwise quarter turns to show it
    upright. `aspect`: width / height on screen, upright. `times`: of every presented frame, in seconds, in order; `tick`: what
    they are counted in. `fields`: `progressive`, `tt` or `bb`, `mixed` when frames differ. `container_fields`: the container's
    own word. `stream_color`: what the file as a whole says, `frame_color`: what its decoded frames say. `longest_gop`: frames
    from one key frame to the next. `others`: further streams.
    """

    path: Path
    container: str
    codec: str
    profile: str
    tag: str
    pixel_format: str
    width: int
    height: int
    turns: int
    cropping: tuple[str, ...]
    aspect: Fraction
    times: tuple[Fraction, ...]
    tick: Fraction
    rate: Fraction
    average_rate: Fraction | None
    end: Fraction | None
    fields: str
    container_fields: str | None
    timecodes: frozenset[str]
    reels: frozenset[str]
    stream_color: Color
    frame_color: Color
    picture_types: frozenset[str]
    longest_gop: int
    sounds: tuple[Sound, ...]
    others: tuple[str, ...]
    tags: Mapping[str, str]


def look(path: Path) -> Look:
    """Decode all of `path` and say what is in it. The picture is the first video stream that is no cover."""
    document = _ffprobe(path)
    streams = document["streams"]
    picture = next(s for s in streams if s["codec_type"] == "video" and not s["disposition"]["attached_pic"])
    frames = [f for f in document["frames"] if f.get("stream_index") == picture["index"]]
    tick = Fraction(picture["time_base"])
    turns = _turns(picture)
    pixel = _ratio(picture.get("sample_aspect_ratio")) or Fraction(1)
    aspect = pixel * picture["width"] / picture["height"]
    tagged = [_tags(holder) for holder in (document["format"], *streams)]
    return Look(
        path=path,
        container=document["format"]["format_name"],
        codec=picture["codec_name"],
        profile=picture.get("profile", ""),
        tag=picture.get("codec_tag_string", ""),
        pixel_format=picture["pix_fmt"],
        width=picture["width"],
        height=picture["height"],
        turns=turns,
        cropping=_cropping(picture),
        aspect=1 / aspect if turns % 2 else aspect,
        times=tuple(int(f["pts"]) * tick for f in frames if "pts" in f),
        tick=tick,
        rate=Fraction(picture["r_frame_rate"]),
        average_rate=_ratio(picture["avg_frame_rate"]),
        end=(int(picture.get("start_pts", 0)) + int(picture["duration_ts"])) * tick if "duration_ts" in picture else None,
        fields=_fields(frames),
        container_fields=_said(picture.get("field_order")),
        timecodes=frozenset(tags["timecode"] for tags in tagged if "timecode" in tags),
        reels=frozenset(tags["reel_name"] for tags in tagged if "reel_name" in tags),
        stream_color=_color(picture),
        frame_color=_color(frames[0]) if frames else Color(None, None, None, None),
        picture_types=frozenset(f["pict_type"] for f in frames),
        longest_gop=_longest_gop([bool(f["key_frame"]) for f in frames]),
        sounds=tuple(_sound(s, document["frames"]) for s in streams if s["codec_type"] == "audio"),
        others=tuple(
            s.get("codec_tag_string", s["codec_type"]) for s in streams if s is not picture and s["codec_type"] != "audio"
        ),
        tags={key: value for tags in tagged for key, value in tags.items()},
    )


def complaints(path: Path) -> str:
    """What FFmpeg complains about when it decodes all of `path`; empty for a sound file."""
    done = subprocess.run(
        [
            "ffmpeg", "-nostdin", "-v", "error", "-i", path, "-map", "0:V", "-map", "0:a?",
            # Frames as they come: otherwise the null muxer complains about variable rates.
            "-fps_mode", "passthrough", "-enc_time_base:v", FLICK, "-f", "null", "-",
        ],
        check=False, capture_output=True, text=True, errors="replace",
    )  # fmt: skip
    return done.stderr.strip() or ("" if done.returncode == 0 else f"exit code {done.returncode}")


def _ffprobe(path: Path) -> dict[str, Any]:
    done = subprocess.run(
        [
            "ffprobe", "-v", "quiet", "-of", "json", "-probesize", "100M", "-analyzeduration", "60M",
            "-show_format", "-show_streams", "-show_frames", "-show_entries", f"frame={_FRAMES},{_COLOR}", "-i", path,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _tags(holder: Mapping[str, Any]) -> dict[str, str]:
    return {key.lower(): value for key, value in holder.get("tags", {}).items()}


def _said(value: str | None) -> str | None:
    return None if value in _NOT_SAID else value


def _ratio(text: str | None) -> Fraction | None:
    if text is None:
        return None
    above, _, below = text.replace(":", "/").partition("/")
    return Fraction(int(above), int(below)) if int(below or 1) and int(above) else None


def _color(section: Mapping[str, Any]) -> Color:
    values = (_said(section.get(key)) for key in _COLOR.split(","))
    return Color(*values)


def _turns(picture: Mapping[str, Any]) -> int:
    """From the counter-clockwise degrees that ffprobe prints."""
    degrees = next((int(d["rotation"]) for d in picture.get("side_data_list", ()) if "rotation" in d), 0)
    assert degrees % 90 == 0
    return -degrees // 90 % 4


def _cropping(picture: Mapping[str, Any]) -> tuple[str, ...]:
    """What keeps an FFmpeg that tells of a container's clean aperture from showing that part alone."""
    kinds = {data.get("side_data_type") for data in picture.get("side_data_list", ())}
    return ("-apply_cropping:v", "codec") if "Frame Cropping" in kinds else ()


def _fields(frames: list[dict[str, Any]]) -> str:
    kinds = {("tt" if f["top_field_first"] else "bb") if f["interlaced_frame"] else "progressive" for f in frames}
    return kinds.pop() if len(kinds) == 1 else "mixed"


def _longest_gop(keys: list[bool]) -> int:
    longest = length = 0
    for key in keys:
        length = 1 if key else length + 1
        longest = max(longest, length)
    return longest


def _sound(stream: Mapping[str, Any], frames: list[dict[str, Any]]) -> Sound:
    mine = [f for f in frames if f.get("stream_index") == stream["index"]]
    rate = int(stream["sample_rate"])
    tick = Fraction(stream["time_base"])
    times = [int(f["pts"]) for f in mine if "pts" in f]
    holes = tuple(_holes(mine, tick, rate))
    return Sound(
        codec=stream["codec_name"],
        channels=stream["channels"],
        layout=stream.get("channel_layout"),
        rate=rate,
        seconds=Fraction(sum(int(f["nb_samples"]) for f in mine), rate) + sum(length for _, length in holes),
        start=min(times) * tick if times else None,
        holes=holes,
    )


def _holes(frames: list[dict[str, Any]], tick: Fraction, rate: int) -> Iterator[tuple[Fraction, Fraction]]:
    """Where a frame's time is later than the end of the frame before it, by more than a container's rounding."""
    decoded, end = Fraction(0), None
    for frame in frames:
        length = Fraction(int(frame["nb_samples"]), rate)
        start = int(frame["pts"]) * tick if "pts" in frame else end
        if start is not None and end is not None and start - end > _ROUNDING:
            yield decoded, start - end
        decoded += length
        end = None if start is None else start + length
