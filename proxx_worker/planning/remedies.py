"""What else to ask for where a source and the settings do not go together. Named only where it would be accepted."""

from proxx_worker.contract.codecs import CONTAINERS
from proxx_worker.contract.output_settings import Codec, Container, FpsMode, OutputSettings

H264 = "h264 (proxy_h264_low, proxy_h264_quarter)"
PRORES = "ProRes (proxy_prores_proxy, proxy_prores_lt)"

ANY_SOURCE = f"{H264} or {PRORES}"
"""They take every rate, constant or not, every start, every matrix, and fields."""


def outside_mxf(*, interlaced: bool) -> str:
    """What stores the times that MXF cannot, for a proxy in DNxHR or DNxHD."""
    return f"choose {ANY_SOURCE}" if interlaced else f"choose dnxhr in mov, {ANY_SOURCE}"


def with_fields(settings: OutputSettings) -> str:
    """What keeps fields; no codec does at another rate."""
    kept = ", and keep its rate" if settings.fps_mode is FpsMode.EXPLICIT else ""
    return f"choose {ANY_SOURCE}{kept}, or deinterlace the source first"


def in_matroska(codec: Codec) -> str:
    """The container that stores every start timecode, with a codec that it may have."""
    return "choose mkv" if Container.MKV in CONTAINERS[codec] else "choose h264 in mkv"
