"""The start timecode of a proxy: the source's own, or the same moment at another rate, where its container can count it."""

from dataclasses import replace
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.output_settings import OutputSettings
from proxx_worker.contract.values import rate_as_number
from proxx_worker.media.facts import MediaFacts, Timecode, VideoFacts
from proxx_worker.media.timecode import counts_drop_frames, recounted
from proxx_worker.media.timecode_count import nominal
from proxx_worker.planning.containers import QUICKTIME
from proxx_worker.planning.remedies import in_matroska

_MOST = 255
"""QuickTime's `tmcd` sample description has one byte for the frames of a second (NumberOfFrames)."""

_LEAST = Fraction(1, 2)
"""A slower rate has no whole frame in a second, and FFmpeg then leaves the timecode out."""

_DROPPED_OF = 15
_TEN = 10


def kept_timecode(settings: OutputSettings, facts: MediaFacts) -> Timecode | None:
    """The source's, for a proxy that keeps its times.

    Where the rate varies, MOV and MP4 count at the rate that FFmpeg tells their muxer: there it is the label of the same moment.
    Raises `SOURCE_UNSUPPORTED` if there is none, or if the container cannot count at that rate.
    """
    timecode, video = facts.timecode, facts.video
    if timecode is None or settings.container not in QUICKTIME:
        return timecode
    written = video.rate if video.constant_rate else video.told_rate or video.rate
    explicit = None if video.interlaced else 'ask for fps_mode "explicit" with a rate from 0.5 to 255'
    _check_rate(settings, timecode, written, explicit)
    if video.constant_rate:
        return timecode
    counted = recounted(timecode.text, timecode.own_rate or written, written, timecode.origin)
    if counted is None:
        raise _not_at(settings, timecode, written, video)
    return replace(counted, own_rate=timecode.own_rate)


def converted_timecode(settings: OutputSettings, facts: MediaFacts, rate: Fraction) -> Timecode | None:
    """The same moment at another rate: the clock stays, the frames are scaled, drop-frame stays if the rate has it.

    Raises `SOURCE_UNSUPPORTED` if the container cannot count it.
    """
    timecode = facts.timecode
    if timecode is None:
        return None
    if settings.container in QUICKTIME:
        _check_rate(settings, timecode, rate, "ask for a fps_explicit from 0.5 to 255")
    old, new = nominal(timecode.own_rate or facts.video.rate), nominal(rate)
    clock, frames = timecode.text[:8], int(timecode.text[9:]) * new // old
    drop = timecode.drop_frame and counts_drop_frames(rate)
    if drop and clock[6:8] == "00" and int(clock[3:5]) % _TEN:
        # The first labels of every minute not divisible by ten do not exist: 00 and 01 at 29.97, 00 to 03 at 59.94.
        frames = max(frames, new // _DROPPED_OF)
    return Timecode(f"{clock}{';' if drop else ':'}{frames:02d}", drop, timecode.origin)


def _check_rate(settings: OutputSettings, timecode: Timecode, rate: Fraction, other_rate: str | None) -> None:
    """Raise if MOV and MP4 cannot count at `rate`. `other_rate`: how to ask for one at which they can."""
    if rate >= _LEAST and nominal(rate) <= _MOST:
        return
    remedies = [in_matroska(settings.codec), *([] if other_rate is None else [other_rate])]
    raise ProxxError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"the source has a start timecode ({timecode.text}), which mov and mp4 count at 1 to {_MOST} frames per second, but its "
        f"proxy would have {rate}: {', or '.join(remedies)}",
        timecode=timecode.text,
        rate=str(rate),
        container=settings.container.value,
    )


def _not_at(settings: OutputSettings, timecode: Timecode, written: Fraction, video: VideoFacts) -> ProxxError:
    """At a variable rate, FFmpeg writes the timecode at the rate that it tells the muxer, whatever the source's own counts."""
    counted = timecode.own_rate or video.rate
    remedies = [in_matroska(settings.codec)]
    if not video.interlaced:
        remedies.append(f'ask for fps_mode "explicit" with {rate_as_number(counted) or nominal(counted)}')
    return ProxxError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"the source's frame rate varies, and {settings.container} would count its start timecode {timecode.text} at {written} "
        f"frames per second, where it is not possible: {', or '.join(remedies)}",
        timecode=timecode.text,
        rate=str(written),
        container=settings.container.value,
    )
