"""How decoded video is oriented on screen: rotation from the display matrix, pixel aspect, fields."""

import re
from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.media.ffprobe_json import Section

_STREAMS_MATRIX, _FRAMES_MATRIX = "Display Matrix", "3x3 displaymatrix"
"""What ffprobe calls a display matrix."""

_MATRIX_ENTRIES = 9
_ENTRY = re.compile(r"-?[0-9]{1,10}")
_SKEW_TOLERANCE = Fraction(1, 1000)
"""How far off the axes a matrix entry may be, relative to the largest: the rounding of 16.16 sines, not a visible tilt."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a decoded frame is displayed: mirrored left to right first, then turned clockwise by `rotation` degrees."""

    rotation: int = 0
    mirrored: bool = False

    def __str__(self) -> str:
        """`90 degrees`, `mirrored and 90 degrees`."""
        return f"{'mirrored and ' if self.mirrored else ''}{self.rotation} degrees"


def orientation_of(stream: Section, frame: Section) -> Orientation:
    """How the video is displayed: as its stream's display matrix says, else as that of its first frame.

    A frame has one by an H.264 or HEVC message or by EXIF in a JPEG, and FFmpeg applies it. From 7.1 on it also gives each frame
    its stream's. Where stream and frame state two, FFmpeg 5.1 applies the frame's and 7.1 the stream's, and 8.0 and 9.0 fail.

    Raises SOURCE_UNSUPPORTED for two that differ, a tilted frame, or a matrix that cannot be read.
    """
    said = [_of_matrix(data) for data in stream.sections("side_data_list") if data.text("side_data_type") == _STREAMS_MATRIX]
    shown = [_of_matrix(data) for data in frame.sections("side_data_list") if data.text("side_data_type") == _FRAMES_MATRIX]
    stated = list(dict.fromkeys((*said, *shown)))
    if len(stated) > 1:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"the container and the pictures state different orientations ({' and '.join(map(str, stated))} clockwise), and "
            "which is right is not known; render the video upright first",
            orientations=[*map(str, stated)],
        )
    return stated[0] if stated else Orientation()


def oriented_by_frames(stream: Section, frame: Section) -> bool:
    """Whether the frame alone says that the video is not displayed as it is stored."""
    return stream.side_data(_STREAMS_MATRIX) is None and orientation_of(stream, frame) != Orientation()


def orientation_note(stream: Section, frame: Section) -> str | None:
    """A sentence for the notes if only the frame states an orientation; else None."""
    if not oriented_by_frames(stream, frame):
        return None
    orientation = orientation_of(stream, frame)
    return f"the pictures state an orientation ({orientation} clockwise), the container none: the first one's is taken"


def _of_matrix(side_data: Section) -> Orientation:
    """One of the eight orientations that a display matrix without tilt can give. FFmpeg's autorotation applies all of them.

    Read from the matrix itself, as ffprobe's `rotation` is cut to whole degrees (-89.99 becomes -89) and cannot tell a mirror.
    The matrix maps a decoded point (x, y) to (a x + c y, b x + d y), its first two lines being `a b .` and `c d .` in 16.16;
    y points down, so b > 0 turns clockwise (an upright phone writes `0 65536 / -65536 0`, which ffprobe calls rotation -90).
    A `rotate` tag is not consulted: FFmpeg does not either, and software that writes one writes the matrix too.
    """
    printed = side_data.values.get("displaymatrix")
    entries = _matrix(printed) if isinstance(printed, str) else None
    if entries is None:
        raise ProxxError(ErrorCode.SOURCE_UNSUPPORTED, "the display matrix cannot be read, so the video's orientation is unknown")
    a, b, c, d = entries
    slack = _SKEW_TOLERANCE * max(abs(a), abs(b), abs(c), abs(d))
    upright = abs(b) <= slack and abs(c) <= slack
    sideways = abs(a) <= slack and abs(d) <= slack
    if upright == sideways or a * d == b * c:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            "the display matrix is not a rotation by a multiple of 90 degrees; render the video upright first",
            display_matrix=[a, b, c, d],
        )
    mirrored = _is_mirrored(a, b, c, d)
    if mirrored:
        a, b = -a, -b  # what remains of the matrix once x has been turned over
    if upright:
        return Orientation(0 if a > 0 else 180, mirrored)
    return Orientation(90 if b > 0 else 270, mirrored)


def field_order_of(stream: Section, frame: Section) -> str | None:
    """`progressive`, `tt`, `bb`, `tb`, `bt`, or None if neither the stream nor its first frame states it.

    If the stream is declared interlaced, that counts. If it is declared progressive or not at all (DNxHD, DV, Matroska), the
    first decoded frame decides, as that is what an encoder gets.
    """
    order = stream.text("field_order")
    if order not in {None, "progressive"} or frame.integer("interlaced_frame") is None:
        return order
    if not frame.flag("interlaced_frame"):
        return "progressive"
    return "tt" if frame.flag("top_field_first") else "bb"


_ORDERS = {
    "progressive": "progressive", "tt": "top field first", "tb": "top field first", "bb": "bottom field first",
    "bt": "bottom field first",
}  # fmt: skip
"""What the declared orders mean: see `VideoFacts.top_field_first`."""


def field_order_note(stream: Section, frame: Section) -> str | None:
    """A sentence for the notes if the stream and its first frame disagree; None if they agree."""
    said, taken = _ORDERS.get(stream.text("field_order") or ""), _ORDERS.get(field_order_of(stream, frame) or "")
    shown = _ORDERS.get(field_order_of(Section({}), frame) or "")
    if said is None or shown is None or said == shown:
        return None
    return f"the container declares {said}, but the first frame is {shown}: taken as {taken}"


def refuse_single_fields(stream: Section, frame: Section) -> None:
    """Raise SOURCE_UNSUPPORTED for HEVC that is coded field by field.

    FFmpeg outputs each field as a frame of half the lines at twice the rate, and flags nothing else in HEVC as interlaced: taken
    for frames, they would be squeezed to half their height. libavcodec/hevc_refs.c, alloc_frame: the flag is set for pic_struct
    top or bottom field alone.
    """
    if stream.text("codec_name") == "hevc" and frame.flag("interlaced_frame"):
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            "the video is field-coded HEVC, whose fields FFmpeg does not combine into frames; deliver it in another codec",
            codec="hevc",
        )


def sample_aspect_of(stream: Section) -> Fraction:
    """Pixel width / height from the file; 1 if it states none (FFmpeg's 0:1). A thin raster without a flag stays thin."""
    return stream.ratio("sample_aspect_ratio") or Fraction(1)


def mirrors(printed: str) -> bool | None:
    """Whether a display matrix, as ffprobe prints it, mirrors the frame; None if it cannot be read.

    ffprobe's `rotation` does not tell: of a frame that is mirrored upside down it is 0.
    """
    entries = _matrix(printed)
    return None if entries is None else _is_mirrored(*entries)


def _is_mirrored(a: int, b: int, c: int, d: int) -> bool:
    return a * d < b * c


def _matrix(printed: str) -> tuple[int, int, int, int] | None:
    r"""a, b, c, d of ffprobe's `\n00000000:  a  b  u\n00000001:  c  d  v\n00000002:  x  y  w\n`."""
    words = [word for line in printed.splitlines() for word in line.partition(":")[2].split()]
    if len(words) != _MATRIX_ENTRIES or not all(_ENTRY.fullmatch(word) for word in words):
        return None
    a, b, _, c, d = (int(word) for word in words[:5])
    return a, b, c, d
