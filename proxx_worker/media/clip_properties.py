"""Facts about camera RAW from DaVinci Resolve's clip properties. Unfamiliar text means unknown; nothing is guessed.

The properties are those of `MediaPoolItem.GetClipProperty("")`: names are English in every language of the interface, values are
text, some of it in that language; FPS is a number, rounded to two or three digits (23.976, 29.97).
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from proxx_worker.media.facts import RawSource, Timecode
from proxx_worker.media.timecode import parse_timecode

Property: TypeAlias = str | int | float | bool | None

_WHOLE = re.compile(r"[0-9]{1,12}")
_DECIMAL = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_SIZE = re.compile(r"([0-9]{1,6})\s*x\s*([0-9]{1,6})")
_DROP = {"0": False, "1": True}
_NEAR_WHOLE = 0.0005
_NEAR_1001 = 0.005
_LARGEST_RATE = 1000
ORIGIN = "resolve"
"""Where such a timecode was found."""


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """One clip as Resolve reports it; None for what it does not report in text that is known here.

    `frames`: of the whole clip, all its parts together. `rate`: exact. `size`: pixels. `sample_aspect`: pixel width / height.
    `audio_channels`: of all streams together; Resolve does not report how they are divided. `offline`: Resolve cannot
    read it. `properties`: all of them, as reported.
    """

    frames: int | None
    rate: Fraction | None
    timecode: Timecode | None
    size: tuple[int, int] | None
    sample_aspect: Fraction | None
    audio_channels: int | None
    reel: str | None
    offline: bool
    properties: Mapping[str, Property]

    def text(self, name: str) -> str | None:
        """A property as it is; None if it is empty, not text, or missing."""
        value = self.properties.get(name)
        return value if isinstance(value, str) and value else None


def read_clip(properties: Mapping[str, Property]) -> ClipFacts:
    """The facts from a clip's properties."""
    rate = exact_rate(properties.get("FPS"))
    return ClipFacts(
        frames=_whole(properties.get("Frames")) or None,
        rate=rate,
        timecode=None if rate is None else _timecode(properties, rate),
        size=_size(properties.get("Resolution")),
        sample_aspect=_sample_aspect(properties.get("PAR")),
        audio_channels=_whole(properties.get("Audio Ch")),
        reel=_text(properties.get("Reel Name")),
        offline=_text(properties.get("Online Status")) == "Offline",
        properties=dict(properties),
    )


def exact_rate(value: Property) -> Fraction | None:
    """The exact rate that a rounded number means: 25, or 24000/1001 for 23.976 and 23.98. None for any other."""
    number = _number(value)
    if number is None or not 0 < number <= _LARGEST_RATE:
        return None
    whole, thousandth = Fraction(round(number)), Fraction(round(number * 1001 / 1000) * 1000, 1001)
    if whole and abs(number - whole) <= _NEAR_WHOLE:
        return whole
    return thousandth if thousandth and abs(number - thousandth) < _NEAR_1001 else None


def _number(value: Property) -> float | None:
    if isinstance(value, str):
        return float(value) if _DECIMAL.fullmatch(value) else None
    if isinstance(value, bool) or value is None or not math.isfinite(value):
        return None
    return float(value)


def _whole(value: Property) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value >= 0 else None
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else None


def _text(value: Property) -> str | None:
    return value if isinstance(value, str) and value else None


def _size(value: Property) -> tuple[int, int] | None:
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None or not (int(match[1]) and int(match[2])):
        return None
    return int(match[1]), int(match[2])


def _sample_aspect(value: Property) -> Fraction | None:
    if value == "Square":
        return Fraction(1)
    aspect = Fraction(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else Fraction(0)
    return aspect or None


def _timecode(properties: Mapping[str, Property], rate: Fraction) -> Timecode | None:
    """The start timecode. Drop-frame is only considered if the rate allows it."""
    text = _text(properties.get("Start TC"))
    if text is None or len(text) < len("00:00:00:00"):
        return None
    plain, dropping = (parse_timecode(f"{text[:8]}{separator}{text[9:]}", rate, ORIGIN) for separator in ":;")
    if dropping is None and plain is not None:
        return plain if _drops(properties, text) is not True else None
    drops = _drops(properties, text)
    return None if drops is None else dropping if drops else plain


def _drops(properties: Mapping[str, Property], text: str) -> bool | None:
    said = properties.get("Drop frame")
    if text[8] in ";.":
        return True
    return _DROP.get(said) if isinstance(said, str) else None


@dataclass(frozen=True, slots=True)
class SurveyedRaw(RawSource):
    """Camera RAW that Resolve has looked at.

    `parts`: names of the further files of the same clip. `sidecars`: names of the files beside it that Resolve applies unasked.
    """

    clip: ClipFacts
    parts: tuple[str, ...] = ()
    sidecars: tuple[str, ...] = ()
