"""What an editor expects of every shared clip as every proxy, by value: read off the clips by hand, not off any results."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType

from tests.acceptance.specs import FFMPEG_PROFILES


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """One column. `fields`: of its JobSpec; `codec`, `profile`, `pixel_formats`: in ffprobe's words; `divisor`: of each side."""

    name: str
    fields: Mapping[str, str]
    container: str
    codec: str
    profile: str
    pixel_formats: tuple[str, ...]
    divisor: int = 1

    @property
    def carries_full_range(self) -> bool:
        """Whether its bitstream can say that its range is full."""
        return self.codec in {"h264", "hevc"}


def _profile(name: str, codec: str, profile: str, *pixel_formats: str) -> Target:
    _, container, resolution = FFMPEG_PROFILES[name]
    divisor = {"same": 1, "half": 2, "quarter": 4}[resolution]
    return Target(name, {"proxy_profile": name}, container, codec, profile, pixel_formats, divisor)


def _explicit(codec: str, container: str, *made: str) -> Target:
    fields = {"codec": codec, "container": container, "resolution": "same"}
    return Target(f"{codec}/{container}", fields, container, made[0], made[1], made[2:])


LOW, QUARTER, PROXY, LT, DNXHR, HEVC, P4444 = TARGETS = (
    _profile("proxy_h264_low", "h264", "", "yuv420p", "yuvj420p"),
    _profile("proxy_h264_quarter", "h264", "", "yuv420p", "yuvj420p"),
    _profile("proxy_prores_proxy", "prores", "Proxy", "yuv422p10le"),
    _profile("proxy_prores_lt", "prores", "LT", "yuv422p10le"),
    _profile("proxy_dnxhr_lb", "dnxhd", "DNXHR LB", "yuv422p"),
    _explicit("h265", "mp4", "hevc", "", "yuv420p", "yuvj420p", "yuv420p10le"),
    _explicit("prores_4444", "mov", "prores", "4444", "yuv444p10le", "yuva444p10le", "yuv444p12le", "yuva444p12le"),
)
"""The five FFmpeg profiles, HEVC in MP4, ProRes 4444 in MOV. FFmpeg 5.1 decodes every ProRes 4444 as 12 bits."""

PROFILES = (LOW, QUARTER, PROXY, LT, DNXHR)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why no proxy can be: the error's `code`, a `part` of its message, and the reason as an editor would say it."""

    code: str
    part: str
    reason: str


@dataclass(frozen=True, slots=True)
class Truth:
    """What the clip is. `rate` None: variable. `aspect`: on screen, upright. `turns`: clockwise quarter turns to get there.

    `sounds`: channels, layout and rate of each stream. `pattern`: a generated pattern of pure colours, which no 4:2:0 picture
    can hold as they were, or a fade from black, of whose first shades an encoder keeps few. `misread`: FFmpeg's own look at the
    clip is wrong about the aspect.
    """

    frames: int
    rate: str | None
    aspect: str
    fields: str = "progressive"
    turns: int = 0
    timecode: str | None = None
    reel: str | None = None
    sounds: tuple[str, ...] = ()
    alpha: bool = False
    pattern: bool = False
    misread: bool = False

    @property
    def exact_rate(self) -> Fraction | None:
        """The rate as a fraction."""
        return None if self.rate is None else Fraction(self.rate)


@dataclass(frozen=True, slots=True)
class Clip:
    """One row: what it is, and where it is refused. Without a `truth` it is refused everywhere.

    `decoder`: FFmpeg's that it takes, where not every version has it; `without`: what it is refused for by one that has not.
    """

    truth: Truth | None
    refused: Mapping[Target, Refused] = field(default_factory=lambda: MappingProxyType({}))
    decoder: str | None = None
    without: Refused | None = None


def _never(code: str, part: str, reason: str) -> Clip:
    return Clip(None, dict.fromkeys(TARGETS, Refused(code, part, reason)))


_UNSUPPORTED = "SOURCE_UNSUPPORTED"
_NO_FIELDS = Refused(_UNSUPPORTED, "interlaced", "interlaced, and this codec cannot keep the fields")
_NO_RATE = Refused(_UNSUPPORTED, "MXF cannot store", "MXF cannot store this odd rate, and a near one would drift")
_VARIABLE = Refused(_UNSUPPORTED, "variable frame rate", "variable frame rate, but MXF only stores a constant one")
_INTERLACED_HD = {DNXHR: _NO_FIELDS, HEVC: _NO_FIELDS}
_STILL = "a still has no length: it is not a clip"


_NO_RESOLVE = Refused("RESOLVE_UNAVAILABLE", "Resolve", "camera RAW is developed by Resolve, and there is none here")


def _raw(name: str) -> Clip:
    mismatch = Refused("ENGINE_MISMATCH", name, "camera RAW is developed by Resolve, but this profile is made by FFmpeg")
    return Clip(None, {target: mismatch if target in PROFILES else _NO_RESOLVE for target in TARGETS})


CLIPS: Mapping[str, Clip] = {
    "-video-with-dash-.mp4": _never(_UNSUPPORTED, "1x1 pixels", "one pixel leaves no even size"),
    "A101_3.WAV": _never("SOURCE_NO_VIDEO", "has no video stream", "audio only"),
    "C0023S01.MXF": _never("SOURCE_DAMAGED", "slice end not reached", "the decoder reports faulty slices in ten places"),
    "Meridian-Apple_ProResProxy-HDR10.mxf": Clip(
        Truth(5, "60000/1001", "16/9", timecode="00:01:15;26", sounds=("1 - 48000", "1 - 48000"))
    ),
    "OurBigBook_debrief_2025.srt": _never("SOURCE_NO_VIDEO", "has no video stream", "subtitles only"),
    "Owner-iTunes_9.0.3.15.m4a": _never("SOURCE_NO_VIDEO", "cover:mjpeg", "a song with cover art, which is not video"),
    "Panasonic_AG_HMC_151.MTS": _never(
        _UNSUPPORTED, "reports no channels", "cut to 8 KB: its audio is unknown, so it cannot be kept"
    ),
    "Sequence_1-Apple_ProRes_422_Proxy.mov": Clip(Truth(2, "30000/1001", "16/9", "bb"), _INTERLACED_HD),
    "Sequence_1-Apple_ProRes_with_Alpha.mov": Clip(Truth(2, "30000/1001", "16/9", "bb", alpha=True), _INTERLACED_HD),
    "SonyXAVC_LongGOP_green_pixelation_early_Frames.MXF": Clip(
        None,
        {
            **dict.fromkeys(
                TARGETS,
                Refused("SOURCE_DAMAGED", "promises 336 frames: it was cut off", "the file ends after 6 of its 336 frames"),
            ),
            **_INTERLACED_HD,
        },
    ),
    "chunk_out_of_range.mp4": _never(_UNSUPPORTED, "not readable media", "its index contradicts itself"),
    "crop-to-container-dims-canon.mov": Clip(Truth(1, "30000/1001", "16/9")),
    "cursed-vfr.mp4": Clip(Truth(63, None, "1513/693"), {DNXHR: _VARIABLE}),
    "dnxhd100_cid1260.mov": Clip(Truth(1, "30000/1001", "16/9", misread=True)),
    "dolbyVision-hdr.MOV": Clip(Truth(4, "30", "9/16", turns=1, sounds=("2 stereo 44100",))),
    "dovi-p5.mp4": _never(_UNSUPPORTED, "Dolby Vision profile 5", "its base layer is IPT: shown as it is, its colours are wrong"),
    "dpx_nuke_10bits_rgb.dpx": _never(_UNSUPPORTED, "DPX still", _STILL),
    "dv-dvchd-ntsc-interlaced.mov": Clip(Truth(25, "25", "15/11", "bb", pattern=True), {DNXHR: _NO_FIELDS, HEVC: _NO_FIELDS}),
    "fire2.mp4": Clip(Truth(25, None, "16/9", turns=2, sounds=("1 mono 48000",)), {DNXHR: _VARIABLE}),
    "fixture-Leica-M10.dng": _raw("DNG"),
    "fixture-raw.mts": Clip(Truth(31, "30000/1001", "16/9", "tt", sounds=("2 stereo 48000",)), _INTERLACED_HD),
    "fixture.cr3": _raw("Canon RAW"),
    "git-lfs-pointer.mov": _never(_UNSUPPORTED, "git-lfs pointer", "a pointer to the media, which was never fetched"),
    "hlg10-color-test.mp4": Clip(Truth(9, "90000/3001", "16/9", sounds=("2 stereo 48000",)), {DNXHR: _NO_RATE}),
    "image_small.tiff": _never(_UNSUPPORTED, "TIFF still", _STILL),
    "ladouce_1h15.wav": _never("SOURCE_NO_VIDEO", "has no video stream", "audio only"),
    "law-and-order-partial.wtv": _never("SOURCE_DAMAGED", "damaged at", "a cut recording whose MPEG-2 blocks are damaged"),
    "max-heromode.mp4": Clip(Truth(315, "30000/1001", "53/30", timecode="15:44:35:10", sounds=("2 stereo 48000",))),
    "multiview.mov": Clip(Truth(11, "30", "16/9")),
    "mv_with_2_top_shots.mp4": Clip(Truth(53, None, "3/4", turns=3), {DNXHR: _VARIABLE}),
    "png.mov": Clip(Truth(25, "25", "4/3", alpha=True, pattern=True)),
    "rgb_scanline_half_piz_dw_t08.exr": _never(_UNSUPPORTED, "OpenEXR still", _STILL),
    "sample_vvc.mp4": Clip(
        Truth(120, "24", "16/9", pattern=True),
        decoder="vvc",
        without=Refused(_UNSUPPORTED, "vvc1", "H.266, which not every FFmpeg can decode"),
    ),
    "seq_beachball/multipart.0001.jpg": _never(_UNSUPPORTED, "JPEG still", _STILL),
    "seq_beachball/multipart.0002.jpg": _never(_UNSUPPORTED, "JPEG still", _STILL),
    "seq_beachball/multipart.0005.jpg": _never(_UNSUPPORTED, "JPEG still", _STILL),
    "sony-a7-xavc.MP4": _never(_UNSUPPORTED, "the file may be truncated", "a header whose media was cut away"),
    "svt-test-8mono.mp4": Clip(Truth(500, "50", "16/9", timecode="10:00:00:00", sounds=("1 mono 48000",) * 8)),
    "test-pod.m4a": _never("SOURCE_NO_VIDEO", "has no video stream", "a podcast with chapter images, which are not video"),
    "track_01_v02.mxf": Clip(Truth(10, "24000/1001", "16/9", timecode="01:00:00:00", reel="Example tape")),
    "with-gps.mov": Clip(Truth(120, None, "40/71", turns=1, sounds=("1 mono 44100",)), {DNXHR: _VARIABLE}),
    "xdcam-hd-1080i60.mov": Clip(Truth(25, "25", "16/9", "tt"), _INTERLACED_HD),
}
