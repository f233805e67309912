"""Exact rate, constant or varying, and how many frames a file presents, according to its headers."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from proxx_worker.media.ffprobe_json import Section
from proxx_worker.media.nanoseconds import means
from proxx_worker.media.unknown_durations import stated_duration

INTERLACED_ORDERS = frozenset({"tt", "bb", "tb", "bt"})

_FRAME_WRAPPED = frozenset({"mxf", "gxf", "dv"})
"""Containers whose time is counted in frames of one fixed edit rate: they cannot vary, and their duration is a frame count."""


@dataclass(frozen=True, slots=True)
class Timing:
    """See `VideoFacts` for the meaning of the fields."""

    rate: Fraction
    average_rate: Fraction | None
    constant_rate: bool
    time_base: Fraction
    start: Fraction | None
    duration: Fraction | None
    frames: int | None
    frames_certain: bool
    told_rate: Fraction | None


def timing_of(stream: Section, demuxer: str, field_order: str | None) -> Timing | None:
    """The timing of a video stream; None if the file has neither a rate nor a time base.

    ffprobe reports two rates. `avg_frame_rate` is frames over duration: exact in MOV and MP4 (whole sample table), measured over
    the first packets elsewhere, absent in MXF. `r_frame_rate` is the lowest rate that fits all timestamps seen: the nominal rate
    of constant media, the field rate of field-coded media (60000/1001 beside 30000/1001), a meaningless tick rate of varying
    media (90000/1, 57600/1).
    """
    time_base = stream.ratio("time_base")
    nominal, average = stream.ratio("r_frame_rate"), stream.ratio("avg_frame_rate")
    if time_base is None or (nominal is None and average is None):
        return None
    start = _ticks(stream, "start_pts", time_base)
    # ASF gives every stream the file's playing time, including audio and preroll: that is not the video's.
    # Only its writer knows what IVF counts: frames or ticks (see `ivf`).
    duration = None if demuxer in {"asf", "ivf"} else stated_duration(stream, time_base)
    rate, constant = _rate(demuxer, nominal, average, time_base, interlaced=field_order in INTERLACED_ORDERS)
    if nominal is not None and average is not None and demuxer == "mov":
        beside_the_grid = _only_the_last_differs, _rounded_to_ticks, _counts_what_is_cut_off
        if any(explains(stream, nominal, average, time_base) for explains in beside_the_grid):
            rate, constant = nominal, True
    frames, certain = _frames(stream, demuxer, rate, average, duration, constant=constant)
    if constant and frames is not None and demuxer == "mov":
        rate = _from_decimals(rate, frames, time_base)
    return Timing(rate, average, constant, time_base, start, duration, frames, certain, _told_rate(nominal, average))


def _rate(
    demuxer: str, nominal: Fraction | None, average: Fraction | None, time_base: Fraction, *, interlaced: bool
) -> tuple[Fraction, bool]:
    """The rate, and whether it is constant."""
    if demuxer == "mxf":
        # One tick is one edit unit, a frame; the measured rates are absent or wrong here (25/2 for field-coded XAVC).
        return 1 / time_base, True
    if demuxer == "matroska" and nominal is not None:
        nominal = _from_nanoseconds(nominal)
        average = nominal if average is None else _from_nanoseconds(average)
    if nominal == 1 / time_base and (demuxer in _OF_FINE_TICKS or (demuxer == "ivf" and nominal >= _FINE)):
        # A rate of one tick a frame is not a real one: FFmpeg found none that fits, and reports the resolution of the times.
        return (nominal if average is None else average), False
    if nominal is None or average is None or demuxer in _FRAME_WRAPPED:
        return nominal or average or 1 / time_base, True
    if nominal == 2 * average and interlaced:
        return average, True
    constant = nominal == average or _same_but_for_rounding(nominal, average, demuxer)
    return (nominal if constant else average), constant


_BELIEVED_AVERAGE, _DOUBTED_NOMINAL = 70, 210


def _told_rate(nominal: Fraction | None, average: Fraction | None) -> Fraction | None:
    """The rate that FFmpeg tells filters and muxers, whether the rate varies or not (libavformat, `av_guess_frame_rate`)."""
    if nominal is not None and average is not None and average < _BELIEVED_AVERAGE and nominal > _DOUBTED_NOMINAL:
        return average
    return nominal or average


_OF_FINE_TICKS = frozenset({"matroska", "flv", "asf", "wtv", "mpegts", "mpeg"})
"""Containers with a thousand ticks a second or more, whatever the rate. In MOV, AVI and Ogg a tick may be a frame."""

_FINE = 1000
"""From here on a rate of one tick a frame is not a real one in IVF: most files count in frames, call recorders in 1/90000 s."""

_DECIMALS = Fraction(1, 40_000)
"""How much a rate may be rounded, relative to it: 2997/100, 2997/125, 1000000/33333 and 1000000/16683 are; 90000/3001 is not."""


def _from_decimals(rate: Fraction, frames: int, time_base: Fraction) -> Fraction:
    """The rate that a rounded one means: 30000/1001 for 2997/100, 30 for 1000000/33333.

    Only if every frame is then within a tenth of a frame (or two ticks) of its time, the tolerance of all times:
    2997/100 drifts by that much in 55 minutes.
    """
    if rate.denominator == 1:
        return rate
    candidates = (Fraction(round(rate)), Fraction(round(rate * 1001 / 1000) * 1000, 1001))
    for exact in candidates:
        drift = frames * abs(1 / exact - 1 / rate) if exact else None
        if drift is not None and abs(exact / rate - 1) <= _DECIMALS and drift <= max(2 * time_base, 1 / (10 * exact)):
            return exact
    return rate


def _from_nanoseconds(rate: Fraction) -> Fraction:
    """The exact rate that a Matroska frame duration means: 60000/1001 for 19001/317, 120000/1001 for 29011/242."""
    if rate.denominator == 1:
        return rate
    candidates = (Fraction(round(rate)), Fraction(round(rate * 1001 / 1000) * 1000, 1001))
    return next((exact for exact in candidates if exact and means(rate, exact)), rate)


def _only_the_last_differs(stream: Section, nominal: Fraction, average: Fraction, time_base: Fraction) -> bool:
    """Whether a movie's frames all have one duration, except for the last, which a cut or a stopped recorder may change.

    FFmpeg then takes the nominal rate from the sample table itself (libavformat/mov.c, stts of two entries, the second for one
    sample): a frame is a whole number of ticks, and all frames together miss the nominal time by less than one. Frames that vary
    further in give a rate of ticks (90000/1), one that is not a whole number of ticks, or miss by more.
    """
    stored = stream.positive("nb_frames")
    if stored is None or (1 / nominal / time_base).denominator != 1:
        return False
    return abs(stored / average - stored / nominal) < 1 / nominal


def _rounded_to_ticks(stream: Section, nominal: Fraction, average: Fraction, time_base: Fraction) -> bool:
    """Whether a movie's ticks are too coarse for its rate: 59.94 at 90000 is 1501 and 1502 ticks in turn, 29.97 at 600 is 20.02.

    All frames together then miss the nominal time by a tick at most; one frame left out would make it a whole frame. Each time is
    checked against the grid when the frames are presented.
    """
    stored = stream.positive("nb_frames")
    if stored is None or (1 / nominal / time_base).denominator == 1:
        return False
    return abs(stored / average - stored / nominal) <= time_base


def _counts_what_is_cut_off(stream: Section, nominal: Fraction, average: Fraction, time_base: Fraction) -> bool:
    """Whether an edit list leaves out frames, and a movie's average misses the nominal rate by no more than one frame.

    FFmpeg takes the average over frames that are not presented, with a length that is short of one of them: a trimmed 29.97 at
    600 ticks a second says 6900/227. The presented frames are checked against the nominal rate later.
    """
    stored, length = stream.positive("nb_frames"), _ticks(stream, "duration_ts", time_base)
    if stored is None or length is None or length + 1 / nominal > stored / average:
        return False
    return abs(stored / average - stored / nominal) <= 1 / nominal


_ROUNDED_TIMES = frozenset({"matroska", "flv", "asf", "wtv", "mpegts", "mpeg", "ogg", "avi", "ivf"})
"""Containers whose average is measured over the first packets, from timestamps that are rounded to ticks or milliseconds."""


def _same_but_for_rounding(nominal: Fraction, average: Fraction, demuxer: str) -> bool:
    """Whether the average differs from the nominal rate only by how it was measured.

    That is by less than 1 part in 2000 (29.97 and 30 lie 1 in 1000 apart), in containers that round times. MOV and MP4 count in
    exact ticks: there a difference is a longer frame.
    """
    return demuxer in _ROUNDED_TIMES and abs(average / nominal - 1) * 2000 < 1


def _frames(
    stream: Section, demuxer: str, rate: Fraction, average: Fraction | None, duration: Fraction | None, *, constant: bool
) -> tuple[int | None, bool]:
    """How many frames are presented, and whether that is reliable.

    A sample count (`nb_frames`) is what is stored: an edit list may present fewer. It is certain if count over average rate is
    the presented duration (then nothing is cut); else the duration gives how many begin in it.
    """
    stored = None if demuxer == "ivf" else stream.positive("nb_frames")
    if demuxer in _FRAME_WRAPPED and duration is not None:
        frames = duration * rate
        return round(frames), frames.denominator == 1
    if stored is not None and average is not None and duration is not None and demuxer == "mov":
        if stored / average == duration:
            return stored, True
        if constant:
            return min(stored, ceil(duration * rate)), False
    return stored, False


def _ticks(stream: Section, key: str, time_base: Fraction) -> Fraction | None:
    ticks = stream.integer(key)
    return None if ticks is None else ticks * time_base
