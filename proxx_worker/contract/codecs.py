"""Which codec may stand in which container, and why not."""

from collections.abc import Mapping

from proxx_worker.contract.output_settings import Codec, Container

_QUICKTIME_ONLY = (Container.MOV,)
_MPEG = (Container.MP4, Container.MOV, Container.MKV)

CONTAINERS: Mapping[Codec, tuple[Container, ...]] = {
    Codec.PRORES_PROXY: _QUICKTIME_ONLY,
    Codec.PRORES_LT: _QUICKTIME_ONLY,
    Codec.PRORES_STANDARD: _QUICKTIME_ONLY,
    Codec.PRORES_HQ: _QUICKTIME_ONLY,
    Codec.PRORES_4444: _QUICKTIME_ONLY,
    Codec.H264: _MPEG,
    Codec.H265: _MPEG,
    Codec.HEVC: _MPEG,
    Codec.DNXHD: (Container.MXF,),
    Codec.DNXHR: (Container.MOV, Container.MXF),
    Codec.VP9: (Container.WEBM, Container.MKV),
    Codec.AV1: (Container.MP4, Container.MKV, Container.WEBM),
}
"""The containers of each codec (contract section 2), the most usual one first."""

_REASONS: Mapping[Codec, str] = {
    Codec.DNXHD: "DNxHD is exchanged as MXF; editors read it unreliably from other containers",
    Codec.DNXHR: "editors read DNxHR from QuickTime and MXF only",
    Codec.VP9: "VP9 belongs in WebM and Matroska; editors refuse it elsewhere",
    Codec.AV1: "AV1 is defined for MP4, Matroska and WebM, not for this container",
}
_PRORES_REASON = "Apple defines ProRes for QuickTime (mov) only"
_MPEG_REASON = "editors read this codec from MP4, QuickTime and Matroska only"


def refusal(codec: Codec, container: Container) -> str | None:
    """Why `codec` may not stand in `container`; None where it may."""
    allowed = CONTAINERS[codec]
    if container in allowed:
        return None
    reason = _REASONS.get(codec) or (_PRORES_REASON if allowed is _QUICKTIME_ONLY else _MPEG_REASON)
    return f"{codec} in {container} is refused: {reason}"
