"""Settings and facts in, one whole FFmpeg command out, together with what its output must match. Pure: no file, no process, no clock.

Everything that could vary between machines is pinned here: thread counts where bytes depend on them, scaler arithmetic, metadata,
ids, dates. The times of the frames that the decoder presents are reported on standard output by the command itself, so that the
proxy can be proven against the source without a second pass over it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.output_settings import Container, OutputSettings
from proxx_worker.planning.audio import AudioPlan, plan_audio
from proxx_worker.planning.color import ColorPlan, plan_color
from proxx_worker.planning.demuxers import demuxer_name
from proxx_worker.planning.expectation import Expectation, ExpectedAudio, ExpectedSource, ExpectedTiming, ExpectedVideo
from proxx_worker.planning.facts import MediaFacts, VideoFacts
from proxx_worker.planning.fingerprint import fingerprint
from proxx_worker.planning.picture import Picture, plan_picture, upright
from proxx_worker.planning.probe import PROBE_BYTES, PROBE_MICROSECONDS
from proxx_worker.planning.schedule import Schedule, plan_schedule
from proxx_worker.planning.video_codecs import VideoEncoder, choose_encoder

SCALER_FLAGS = "bicubic+accurate_rnd+full_chroma_int+bitexact"
"""Bit-exact arithmetic: without it the scaler's result depends on the CPU's SIMD level."""

_MUXERS: Mapping[Container, str] = {
    Container.MOV: "mov",
    Container.MP4: "mp4",
    Container.MKV: "matroska",
    Container.MXF: "mxf",
    Container.WEBM: "webm",
}
_QUICKTIME = (Container.MOV, Container.MP4)
_TOP_FIRST = {"tff": "tt", "bff": "bb"}


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """One task's command as data, and what its output must be.

    `input_options` stand before the source, `output_options` between the source and the output. `duration`: seconds of picture as the
    source's container says, for progress only.
    """

    settings: OutputSettings
    facts: MediaFacts
    input_options: tuple[str, ...]
    output_options: tuple[str, ...]
    duration: Fraction | None
    expected: Expectation

    @property
    def needs_umid(self) -> bool:
        """Whether the output carries UMIDs that must be derived from its content (see umid.py)."""
        return self.settings.container is Container.MXF

    def argv(self, ffmpeg: str, source: str, output: str) -> list[str]:
        """The command for absolute paths. It overwrites `output`, which exists already and is the worker's own empty file."""
        return [ffmpeg, *self.input_options, "-i", f"file:{source}", *self.output_options, f"file:{output}"]

    def fingerprint(self) -> str:
        """SHA-256 (hex) over settings, facts and the command with its paths taken out."""
        return fingerprint(self.settings, self.facts, (*self.input_options, "-i", "", *self.output_options))


def plan_task(settings: OutputSettings, facts: MediaFacts) -> TaskPlan:
    """Plan one task. Raises `SOURCE_UNSUPPORTED` with the reason where the settings cannot make a true proxy of this source."""
    video = facts.video
    picture = plan_picture(upright(video), settings.resolution)
    schedule = plan_schedule(settings, facts)
    dominance = _dominance(video)
    if dominance is not None:
        _check_fields(settings, video, schedule)
    encoder = choose_encoder(
        settings,
        picture,
        schedule.rate,
        interlaced=dominance is not None,
        bit_depth=video.bit_depth,
        has_alpha=video.has_alpha,
    )
    color = plan_color(video, carries_full_range=encoder.carries_full_range, only_matrix=encoder.only_matrix)
    sound = plan_audio(settings.container, facts)
    reel = facts.reel if _keeps_reel(settings.container, schedule) else None
    return TaskPlan(
        settings=settings,
        facts=facts,
        input_options=_input_options(facts),
        output_options=(
            *_mapping(video, sound),
            *_video_options(encoder, picture, schedule, color, dominance),
            *(word for position, stream in enumerate(sound) for word in _audio_options(position, stream)),
            *_container_options(settings.container, schedule, reel),
        ),
        duration=video.duration if video.duration is not None else facts.duration,
        expected=_expectation(settings, facts, encoder, picture, schedule, color, sound, dominance, reel),
    )


def _dominance(video: VideoFacts) -> str | None:
    """`tff` or `bff` for an interlaced picture, None for a progressive one and for one that does not say."""
    if not video.interlaced:
        return None
    return "tff" if video.top_field_first else "bff"


def _check_fields(settings: OutputSettings, video: VideoFacts, schedule: Schedule) -> None:
    if video.rotation:
        reason = f"it is interlaced and rotated by {video.rotation} degrees, and fields cannot be rotated"
    elif schedule.converts:
        reason = "it is interlaced, and converting its frame rate would mix its fields"
    else:
        return
    raise ProxxError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"the source cannot be converted faithfully: {reason}; deinterlace it first, or keep its rate",
        rotation=video.rotation,
        fps_mode=settings.fps_mode.value,
    )


def _keeps_reel(container: Container, schedule: Schedule) -> bool:
    # QuickTime keeps the reel's name in the timecode track's sample description: without a timecode there is no place for it.
    return container is Container.MXF or (container is Container.MOV and schedule.timecode is not None)


def _input_options(facts: MediaFacts) -> tuple[str, ...]:
    demuxer = demuxer_name(",".join(facts.formats))
    if demuxer is None:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED, f"no demuxer may open {','.join(facts.formats)}", formats=list(facts.formats)
        )
    return (
        "-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+info", "-y", "-xerror",
        "-progress", "pipe:1", "-stats_period", "0.5",
        # Threaded scaling is a race below AVX: 10-bit chroma 212 wide came out different from run to run.
        "-filter_threads", "1",
        "-protocol_whitelist", "file", "-f", demuxer,
        # As far into the file as the probe looked, so that both see the same streams.
        "-probesize", str(PROBE_BYTES), "-analyzeduration", str(PROBE_MICROSECONDS),
    )  # fmt: skip


def _mapping(video: VideoFacts, sound: tuple[AudioPlan, ...]) -> tuple[str, ...]:
    indices = (video.index, *(stream.source_index for stream in sound))
    streams = tuple(word for index in indices for word in ("-map", f"0:{index}"))
    return (*streams, "-dn", "-sn", "-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact")


def _video_options(
    encoder: VideoEncoder, picture: Picture, schedule: Schedule, color: ColorPlan, dominance: str | None
) -> tuple[str, ...]:
    options = [
        *encoder.options,
        "-filter:v",
        ",".join(_filters(encoder, picture, schedule, color, dominance)),
        "-sws_flags",
        SCALER_FLAGS,
        "-fps_mode:v",
        "passthrough",
        "-enc_time_base:v",
        f"{schedule.time_base.numerator}:{schedule.time_base.denominator}",
        *color.options(),
    ]
    if dominance is not None:
        options += ["-top:v", "1" if dominance == "tff" else "0"]
    if schedule.end is not None:
        ticks = round(schedule.end / schedule.time_base)
        # The muxer would give the last frame the length of the one before it; the source says how long it stands.
        options += ["-bsf:v", f"setts=duration=if(eq(NEXT_PTS\\,NOPTS)*gt({ticks}\\,PTS)\\,{ticks}-PTS\\,DURATION)"]
    return tuple(options)


def _filters(encoder: VideoEncoder, picture: Picture, schedule: Schedule, color: ColorPlan, dominance: str | None) -> list[str]:
    aspect = picture.sample_aspect
    size = [f"scale=w={picture.width}:h={picture.height}", f"flags={SCALER_FLAGS}", *color.scale_options]
    if dominance is not None:
        # Fields are moments: scaling or changing chroma across them would blend two moments into one line.
        size.append("interl=1")
    return [
        # One line per presented frame on standard output, with its time in source ticks. The key is a constant: nothing that a
        # file carries reaches the output of this filter.
        "metadata=mode=delete",
        "metadata=mode=add:key=presented:value=1",
        "metadata=mode=print:file=-:direct=1",
        *_retiming(schedule),
        ":".join(size),
        f"format=pix_fmts={encoder.pixel_format}",
        *color.filters,
        f"setsar=sar={aspect.numerator}/{aspect.denominator}:max=4096",
        f"setparams=field_mode={dominance or 'prog'}:{color.parameters()}",
    ]


def _retiming(schedule: Schedule) -> list[str]:
    if schedule.converts:
        return [f"fps=fps={schedule.rate}:round=near"]
    if schedule.rate is None:
        return []
    frame = 1 / schedule.rate
    snap = ["setpts=PTS-STARTPTS", f"settb={frame.numerator}/{frame.denominator}"]
    if schedule.time_base != frame:
        snap.append(f"settb={schedule.time_base.numerator}/{schedule.time_base.denominator}")
    if schedule.offset:
        snap.append(f"setpts=PTS+{schedule.offset / schedule.time_base}")
    return snap


def _audio_options(position: int, stream: AudioPlan) -> tuple[str, ...]:
    chain = ("-filter:a:" + str(position), ",".join(stream.filters)) if stream.filters else ()
    return (*stream.options, f"-ar:a:{position}", str(stream.sample_rate), f"-flags:a:{position}", "+bitexact", *chain)


def _container_options(container: Container, schedule: Schedule, reel: str | None) -> tuple[str, ...]:
    options: list[str] = []
    if schedule.timecode is not None:
        options += ["-timecode", schedule.timecode.text]
    if reel is not None:
        scope = "-metadata" if container is Container.MXF else "-metadata:s:v:0"
        options += [scope, f"reel_name={reel}"]
    if container in _QUICKTIME:
        if schedule.timescale is not None:
            options += ["-video_track_timescale", str(schedule.timescale)]
        options += ["-movflags", "+faststart"]
    return (*options, "-f", _MUXERS[container])


def _expectation(  # noqa: PLR0913
    settings: OutputSettings,
    facts: MediaFacts,
    encoder: VideoEncoder,
    picture: Picture,
    schedule: Schedule,
    color: ColorPlan,
    sound: tuple[AudioPlan, ...],
    dominance: str | None,
    reel: str | None,
) -> Expectation:
    video = facts.video
    return Expectation(
        container=settings.container,
        video=ExpectedVideo(
            codec=encoder.codec,
            profile=encoder.profile,
            pixel_format=encoder.pixel_format,
            codec_tag=encoder.container_tag,
            width=picture.width,
            height=picture.height,
            display_aspect=picture.display_aspect,
            field_order=_TOP_FIRST[dominance] if dominance is not None else video.field_order,
            color_range=color.range,
            matrix=color.matrix,
            primaries=color.primaries,
            transfer=color.transfer,
        ),
        timing=ExpectedTiming(
            rate=schedule.rate,
            source_tick=video.time_base,
            offset=schedule.offset,
            end=schedule.end,
            converts=schedule.converts,
            timecode=schedule.timecode,
            reel=reel,
        ),
        audio=tuple(
            ExpectedAudio(stream.codec, stream.channels, stream.source_layout, stream.sample_rate, stream.duration)
            for stream in sound
        ),
        source=ExpectedSource(
            frames=video.frames if video.frames_certain else None,
            frame_length=1 / video.rate,
            picture_duration=video.duration,
            duration=facts.duration,
        ),
    )
