"""Colour: which tags a proxy carries, and which conversion makes them true.

Tags are copied, never guessed: what the source leaves unspecified stays unspecified. Only three conversions exist. RGB becomes
Y'CbCr with a named matrix. Full range becomes limited for codecs that cannot signal it (ProRes, DNxHD, DNxHR): editors read them
as limited. Matrices become BT.709 for DNxHD and DNxHR, because FFmpeg's encoder writes BT.709 into every frame header whatever
the container says; BT.2020's stays in DNxHR, whose headers are corrected (see vc3.py). HDR stays as it is: transfer and primaries
are tags of the same code values, in 8 bits too, and never tone-mapped.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.output_settings import Container
from proxx_worker.media.facts import VideoFacts
from proxx_worker.media.pixel_formats import PixelFormat, pixel_format
from proxx_worker.planning.color_tags import Tags, nameless, of_bitstream, option_name, representable
from proxx_worker.planning.containers import QUICKTIME
from proxx_worker.planning.remedies import ANY_SOURCE
from proxx_worker.planning.video_codecs import VideoEncoder

_FULL = "pc"
_LIMITED = "tv"
_SD_WIDTH, _SD_HEIGHT = 1024, 576
_RGB_MATRIX = "gbr"
_WIDE = "bt2020nc"
_PARTLY = (1, 2)

MATRIX_FILTER_NAMES: Mapping[str, str] = {
    "bt709": "bt709",
    "fcc": "fcc",
    "bt470bg": "bt470bg",
    "smpte170m": "smpte170m",
    "smpte240m": "smpte240m",
    "bt2020nc": "bt2020",
}
"""Matrix tags under the names of the colormatrix filter, which converts 8-bit Y'CbCr with plain integer arithmetic."""

_SCALED = frozenset({*MATRIX_FILTER_NAMES, _RGB_MATRIX})
"""Matrices that the scaler of FFmpeg 7.1 and later takes. Frames of any other must not say theirs to it: it converts none."""


@dataclass(frozen=True, slots=True)
class ColorPlan:
    """The proxy's tags and the scaler's part in making them true.

    `range`: `tv`, `pc` or None. `tags`: the container's; None for what the source leaves unspecified or nothing can carry.
    `frames`: those that the bitstream can carry. `scale_options`: `in_range=...` and the like for the scale filter. `filters`:
    those after it, `before_scaling`: those before it. `asks_for_colr`: whether to ask for QuickTime's `colr`.
    """

    range: str | None
    tags: Tags
    frames: Tags
    scale_options: tuple[str, ...]
    filters: tuple[str, ...]
    asks_for_colr: bool = False
    before_scaling: tuple[str, ...] = ()

    def parameters(self) -> str:
        """For the `setparams` filter, which puts the tags on every frame and thereby into the bitstream.

        Also those that only the container can carry (see `hidden`): from 7.1 on FFmpeg takes primaries and transfer from the
        first frame, whatever the options say, and fails, or would scale, where a frame has another matrix.
        """
        return (
            f"range={self.range or 'unknown'}:color_primaries={self.frames.primaries or self.tags.primaries or 'unknown'}:"
            f"color_trc={self.frames.transfer or self.tags.transfer or 'unknown'}:colorspace={self._matrix or 'unknown'}"
        )

    def options(self) -> tuple[str, ...]:
        """The encoder's options, which reach the container; only what is known is set."""
        named = (
            ("-color_primaries:v", "primaries", self.tags.primaries),
            ("-color_trc:v", "transfer", self.tags.transfer),
            ("-colorspace:v", "matrix", self._matrix),
        )
        said = tuple(word for option, kind, tag in named if tag is not None for word in (option, option_name(kind, tag)))
        return said if self.range is None else ("-color_range:v", self.range, *said)

    @property
    def hidden(self) -> tuple[bool, ...]:
        """Which of primaries, transfer and matrix the container alone can carry."""
        pairs = (
            (self.tags.primaries, self.frames.primaries),
            (self.tags.transfer, self.frames.transfer),
            (self.tags.matrix, self.frames.matrix),
        )
        return tuple(tag is not None and said is None for tag, said in pairs)

    @property
    def _matrix(self) -> str | None:
        """The matrix under the bitstream's name if there is one.

        From 7.1 on FFmpeg's ProRes encoder writes the option's into its frame header, too, and writes RGB for a name that the
        header does not have (bt470bg, which means the same as smpte170m).
        """
        return self.frames.matrix or self.tags.matrix


def plan_color(video: VideoFacts, encoder: VideoEncoder, container: Container) -> ColorPlan:
    """The colour plan, within what `encoder` and `container` can carry.

    Raises `SOURCE_UNSUPPORTED` for X'Y'Z', for an unknown pixel format, and for a matrix that cannot be converted to the
    encoder's only one.
    """
    kind = pixel_format(video.pixel_format)
    if kind is None or kind.chroma == "xyz":
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"pixel format {video.pixel_format} cannot be converted faithfully: convert the clip to ordinary Y'CbCr or RGB first",
            pixel_format=video.pixel_format,
        )
    facts = video.color
    filters: tuple[str, ...] = ()
    if kind.chroma == "rgb":
        wide = facts.primaries == "bt2020" and (not encoder.matrices or _WIDE in encoder.matrices)
        matrix: str | None = _WIDE if wide else "bt709"
        color_range: str | None = _LIMITED
        scale: tuple[str, ...] = ("in_range=pc", "out_range=tv", f"out_color_matrix={'bt2020' if wide else 'bt709'}")
    else:
        full = is_full_range(video, kind)
        keeps_full = full and encoder.carries_full_range
        color_range = _FULL if keeps_full else _LIMITED if full else facts.range
        scale = (f"in_range={'pc' if full else 'tv'}", f"out_range={'pc' if keeps_full else 'tv'}")
        carried = None if facts.matrix == _RGB_MATRIX else facts.matrix
        if carried is None and encoder.matrices and is_standard_definition(video):
            carried = "smpte170m"
        matrix, filters = _matrix(carried, encoder.matrices)
    stated = Tags(matrix, facts.primaries, facts.transfer)
    tags = representable(encoder.tag_support, container, stated)
    frames = of_bitstream(encoder.tag_support, tags)
    cleared = [*nameless(stated), *(() if facts.matrix is None or facts.matrix in _SCALED else ("colorspace=unknown",))]
    before = (f"setparams={':'.join(cleared)}",) if cleared else ()
    return ColorPlan(color_range, tags, frames, scale, filters, _asks_for_colr(encoder, container, tags, frames), before)


def is_full_range(video: VideoFacts, kind: PixelFormat) -> bool:
    """Whether the code values of a Y'CbCr or gray picture are full range."""
    # Gray without a tag: the scaler reads it as full range, so the plan states the same.
    untagged_gray = kind.chroma == "gray" and video.color.range is None
    return video.color.range == _FULL or video.pixel_format.startswith("yuvj") or untagged_gray


def is_standard_definition(video: VideoFacts) -> bool:
    """Whether every player takes an untagged picture of this size for BT.601, and a larger one for BT.709.

    It matters only if a codec cannot leave the matrix unspecified: then BT.709 would be wrong for it.
    """
    return max(video.width, video.height) <= _SD_WIDTH and min(video.width, video.height) <= _SD_HEIGHT


def _matrix(carried: str | None, supported: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """The matrix of the proxy, and the filter that converts to it."""
    if not supported or carried is None or carried in supported:
        return carried, ()
    usual, convertible = supported[0], MATRIX_FILTER_NAMES.get(carried)
    if convertible is None:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"the codec only supports the matrix {' or '.join(supported)}, and the source's {carried} cannot be converted to it: "
            f"choose {ANY_SOURCE}, which keep it",
            matrix=carried,
        )
    return usual, (f"colormatrix={convertible}:{usual}",)


def _asks_for_colr(encoder: VideoEncoder, container: Container, tags: Tags, frames: Tags) -> bool:
    """Whether a tag would be lost unless FFmpeg is asked for QuickTime's `colr`, which it writes unasked for all three tags only.

    DNxHR's bitstream carries only the matrix, which FFmpeg reports as its usual one unless the container says otherwise.
    """
    if container not in QUICKTIME:
        return False
    if encoder.matrices:
        return tags.known() in _PARTLY and tags != Tags(encoder.matrices[0], None, None)
    return frames.known() < tags.known()
