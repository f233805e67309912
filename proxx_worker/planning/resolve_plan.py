"""Turns settings and camera RAW into what DaVinci Resolve is asked to render, together with what its output must match.

Pure. A source is planned twice: from the spec before Resolve is asked anything, and again from the clip properties it reports.
Ids of formats and codecs are those of `GetRenderFormats` and `GetRenderCodecs`, as measured by others: docs/resolve.md.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.output_settings import Codec, Container, DnxhrLevel, OutputSettings, ScaleMode
from proxx_worker.contract.resolve_rules import RESOLVE_CONTAINERS
from proxx_worker.media.clip_properties import ClipFacts
from proxx_worker.media.facts import RawSource
from proxx_worker.media.signatures import ONE_FILE_PER_FRAME
from proxx_worker.planning.color_tags import Tags
from proxx_worker.planning.expectation import Expectation, ExpectedTimecode, ExpectedTiming, ExpectedVideo
from proxx_worker.planning.fingerprint import settings_as_json
from proxx_worker.planning.geometry import Geometry, plan_geometry

Value: TypeAlias = bool | int | str

FORMATS: Mapping[Container, str] = {Container.MOV: "mov", Container.MP4: "mp4", Container.MXF: "mxf_op1a"}
"""Resolve's `mxf` is OP-Atom, a file per track; the contract's is one file with all of them."""

_DNXHR: Mapping[DnxhrLevel, tuple[str, str]] = {
    DnxhrLevel.LB: ("DNxHRLB", "DNXHR LB"),
    DnxhrLevel.SQ: ("DNxHRSQ", "DNXHR SQ"),
    DnxhrLevel.HQ: ("DNxHRHQ", "DNXHR HQ"),
}
_PRORES: Mapping[Codec, tuple[str, str, str]] = {
    Codec.PRORES_PROXY: ("ProRes422P", "Proxy", "apco"),
    Codec.PRORES_LT: ("ProRes422LT", "LT", "apcs"),
    Codec.PRORES_STANDARD: ("ProRes422", "Standard", "apcn"),
    Codec.PRORES_HQ: ("ProRes422HQ", "HQ", "apch"),
    Codec.PRORES_4444: ("ProRes4444", "4444", "ap4h"),
}
_NO_TAGS = Tags(None, None, None)
_WITH_IDENTITY = frozenset({Container.MOV, Container.MXF})
"""Containers whose start timecode and reel name the proxy must carry; what Resolve writes into an MP4 is unknown."""


@dataclass(frozen=True, slots=True)
class _Encoding:
    """A codec by Resolve's id, and as ffprobe names the output; None: not compared."""

    id: str
    codec: str
    profile: str | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class ResolvePlan:
    """One source's render. `clip` is None until Resolve has been asked about it."""

    settings: OutputSettings
    format: str
    preset: str
    encoding: _Encoding
    expected: Expectation
    clip: ClipFacts | None = None
    size: tuple[int, int] | None = None

    @property
    def duration(self) -> Fraction | None:
        """Seconds of video."""
        return self.expected.timing.duration

    @property
    def render_format(self) -> str:
        """The container's id."""
        return FORMATS[self.settings.container]

    @property
    def render_codec(self) -> str:
        """The codec's id."""
        return self.encoding.id

    def render_settings(self) -> tuple[tuple[str, Value], ...]:
        """What is set on top of preset, format and codec, in this order, except the file's folder and name."""
        audio = self.clip is None or self.clip.audio_channels != 0
        keys: list[tuple[str, Value]] = [("SelectAllFrames", True), ("ExportVideo", True), ("ExportAudio", audio)]
        if self.size is not None:
            keys += [("FormatWidth", self.size[0]), ("FormatHeight", self.size[1])]
        return tuple(keys)

    def project_settings(self) -> tuple[tuple[str, str], ...]:
        """The project settings needed before its timeline is created, as text for `SetSetting`."""
        if self.clip is None or self.clip.rate is None:
            return ()
        drops = self.clip.timecode is not None and self.clip.timecode.drop_frame
        settings = [("timelineFrameRate", rate_text(self.clip.rate, drop_frame=drops))]
        if self.clip.size is not None:
            width, height = (side // 2 * 2 for side in self.clip.size)
            settings += [("timelineResolutionWidth", str(width)), ("timelineResolutionHeight", str(height))]
        return tuple(settings)

    def fingerprint(self) -> str:
        """SHA-256 (hex) over the settings, the preset's name, all keys, and the clip's properties, without paths."""
        properties = {} if self.clip is None else {k: v for k, v in self.clip.properties.items() if k not in _OF_THE_PLACE}
        document = {
            "settings": settings_as_json(self.settings),
            "format": self.format,
            "preset": self.preset,
            "render": [self.render_format, self.render_codec, *map(list, self.render_settings())],
            "project": list(map(list, self.project_settings())),
            "properties": properties,
        }
        return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


_OF_THE_PLACE = frozenset(
    {"File Path", "File Name", "Clip Name", "Clip Directory", "Date Added", "Date Modified", "Online Status"}
)
"""Properties about where a clip is stored and when it was accessed, not about what it is."""


def plan_resolve(settings: OutputSettings, source: RawSource, preset: str) -> ResolvePlan:
    """Plan one source as far as the spec goes. Raises SOURCE_UNSUPPORTED for camera RAW that is one file per frame.

    `settings` must be without `resolve_faults`.
    """
    if source.format in ONE_FILE_PER_FRAME:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"{source.format} is a sequence of one file per frame, but this version of proxx-worker only takes camera RAW in "
            "single files: convert the sequence to a clip first",
            format=source.format,
        )
    encoding = _encoding(settings)
    expected = Expectation(
        container=settings.container,
        video=_expected_video(encoding, None, None),
        timing=ExpectedTiming(None, varies=False, duration=None, converts=False, timecode=None, reel=None),
        audio=None,
    )
    return ResolvePlan(settings, source.format, preset, encoding, expected)


def with_clip(plan: ResolvePlan, clip: ClipFacts) -> ResolvePlan:
    """`plan` with what Resolve reported about the source.

    Raises SOURCE_UNSUPPORTED if it reported no rate, or no size to derive another one from.
    """
    if clip.rate is None:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"a clip must have a timeline frame rate, but Resolve reports {clip.properties.get('FPS')!r} for this one: "
            "conform it first",
            fps=clip.properties.get("FPS"),
        )
    size = _output_size(plan.settings, clip)
    carries = plan.settings.container in _WITH_IDENTITY
    timing = ExpectedTiming(
        rate=clip.rate,
        varies=False,
        duration=None if clip.frames is None else clip.frames / clip.rate,
        converts=False,
        timecode=ExpectedTimecode(clip.timecode.text) if carries and clip.timecode is not None else None,
        reel=clip.reel if carries else None,
    )
    square = clip.sample_aspect == 1 and size is not None
    aspect = Fraction(*size) if square and size is not None else None
    video = _expected_video(plan.encoding, size, aspect)
    return replace(plan, clip=clip, size=size, expected=replace(plan.expected, video=video, timing=timing))


def rate_text(rate: Fraction, *, drop_frame: bool) -> str:
    """A rate as Resolve's project setting writes it: `25`, `23.976`, `29.97 DF`."""
    if rate.denominator == 1:
        return str(rate.numerator)
    text = f"{float(rate):.3f}".rstrip("0")
    return f"{text} DF" if drop_frame else text


def _encoding(settings: OutputSettings) -> _Encoding:
    if settings.container not in RESOLVE_CONTAINERS.get(settings.codec, ()):
        raise ValueError(f"not for Resolve: {settings.codec} in {settings.container}")
    if settings.codec in _PRORES:
        name, profile, tag = _PRORES[settings.codec]
        return _Encoding(name, "prores", profile, tag)
    if settings.codec is Codec.DNXHR:
        name, profile = _DNXHR[settings.dnxhr_level or DnxhrLevel.HQ]
        return _Encoding(name, "dnxhd", profile)
    return _Encoding("H264", "h264") if settings.codec is Codec.H264 else _Encoding("H265", "hevc")


def _expected_video(encoding: _Encoding, size: tuple[int, int] | None, aspect: Fraction | None) -> ExpectedVideo:
    return ExpectedVideo(
        codec=encoding.codec,
        profile=encoding.profile,
        codec_tag=encoding.tag,
        size=size,
        display_aspect=aspect,
        field_order=None,
        color_range=None,
        tags=_NO_TAGS,
        frames=_NO_TAGS,
        mastering_display=None,
        content_light=None,
    )


def _output_size(settings: OutputSettings, clip: ClipFacts) -> tuple[int, int] | None:
    """The proxy's size; None if Resolve decides, because it does not report the source's."""
    resolution = settings.resolution
    if clip.size is None:
        if resolution.mode is ScaleMode.SAME:
            return None
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"Resolve reports no size for this clip, so resolution {resolution} cannot be computed: ask for `same`",
            resolution=str(resolution),
        )
    geometry = plan_geometry(Geometry(*clip.size, clip.sample_aspect or Fraction(1)), resolution)
    return geometry.width, geometry.height
