"""The settings of a proxy: a profile and an explicit spec both resolve to one `OutputSettings`."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class Codec(StrEnum):
    """The codecs that a JobSpec can name. `h265` and `hevc` are one codec under two names."""

    PRORES_PROXY = "prores_proxy"
    PRORES_LT = "prores_lt"
    PRORES_STANDARD = "prores_standard"
    PRORES_HQ = "prores_hq"
    PRORES_4444 = "prores_4444"
    H264 = "h264"
    H265 = "h265"
    HEVC = "hevc"
    DNXHD = "dnxhd"
    DNXHR = "dnxhr"
    VP9 = "vp9"
    AV1 = "av1"


class Container(StrEnum):
    """The containers that a JobSpec can name; the value is the file name's extension."""

    MOV = "mov"
    MP4 = "mp4"
    MKV = "mkv"
    MXF = "mxf"
    WEBM = "webm"


class Engine(StrEnum):
    """The engine that encodes."""

    FFMPEG = "ffmpeg"
    RESOLVE = "resolve"


class DnxhrLevel(StrEnum):
    """DNxHR quality levels; an explicit `dnxhr` is HQ, a profile has its own."""

    LB = "lb"
    SQ = "sq"
    HQ = "hq"


class FpsMode(StrEnum):
    """Keep every frame's time, or convert to an explicit rate."""

    SAME_AS_SOURCE = "same-as-source"
    EXPLICIT = "explicit"


class ScaleMode(StrEnum):
    """How the proxy's frame size follows from the source's."""

    SAME = "same"
    HALF = "half"
    QUARTER = "quarter"
    FIT = "fit"


@dataclass(frozen=True, slots=True)
class Resolution:
    """`same`, `half`, `quarter`, or `fit` inside `width` x `height` pixels (both set only for `fit`)."""

    mode: ScaleMode
    width: int | None = None
    height: int | None = None

    def __str__(self) -> str:
        """As a JobSpec writes it: `half`, `1280x720`."""
        return self.mode.value if self.mode is not ScaleMode.FIT else f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """The complete settings of one job's outputs. `fps` is exact (30000/1001) and set only with `explicit`."""

    codec: Codec
    container: Container
    resolution: Resolution
    fps_mode: FpsMode = FpsMode.SAME_AS_SOURCE
    fps: Fraction | None = None
    dnxhr_level: DnxhrLevel | None = None
