"""Bare DV: nothing but frames of one size, so the file's size gives their number, and whether the last one is complete."""

from fractions import Fraction

from proxx_worker.media.facts import VideoFacts

_BYTES = {480: (120_000, 120_000), 576: (144_000, 144_000), 720: (288_000, 240_000), 1080: (576_000, 480_000)}
"""A frame's bytes by its lines: of 25 or 50 frames a second, and of NTSC's rates (IEC 61834-2, SMPTE 314M and 370M; the table of
FFmpeg's libavcodec/dv_profile.c). DV50 takes twice as many."""


def whole_frames(video: VideoFacts, size: int | None) -> int | None:
    """How many whole frames a file of `size` bytes holds; None if the size of a frame is not known.

    FFmpeg only estimates: its count rounds to the nearest frame, and from 9 on it is a fraction.
    """
    sizes = _BYTES.get(video.height)
    if sizes is None or size is None:
        return None
    of_50, of_ntsc = sizes
    frame = of_50 if video.rate in {Fraction(25), Fraction(50)} else of_ntsc
    if video.height in {480, 576} and video.pixel_format == "yuv422p":
        frame *= 2
    return size // frame
