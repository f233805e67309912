"""The sound of a proxy: every stream, in order, with its channels, layout and rate as far as the container allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.output_settings import Container
from proxx_worker.planning.facts import AudioFacts, MediaFacts

AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_STUDIO_RATE = 48000
_WORD_BITS = 16

# A layout must be named for the lossy codecs. These are the usual ones for a count that the file does not explain.
_USUAL_LAYOUTS: Mapping[int, str] = {
    1: "mono",
    2: "stereo",
    3: "3.0",
    4: "4.0",
    5: "5.0",
    6: "5.1",
    7: "6.1",
    8: "7.1",
}
# Sample formats of more than 16 bits that say something only for uncompressed and lossless sound: lossy decoders always give floats.
_LOSSLESS = ("pcm_", "flac", "alac", "truehd", "mlp", "wavpack", "tta", "s302m", "dts")

_CODECS: Mapping[Container, str] = {
    Container.MP4: "aac",
    Container.MKV: "aac",
    Container.MOV: "pcm",
    Container.MXF: "pcm",
    Container.WEBM: "opus",
}


@dataclass(frozen=True, slots=True)
class AudioPlan:
    """One proxy audio stream. `codec`: as ffprobe names it. `layout`: None where the source does not say and the codec need not know.

    `filters`: for this stream's `-filter:a`. `options`: the encoder's, already with stream specifiers.
    """

    source_index: int
    codec: str
    channels: int
    layout: str | None
    sample_rate: int
    source_layout: str | None
    duration: Fraction | None
    filters: tuple[str, ...]
    options: tuple[str, ...]


def plan_audio(container: Container, facts: MediaFacts) -> tuple[AudioPlan, ...]:
    """The plans for all audio streams of `facts`, in order. Raises `SOURCE_UNSUPPORTED` for channels the container's codec cannot carry."""
    return tuple(_plan_stream(container, facts, stream, position) for position, stream in enumerate(facts.audio))


def _plan_stream(container: Container, facts: MediaFacts, stream: AudioFacts, position: int) -> AudioPlan:
    kind = _CODECS[container]
    rate = _sample_rate(container, stream.sample_rate)
    layout = stream.layout
    filters: list[str] = []
    if kind == "pcm":
        codec = "pcm_s24le" if _is_deep(stream) else "pcm_s16le"
        options = [f"-c:a:{position}", codec]
    else:
        codec = kind
        if layout is None:
            layout = _usual_layout(stream, position)
            filters.append("channelmap=map=" + "|".join(str(i) for i in range(stream.channels)) + f":channel_layout={layout}")
        options = [
            f"-c:a:{position}",
            "libopus" if kind == "opus" else kind,
            f"-b:a:{position}",
            str(_bit_rate(kind, stream, rate)),
        ]
    if rate != stream.sample_rate:
        # 32-bit integer resampling has no SIMD variant, so the samples are the same on every machine.
        filters.append(f"aresample={rate}:internal_sample_fmt=s32p")
    shift = _shift(container, facts, stream, rate)
    filters.extend(shift)
    return AudioPlan(
        stream.index, codec, stream.channels, layout, rate, stream.layout, stream.duration, tuple(filters), tuple(options)
    )


def _sample_rate(container: Container, rate: int) -> int:
    if container in {Container.MXF, Container.WEBM}:
        return _STUDIO_RATE
    if container is Container.MOV or rate in AAC_RATES:
        return rate
    return _STUDIO_RATE


def _is_deep(stream: AudioFacts) -> bool:
    if not stream.codec.startswith(_LOSSLESS):
        return False
    if stream.bits_per_sample:
        return stream.bits_per_sample > _WORD_BITS
    return (stream.sample_format or "s16").removesuffix("p") in {"s32", "flt", "dbl", "s64"}


def _usual_layout(stream: AudioFacts, position: int) -> str:
    layout = _USUAL_LAYOUTS.get(stream.channels)
    if layout is None:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"audio stream {position + 1} has {stream.channels} channels without a layout, which AAC and Opus cannot carry: "
            "choose a container with PCM sound (mov, mxf)",
            stream=stream.index,
            channels=stream.channels,
        )
    return layout


def _bit_rate(kind: str, stream: AudioFacts, rate: int) -> int:
    """Bits per second: 2 per sample and channel for AAC (96 kb/s a channel at 48 kHz), 64 kb/s a channel for Opus."""
    return stream.channels * (64000 if kind == "opus" else 2 * rate)


def _shift(container: Container, facts: MediaFacts, stream: AudioFacts, rate: int) -> tuple[str, ...]:
    """MXF starts all streams at once: sound that starts earlier than the picture loses that part, later sound gets silence before it."""
    if container is not Container.MXF or stream.start is None or facts.video.start is None:
        return ()
    samples = round((stream.start - facts.video.start) * rate)
    if samples > 0:
        return (f"adelay=delays={samples}S:all=1",)
    if samples < 0:
        return (f"atrim=start_sample={-samples}", "asetpts=PTS-STARTPTS")
    return ()
