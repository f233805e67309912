"""When each frame of a proxy is shown: the time base, the rate, and what is moved.

A constant rate is put on its exact grid: container time bases such as 1/90000 cannot hold 24000/1001 and jitter by a tick, which
would make 23.976 read as something else in the proxy. If the video starts between two positions of that grid, the whole
source is moved onto it on input, and back on output. A variable rate keeps the source's own ticks.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.output_settings import Container, FpsMode, OutputSettings
from proxx_worker.contract.values import rate_as_number
from proxx_worker.media.facts import MediaFacts, Timecode, VideoFacts
from proxx_worker.planning.containers import MATROSKA, MATROSKA_TICKS, QUICKTIME
from proxx_worker.planning.remedies import outside_mxf
from proxx_worker.planning.start_timecode import converted_timecode, kept_timecode

MXF_RATES = frozenset(
    {Fraction(n * 1000, 1001) for n in (24, 30, 60)} | {Fraction(n) for n in (24, 25, 30, 48, 50, 60, 72, 75, 90, 96, 100, 120)}
)
"""What FFmpeg's MXF muxer stores exactly. It accepts 120000/1001 but writes 120/1, and refuses every other rate."""

_MXF_NUMBERS = ", ".join(number for rate in sorted(MXF_RATES) if (number := rate_as_number(rate)) is not None)
_EDIT_LIST_TICKS = 1000
_MAX_TICKS_PER_SECOND = 2**31 - 1
_JUMPING = frozenset({"mpegts", "mpeg", "ogg"})
"""Source containers whose clock may jump (FFmpeg's AVFMT_TS_DISCONT). FFmpeg counts from the earliest used stream, not from the
file's start; 5.1 only if nothing else moves the input."""

_HALF = Fraction(1, 2)
_HALFWAY = Fraction(1, 50)
"""This close to the middle between two positions, in frames, rounded times could go to either: the grid is made finer."""

_MICROSECOND = Fraction(1, 1_000_000)


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the frames are timed.

    `rate`: the exact constant rate, None for a variable one. `time_base`: seconds per tick of the encoder. `offset`: seconds
    from the start of the earliest video or audio stream to the first frame. `input_shift`: seconds by which all streams are moved
    earlier on input, so that anything before that start is dropped and the first frame is on the grid of `rate`; `output_shift`:
    seconds by which they are moved later on output; `audio_shift`: by which only the audio is moved later in between, as the grid
    moves the video. `end`: seconds from that start to the end of the last frame, if the source has a variable rate and states it.
    `converts`: frames are repeated or dropped to reach `rate`. `timescale`: ticks per second for MOV and MP4, None if the muxer's
    own choice is exact. `slower`: the frames come at `rate`, but the source claims a faster one, which its decoder passes on.
    `restated`: the source writes `rate` in decimals, which its decoder passes on. `delay`: seconds by which FFmpeg gives every
    frame a later time than its place. `output_shift` and `audio_shift` include it; where `converts`, a filter takes it off. In
    MXF nothing does, because there the first frame is at 0, nor at a variable rate, where a number of frames is no fixed time.
    """

    rate: Fraction | None
    time_base: Fraction
    offset: Fraction
    input_shift: Fraction
    output_shift: Fraction
    end: Fraction | None
    converts: bool
    timescale: int | None
    timecode: Timecode | None
    audio_shift: Fraction = Fraction(0)
    slower: bool = False
    restated: bool = False
    delay: Fraction = Fraction(0)


_DECIMALS = Fraction(1, 40_000)
_MICROSECONDS = 1_000_000


def _as_said(video: VideoFacts) -> Fraction:
    """The rate as the source's container states it: 2997/100 if 30000/1001 is meant, else the rate itself.

    FFmpeg 7 and later pass it on to the muxer, and MXF has no such rate: there it must be replaced.

    It is stated in thousandths of a frame, or by a duration in whole microseconds (1000000/33333). An average that differs since
    a time was rounded, or since the last frame is longer, is neither.
    """
    said = video.average_rate
    if said is None or not 0 < abs(said / video.rate - 1) <= _DECIMALS:
        return video.rate
    return said if said.numerator == _MICROSECONDS or 1000 % said.denominator == 0 else video.rate


def rate_of(settings: OutputSettings, video: VideoFacts) -> Fraction | None:
    """The proxy's constant rate; None for a variable one."""
    if settings.fps_mode is FpsMode.EXPLICIT:
        return settings.fps
    return video.rate if video.constant_rate else None


def plan_schedule(settings: OutputSettings, facts: MediaFacts) -> Schedule:
    """Decide the timing.

    Raises `SOURCE_UNSUPPORTED` for a variable rate or an inexact one in MXF, for a timecode that MOV and MP4 cannot count, and
    for video too short for one frame of an explicit rate. `choose_encoder` has accepted the source: DNxHD has this rate, and
    DNxHR no fields.
    """
    schedule = _in_presentation_times(settings, facts)
    delay = facts.video.delay / facts.video.rate
    if not delay:
        return schedule
    if schedule.converts or schedule.rate is None or settings.container is Container.MXF:
        return replace(schedule, delay=delay)
    # Not on input: FFmpeg rounds such a shift to each stream's ticks, and a tick of an AVI's audio may last 24 ms.
    return replace(schedule, delay=delay, output_shift=schedule.output_shift - delay, audio_shift=schedule.audio_shift + delay)


def _in_presentation_times(settings: OutputSettings, facts: MediaFacts) -> Schedule:
    """The timing of a source whose frames come at their places."""
    video = facts.video
    late = _late_by(facts)
    # MXF cannot store a late start: there the audio is moved instead (see audio.py), so the video starts at 0.
    in_mxf = settings.container is Container.MXF
    offset = Fraction(0) if in_mxf else late
    if settings.fps_mode is FpsMode.EXPLICIT:
        if settings.fps is None:
            raise ValueError("an explicit frame rate is missing")
        _check_rate(settings.container, settings.fps)
        _require_a_frame(settings, facts, settings.fps)
        timecode = converted_timecode(settings, facts, settings.fps)
        shifts = _shifts(facts, settings.fps, late if in_mxf else Fraction(0), in_mxf=in_mxf)
        return Schedule(
            rate=settings.fps,
            time_base=1 / settings.fps,
            offset=Fraction(round(offset * settings.fps)) / settings.fps,
            input_shift=shifts.on_input,
            output_shift=shifts.on_output,
            audio_shift=shifts.of_audio,
            end=None,
            converts=True,
            timescale=None,
            timecode=timecode,
        )
    timecode = kept_timecode(settings, facts)
    if video.constant_rate:
        _check_rate(settings.container, video.rate)
        shifts = _shifts(facts, video.rate, late, in_mxf=in_mxf)
        return Schedule(
            rate=video.rate,
            time_base=shifts.step,
            offset=offset,
            input_shift=shifts.on_input,
            output_shift=shifts.on_output,
            audio_shift=shifts.of_audio,
            end=None,
            converts=False,
            timescale=_timescale(settings.container, 1 / shifts.step) if shifts.on_output else None,
            timecode=timecode,
            restated=in_mxf and _as_said(video) != video.rate,
        )
    if in_mxf:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            "the source has a variable frame rate, but MXF can only store a constant one: "
            f'{outside_mxf(interlaced=False)}, or ask for fps_mode "explicit" with a rate of its own ({_MXF_NUMBERS})',
            container=settings.container.value,
        )
    end = None if video.duration is None else offset + video.duration
    # The encoder counts in the container's own ticks, so that the packet filter that sets the last frame's length reads the same
    # times on every FFmpeg: up to 6 it runs in the container's ticks, from 7 on in the encoder's.
    ticks = MATROSKA_TICKS if settings.container in MATROSKA else video.time_base.denominator
    return Schedule(
        rate=None,
        time_base=Fraction(1, ticks),
        offset=offset,
        input_shift=_unused_start(facts),
        output_shift=Fraction(0),
        end=end,
        converts=False,
        timescale=None if settings.container in MATROSKA else ticks,
        timecode=timecode,
    )


def _timescale(container: Container, rate: Fraction) -> int | None:
    """Ticks that divide both a frame of `rate` and a millisecond.

    A late start is stored in an edit list in milliseconds, which FFmpeg rounds down: 14 ms, 179 ticks of 1/12800 s, would become
    13.
    """
    ticks = lcm(rate.numerator, _EDIT_LIST_TICKS)
    return ticks if container in QUICKTIME and ticks <= _MAX_TICKS_PER_SECOND else None


def clip_start(facts: MediaFacts) -> Fraction | None:
    """When the first of the streams that a proxy contains begins, in the file's own time; None if unknown.

    Other streams may begin earlier (data in a transport stream): their time is not part of the clip.
    """
    starts = [start for start in (facts.video.start, *(stream.start for stream in facts.audio)) if start is not None]
    return None if facts.start is None or not starts else max(facts.start, min(starts))


def _late_by(facts: MediaFacts) -> Fraction:
    """Seconds from that start to the video's, according to the file."""
    start = clip_start(facts)
    return Fraction(0) if facts.video.start is None or start is None else max(Fraction(0), facts.video.start - start)


@dataclass(frozen=True, slots=True)
class _Shifts:
    """See `Schedule`. `step`: seconds between positions of the grid."""

    on_input: Fraction
    on_output: Fraction
    of_audio: Fraction
    step: Fraction


def _shifts(facts: MediaFacts, rate: Fraction, late: Fraction, *, in_mxf: bool) -> _Shifts:
    """The shifts that put a video that begins `late` onto the grid of `rate`, and everything back to its time; in MXF to 0."""
    step = 1 / rate
    if not _counts_by_itself(facts):
        beside = late if in_mxf else late % step
        return _Shifts(_unused_start(facts) + beside, Fraction(0) if in_mxf else beside, Fraction(0), step)
    # FFmpeg 5.1 would count from another stream again if the input were moved. So the grid moves the video.
    if not in_mxf and abs(late * rate % 1 - _HALF) < _HALFWAY:
        step /= 2
    place = round(late / step) * step
    return _Shifts(Fraction(0), -place if in_mxf else late - place, place - late, step)


def _counts_by_itself(facts: MediaFacts) -> bool:
    """Whether FFmpeg drops anything before the first stream that is used, in a file that begins with another one."""
    return facts.demuxer in _JUMPING and _before_used(facts) > 0


def _unused_start(facts: MediaFacts) -> Fraction:
    """Seconds from FFmpeg's zero to the start of the earliest stream that is used."""
    return Fraction(0) if facts.demuxer in _JUMPING else _before_used(facts)


def _before_used(facts: MediaFacts) -> Fraction:
    """Seconds from the file's start to that of the earliest stream that is used."""
    start = clip_start(facts)
    if start is None or facts.start is None:
        return Fraction(0)
    # ffprobe rounds the file's start to microseconds.
    return start - facts.start if start - facts.start > _MICROSECOND else Fraction(0)


def _check_rate(container: Container, rate: Fraction) -> None:
    if container is Container.MXF and rate not in MXF_RATES:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"MXF cannot store {rate} frames per second exactly (it can: {_MXF_NUMBERS}): "
            f'{outside_mxf(interlaced=False)}, or ask for fps_mode "explicit" with one of these rates',
            rate=str(rate),
            container=container.value,
        )


def _require_a_frame(settings: OutputSettings, facts: MediaFacts, rate: Fraction) -> None:
    # FFmpeg's fps filter rounds the video's duration to whole frames. Measured: 0.04 s at 12.5 give one frame, at 12 none.
    length = facts.duration if facts.video.duration is None else facts.video.duration
    if length is not None and length * rate < Fraction(1, 2):
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"the video lasts {float(length):g} s, which is less than half a frame at {rate} frames per second: "
            "ask for a higher fps_explicit" + ("" if settings.container is Container.MXF else ", or keep its rate"),
            duration_seconds=f"{float(length):g}",
            rate=str(rate),
        )
