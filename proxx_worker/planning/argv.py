"""The decisions of a plan, compiled into FFmpeg's options. Everything that could vary between machines is pinned here."""

from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.output_settings import Container
from proxx_worker.media.demuxers import NUMBERED, demuxer_name
from proxx_worker.media.facts import MediaFacts, VideoFacts
from proxx_worker.media.source_probe import PROBE_BYTES, PROBE_MICROSECONDS
from proxx_worker.planning.audio import AudioPlan
from proxx_worker.planning.audio_report import reported
from proxx_worker.planning.color import ColorPlan
from proxx_worker.planning.color_tags import Tags
from proxx_worker.planning.containers import MATROSKA, MUXERS, QUICKTIME
from proxx_worker.planning.frame_timing import Schedule
from proxx_worker.planning.picture import Picture
from proxx_worker.planning.video_codecs import VideoEncoder

_EXACT = "accurate_rnd+full_chroma_inp+bitexact"
"""Bit-exact arithmetic: without it the scaler's result depends on the CPU's SIMD level. RGB gives its chroma from every pixel."""

_CONVERTING = f"bicubic+{_EXACT}"
_SHRINKING = f"area+{_EXACT}"
"""The mean of the pixels that one pixel stands for: no aliases, in half to three quarters of bicubic's time."""

_FIXED_POINT_AAC = "LC"
"""The profile for which FFmpeg's fixed-point decoder was measured: one digest at each SIMD level on 5.1, 7.1, 8.0 and 9.0."""

_RACING = ("theora", "vp3", "vp4")
"""FFmpeg decoders whose threads race: different frames from run to run."""

_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Design:
    """All decisions for one proxy.

    `shrinks`: the picture gets smaller by a quarter or more on both sides. `dominance`: the earlier field, `tff` or `bff`; None
    for a progressive picture, and for one that does not say. `reel`: the name to carry, None where there is none or the container
    has no place for it.
    """

    container: Container
    encoder: VideoEncoder
    picture: Picture
    schedule: Schedule
    color: ColorPlan
    shrinks: bool
    sound: tuple[AudioPlan, ...]
    dominance: str | None
    reel: str | None


def input_options(facts: MediaFacts, schedule: Schedule) -> tuple[str, ...]:
    """The options before `-i`. Raises `SOURCE_UNSUPPORTED` for a container that no plan may open."""
    demuxer = demuxer_name(",".join(facts.formats))
    if demuxer is None:
        name = ",".join(facts.formats)
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED, f"a source must be in a container that editors use, but this one is {name}: rewrap it"
        )
    return (
        "-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+info", "-y",
        # Without it a full disk ends with 0, and a decode error is only a line on standard error.
        "-xerror",
        "-progress", "pipe:1", "-stats_period", "0.5",
        # Threaded scaling is a race below AVX: 10-bit chroma 212 wide came out different from run to run.
        "-filter_threads", "1",
        # Nothing but this file, by the demuxer that the probe found, and as far into it as the probe looked.
        *protocols(facts), "-f", demuxer, *dropping(facts),
        "-probesize", str(PROBE_BYTES), "-analyzeduration", str(PROBE_MICROSECONDS),
        *_decoder_options(facts), *whole_picture(facts.video),
        *_moved("-itsoffset", -schedule.input_shift), *numbered(facts),
    )  # fmt: skip


def input_name(facts: MediaFacts, path: str) -> str:
    """What stands behind `-i`: all of the file, or as much of it as has whole pictures."""
    end = _end(facts)
    return f"file:{path}" if end is None else f"subfile,,start,0,end,{end},,:file:{path}"


def _end(facts: MediaFacts) -> int | None:
    return None if facts.open_end is None else facts.open_end.bytes


def protocols(facts: MediaFacts) -> tuple[str, ...]:
    """The option that lets FFmpeg open nothing but a file, or a part of one."""
    return "-protocol_whitelist", "file" if _end(facts) is None else "subfile,file"


def dropping(facts: MediaFacts) -> tuple[str, ...]:
    """The option that drops a packet that is not whole, where one is known; with `-xerror` it would end the encode."""
    return ("-fflags", "+discardcorrupt") if facts.open_end is not None and facts.open_end.packets else ()


def numbered(facts: MediaFacts) -> tuple[str, ...]:
    """The option that numbers a bare stream's frames by order, as they are decoded: FFmpeg then counts in lengths of a frame.

    Measured with 5.1, 7.1, 8.0 and 9.0, with reordered pictures, fields and pictures that are left out: 0, 1, 2, ... in each.
    """
    return ("-r", str(facts.video.rate)) if facts.demuxer in NUMBERED else ()


def whole_picture(video: VideoFacts) -> tuple[str, ...]:
    """The option that keeps the whole picture of a source whose container marks a part of it.

    From 7.1 on FFmpeg cuts that part out: a proxy would show less than its source, and an odd number of lines above (an XDCAM
    clip's 9) swaps the fields. Editors read the whole raster. An FFmpeg without the option tells of no such mark.
    """
    return ("-apply_cropping:v", "codec") if video.clean_aperture else ()


def _moved(option: str, seconds: Fraction) -> tuple[str, ...]:
    """An option that moves all streams by `seconds`, which FFmpeg takes in microseconds; nothing where they stay."""
    microseconds = round(seconds * _MICROSECONDS)
    if microseconds == 0:
        return ()
    sign = "-" if microseconds < 0 else ""
    whole, part = divmod(abs(microseconds), _MICROSECONDS)
    return option, f"{sign}{whole}.{part:06}"


def _decoder_options(facts: MediaFacts) -> tuple[str, ...]:
    """What makes decoded frames and samples the same on every CPU: docs/decisions/0011-same-bytes-everywhere.md."""
    # MPEG-2 and MPEG-4 otherwise predict with approximations below SSSE3, DTS with floats that depend on FMA.
    options = ["-flags", "+bitexact"]
    if facts.video.codec in _RACING:
        options += ["-threads:v", "1"]
    for stream in facts.audio:
        if stream.codec == "opus":
            # FFmpeg's own decoder gives other samples with SSE, AVX and FMA; the reference decoder does not.
            options += [f"-c:{stream.index}", "libopus"]
        elif stream.codec == "aac" and stream.profile == _FIXED_POINT_AAC:
            # From FFmpeg 6 on the usual decoder gives other samples with AVX and FMA; the fixed-point one never does.
            options += [f"-c:{stream.index}", "aac_fixed"]
    return tuple(options)


def output_options(design: Design, video_index: int) -> tuple[str, ...]:
    """The options between the source and the output. `video_index`: the picture's stream in the source."""
    return (
        *_mapping(design, video_index),
        *_video_options(design),
        *(word for position, stream in enumerate(design.sound) for word in _audio_options(position, stream)),
        *_container_options(design),
    )


def _mapping(design: Design, video_index: int) -> tuple[str, ...]:
    indices = (video_index, *(stream.source_index for stream in design.sound))
    streams = tuple(word for index in indices for word in ("-map", f"0:{index}"))
    return (*streams, "-dn", "-sn", "-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact")


def _video_options(design: Design) -> tuple[str, ...]:
    base = design.schedule.time_base
    options = [
        *design.encoder.options,
        "-filter:v", ",".join(_filters(design)),
        # For the scaler that FFmpeg inserts by itself where a picture changes on the way.
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
        # libx264 leaves a limited range unsaid where nothing else is to be said.
        stages.append(f"h264_metadata=video_full_range_flag={int(color.range == 'pc')}")
    if end is not None:
        # The muxer would give the last frame the length of the one before it; the source says how long it stands.
        ticks = round(end / design.schedule.time_base)
        stages.append(f"setts=duration=if(eq(NEXT_PTS\\,NOPTS)*gt({ticks}\\,PTS)\\,{ticks}-PTS\\,DURATION)")
    return stages


def _filters(design: Design) -> list[str]:
    picture, color = design.picture, design.color
    aspect = picture.sample_aspect
    size = [
        f"scale=w={picture.width}:h={picture.height}",
        f"flags={_SHRINKING if design.shrinks else _CONVERTING}",
        *color.scale_options,
    ]
    if design.dominance is not None:
        # Fields are moments: scaling or changing chroma across them would blend two moments into one line.
        size.append("interl=1")
    return [
        # Side data of frames (captions, stereo 3D, spherical, HDR metadata) would reach the encoder and the muxer, more
        # of it with each version of FFmpeg. A proxy carries what its plan names, and nothing by accident.
        "sidedata=mode=delete",
        # One line per presented frame on standard output, with its time in source ticks. The key is a constant: nothing that a
        # file carries reaches the output of this filter.
        "metadata=mode=delete",
        "metadata=mode=add:key=presented:value=1",
        "metadata=mode=print:file=-:direct=1",
        *_retiming(design.schedule),
        ":".join(size),
        f"format=pix_fmts={design.encoder.pixel_format}",
        *color.filters,
        f"setsar=sar={aspect.numerator}/{aspect.denominator}:max=4096",
        f"setparams=field_mode={design.dominance or 'prog'}:{color.parameters()}",
    ]


def _retiming(schedule: Schedule) -> list[str]:
    if schedule.converts:
        return [f"fps=fps={schedule.rate}:round=near"]
    if schedule.rate is None:
        return []
    if schedule.slower:
        # Every place has its frame: none is repeated or dropped. What follows gets this rate, and the last frame this length.
        return [f"fps=fps={schedule.rate}:round=near:eof_action=pass", f"settb={_text(schedule.time_base)}"]
    # Not setpts: FFmpeg 7.1's forgets the frame rate, and then the muxer has none for the timecode and the last frame's length.
    return [f"settb={_text(schedule.time_base)}"]


def _text(seconds: Fraction) -> str:
    return f"{seconds.numerator}/{seconds.denominator}"


def _audio_options(position: int, stream: AudioPlan) -> tuple[str, ...]:
    if stream.copied:
        return stream.options
    filters = [*reported(position), *stream.filters]
    if stream.padding is not None:
        # How much there was is told before the silence that follows it.
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
        options += ["-movflags", "+faststart"]
    options += _moved("-output_ts_offset", schedule.output_shift)
    if container in MATROSKA:
        # Else the muxer moves everything late by the sound's priming, and the picture starts at 0.023 s.
        options += ["-avoid_negative_ts", "disabled"]
    return (*options, "-f", MUXERS[container])
