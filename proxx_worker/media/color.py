"""Colour tags of a file, and its Dolby Vision profile. What it does not state stays None: nothing is assumed here."""

from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.media.facts import ColorFacts
from proxx_worker.media.ffprobe_json import Section

_CHROMATICITY_UNITS = 50000
_LUMINANCE_UNITS = 10000
_X, _Y = range(5, 37_001), range(5, 42_001)
_MOST_LIGHT, _LEAST_LIGHT = range(50_000, 100_000_001), range(50_001)
"""What these units can say (ITU-T H.265, D.3.28). Anything else, 0 included, means "unknown", and FFmpeg from 7 on leaves it out.
The least luminance may be 0, as on many masters: FFmpeg takes it so, too."""

_IPT_PROFILE = 5
_AV1_PROFILE = 10


def color_of(stream: Section, frame: Section) -> ColorFacts:
    """The colour tags and the static HDR metadata.

    The tags are those of the first decoded frame, which FFmpeg converts by, else the container's. The two can disagree: FFmpeg 9
    leaves the container's in the stream (a GoPro clip tagged full range in H.264 and limited in `colr`), earlier ones put the
    decoder's there. The static metadata are the container's, else the frame's own (SEI messages).
    """
    return ColorFacts(
        range=frame.word("color_range") or stream.word("color_range"),
        matrix=frame.word("color_space") or stream.word("color_space"),
        primaries=frame.word("color_primaries") or stream.word("color_primaries"),
        transfer=frame.word("color_transfer") or stream.word("color_transfer"),
        chroma_location=frame.word("chroma_location") or stream.word("chroma_location"),
        mastering_display=_mastering_display(stream) or _mastering_display(frame),
        content_light=_content_light(stream) or _content_light(frame),
    )


def dolby_vision_profile_of(stream: Section, frame: Section) -> int | None:
    """The Dolby Vision profile from the container; else 5 if the first frame's metadata cannot be of any other; else None.

    Without a container record, a reference processing unit of VDR profile 0 over a full-range base layer is profile 5: FFmpeg
    libavcodec/dovi_rpu.c, guess_profile.
    """
    record = stream.side_data("DOVI configuration record")
    if record is not None:
        return record.integer("dv_profile")
    unit = frame.side_data("Dolby Vision Metadata")
    ipt = unit is not None and unit.integer("vdr_rpu_profile") == 0 and unit.flag("bl_video_full_range_flag")
    return _IPT_PROFILE if ipt else None


def refuse_ipt(stream: Section, profile: int | None) -> None:
    """Raise SOURCE_UNSUPPORTED if the video is Dolby Vision without a base layer that can be shown as it is.

    That is profile 5, and its AV1 form 10.0: IPT colour. The others' base layers are SDR, HDR10 or HLG and tagged so.
    """
    record = stream.side_data("DOVI configuration record")
    bare_av1 = profile == _AV1_PROFILE and record is not None and record.integer("dv_bl_signal_compatibility_id") == 0
    if profile == _IPT_PROFILE or bare_av1:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"the video is Dolby Vision profile {profile}, whose base layer (IPT) has wrong colours without Dolby's tools; "
            "deliver profile 8, or a graded SDR or HDR10 version",
            dolby_vision_profile=profile,
        )


def _mastering_display(stream: Section) -> str | None:
    """`G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,0)`; None if a part is missing or says "unknown"."""
    data = stream.side_data("Mastering display metadata")
    if data is None:
        return None
    points = [
        (name, _units(data, f"{key}_x", _CHROMATICITY_UNITS), _units(data, f"{key}_y", _CHROMATICITY_UNITS))
        for name, key in (("G", "green"), ("B", "blue"), ("R", "red"), ("WP", "white_point"))
    ]
    most, least = _units(data, "max_luminance", _LUMINANCE_UNITS), _units(data, "min_luminance", _LUMINANCE_UNITS)
    if most not in _MOST_LIGHT or least not in _LEAST_LIGHT or least >= most:
        return None
    if any(x not in _X or y not in _Y for _, x, y in points):
        return None
    return "".join(f"{name}({x},{y})" for name, x, y in (*points, ("L", most, least)))


def _units(data: Section, key: str, units: int) -> int:
    """A rational in integer units; -1 if it is missing."""
    if data.text(key) in {f"0/{units}", "0/1"}:
        return 0
    value: Fraction | None = data.ratio(key)
    return round(value * units) if value is not None else -1


def _content_light(stream: Section) -> str | None:
    """MaxCLL and MaxFALL; None if a half is missing, or both are 0, which means "unknown" (CTA-861.3)."""
    data = stream.side_data("Content light level metadata")
    if data is None:
        return None
    peak, average = data.integer("max_content"), data.integer("max_average")
    return None if peak is None or average is None or not (peak or average) else f"{peak},{average}"
