"""Which JobSpecs DaVinci Resolve can do. A profile determines the engine; without one the sources do."""

from collections.abc import Iterator, Mapping

from proxx_worker.contract.faults import Fault
from proxx_worker.contract.output_settings import Codec, Container, FpsMode, OutputSettings

RESOLVE_CONTAINERS: Mapping[Codec, tuple[Container, ...]] = {
    **dict.fromkeys(
        (Codec.PRORES_PROXY, Codec.PRORES_LT, Codec.PRORES_STANDARD, Codec.PRORES_HQ, Codec.PRORES_4444), (Container.MOV,)
    ),
    Codec.DNXHR: (Container.MOV, Container.MXF),
    **dict.fromkeys((Codec.H264, Codec.H265, Codec.HEVC), (Container.MP4, Container.MOV)),
}
"""The codecs that camera RAW can become, each with its containers, the most usual one first."""

KEEPS_RATE = "DaVinci Resolve renders every frame of camera RAW at its own rate: leave it out"


def resolve_faults(settings: OutputSettings) -> Iterator[Fault]:
    """What Resolve cannot make of an explicit spec. `resolve_preset` is judged elsewhere."""
    allowed = RESOLVE_CONTAINERS.get(settings.codec)
    if allowed is None:
        message = f"camera RAW is rendered by DaVinci Resolve, which does not make {settings.codec} for this worker"
        yield Fault("codec", message, tuple(codec.value for codec in RESOLVE_CONTAINERS))
    elif settings.container not in allowed:
        message = f"camera RAW is rendered by DaVinci Resolve, which does not make {settings.codec} in {settings.container}"
        yield Fault("container", message, tuple(container.value for container in allowed))
    if settings.fps_mode is FpsMode.EXPLICIT:
        yield Fault("fps_mode", KEEPS_RATE, (FpsMode.SAME_AS_SOURCE.value,))
