"""The size and pixel aspect of a proxy: even sides, an exact display aspect, nothing enlarged.

All sizes are in pixels, all aspects exact rationals. Sizes are those of the frame as displayed, that is after rotation.
"""

from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.output_settings import Resolution, ScaleMode
from proxx_worker.media.facts import VideoFacts

_DIVISORS = {ScaleMode.SAME: 1, ScaleMode.HALF: 2, ScaleMode.QUARTER: 4}
_QUARTER_TURNS = (90, 270)
_LARGEST_TERM = 4096


@dataclass(frozen=True, slots=True)
class Geometry:
    """A frame's size in pixels and its sample aspect (pixel width / height)."""

    width: int
    height: int
    sample_aspect: Fraction

    @property
    def display_aspect(self) -> Fraction:
        """Width / height as displayed."""
        return self.sample_aspect * self.width / self.height


def upright(video: VideoFacts) -> Geometry:
    """The source's geometry after rotation: a quarter turn swaps the sides and inverts the pixel aspect."""
    if video.rotation in _QUARTER_TURNS:
        return Geometry(video.height, video.width, 1 / video.sample_aspect)
    return Geometry(video.width, video.height, video.sample_aspect)


def plan_geometry(source: Geometry, resolution: Resolution, height_multiple: int = 2) -> Geometry:
    """The proxy's geometry for an upright `source`.

    `same`, `half`, `quarter` divide each side and round down to even, the height to a multiple of `height_multiple`; the pixel
    aspect compensates for the rounding, so that the display aspect stays exact. `fit` gives the largest such size inside the box
    with square pixels, never larger than the source is displayed. Raises `SOURCE_UNSUPPORTED` if a side would have no pixels
    left, or would be displayed as less than one, or if the pixel aspect cannot be stored.
    """
    if resolution.mode is ScaleMode.FIT:
        return _fit(source, resolution, height_multiple)
    divisor = _DIVISORS[resolution.mode]
    width = _rounded(Fraction(source.width, divisor), 2, source, resolution)
    height = _rounded(Fraction(source.height, divisor), height_multiple, source, resolution)
    planned = Geometry(width, height, storable_aspect(source.display_aspect * height / width))
    _check_displayed(planned)
    return planned


def storable_aspect(aspect: Fraction) -> Fraction:
    """`aspect` itself if its terms are at most 4096, which libx264 and every container keep; else the nearest such fraction.

    For nearly square pixels the error is at most half a pixel in a frame 4096 wide. Raises `SOURCE_UNSUPPORTED` for an aspect
    beyond 4096:1, which no camera writes but a broken file may contain: there is no such fraction.
    """
    if not Fraction(1, _LARGEST_TERM) <= aspect <= _LARGEST_TERM:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"a pixel aspect must lie between 1:{_LARGEST_TERM} and {_LARGEST_TERM}:1, but this proxy's would be "
            f"{aspect.numerator}:{aspect.denominator}: the source's own is probably wrong; correct it, then submit again",
            sample_aspect=str(aspect),
        )
    if aspect > 1:
        return 1 / (1 / aspect).limit_denominator(_LARGEST_TERM)
    return aspect.limit_denominator(_LARGEST_TERM)


def _check_displayed(geometry: Geometry) -> None:
    """Raise if a side would be displayed as less than one pixel, while the other keeps its own.

    FFmpeg takes such an aspect for none (`av_image_check_sar`): in MOV and MP4 from 5.1 on, in Matroska and WebM from 9.0 on.
    """
    aspect = geometry.sample_aspect
    if min(geometry.width * aspect, geometry.height / aspect) >= 1:
        return
    raise ProxxError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"a picture must be displayed as at least one pixel wide and high, but with its pixel aspect {aspect.numerator}:"
        f"{aspect.denominator} this proxy's {geometry.width}x{geometry.height} would not: the source's own is probably wrong; "
        "correct it, then submit again",
        sample_aspect=str(aspect),
        width=geometry.width,
        height=geometry.height,
    )


def _fit(source: Geometry, resolution: Resolution, height_multiple: int) -> Geometry:
    # A player shows a frame `height` lines high, and as wide as its pixel aspect says.
    shown_width = source.width * source.sample_aspect
    if resolution.width is None or resolution.height is None:
        raise ValueError("a box needs both its sides")
    scale = min(Fraction(1), resolution.width / shown_width, Fraction(resolution.height, source.height))
    width = _rounded(shown_width * scale, 2, source, resolution)
    return Geometry(width, _rounded(source.height * scale, height_multiple, source, resolution), Fraction(1))


def _rounded(length: Fraction, multiple: int, source: Geometry, resolution: Resolution) -> int:
    rounded = int(length) // multiple * multiple
    if rounded == 0:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"{source.width}x{source.height} pixels leave no even size for resolution {resolution}: "
            "choose a larger resolution, or leave this clip without a proxy",
            width=source.width,
            height=source.height,
            resolution=str(resolution),
        )
    return rounded
