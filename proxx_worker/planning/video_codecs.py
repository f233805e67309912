"""What each codec can carry, and the encoder options that make it: the one table behind every plan.

The choices and their measurements are in docs/decisions/0010-encoder-settings.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.output_settings import Codec, Container, DnxhrLevel, OutputSettings
from proxx_worker.planning.picture import Picture

X264_THREADS = 4
"""Fixed, because libx264's output depends on it."""

_GOP = ("-g", "12", "-bf", "0")


@dataclass(frozen=True, slots=True)
class VideoEncoder:
    """One codec's encoder for one clip.

    `codec`, `profile`: as ffprobe names them (`profile` None: not compared). `options`: from `-c:v` on. `carries_full_range`:
    the bitstream can say that its range is full. `only_matrix`: the one matrix that the bitstream says. `container_tag`: the sample
    entry's four letters, None where the container has none.
    """

    codec: str
    profile: str | None
    pixel_format: str
    options: tuple[str, ...]
    carries_full_range: bool = False
    only_matrix: str | None = None
    container_tag: str | None = None


_PRORES: Mapping[Codec, tuple[str, str]] = {
    Codec.PRORES_PROXY: ("0", "Proxy"),
    Codec.PRORES_LT: ("1", "LT"),
    Codec.PRORES_STANDARD: ("2", "Standard"),
    Codec.PRORES_HQ: ("3", "HQ"),
}
_DNXHR: Mapping[DnxhrLevel, tuple[str, str]] = {
    DnxhrLevel.LB: ("dnxhr_lb", "DNXHR LB"),
    DnxhrLevel.SQ: ("dnxhr_sq", "DNXHR SQ"),
    DnxhrLevel.HQ: ("dnxhr_hq", "DNXHR HQ"),
}
_DEEP = 8

_R23, _R29, _R59 = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)

# (width, height, interlaced) -> {rate: Mb/s}: the 8-bit rates that Avid's DNxHD table gives near 120-220 Mb/s, the middle of each raster's
# choices. FFmpeg has no compression id for anything else.
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


def choose_encoder(
    settings: OutputSettings, picture: Picture, rate: Fraction | None, *, interlaced: bool, bit_depth: int, has_alpha: bool
) -> VideoEncoder:
    """The encoder for a proxy of `picture` at `rate` (None: variable). Raises `SOURCE_UNSUPPORTED` with the codec's own reason."""
    codec = settings.codec
    if codec in _PRORES or codec is Codec.PRORES_4444:
        return _prores(codec, picture, interlaced=interlaced, has_alpha=has_alpha)
    if codec is Codec.DNXHD:
        return _dnxhd(picture, rate, interlaced=interlaced)
    if codec is Codec.H264:
        return _h264(picture, settings.container, interlaced=interlaced)
    if interlaced:
        raise _no_fields(codec)
    if codec is Codec.DNXHR:
        return _dnxhr(settings.dnxhr_level or DnxhrLevel.HQ, picture)
    deep = bit_depth > _DEEP
    lossy = {Codec.VP9: _vp9, Codec.AV1: _av1}.get(codec, _hevc)
    return lossy(settings.container, picture, deep=deep)


def _ildct(*, interlaced: bool) -> tuple[str, ...]:
    return ("-flags:v", "+bitexact+ildct") if interlaced else ("-flags:v", "+bitexact")


def _no_fields(codec: Codec) -> ProxxError:
    return ProxxError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"the source is interlaced and {codec} cannot keep its fields: choose ProRes (or H.264, or DNxHD at 1080i), "
        "or deinterlace the source first",
        codec=codec.value,
    )


def _prores(codec: Codec, picture: Picture, *, interlaced: bool, has_alpha: bool) -> VideoEncoder:
    number, name = _PRORES.get(codec, ("4", "4444"))
    keeps_alpha = codec is Codec.PRORES_4444 and has_alpha
    # The fast encoder reads past the end of a field of 8 odd lines (720, 240): it crashes. It cuts alpha to 8 bits.
    slow = keeps_alpha or (interlaced and picture.height % 32 == 16)
    pixel_format = "yuv422p10le" if codec in _PRORES else "yuva444p10le" if keeps_alpha else "yuv444p10le"
    alpha = ("-alpha_bits", "16") if keeps_alpha else ()
    options = ("-c:v", "prores_ks" if slow else "prores_aw", "-profile:v", number, *alpha, *_ildct(interlaced=interlaced))
    return VideoEncoder("prores", name, pixel_format, options)


def _dnxhd(picture: Picture, rate: Fraction | None, *, interlaced: bool) -> VideoEncoder:
    rates = _DNXHD_RATES.get((picture.width, picture.height, interlaced), {})
    megabits = rates.get(rate) if rate is not None else None
    if megabits is None:
        kind = "interlaced" if interlaced else "progressive"
        speed = "a variable rate" if rate is None else f"{rate} frames per second"
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"DNxHD has no format for {picture.width}x{picture.height} {kind} at {speed}: it knows 1920x1080 and 1280x720 at "
            "broadcast rates only; choose dnxhr, or one of these sizes and rates",
            width=picture.width,
            height=picture.height,
            rate=None if rate is None else str(rate),
            interlaced=interlaced,
        )
    options = ("-c:v", "dnxhd", "-profile:v", "dnxhd", "-b:v", f"{megabits}M", *_ildct(interlaced=interlaced))
    return VideoEncoder("dnxhd", "DNXHD", "yuv422p", options, only_matrix="bt709")


def _dnxhr(level: DnxhrLevel, picture: Picture) -> VideoEncoder:
    if picture.width < 256 or picture.height < 120:  # noqa: PLR2004
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"DNxHR needs at least 256x120 pixels, this proxy would have {picture.width}x{picture.height}: choose a larger resolution",
            width=picture.width,
            height=picture.height,
        )
    option, name = _DNXHR[level]
    options = ("-c:v", "dnxhd", "-profile:v", option, *_ildct(interlaced=False))
    return VideoEncoder("dnxhd", name, "yuv422p", options, only_matrix="bt709")


def _h264(picture: Picture, container: Container, *, interlaced: bool) -> VideoEncoder:
    if interlaced and picture.height % 4:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"the source is interlaced and a proxy of {picture.height} lines cannot keep its fields in H.264 4:2:0, "
            "which needs a multiple of 4: choose another resolution, or ProRes",
            height=picture.height,
        )
    flags = "+bitexact+ildct+ilme" if interlaced else "+bitexact"
    options = (
        "-c:v", "libx264", "-preset", "ultrafast", "-tune", "fastdecode", "-crf", "21", *_GOP, "-threads:v", str(X264_THREADS),
        "-x264-params", "cpu-independent=1", "-flags:v", flags,
    )  # fmt: skip
    tag = None if container is Container.MKV else "avc1"
    return VideoEncoder("h264", None, "yuv420p", options, carries_full_range=True, container_tag=tag)


def _hevc(container: Container, _picture: Picture, *, deep: bool) -> VideoEncoder:
    params = "pools=4:frame-threads=1:info=0:log-level=warning"
    options = (
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-tune",
        "fastdecode",
        "-crf",
        "23",
        *_GOP,
        "-x265-params",
        params,
        *_ildct(interlaced=False),
    )
    tag = None if container is Container.MKV else "hvc1"
    if tag is not None:
        options = (*options, "-tag:v", tag)
    return VideoEncoder(
        "hevc",
        "Main 10" if deep else "Main",
        "yuv420p10le" if deep else "yuv420p",
        options,
        carries_full_range=True,
        container_tag=tag,
    )


def _vp9(_container: Container, _picture: Picture, *, deep: bool) -> VideoEncoder:
    options = (
        "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "7", "-crf", "28", "-b:v", "0", "-g", "12", "-lag-in-frames", "0",
        "-auto-alt-ref", "0", "-row-mt", "0", "-tile-columns", "2", "-threads:v", "4", *_ildct(interlaced=False),
    )  # fmt: skip
    return VideoEncoder(
        "vp9", "Profile 2" if deep else "Profile 0", "yuv420p10le" if deep else "yuv420p", options, carries_full_range=True
    )


def _av1(_container: Container, picture: Picture, *, deep: bool) -> VideoEncoder:
    if picture.width < 64 or picture.height < 64:  # noqa: PLR2004
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"the AV1 encoder needs at least 64x64 pixels, this proxy would have {picture.width}x{picture.height}: choose a larger resolution",
            width=picture.width,
            height=picture.height,
        )
    options = (
        "-c:v",
        "libsvtav1",
        "-preset",
        "10",
        "-crf",
        "30",
        "-g",
        "12",
        "-svtav1-params",
        "lp=2",
        *_ildct(interlaced=False),
    )
    return VideoEncoder("av1", "Main", "yuv420p10le" if deep else "yuv420p", options, carries_full_range=True)
