"""Timecode as a count of frames and back, drop-frame and non-drop-frame. Pure arithmetic: SMPTE ST 12-1, section 5.

Drop-frame drops labels, never frames: at 30000/1001 the labels 00 and 01 of every minute not divisible by ten, at twice and
four times that rate twice and four times as many.
"""

from fractions import Fraction
from math import floor

from proxx_worker.media.facts import Timecode

_SIXTY = 60
_TEN = 10
_DROP_UNIT = 15
_DAY = 24 * _SIXTY * _SIXTY


def nominal(rate: Fraction) -> int:
    """Labels per second: the nearest whole number, half a frame rounded up, as FFmpeg counts; at least 1.

    30 for 30000/1001, and for the 30.02 that a phone's clip has on average.
    """
    return max(1, floor(rate + Fraction(1, 2)))


def count_of(timecode: Timecode, rate: Fraction) -> int:
    """Frames from 00:00:00:00 to this label.

    `timecode` was accepted by `media.timecode`: it is well-formed and possible at `rate`.
    """
    hours, minutes, seconds, frames = (int(part) for part in timecode.text.replace(";", ":").replace(".", ":").split(":"))
    base = nominal(rate)
    count = ((hours * _SIXTY + minutes) * _SIXTY + seconds) * base + frames
    if timecode.drop_frame:
        all_minutes = hours * _SIXTY + minutes
        count -= base // _DROP_UNIT * (all_minutes - all_minutes // _TEN)
    return count


def label_of(count: int, rate: Fraction, *, drop_frame: bool) -> str:
    """The label of the frame that is `count` frames after 00:00:00:00; a day later the clock starts over."""
    base = nominal(rate)
    if drop_frame:
        dropped = base // _DROP_UNIT
        per_minute = base * _SIXTY - dropped
        per_ten = per_minute * _TEN + dropped
        count %= per_ten * _SIXTY * 24 // _TEN
        tens, rest = divmod(count, per_ten)
        # The first minute of ten drops nothing, so it is longer than the nine that follow.
        later = 0 if rest < base * _SIXTY else 1 + (rest - base * _SIXTY) // per_minute
        count += dropped * (9 * tens + later)
    count %= _DAY * base
    seconds, frames = divmod(count, base)
    minutes, second = divmod(seconds, _SIXTY)
    digits = max(2, len(str(base - 1)))
    return f"{minutes // _SIXTY:02d}:{minutes % _SIXTY:02d}:{second:02d}{';' if drop_frame else ':'}{frames:0{digits}d}"


def after(start: Timecode | None, frames: int, rate: Fraction) -> str | None:
    """The label of the frame that is `frames` after the one labelled `start`; None without a start."""
    return None if start is None else label_of(count_of(start, rate) + frames, rate, drop_frame=start.drop_frame)
