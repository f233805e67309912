"""Avid Log Exchange: a table of clips with their tapes and timecodes, which Media Composer merges into a bin or relinks by. Pure.

Source: "Avid Log Specifications" (Avid): heading, columns and data, tab-delimited; `End` is the label after the last frame.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from proxx_worker.relink.clips import RelinkClip, UnfitError

_RATES = {
    Fraction(24000, 1001): "23.976",
    Fraction(24): "24",
    Fraction(25): "25",
    Fraction(30000, 1001): "29.97",
    Fraction(30): "30",
    Fraction(48): "48",
    Fraction(50): "50",
    Fraction(60000, 1001): "59.94",
    Fraction(60): "60",
    Fraction(100): "100",
    Fraction(120000, 1001): "119.88",
    Fraction(120): "120",
}
_RASTERS = {1080: "1080", 720: "720", 576: "PAL", 486: "NTSC", 480: "NTSC"}
_RATES_OF = {"PAL": {Fraction(25)}, "NTSC": {Fraction(24000, 1001), Fraction(30000, 1001)}}
_COLUMNS = ("Name", "Tracks", "Start", "End", "Duration", "FPS", "Tape", "Source File", "Source Path", "Proxy Path")


def ale(clips: Sequence[RelinkClip]) -> str:
    """The file. Raises `UnfitError` for a variable rate, one that Avid does not know, and several: its heading has one."""
    rates = {clip.constant_rate("ALE") for clip in clips}
    if len(rates) > 1:
        raise UnfitError(f"an ALE has one frame rate, but these clips have {len(rates)}: name the results of one rate at a time")
    rate = next(iter(rates), Fraction(25))
    if rate not in _RATES:
        raise UnfitError(f"Avid does not support {rate} frames per second: leave those clips out")
    raster = {_raster(clip.height, rate) for clip in clips}
    heading = [
        "Heading",
        "FIELD_DELIM\tTABS",
        f"VIDEO_FORMAT\t{raster.pop() if len(raster) == 1 else 'CUSTOM'}",
        "AUDIO_FORMAT\t48khz",
        f"FPS\t{_RATES[rate]}",
    ]
    rows = ["\t".join(_cells(clip, _RATES[rate])) for clip in clips]
    return "\n".join([*heading, "", "Column", "\t".join(_COLUMNS), "", "Data", *rows]) + "\n"


def _raster(height: int, rate: Fraction) -> str:
    """Avid's name of the format; the two of standard definition have rates of their own."""
    name = _RASTERS.get(height, "CUSTOM")
    return name if rate in _RATES_OF.get(name, {rate}) else "CUSTOM"


def _cells(clip: RelinkClip, rate: str) -> list[str]:
    tracks = "V" + "".join(f"A{number + 1}" for number in range(sum(clip.channels)))
    length = replace(clip, start=0).label(clip.frames)
    cells = [
        clip.name, tracks, clip.label(0), clip.label(clip.frames), length, rate, clip.reel or clip.name,
        clip.source.rsplit("/", 1)[-1], clip.source, clip.proxy,
    ]  # fmt: skip
    return [_cell(text) for text in cells]


def _cell(text: str) -> str:
    """Without tabs and line ends, which would begin another cell or row, and without what UTF-8 cannot encode."""
    return "".join(" " if letter < " " or letter == "\x7f" else letter for letter in text).encode("utf-8", "replace").decode()
