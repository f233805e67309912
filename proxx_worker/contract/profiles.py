"""The named profiles: immutable, each a complete set of settings. No default, no fallback."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from proxx_worker.contract.output_settings import (
    Codec,
    Container,
    DnxhrLevel,
    Engine,
    OutputSettings,
    Resolution,
    ScaleMode,
)


@dataclass(frozen=True, slots=True)
class Profile:
    """A name for a complete set of settings, and the engine that makes it. `audio` describes the audio in a listing."""

    name: str
    engine: Engine
    settings: OutputSettings
    audio: str
    description: str


def _profile(
    name: str,
    engine: Engine,
    codec: Codec,
    container: Container,
    size: ScaleMode,
    description: str,
    *,
    level: DnxhrLevel | None = None,
) -> Profile:
    settings = OutputSettings(codec, container, Resolution(size), dnxhr_level=level)
    audio = "as preset" if engine is Engine.RESOLVE else "AAC" if container is Container.MP4 else "PCM"
    return Profile(name, engine, settings, audio, description)


_FFMPEG, _RESOLVE = Engine.FFMPEG, Engine.RESOLVE
_SAME, _HALF, _QUARTER = ScaleMode.SAME, ScaleMode.HALF, ScaleMode.QUARTER

_TABLE = (
    _profile("proxy_h264_low", _FFMPEG, Codec.H264, Container.MP4, _HALF, "H.264 at half size, light enough for any editor"),
    _profile("proxy_h264_quarter", _FFMPEG, Codec.H264, Container.MP4, _QUARTER, "H.264 at quarter size, the smallest"),
    _profile("proxy_prores_proxy", _FFMPEG, Codec.PRORES_PROXY, Container.MOV, _SAME, "ProRes 422 Proxy at full size"),
    _profile("proxy_prores_lt", _FFMPEG, Codec.PRORES_LT, Container.MOV, _SAME, "ProRes 422 LT at full size"),
    _profile("proxy_dnxhr_lb", _FFMPEG, Codec.DNXHR, Container.MXF, _SAME, "DNxHR LB at full size", level=DnxhrLevel.LB),
    _profile("proxy_prores_proxy_resolve", _RESOLVE, Codec.PRORES_PROXY, Container.MOV, _SAME, "camera RAW to ProRes 422 Proxy"),
    _profile("proxy_prores_lt_resolve", _RESOLVE, Codec.PRORES_LT, Container.MOV, _SAME, "camera RAW to ProRes 422 LT"),
    _profile("proxy_prores_hq_resolve", _RESOLVE, Codec.PRORES_HQ, Container.MOV, _SAME, "camera RAW to ProRes 422 HQ"),
    _profile(
        "proxy_dnxhr_lb_resolve", _RESOLVE, Codec.DNXHR, Container.MXF, _SAME, "camera RAW to DNxHR LB", level=DnxhrLevel.LB
    ),
    _profile(
        "proxy_dnxhr_sq_resolve", _RESOLVE, Codec.DNXHR, Container.MXF, _SAME, "camera RAW to DNxHR SQ", level=DnxhrLevel.SQ
    ),
)

PROFILES: Mapping[str, Profile] = MappingProxyType({profile.name: profile for profile in _TABLE})
"""Every profile by its name, in the order of contract section 3."""
