"""Which sizes of frame each codec's encoder takes, and the refusal of all others before anything is encoded.

Measured with FFmpeg 5.1 and 9.0, on both sides of each limit; where versions differ, the closer one counts (SVT-AV1 of 9.0 takes
less than 64 pixels). libvpx could do 65536, but distributions build it for 16384. ProRes and H.265 go as far as MOV and MP4 do.
FFmpeg writes DNxHR of any height, but reads no more than 512 rows of blocks. DNxHD has formats in place of sizes (see
video_codecs.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.output_settings import Codec
from proxx_worker.planning.geometry import Geometry
from proxx_worker.planning.remedies import H264, PRORES


@dataclass(frozen=True, slots=True)
class FrameSizes:
    """The least and the most pixels that a frame may have, in width and height."""

    least: tuple[int, int]
    most: tuple[int, int]

    def too_small(self, geometry: Geometry) -> bool:
        """Whether a side has too few pixels."""
        return geometry.width < self.least[0] or geometry.height < self.least[1]

    def too_large(self, geometry: Geometry) -> bool:
        """Whether a side has too many pixels."""
        return geometry.width > self.most[0] or geometry.height > self.most[1]


_WIDEST = (65534, 65534)
_ANY = FrameSizes((2, 2), _WIDEST)
_HEVC = FrameSizes((16, 16), _WIDEST)

FRAME_SIZES: Mapping[Codec, FrameSizes] = {
    Codec.PRORES_PROXY: _ANY,
    Codec.PRORES_LT: _ANY,
    Codec.PRORES_STANDARD: _ANY,
    Codec.PRORES_HQ: _ANY,
    Codec.PRORES_4444: _ANY,
    Codec.H264: FrameSizes((2, 2), (16384, 16384)),
    Codec.H265: _HEVC,
    Codec.HEVC: _HEVC,
    Codec.DNXHR: FrameSizes((256, 120), (65534, 8192)),
    Codec.VP9: FrameSizes((2, 2), (16384, 16384)),
    Codec.AV1: FrameSizes((64, 64), (16384, 8704)),
}

_OTHERS: Mapping[Codec, str] = {
    Codec.H264: H264,
    Codec.PRORES_PROXY: PRORES,
}
"""What is suggested in place of a codec: those that keep fields, too, so that each of them takes the source."""


def require_size(codec: Codec, geometry: Geometry) -> None:
    """Raise `SOURCE_UNSUPPORTED` if the codec's encoder takes no frames of this size, with what would."""
    if codec not in FRAME_SIZES or takes(codec, geometry):
        return
    sizes = FRAME_SIZES[codec]
    least, most = ("{}x{}".format(*size) for size in (sizes.least, sizes.most))
    limit, remedy = (f"at least {least}", "larger") if sizes.too_small(geometry) else (f"at most {most}", "smaller")
    other = next((f", or {name}, which takes this size" for other, name in _OTHERS.items() if takes(other, geometry)), "")
    raise ProxxError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"{codec} needs {limit} pixels, but this proxy would have {geometry.width}x{geometry.height}: "
        f"choose a {remedy} resolution{other}",
        width=geometry.width,
        height=geometry.height,
    )


def takes(codec: Codec, geometry: Geometry) -> bool:
    """Whether the codec's encoder takes frames of this size."""
    sizes = FRAME_SIZES[codec]
    return not (sizes.too_small(geometry) or sizes.too_large(geometry))
