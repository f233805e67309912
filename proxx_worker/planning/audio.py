"""Plans a proxy's audio: every stream, in order, with its channels, layout and rate as far as the container allows.

Every sample keeps its time by the source's clock (docs/decisions/0020-audio-by-the-clock.md). An encoded stream begins with the
file, and silence replaces what the source does not have: before its first decoded sample, and in its gaps.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, assert_never

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.output_settings import Container
from proxx_worker.media.facts import AudioFacts, MediaFacts
from proxx_worker.planning.audio_report import Placement, refuse_too_many
from proxx_worker.planning.frame_timing import Schedule, clip_start

AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_STUDIO_RATE = 48000
_MICROSECOND = Fraction(1, 1_000_000)
_HALF_MILLISECOND = Fraction(1, 2000)
_MARGIN = 10
"""Seconds of silence after the end of the video according to the container."""

_MISTAKE = Fraction(1, 100)
"""How wrong the container may be about the video's duration, as a fraction of it."""

_PCM_BYTES: Mapping[str, int] = {"pcm_s16le": 2, "pcm_s24le": 3}
_WORD_BITS = 16
_STEREO = 2
_AAC_BITS = 2
"""Per sample and channel: 96 kb/s a channel at 48 kHz."""

_AAC_FRAME = 1024
"""Samples in a packet of AAC-LC."""

_GUESSED_BLOCK = 448
"""By how many samples the times of Vorbis in Ogg may be wrong. Only a page has a time, that of its end: on the last page FFmpeg
counts back from it, and takes a first block between a long and a short one (2048 and 256 samples) for a short one."""

_OPUS_BITS = 64000
"""Per second and channel."""


# AAC needs a layout. These are the usual ones for a channel count if the file states none. FFmpeg 9.0 keeps the order of
# 6.1(back), but not of 6.1: its AAC tells no side from a back, and has the middle of the back last.
_USUAL_LAYOUTS: Mapping[int, str] = {
    1: "mono",
    2: "stereo",
    3: "3.0",
    4: "4.0",
    5: "5.0",
    6: "5.1",
    7: "6.1(back)",
    8: "7.1",
}
# The same loudspeakers under the names of AAC's and Opus's standard channel configurations.
_STANDARD_LAYOUTS: Mapping[str, str] = {"quad(side)": "quad", "5.0(side)": "5.0", "5.1(side)": "5.1"}
_AAC_LAYOUTS = frozenset(
    {
        *_USUAL_LAYOUTS.values(), "2.1", "3.0(back)", "3.1", "4.1", "quad", "6.0", "6.0(front)", "hexagonal", "6.1",
        "6.1(front)", "7.0", "7.0(front)", "7.1(wide)", "7.1(wide-side)", "octagonal", "hexadecagonal",
    }
)  # fmt: skip
_OPUS_LAYOUTS = frozenset({"mono", "stereo", "3.0", "quad", "5.1", "7.1"})
"""Opus has names for 5.0 and 6.1 too, but up to 9.0 FFmpeg's encoder puts their channels under each other's names: it applies its
table of orders the wrong way round, which leaves only the other ones right. Moving the channels beforehand would be wrong with an
encoder that is put right, so these two go without a name."""

# Only for uncompressed and lossless audio does a sample format of more than 16 bits mean anything: lossy decoders always output
# floats.
_LOSSLESS = ("pcm_", "flac", "alac", "truehd", "mlp", "wavpack", "tta", "s302m", "dts")


@dataclass(frozen=True, slots=True)
class Padding:
    """Silence after a stream's end. `filters`: those that add it; `bytes`: size of the whole stream with it, None if unknown."""

    filters: tuple[str, ...]
    bytes: int | None


@dataclass(frozen=True, slots=True)
class AudioPlan:
    """One proxy audio stream.

    `codec`: as ffprobe names it. `layout`: the expected one, None if the source states none or the codec cannot.
    `duration`: the source's in seconds, None if unknown. `placement`: how it is placed on the proxy's timeline; None for a copy
    of the source's packets. `filters`: for this stream's `-filter:a`, after its report. `options`: the encoder's, already with
    stream specifiers. `padding`: the silence after its end, None if there is none.
    """

    source_index: int
    codec: str
    channels: int
    layout: str | None
    sample_rate: int
    duration: Fraction | None
    placement: Placement | None
    filters: tuple[str, ...]
    options: tuple[str, ...]
    padding: Padding | None = None

    @property
    def copied(self) -> bool:
        """Whether the source's packets are copied."""
        return self.placement is None


def plan_audio(container: Container, facts: MediaFacts, schedule: Schedule) -> tuple[AudioPlan, ...]:
    """The plans for all audio streams of `facts`, in order.

    Raises `SOURCE_UNSUPPORTED` for channels that the container's codec cannot carry, and for more streams than can be tracked.
    """
    refuse_too_many(facts.audio)
    return tuple(_plan_stream(container, facts, schedule, stream, position) for position, stream in enumerate(facts.audio))


def _plan_stream(container: Container, facts: MediaFacts, schedule: Schedule, stream: AudioFacts, position: int) -> AudioPlan:
    rate = _sample_rate(container, stream.sample_rate)
    layout = stream.layout
    copied = _is_copied(container, facts, stream)
    filters: list[str] = []
    family = _family(container)
    match family:
        case "aac" if copied:
            codec = "aac"
            options = [f"-c:a:{position}", "copy", *_ending(stream, position)]
        case "aac":
            codec = "aac"
            layout = _aac_layout(stream, position)
            if layout != stream.layout:
                filters.append(_relabel(stream.channels, layout))
            options = [f"-c:a:{position}", codec, f"-b:a:{position}", str(stream.channels * _AAC_BITS * rate)]
        case "opus":
            codec = "opus"
            layout = _opus_layout(stream)
            if layout is not None and layout != stream.layout:
                filters.append(_relabel(stream.channels, layout))
            discrete = [f"-mapping_family:a:{position}", "255"] if layout is None else []
            options = [f"-c:a:{position}", "libopus", f"-b:a:{position}", str(stream.channels * _OPUS_BITS), *discrete]
        case "pcm":
            codec = "pcm_s24le" if _is_deep(stream) else "pcm_s16le"
            options = [f"-c:a:{position}", codec]
        case _:
            assert_never(family)
    placement = None if copied else _placement(facts, stream, schedule)
    if placement is not None:
        filters.extend(_placed(placement, rate))
    return AudioPlan(
        source_index=stream.index,
        codec=codec,
        channels=stream.channels,
        layout=layout if stream.layout is not None else None,
        sample_rate=rate,
        duration=stream.duration,
        placement=placement,
        filters=tuple(filters),
        options=tuple(options),
        padding=_padding(facts, stream.channels, codec, rate) if container is Container.MXF else None,
    )


def _family(container: Container) -> Literal["aac", "pcm", "opus"]:
    """The codec family of audio in `container`."""
    match container:
        case Container.MP4 | Container.MKV:
            return "aac"
        case Container.MOV | Container.MXF:
            return "pcm"
        case Container.WEBM:
            return "opus"
        case _:
            assert_never(container)


def _is_copied(container: Container, facts: MediaFacts, stream: AudioFacts) -> bool:
    """Whether copying the source's packets provably gives the same audio at the same time: then they are not re-encoded.

    Every condition was found by decoding both files and comparing each sample and its time:
    docs/decisions/0013-aac-is-copied-into-mp4.md.
    """
    start = clip_start(facts)
    if container is not Container.MP4 or facts.demuxer != "mov" or stream.start is None or start is None:
        return False
    return (
        stream.codec == "aac"
        and stream.profile == "LC"
        and stream.gapless
        and stream.time_base == Fraction(1, stream.sample_rate)
        and stream.sample_rate in AAC_RATES
        and stream.layout in _AAC_LAYOUTS
        # If audio starts late, FFmpeg 5.1 keeps the priming when it copies. ffprobe rounds the file's start.
        and abs(stream.start - start) <= _MICROSECOND
    )


def _ending(stream: AudioFacts, position: int) -> tuple[str, ...]:
    """For copied AAC that ends within its last packet: that packet's duration, which FFmpeg 8.0 takes for a whole one.

    5.1 and 7.1 are right without it, and their bytes stay the same; 9.0 also trims the packet by its side data, to the same end.
    """
    if stream.duration is None or stream.start != 0:
        return ()
    end = round(stream.duration * stream.sample_rate)
    if end % _AAC_FRAME == 0:
        return ()
    cut = f"gt(PTS+DURATION\\,{end})*gt({end}\\,PTS)"
    return f"-bsf:a:{position}", f"setts=duration=if({cut}\\,{end}-PTS\\,DURATION)"


def _placement(facts: MediaFacts, stream: AudioFacts, schedule: Schedule) -> Placement:
    """Where the stream begins, and how far a frame may start from the end of the previous one without a correction.

    Times are rounded to the container's ticks. Half a millisecond is inaudible; corrections are not, and so there are fewer.
    """
    guessed = _GUESSED_BLOCK if facts.demuxer == "ogg" and stream.codec == "vorbis" else 0
    return Placement(
        origin=-round(schedule.output_shift * stream.sample_rate),
        shift=round(schedule.audio_shift * stream.sample_rate),
        slack=int(((stream.time_base or Fraction(0)) + _HALF_MILLISECOND) * stream.sample_rate) + guessed,
        rate=stream.sample_rate,
    )


def _placed(placement: Placement, rate: int) -> tuple[str, ...]:
    """Fills gaps with silence and removes overlaps: whole samples are inserted or dropped, nothing is stretched.

    32-bit integer resampling has no SIMD variant, so the samples are the same on every machine.
    """
    resampling = f"{rate}:internal_sample_fmt=s32p:" if rate != placement.rate else ""
    moved = (f"asetpts=PTS{placement.shift:+}",) if placement.shift else ()
    return *moved, f"aresample={resampling}async=1:min_comp=0:min_hard_comp={placement.seconds}:first_pts={placement.origin}"


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


def _aac_layout(stream: AudioFacts, position: int) -> str:
    if stream.channels == 1:
        # A track of its own for each loudspeaker (`1 channels (FL)`) loses nothing but that name.
        return _USUAL_LAYOUTS[1]
    named = None if stream.layout is None else _STANDARD_LAYOUTS.get(stream.layout, stream.layout)
    layout = named or _USUAL_LAYOUTS.get(stream.channels)
    if layout not in _AAC_LAYOUTS:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"audio stream {position + 1} has {stream.channels} channels ({stream.layout or 'of unknown layout'}), which AAC "
            "cannot carry: choose a container with PCM audio (mov, mxf)",
            stream=stream.index,
            channels=stream.channels,
            layout=stream.layout,
        )
    return layout


def _opus_layout(stream: AudioFacts) -> str | None:
    """The layout of the stream; None if Opus can only carry its channels as they are, without naming them."""
    if stream.layout is None:
        return _USUAL_LAYOUTS[stream.channels] if stream.channels <= _STEREO else None
    layout = _STANDARD_LAYOUTS.get(stream.layout, stream.layout)
    return layout if layout in _OPUS_LAYOUTS else None


def _relabel(channels: int, layout: str) -> str:
    """A filter that gives the same channels in the same order the name of a layout."""
    return "channelmap=map=" + "|".join(str(channel) for channel in range(channels)) + f":channel_layout={layout}"


def _padding(facts: MediaFacts, channels: int, codec: str, rate: int) -> Padding:
    """For MXF, whose muxer ends the video where an audio stream ends, and drops audio after the end of the video.

    Not endless with `-shortest`: from FFmpeg 7 on that drops the last video frame in some runs and not in others.
    """
    lengths = [length for length in (facts.video.duration, facts.duration) if length is not None]
    if not lengths:
        return Padding((f"apad=pad_len={_MARGIN * rate}",), None)
    samples = round(max(lengths) * (1 + _MISTAKE) * rate) + _MARGIN * rate
    return Padding(("apad", f"atrim=end_sample={samples}"), samples * channels * _PCM_BYTES[codec])
