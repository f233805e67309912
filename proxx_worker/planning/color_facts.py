"""Colour as the file tags it, and the Dolby Vision profile. What it does not say stays None: nothing is assumed here."""

from fractions import Fraction

from proxx_worker.planning.facts import ColorFacts
from proxx_worker.planning.ffprobe_document import Section

_CHROMATICITY_UNITS = 50000
_LUMINANCE_UNITS = 10000


def color_of(stream: Section) -> ColorFacts:
    """The colour tags and the static HDR metadata of a video stream."""
    return ColorFacts(
        range=stream.text("color_range"),
        matrix=stream.text("color_space"),
        primaries=stream.text("color_primaries"),
        transfer=stream.text("color_transfer"),
        chroma_location=stream.text("chroma_location"),
        mastering_display=_mastering_display(stream),
        content_light=_content_light(stream),
    )


def dolby_vision_profile_of(stream: Section) -> int | None:
    """The profile of the DOVI configuration record, or None."""
    record = stream.side_data("DOVI configuration record")
    return record.integer("dv_profile") if record else None


def _mastering_display(stream: Section) -> str | None:
    """`G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,0)`; None where a part is missing."""
    data = stream.side_data("Mastering display metadata")
    if data is None:
        return None
    points = [
        (name, _units(data, f"{key}_x", _CHROMATICITY_UNITS), _units(data, f"{key}_y", _CHROMATICITY_UNITS))
        for name, key in (("G", "green"), ("B", "blue"), ("R", "red"), ("WP", "white_point"))
    ]
    points.append(("L", _units(data, "max_luminance", _LUMINANCE_UNITS), _units(data, "min_luminance", _LUMINANCE_UNITS)))
    if any(x is None or y is None for _, x, y in points):
        return None
    return "".join(f"{name}({x},{y})" for name, x, y in points)


def _units(data: Section, key: str, units: int) -> int | None:
    """A rational in integer units, 0 included (black is 0 cd/m2 on many masters)."""
    if data.text(key) in {f"0/{units}", "0/1"}:
        return 0
    value: Fraction | None = data.ratio(key)
    return round(value * units) if value is not None else None


def _content_light(stream: Section) -> str | None:
    data = stream.side_data("Content light level metadata")
    if data is None:
        return None
    peak, average = data.integer("max_content"), data.integer("max_average")
    return None if peak is None or average is None else f"{peak},{average}"
