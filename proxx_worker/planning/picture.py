"""The size and the pixel aspect of a proxy: even sides, the display aspect exact, nothing enlarged.

All sizes are pixels, all aspects exact rationals. Sizes are of the picture as shown, that is after rotation.
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
class Picture:
    """A picture's size in pixels and its sample aspect (pixel width / height)."""

    width: int
    height: int
    sample_aspect: Fraction

    @property
    def display_aspect(self) -> Fraction:
        """Width / height as it is to be seen."""
        return self.sample_aspect * self.width / self.height


def upright(video: VideoFacts) -> Picture:
    """The source's picture once its rotation has been applied: a quarter turn swaps the sides and inverts the pixel aspect."""
    if video.rotation in _QUARTER_TURNS:
        return Picture(video.height, video.width, 1 / video.sample_aspect)
    return Picture(video.width, video.height, video.sample_aspect)


def plan_picture(source: Picture, resolution: Resolution, height_multiple: int = 2) -> Picture:
    """The proxy's picture for an upright `source`.

    `same`, `half`, `quarter` divide each side and round down to even, the height to a multiple of `height_multiple`; the pixel
    aspect takes up what the rounding changed, so that the display aspect stays exact. `fit` gives the largest such size that is
    inside the box with square pixels, never larger than the source is shown. Raises `SOURCE_UNSUPPORTED` where a side would have
    no pixels left, or where the pixel aspect cannot be stored.
    """
    if resolution.mode is ScaleMode.FIT:
        return _fit(source, resolution, height_multiple)
    divisor = _DIVISORS[resolution.mode]
    width = _rounded(Fraction(source.width, divisor), 2, source, resolution)
    height = _rounded(Fraction(source.height, divisor), height_multiple, source, resolution)
    return Picture(width, height, storable_aspect(source.display_aspect * height / width))


def storable_aspect(aspect: Fraction) -> Fraction:
    """`aspect` itself where its terms are at most 4096, which libx264 and every container keep; else the nearest such fraction.

    For nearly square pixels what remains is at most half a pixel in a picture 4096 wide. Raises `SOURCE_UNSUPPORTED` for one
    beyond 4096:1, which no camera writes and a broken file may: there is no such fraction.
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


def _fit(source: Picture, resolution: Resolution, height_multiple: int) -> Picture:
    # The picture is shown `height` lines high and as wide as its pixel aspect says: what a player makes of it.
    shown_width = source.width * source.sample_aspect
    if resolution.width is None or resolution.height is None:
        raise ValueError("a box needs both its sides")
    scale = min(Fraction(1), resolution.width / shown_width, Fraction(resolution.height, source.height))
    width = _rounded(shown_width * scale, 2, source, resolution)
    return Picture(width, _rounded(source.height * scale, height_multiple, source, resolution), Fraction(1))


def _rounded(length: Fraction, multiple: int, source: Picture, resolution: Resolution) -> int:
    rounded = int(length) // multiple * multiple
    if rounded == 0:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"a picture of {source.width}x{source.height} pixels leaves no even size for resolution {resolution}: "
            "choose a larger resolution, or leave this clip without a proxy",
            width=source.width,
            height=source.height,
            resolution=str(resolution),
        )
    return rounded
