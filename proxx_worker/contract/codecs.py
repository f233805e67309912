"""Which codec may go into which container, and why not."""

from collections.abc import Mapping
from typing import assert_never

from proxx_worker.contract.output_settings import Codec, Container


def _home(codec: Codec) -> tuple[tuple[Container, ...], str]:
    """The containers of `codec`, the most common one first, and why it may go into no other (contract section 2)."""
    match codec:
        case Codec.PRORES_PROXY | Codec.PRORES_LT | Codec.PRORES_STANDARD | Codec.PRORES_HQ | Codec.PRORES_4444:
            return (Container.MOV,), "Apple defines ProRes for QuickTime (mov) only"
        case Codec.H264 | Codec.H265 | Codec.HEVC:
            return (Container.MP4, Container.MOV, Container.MKV), "editors read this codec from MP4, QuickTime and Matroska only"
        case Codec.DNXHD:
            return (Container.MXF,), "DNxHD is exchanged as MXF; editors read it unreliably from other containers"
        case Codec.DNXHR:
            return (Container.MOV, Container.MXF), "editors read DNxHR from QuickTime and MXF only"
        case Codec.VP9:
            return (Container.WEBM, Container.MKV), "VP9 belongs in WebM and Matroska; editors refuse it elsewhere"
        case Codec.AV1:
            allowed = (Container.MP4, Container.MKV, Container.WEBM)
            return allowed, "AV1 is defined for MP4, Matroska and WebM, not for this container"
        case _:
            assert_never(codec)


CONTAINERS: Mapping[Codec, tuple[Container, ...]] = {codec: _home(codec)[0] for codec in Codec}
"""The containers of each codec, the most usual one first."""


def refusal(codec: Codec, container: Container) -> str | None:
    """Why `codec` may not go into `container`; None if it may."""
    allowed, reason = _home(codec)
    return None if container in allowed else f"{codec} in {container} is refused: {reason}"
