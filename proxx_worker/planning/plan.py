"""Turns settings and facts into one complete FFmpeg command, together with what its output must match.

Pure: no file, no process, no clock. The command reports the time of every frame that the source presents on its standard output,
so that the proxy can be proven against the source without a second pass over it.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.output_settings import Codec, Container, FpsMode, OutputSettings
from proxx_worker.media.facts import MediaFacts, VideoFacts
from proxx_worker.planning import vc3
from proxx_worker.planning.argv import Design, input_name, input_options, output_options
from proxx_worker.planning.audio import plan_audio
from proxx_worker.planning.color import plan_color
from proxx_worker.planning.expectation import Expectation, ExpectedAudio, ExpectedTimecode, ExpectedTiming, ExpectedVideo
from proxx_worker.planning.fingerprint import fingerprint
from proxx_worker.planning.frame_timing import Schedule, plan_schedule, rate_of
from proxx_worker.planning.geometry import Geometry, plan_geometry, upright
from proxx_worker.planning.remedies import ANY_SOURCE
from proxx_worker.planning.video_codecs import choose_encoder, dnxhd_rates, height_multiple

_TO_LAST_FRAME = frozenset({"mpeg", "mpegts"})
"""Source containers that state no duration: FFmpeg takes the last time in the file, which is when the last frame begins."""

_EARLIER_FIELD = {"tff": "tt", "bff": "bb"}


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """One task's command as data, and what its output must be.

    `input_options` go before the source, `output_options` between the source and the output. `duration`: seconds of video
    according to the source's container, for progress only.
    """

    settings: OutputSettings
    facts: MediaFacts
    design: Design
    input_options: tuple[str, ...]
    output_options: tuple[str, ...]
    duration: Fraction | None
    expected: Expectation

    @property
    def completes_mxf(self) -> bool:
        """Whether the output needs patching because FFmpeg cannot write all of an MXF file (see mxf.py)."""
        return self.settings.container is Container.MXF

    @property
    def says_bt2020(self) -> bool:
        """Whether each frame of the output needs patching because its encoder cannot signal BT.2020 (see vc3.py)."""
        return self.settings.codec is Codec.DNXHR and self.design.color.tags.matrix == vc3.MATRIX

    @property
    def hides_tags(self) -> bool:
        """Whether each frame of the output needs patching because its header has no word for a tag (see rdd36.py)."""
        return self.design.encoder.codec == "prores" and any(self.design.color.hidden)

    def argv(self, ffmpeg: str, source: str, output: str) -> list[str]:
        """The command. It overwrites `output`, a bare name in its working directory: the worker's own empty file.

        `./` keeps FFmpeg from taking a name for an option or a protocol. So would `file:`, but `./` is also a path for others: a
        wrapper around FFmpeg finds the file under its last argument.
        """
        return [ffmpeg, *self.input_options, "-i", input_name(self.facts, source), *self.output_options, f"./{output}"]

    def fingerprint(self) -> str:
        """SHA-256 (hex) over settings, facts and the command without its paths."""
        return fingerprint(
            self.settings, self.facts, (*self.input_options, "-i", input_name(self.facts, ""), *self.output_options)
        )


def plan_task(settings: OutputSettings, facts: MediaFacts) -> TaskPlan:
    """Plan one task. Raises `SOURCE_UNSUPPORTED` with the reason if the settings cannot make a faithful proxy of this source."""
    design = _design(settings, facts)
    return TaskPlan(
        settings=settings,
        facts=facts,
        design=design,
        input_options=input_options(facts, design),
        output_options=output_options(design, facts.video.index),
        duration=facts.video.duration if facts.video.duration is not None else facts.duration,
        expected=_expectation(facts, design),
    )


def plan_slower(settings: OutputSettings, facts: MediaFacts) -> TaskPlan:
    """As `plan_task`, for a source whose container claims a faster rate than `facts` has."""
    plan = plan_task(settings, facts)
    design = replace(plan.design, schedule=replace(plan.design.schedule, slower=True))
    return replace(plan, design=design, output_options=output_options(design, facts.video.index))


def _design(settings: OutputSettings, facts: MediaFacts) -> Design:
    video = facts.video
    source = upright(video)
    geometry = plan_geometry(source, settings.resolution, height_multiple(settings.codec, interlaced=video.interlaced))
    # In this order, so that the remedy of each refusal is not refused by the next one.
    _check_turned(settings, video)
    encoder = choose_encoder(settings, geometry, rate_of(settings, video), video)
    _check_retimed(settings, geometry, video)
    schedule = plan_schedule(settings, facts)
    dominance = None
    if video.interlaced:
        dominance = "tff" if video.top_field_first else "bff"
    return Design(
        container=settings.container,
        encoder=encoder,
        geometry=geometry,
        schedule=schedule,
        color=plan_color(video, encoder, settings.container),
        shrinks=4 * geometry.width <= 3 * source.width and 4 * geometry.height <= 3 * source.height,
        audio=plan_audio(settings.container, facts, schedule),
        dominance=dominance,
        reel=facts.reel if _keeps_reel(settings.container, schedule) else None,
    )


def _check_turned(settings: OutputSettings, video: VideoFacts) -> None:
    if video.interlaced and video.rotation:
        turned = f"rotated by {video.rotation} degrees, and fields cannot be rotated"
    elif video.interlaced and video.mirrored:
        turned = "mirrored"
    else:
        return
    raise _unfaithful(f"it is interlaced and {turned}; deinterlace it first", settings, video)


def _check_retimed(settings: OutputSettings, geometry: Geometry, video: VideoFacts) -> None:
    if not video.interlaced or settings.fps_mode is not FpsMode.EXPLICIT:
        return
    kept = "keep its rate"
    if settings.codec is Codec.DNXHD and (not video.constant_rate or video.rate not in dnxhd_rates(geometry, interlaced=True)):
        kept = f"choose {ANY_SOURCE}, and keep its rate"
    reason = f"it is interlaced, and converting its frame rate would mix its fields; deinterlace it first, or {kept}"
    raise _unfaithful(reason, settings, video)


def _unfaithful(reason: str, settings: OutputSettings, video: VideoFacts) -> ProxxError:
    return ProxxError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"the source cannot be converted faithfully: {reason}",
        rotation=video.rotation,
        fps_mode=settings.fps_mode.value,
    )


def _keeps_reel(container: Container, schedule: Schedule) -> bool:
    # QuickTime stores the reel's name in the timecode track's sample description: without a timecode it cannot.
    return container is Container.MXF or (container is Container.MOV and schedule.timecode is not None)


def _expectation(facts: MediaFacts, design: Design) -> Expectation:
    video, encoder, geometry, schedule, color = facts.video, design.encoder, design.geometry, design.schedule, design.color
    return Expectation(
        container=design.container,
        video=ExpectedVideo(
            codec=encoder.codec,
            profile=encoder.profile,
            codec_tag=encoder.container_tag,
            size=(geometry.width, geometry.height),
            display_aspect=geometry.display_aspect,
            field_order=video.field_order if design.dominance is None else _EARLIER_FIELD[design.dominance],
            color_range=color.range,
            tags=color.tags,
            frames=color.frames,
            mastering_display=video.color.mastering_display,
            content_light=video.color.content_light,
        ),
        timing=ExpectedTiming(
            rate=schedule.rate,
            varies=schedule.rate is None,
            duration=None if schedule.converts and facts.demuxer in _TO_LAST_FRAME else video.duration,
            converts=schedule.converts,
            timecode=ExpectedTimecode(None if schedule.timecode is None else schedule.timecode.text),
            reel=design.reel,
        ),
        audio=tuple(
            ExpectedAudio(
                codec=stream.codec,
                channels=stream.channels,
                layout=stream.layout,
                sample_rate=stream.sample_rate,
                start=Fraction(0),
                duration=stream.duration,
                copied_from=stream.source_index if stream.copied else None,
            )
            for stream in design.audio
        ),
    )
