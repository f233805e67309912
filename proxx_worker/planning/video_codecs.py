"""What each codec can carry, and the encoder options that make it: the one table behind every plan.

The choices and their measurements are in docs/decisions/0010-encoder-settings.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, TypeAlias, assert_never

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.output_settings import Codec, Container, DnxhrLevel, OutputSettings
from proxx_worker.contract.values import rate_as_number
from proxx_worker.media.facts import ColorFacts, VideoFacts
from proxx_worker.planning import vc3
from proxx_worker.planning.color_tags import EVERYTHING, PRORES, VP9, X264_X265, TagSupport
from proxx_worker.planning.frame_sizes import require_size, takes
from proxx_worker.planning.geometry import Geometry
from proxx_worker.planning.remedies import ANY_SOURCE, outside_mxf, with_fields

X264_THREADS = "4"
"""Fixed, because libx264's output depends on it."""

_GOP = ("-g", "12", "-bf", "0")


_WITH_ALPHA = "yuva444p10le"


@dataclass(frozen=True, slots=True)
class VideoEncoder:
    """One codec's encoder for one clip.

    `codec`, `profile`: as ffprobe names them (`profile` None: not compared). `options`: from `-c:v` on. `tag_support`: which
    colour tags the bitstream can carry. `carries_full_range`: it can signal full range. `matrices`: the only ones that it can
    signal, the usual one first; empty if it can leave the matrix unspecified. `container_tag`: the sample entry's four-character
    code, None if the container has none. `packet_filters`: for `-bsf:v`.
    """

    codec: str
    profile: str | None
    pixel_format: str
    options: tuple[str, ...]
    tag_support: TagSupport
    carries_full_range: bool = False
    matrices: tuple[str, ...] = ()
    container_tag: str | None = None
    packet_filters: tuple[str, ...] = ()

    @property
    def keeps_alpha(self) -> bool:
        """Whether the proxy has the source's alpha."""
        return self.pixel_format == _WITH_ALPHA


_ProRes: TypeAlias = Literal[Codec.PRORES_PROXY, Codec.PRORES_LT, Codec.PRORES_STANDARD, Codec.PRORES_HQ, Codec.PRORES_4444]
_WithoutFields: TypeAlias = Literal[Codec.DNXHR, Codec.H265, Codec.HEVC, Codec.VP9, Codec.AV1]

_PRORES: Mapping[_ProRes, tuple[str, str]] = {
    Codec.PRORES_PROXY: ("0", "Proxy"),
    Codec.PRORES_LT: ("1", "LT"),
    Codec.PRORES_STANDARD: ("2", "Standard"),
    Codec.PRORES_HQ: ("3", "HQ"),
    Codec.PRORES_4444: ("4", "4444"),
}
_DNXHR: Mapping[DnxhrLevel, tuple[str, str]] = {
    DnxhrLevel.LB: ("dnxhr_lb", "DNXHR LB"),
    DnxhrLevel.SQ: ("dnxhr_sq", "DNXHR SQ"),
    DnxhrLevel.HQ: ("dnxhr_hq", "DNXHR HQ"),
}
_DEEP = 8
_BLOCK = 16

_R23, _R29, _R59 = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)

# (width, height, interlaced) -> {rate: Mb/s}: the 8-bit rates near 120-220 Mb/s in Avid's DNxHD table, the middle of each
# raster's choices. FFmpeg has no compression id for anything else.
_DNXHD_RATES: Mapping[tuple[int, int, bool], Mapping[Fraction, int]] = {
    (1920, 1080, False): {
        _R23: 115, Fraction(24): 115, Fraction(25): 120, _R29: 145, Fraction(30): 145,
        Fraction(50): 240, _R59: 290, Fraction(60): 290,
    },
    (1920, 1080, True): {Fraction(25): 120, _R29: 145, Fraction(30): 145},
    (1280, 720, False): {
        _R23: 60, Fraction(24): 60, Fraction(25): 60, _R29: 75, Fraction(30): 75,
        Fraction(50): 120, _R59: 145, Fraction(60): 145,
    },
}  # fmt: skip


def height_multiple(codec: Codec, *, interlaced: bool) -> int:
    """What the proxy's height must be a multiple of.

    A 4:2:0 field has one line of chroma for every two of luma, so an interlaced frame has a multiple of four lines. libx264 in
    FFmpeg 5.1.9 writes beyond its buffer for 270.
    """
    return 4 if interlaced and codec is Codec.H264 else 2


def choose_encoder(settings: OutputSettings, geometry: Geometry, rate: Fraction | None, video: VideoFacts) -> VideoEncoder:
    """The encoder for a proxy of `video` as `geometry` at `rate` (None: variable).

    Raises `SOURCE_UNSUPPORTED` with the codec's own reason if it cannot make a faithful one.
    """
    require_size(settings.codec, geometry)
    match settings.codec:
        case (Codec.PRORES_PROXY | Codec.PRORES_LT | Codec.PRORES_STANDARD | Codec.PRORES_HQ | Codec.PRORES_4444) as codec:
            return _prores(codec, geometry, video)
        case Codec.DNXHD:
            return _dnxhd(settings, geometry, rate, interlaced=video.interlaced)
        case Codec.H264:
            return _h264(settings.container, video)
        case (Codec.DNXHR | Codec.H265 | Codec.HEVC | Codec.VP9 | Codec.AV1) as codec:
            return _without_fields(codec, settings, video)
        case codec:
            assert_never(codec)


def _without_fields(codec: _WithoutFields, settings: OutputSettings, video: VideoFacts) -> VideoEncoder:
    """The codecs that do not support interlaced video, or whose encoder does not."""
    if video.interlaced:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"the source is interlaced and {codec} cannot keep its fields: {with_fields(settings)}",
            codec=codec.value,
        )
    deep = video.bit_depth > _DEEP
    match codec:
        case Codec.DNXHR:
            return _dnxhr(settings.dnxhr_level or DnxhrLevel.HQ)
        case Codec.VP9:
            return _vp9(deep=deep)
        case Codec.AV1:
            return _av1(video.color, deep=deep)
        case Codec.H265 | Codec.HEVC:
            return _hevc(settings.container, video.color, deep=deep)
        case _:
            assert_never(codec)


def _ildct(*, interlaced: bool) -> tuple[str, ...]:
    return ("-flags:v", "+bitexact+ildct") if interlaced else ("-flags:v", "+bitexact")


def _prores(codec: _ProRes, geometry: Geometry, video: VideoFacts) -> VideoEncoder:
    number, name = _PRORES[codec]
    full_chroma = codec is Codec.PRORES_4444
    keeps_alpha = full_chroma and video.has_alpha
    # The fast encoder reads past the end of a field of 8 odd lines (720, 240): it crashes. It cuts alpha to 8 bits.
    slow = keeps_alpha or (video.interlaced and geometry.height % (2 * _BLOCK) == _BLOCK)
    pixel_format = _WITH_ALPHA if keeps_alpha else "yuv444p10le" if full_chroma else "yuv422p10le"
    alpha = ("-alpha_bits", "16") if keeps_alpha else ()
    options = ("-c:v", "prores_ks" if slow else "prores_aw", "-profile:v", number, *alpha, *_ildct(interlaced=video.interlaced))
    return VideoEncoder("prores", name, pixel_format, options, PRORES)


def dnxhd_rates(geometry: Geometry, *, interlaced: bool) -> Mapping[Fraction, int]:
    """The rates that DNxHD has for a picture, with the Mb/s of each; empty if it has no such picture."""
    return _DNXHD_RATES.get((geometry.width, geometry.height, interlaced), {})


def _dnxhd(settings: OutputSettings, geometry: Geometry, rate: Fraction | None, *, interlaced: bool) -> VideoEncoder:
    rates = dnxhd_rates(geometry, interlaced=interlaced)
    megabits = rates.get(rate) if rate is not None else None
    if megabits is None:
        kind = "interlaced" if interlaced else "progressive"
        speed = "a variable rate" if rate is None else f"{rate} frames per second"
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"DNxHD has no format for {geometry.width}x{geometry.height} {kind} at {speed}: it supports 1920x1080 and 1280x720 "
            f"at broadcast rates only; {_instead_of_dnxhd(settings, geometry, interlaced=interlaced)}",
            width=geometry.width,
            height=geometry.height,
            rate=None if rate is None else str(rate),
            interlaced=interlaced,
        )
    options = ("-c:v", "dnxhd", "-profile:v", "dnxhd", "-b:v", f"{megabits}M", *_ildct(interlaced=interlaced))
    return VideoEncoder("dnxhd", "DNXHD", "yuv422p", options, EVERYTHING, matrices=("bt709",))


def _instead_of_dnxhd(settings: OutputSettings, geometry: Geometry, *, interlaced: bool) -> str:
    if interlaced:
        return with_fields(settings)
    if not takes(Codec.DNXHR, geometry):
        return f"choose {ANY_SOURCE}"
    numbers = [rate_as_number(rate) for rate in sorted(dnxhd_rates(geometry, interlaced=False))]
    ask = f', or ask for fps_mode "explicit" with {", ".join(map(str, numbers))}' if numbers else ""
    return outside_mxf(interlaced=False) + ask


def _dnxhr(level: DnxhrLevel) -> VideoEncoder:
    option, name = _DNXHR[level]
    options = ("-c:v", "dnxhd", "-profile:v", option, *_ildct(interlaced=False))
    return VideoEncoder("dnxhd", name, "yuv422p", options, EVERYTHING, matrices=("bt709", vc3.MATRIX))


def _h264(container: Container, video: VideoFacts) -> VideoEncoder:
    hdr = _static_hdr(video.color, "mastering-display", "cll")
    # FFmpeg tells libx264 the field order with the first frame, when its threads already hold three: these would have top first.
    fields = ("bff=1",) if video.interlaced and not video.top_field_first else ()
    options = (
        "-c:v", "libx264", "-preset", "superfast", "-tune", "fastdecode", "-qp", "24", *_GOP, "-threads:v", X264_THREADS,
        "-x264-params", ":".join(("cpu-independent=1", *fields, *hdr)),
        "-flags:v", "+bitexact+ildct+ilme" if video.interlaced else "+bitexact",
    )  # fmt: skip
    tag = None if container is Container.MKV else "avc1"
    # With a constant quantizer, frames depend on nothing outside their GOP. x264's note about itself in the first packet is
    # removed, so that segments of a clip have the same bytes as the whole. Interlaced video and HDR use the same kind of unit
    # for their own metadata: there it stays.
    plain = () if video.interlaced or hdr else ("filter_units=remove_types=6",)
    return VideoEncoder(
        "h264", None, "yuv420p", options, X264_X265, carries_full_range=True, container_tag=tag, packet_filters=plain
    )


def _hevc(container: Container, color: ColorFacts, *, deep: bool) -> VideoEncoder:
    hdr = _static_hdr(color, "master-display", "max-cll")
    # subme: at ultrafast's own 0 motion is searched in whole pixels, for up to a quarter more bits.
    # Pools and frame threads are fixed, because the output depends on them; info=0 keeps the build's name out of it.
    params = ":".join(("subme=1:pools=4:frame-threads=1:info=0:log-level=warning", *hdr))
    tag = None if container is Container.MKV else "hvc1"
    options = (
        "-c:v", "libx265", "-preset", "ultrafast", "-tune", "fastdecode", "-crf", "23", *_GOP, "-x265-params", params,
        *_ildct(interlaced=False), *(() if tag is None else ("-tag:v", tag)),
    )  # fmt: skip
    profile, pixel_format = ("Main 10", "yuv420p10le") if deep else ("Main", "yuv420p")
    return VideoEncoder("hevc", profile, pixel_format, options, X264_X265, carries_full_range=True, container_tag=tag)


def _vp9(*, deep: bool) -> VideoEncoder:
    options = (
        "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "7", "-crf", "28", "-b:v", "0", "-g", "12",
        "-lag-in-frames", "0", "-auto-alt-ref", "0", "-row-mt", "0", "-tile-columns", "2", "-threads:v", "4",
        *_ildct(interlaced=False),
    )  # fmt: skip
    profile, pixel_format = ("Profile 2", "yuv420p10le") if deep else ("Profile 0", "yuv420p")
    return VideoEncoder("vp9", profile, pixel_format, options, VP9, carries_full_range=True)


def _av1(color: ColorFacts, *, deep: bool) -> VideoEncoder:
    params = ":".join(("lp=2", *_static_hdr(_in_units(color), "mastering-display", "content-light")))
    options = (
        "-c:v", "libsvtav1", "-preset", "10", "-crf", "30", "-g", "12", "-svtav1-params", params, *_ildct(interlaced=False)
    )  # fmt: skip
    return VideoEncoder("av1", "Main", "yuv420p10le" if deep else "yuv420p", options, EVERYTHING, carries_full_range=True)


def _static_hdr(color: ColorFacts, mastering: str, light: str) -> tuple[str, ...]:
    """The source's static HDR metadata as parameters with these names, if it has any."""
    pairs = ((mastering, color.mastering_display), (light, color.content_light))
    return tuple(f"{name}={value}" for name, value in pairs if value is not None)


def _in_units(color: ColorFacts) -> ColorFacts:
    """The same with plain numbers, as SVT-AV1 reads them: chromaticities of 1, luminance in cd/m2."""
    if color.mastering_display is None:
        return color

    def plain(match: re.Match[str]) -> str:
        unit = 10_000 if match[1] == "L" else 50_000
        return f"{match[1]}({int(match[2]) / unit:.5f},{int(match[3]) / unit:.5f})"

    return replace(color, mastering_display=re.sub(r"(G|B|R|WP|L)\((\d+),(\d+)\)", plain, color.mastering_display))
