"""Compiles the decisions of a plan into FFmpeg's options. Everything that could vary between machines is pinned here."""

from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.output_settings import Container
from proxx_worker.media.demuxers import NUMBERED, demuxer_name
from proxx_worker.media.facts import MediaFacts, VideoFacts
from proxx_worker.media.probe_command import PROBE_BYTES, PROBE_MICROSECONDS
from proxx_worker.planning.audio import AudioPlan
from proxx_worker.planning.audio_report import reported
from proxx_worker.planning.color import ColorPlan
from proxx_worker.planning.color_tags import Tags
from proxx_worker.planning.containers import MATROSKA, MUXERS, QUICKTIME
from proxx_worker.planning.field_report import KINDS_REPORTED
from proxx_worker.planning.frame_timing import Schedule
from proxx_worker.planning.geometry import Geometry
from proxx_worker.planning.video_codecs import VideoEncoder

_EXACT = "accurate_rnd+full_chroma_inp+bitexact"
"""Bit-exact arithmetic: without it the scaler's result depends on the CPU's SIMD level. RGB's chroma uses every pixel."""

_CONVERTING = f"bicubic+{_EXACT}"
_SHRINKING = f"area+{_EXACT}"
"""The mean of the pixels that one output pixel covers: no aliasing, in half to three quarters of bicubic's time."""

_FIXED_POINT_AAC = "LC"
"""The profile for which FFmpeg's fixed-point decoder was measured: one digest at each SIMD level on 5.1, 7.1, 8.0 and 9.0."""

_RACING = ("theora", "vp3", "vp4")
"""FFmpeg decoders with a race between threads: their frames differ from run to run."""

_DECODE_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Decoders that give a video's alpha, too; FFmpeg's own ignore it. The picture is the same: each format defines all its bits."""

_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Design:
    """All decisions for one proxy.

    `shrinks`: the video gets smaller by a quarter or more on both sides. `dominance`: the earlier field, `tff` or `bff`; None if
    the video is progressive or does not state it. `reel`: the name to carry, None if there is none or the container cannot store
    it.
    """

    container: Container
    encoder: VideoEncoder
    geometry: Geometry
    schedule: Schedule
    color: ColorPlan
    shrinks: bool
    audio: tuple[AudioPlan, ...]
    dominance: str | None
    reel: str | None


def input_options(facts: MediaFacts, design: Design) -> tuple[str, ...]:
    """The options before `-i`. Raises `SOURCE_UNSUPPORTED` for a container that must not be opened."""
    demuxer = demuxer_name(",".join(facts.formats))
    if demuxer is None:
        name = ",".join(facts.formats)
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED, f"a source must be in a container that editors use, but this one is {name}: rewrap it"
        )
    return (
        "-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+info", "-y",
        # Without it FFmpeg exits with 0 on a full disk, and a decode error is only a line on standard error.
        "-xerror",
        "-progress", "pipe:1", "-stats_period", "0.5",
        # Threaded scaling has a race below AVX: 10-bit chroma 212 wide differed from run to run.
        "-filter_threads", "1",
        # Open only this file, with the demuxer that the probe found, and analyze as much of it as the probe did.
        *protocols(facts), "-f", demuxer, *dropping(facts),
        "-probesize", str(PROBE_BYTES), "-analyzeduration", str(PROBE_MICROSECONDS),
        *_decoder_options(facts, design.encoder), *uncropped(facts.video),
        *_moved("-itsoffset", -design.schedule.input_shift), *numbered(facts),
    )  # fmt: skip


def input_name(facts: MediaFacts, path: str) -> str:
    """The argument of `-i`: the whole file, or as much of it as contains complete frames."""
    end = _end(facts)
    return f"file:{path}" if end is None else f"subfile,,start,0,end,{end},,:file:{path}"


def _end(facts: MediaFacts) -> int | None:
    return None if facts.open_end is None else facts.open_end.bytes


def protocols(facts: MediaFacts) -> tuple[str, ...]:
    """The option that restricts FFmpeg to opening a file, or a part of one."""
    return "-protocol_whitelist", "file" if _end(facts) is None else "subfile,file"


def dropping(facts: MediaFacts) -> tuple[str, ...]:
    """The option that drops an incomplete packet, if one is known; with `-xerror` it would end the encode."""
    return ("-fflags", "+discardcorrupt") if facts.open_end is not None and facts.open_end.packets else ()


def numbered(facts: MediaFacts) -> tuple[str, ...]:
    """The option that numbers a bare stream's frames in decoding order: FFmpeg then counts in frame durations.

    Measured with 5.1, 7.1, 8.0 and 9.0, with reordered, field-coded and skipped pictures: 0, 1, 2, ... in each.
    """
    return ("-r", str(facts.video.rate)) if facts.demuxer in NUMBERED else ()


def uncropped(video: VideoFacts) -> tuple[str, ...]:
    """The option that keeps the whole raster of a source whose container marks a part of it.

    From 7.1 on FFmpeg crops to that part: a proxy would show less than its source, and an odd number of lines above (an XDCAM
    clip's 9) swaps the fields. Editors read the whole raster. An FFmpeg without the option does not report such a mark.
    """
    return ("-apply_cropping:v", "codec") if video.clean_aperture else ()


def _moved(option: str, seconds: Fraction) -> tuple[str, ...]:
    """An option that moves all streams by `seconds`, which FFmpeg takes in microseconds; empty for 0."""
    microseconds = round(seconds * _MICROSECONDS)
    if microseconds == 0:
        return ()
    sign = "-" if microseconds < 0 else ""
    whole, part = divmod(abs(microseconds), _MICROSECONDS)
    return option, f"{sign}{whole}.{part:06}"


def _decoder_options(facts: MediaFacts, encoder: VideoEncoder) -> tuple[str, ...]:
    """What makes decoded frames and samples the same on every CPU (docs/decisions/0011-same-bytes-everywhere.md), and whole."""
    # MPEG-2 and MPEG-4 otherwise predict with approximations below SSSE3, DTS with floats that depend on FMA.
    options = ["-flags", "+bitexact"]
    if facts.video.codec in _RACING:
        options += ["-threads:v", "1"]
    decoder = _DECODE_ALPHA.get(facts.video.codec)
    if decoder is not None and facts.video.has_alpha and encoder.keeps_alpha:
        options += [f"-c:{facts.video.index}", decoder]
    for stream in facts.audio:
        if stream.codec == "opus":
            # FFmpeg's own decoder gives different samples with SSE, AVX and FMA; the reference decoder does not.
            options += [f"-c:{stream.index}", "libopus"]
        elif stream.codec == "aac" and stream.profile == _FIXED_POINT_AAC:
            # From FFmpeg 6 on the usual decoder gives different samples with AVX and FMA; the fixed-point one never does.
            options += [f"-c:{stream.index}", "aac_fixed"]
    return tuple(options)


def output_options(design: Design, video_index: int) -> tuple[str, ...]:
    """The options between the source and the output. `video_index`: the video stream's index in the source."""
    return (
        *_mapping(design, video_index),
        *_video_options(design),
        *(word for position, stream in enumerate(design.audio) for word in _audio_options(position, stream)),
        *_container_options(design),
    )


def _mapping(design: Design, video_index: int) -> tuple[str, ...]:
    indices = (video_index, *(stream.source_index for stream in design.audio))
    streams = tuple(word for index in indices for word in ("-map", f"0:{index}"))
    return (*streams, "-dn", "-sn", "-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact")


def _video_options(design: Design) -> tuple[str, ...]:
    base = design.schedule.time_base
    options = [
        *design.encoder.options,
        "-filter:v", ",".join(_filters(design)),
        # For the scaler that FFmpeg inserts by itself if the video changes size, format or orientation partway.
        "-sws_flags", _CONVERTING,
        "-fps_mode:v", "passthrough", "-enc_time_base:v", f"{base.numerator}:{base.denominator}",
        *design.color.options(),
    ]  # fmt: skip
    stages = _packet_stages(design)
    if stages:
        options += ["-bsf:v", ",".join(stages)]
    return tuple(options)


def _packet_stages(design: Design) -> list[str]:
    stages = [*design.encoder.packet_filters]
    color, end = design.color, design.schedule.end
    unsaid = color.tags == Tags(None, None, None)
    if design.encoder.codec == "h264" and color.range is not None and unsaid:
        # libx264 does not signal limited range if it has nothing else to signal.
        stages.append(f"h264_metadata=video_full_range_flag={int(color.range == 'pc')}")
    if end is not None:
        # The muxer would give the last frame the duration of the one before it; the source states the real one.
        ticks = round(end / design.schedule.time_base)
        stages.append(f"setts=duration=if(eq(NEXT_PTS\\,NOPTS)*gt({ticks}\\,PTS)\\,{ticks}-PTS\\,DURATION)")
    return stages


def _filters(design: Design) -> list[str]:
    geometry, color = design.geometry, design.color
    aspect = geometry.sample_aspect
    size = [
        f"scale=w={geometry.width}:h={geometry.height}",
        f"flags={_SHRINKING if design.shrinks else _CONVERTING}",
        *color.scale_options,
    ]
    if design.dominance is not None:
        # Each field is a different moment: scaling or subsampling across them would blend two moments into one line.
        size.append("interl=1")
    return [
        # Side data of frames (captions, stereo 3D, spherical, HDR metadata) would reach the encoder and the muxer, more
        # of it with each version of FFmpeg. A proxy carries only what its plan names.
        "sidedata=mode=delete",
        # One line per presented frame on standard output, with its time in source ticks. The key is a constant: nothing from
        # the file reaches the output of this filter.
        "metadata=mode=delete",
        "metadata=mode=add:key=presented:value=1",
        "metadata=mode=print:file=-:direct=1",
        KINDS_REPORTED,
        *_retiming(design.schedule),
        *color.before_scaling,
        ":".join(size),
        f"format=pix_fmts={design.encoder.pixel_format}",
        *color.filters,
        f"setsar=sar={aspect.numerator}/{aspect.denominator}:max=4096",
        f"setparams=field_mode={design.dominance or 'prog'}:{color.parameters()}",
    ]


def _retiming(schedule: Schedule) -> list[str]:
    if schedule.converts:
        undelayed = [f"setpts=round(PTS-{_text(schedule.delay)}/TB)"] if schedule.delay else []
        return [*undelayed, f"fps=fps={schedule.rate}:round=near"]
    if schedule.rate is None:
        return []
    if schedule.slower or schedule.restated:
        # Every grid position has its frame: none is repeated or dropped. Encoder and muxer get this rate. The last frame of a
        # slower rate may end in the middle of a position, and is passed on; that of decimals ends near one.
        end = "pass" if schedule.slower else "round"
        return [f"fps=fps={schedule.rate}:round=near:eof_action={end}", f"settb={_text(schedule.time_base)}"]
    # Not setpts: FFmpeg 7.1's loses the frame rate, which the muxer needs for the timecode and the last frame's duration.
    return [f"settb={_text(schedule.time_base)}"]


def _text(seconds: Fraction) -> str:
    return f"{seconds.numerator}/{seconds.denominator}"


def _audio_options(position: int, stream: AudioPlan) -> tuple[str, ...]:
    if stream.copied:
        return stream.options
    filters = [*reported(position), *stream.filters]
    if stream.padding is not None:
        # The amount of audio is reported before silence is appended to it.
        filters += [*reported(position, placed=True), *stream.padding.filters]
    return (
        *stream.options, f"-ar:a:{position}", str(stream.sample_rate), f"-flags:a:{position}", "+bitexact",
        f"-filter:a:{position}", ",".join(filters),
    )  # fmt: skip


def _container_options(design: Design) -> tuple[str, ...]:
    container, schedule = design.container, design.schedule
    options: list[str] = []
    if schedule.timecode is not None:
        options += ["-timecode", schedule.timecode.text]
    if design.reel is not None:
        scope = "-metadata" if container is Container.MXF else "-metadata:s:v:0"
        options += [scope, f"reel_name={design.reel}"]
    if container in QUICKTIME:
        if schedule.timescale is not None:
            options += ["-video_track_timescale", str(schedule.timescale)]
        options += ["-movflags", "+faststart+write_colr" if design.color.asks_for_colr else "+faststart"]
    options += _moved("-output_ts_offset", schedule.output_shift)
    if container in MATROSKA:
        # Otherwise the muxer delays everything by the audio's priming, and the video starts at 0.023 s.
        options += ["-avoid_negative_ts", "disabled"]
    return (*options, "-f", MUXERS[container])
