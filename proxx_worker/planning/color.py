"""Colour: which tags a proxy carries, and which conversion makes them true.

Tags are copied, never guessed: what the source leaves unsaid stays unsaid. Only three conversions exist. RGB becomes Y'CbCr with a
named matrix. Full range becomes limited for codecs that have no way to say "full" (ProRes, DNxHD, DNxHR): editors read them as limited.
Any matrix becomes BT.709 for DNxHD and DNxHR, because FFmpeg's encoder says BT.709 in every frame header whatever the container says.
HDR stays what it is: transfer and primaries are tags of the same code values, in 8 bits too, and are never tone-mapped.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.planning.facts import VideoFacts
from proxx_worker.planning.pixel_formats import pixel_format

_FULL = "pc"
_LIMITED = "tv"
_RGB_MATRIX = "gbr"
_WIDE_PRIMARIES = "bt2020"

# Matrix tags under the names of the colormatrix filter, which converts 8-bit Y'CbCr with plain integer arithmetic.
_CONVERTIBLE: Mapping[str, str] = {
    "bt709": "bt709",
    "fcc": "fcc",
    "bt470bg": "bt470bg",
    "smpte170m": "smpte170m",
    "smpte240m": "smpte240m",
    "bt2020nc": "bt2020",
}

# ffprobe prints some values under another name than the options take.
_OPTION_NAMES: Mapping[str, str] = {
    "gamma22": "bt470m",
    "gamma28": "bt470bg",
    "log": "log100",
    "log_sqrt": "log316",
    "iec61966_2_1": "iec61966-2-1",
    "iec61966_2_4": "iec61966-2-4",
    "bt2020_10bit": "bt2020-10",
    "bt2020_12bit": "bt2020-12",
    "bt2020_ncl": "bt2020nc",
    "bt2020_cl": "bt2020c",
    "ycocg": "ycgco",
    "ebu3213": "jedec-p22",
}


@dataclass(frozen=True, slots=True)
class ColorPlan:
    """The proxy's tags (None: the source does not say) and the scaler's part in making them true.

    `scale_options`: `in_range=...` and the like for the scale filter. `filters`: what comes after it.
    """

    range: str | None
    matrix: str | None
    primaries: str | None
    transfer: str | None
    scale_options: tuple[str, ...]
    filters: tuple[str, ...]

    def parameters(self) -> str:
        """For the `setparams` filter, which puts the tags on every frame and thereby into the bitstream."""
        return (
            f"range={self.range or 'unknown'}:color_primaries={_option(self.primaries)}"
            f":color_trc={_option(self.transfer)}:colorspace={_option(self.matrix)}"
        )

    def options(self) -> tuple[str, ...]:
        """The encoder's options, which reach the container; only what is known is said."""
        pairs = (
            ("-color_range:v", self.range),
            ("-color_primaries:v", self.primaries and _option(self.primaries)),
            ("-color_trc:v", self.transfer and _option(self.transfer)),
            ("-colorspace:v", self.matrix and _option(self.matrix)),
        )
        return tuple(word for name, value in pairs if value is not None for word in (name, value))


def plan_color(video: VideoFacts, *, carries_full_range: bool, only_matrix: str | None) -> ColorPlan:
    """The colour plan for a codec that can say "full range" (`carries_full_range`) or cannot, and any matrix or `only_matrix`.

    Raises `SOURCE_UNSUPPORTED` for X'Y'Z', for a pixel format nobody knows, and for a matrix that cannot be converted to `only_matrix`.
    """
    kind = pixel_format(video.pixel_format)
    if kind is None or kind.chroma == "xyz":
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"pixel format {video.pixel_format} cannot be converted faithfully: make an ordinary Y'CbCr or RGB file of it first",
            pixel_format=video.pixel_format,
        )
    tags = video.color
    if kind.chroma == "rgb":
        wide = tags.primaries == _WIDE_PRIMARIES and only_matrix is None
        matrix = "bt2020nc" if wide else "bt709"
        from_rgb = ("in_range=pc", "out_range=tv", f"out_color_matrix={'bt2020' if wide else 'bt709'}")
        return ColorPlan(_LIMITED, matrix, tags.primaries, tags.transfer, from_rgb, ())
    # Gray alone says nothing: the scaler reads it as full range, so the plan says the same out loud.
    full = tags.range == _FULL or video.pixel_format.startswith("yuvj") or (kind.chroma == "gray" and tags.range is None)
    keeps_full = full and carries_full_range
    color_range = _FULL if keeps_full else _LIMITED if full else tags.range
    scale = (f"in_range={'pc' if full else 'tv'}", f"out_range={'pc' if keeps_full else 'tv'}")
    carried = None if tags.matrix == _RGB_MATRIX else tags.matrix
    if only_matrix is None or carried is None or carried == only_matrix:
        return ColorPlan(color_range, carried, tags.primaries, tags.transfer, scale, ())
    convertible = _CONVERTIBLE.get(carried)
    if convertible is None:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"the codec can only say matrix {only_matrix}, and the source's {carried} cannot be converted to it: choose another codec",
            matrix=carried,
        )
    return ColorPlan(
        color_range, only_matrix, tags.primaries, tags.transfer, scale, (f"colormatrix={convertible}:{only_matrix}",)
    )


def _option(value: str | None) -> str:
    return "unknown" if value is None else _OPTION_NAMES.get(value, value)
