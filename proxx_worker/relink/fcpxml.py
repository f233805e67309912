"""FCPXML 1.11, for Final Cut Pro and others that read it: one asset per clip, with its original and its proxy. Pure.

Sources: Apple's FCPXML reference and the DTD of version 1.11, which is part of Final Cut Pro. Times are whole multiples of the
frame duration, in seconds as a fraction ("Time values").
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from proxx_worker.relink.clips import RelinkClip

_COLOR_CODES = {
    ("bt709", "bt709", "bt709"): "1-1-1 (Rec. 709)",
    ("smpte170m", "bt709", "smpte170m"): "6-1-6 (Rec. 601 (NTSC))",
    ("smpte170m", "smpte170m", "smpte170m"): "6-1-6 (Rec. 601 (NTSC))",
    ("bt470bg", "bt709", "bt470bg"): "5-1-6 (Rec. 601 (PAL))",
    ("bt470bg", "bt709", "smpte170m"): "5-1-6 (Rec. 601 (PAL))",
    ("bt2020", "bt709", "bt2020nc"): "9-1-9 (Rec. 2020)",
    ("bt2020", "bt2020-10", "bt2020nc"): "9-1-9 (Rec. 2020)",
    ("bt2020", "smpte2084", "bt2020nc"): "9-16-9 (Rec. 2020 PQ)",
    ("bt2020", "arib-std-b67", "bt2020nc"): "9-18-9 (Rec. 2020 HLG)",
}
_FIELDS = {"progressive": "progressive", "upper": "upper first", "lower": "lower first"}
_UNSAYABLE = re.compile("[\x00-\x1f\ud800-\udfff\ufffe\uffff]")
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n'


def fcpxml(clips: Sequence[RelinkClip], event: str) -> bytes:
    """The file, with all clips in one event. Raises `UnfitError` for a clip of a variable rate."""
    root = Element("fcpxml", version="1.11")
    resources = SubElement(root, "resources")
    spine = SubElement(SubElement(root, "library"), "event", name=_plain(event))
    formats: dict[tuple[str, ...], str] = {}
    for number, clip in enumerate(clips, 1):
        rate = clip.constant_rate("FCPXML")
        look = _format(clip, rate)
        key = tuple(f"{name}={value}" for name, value in look.items())
        if key not in formats:
            formats[key] = f"f{len(formats) + 1}"
            SubElement(resources, "format", {"id": formats[key], **look})
        start, duration = _time(Fraction(clip.start) / rate), _time(Fraction(clip.frames) / rate)
        asset = SubElement(
            resources,
            "asset",
            {
                "id": f"a{number}",
                "name": _plain(clip.name),
                "start": start,
                "duration": duration,
                "hasVideo": "1",
                "format": formats[key],
            }
            | {"videoSources": "1"}
            | _audio(clip),
        )
        SubElement(asset, "media-rep", kind="original-media", src=file_url(clip.source))
        SubElement(asset, "media-rep", kind="proxy-media", src=file_url(clip.proxy))
        SubElement(
            spine,
            "asset-clip",
            ref=f"a{number}",
            name=_plain(clip.name),
            start=start,
            duration=duration,
            format=formats[key],
            tcFormat="DF" if clip.drop_frame else "NDF",
        )
    indent(root)
    text: str = tostring(root, encoding="unicode")
    return f"{_HEAD}{text}\n".encode()


def file_url(path: str) -> str:
    """`path` as a file URL; bytes that are not UTF-8 go in as they are."""
    return "file://" + quote(path.encode("utf-8", "surrogateescape"))


def _time(seconds: Fraction) -> str:
    return f"{seconds.numerator}s" if seconds.denominator == 1 else f"{seconds.numerator}/{seconds.denominator}s"


def _format(clip: RelinkClip, rate: Fraction) -> dict[str, str]:
    look = {"frameDuration": f"{rate.denominator}/{rate.numerator}s", "width": str(clip.width), "height": str(clip.height)}
    if clip.sample_aspect != 1:
        look |= {"paspH": str(clip.sample_aspect.numerator), "paspV": str(clip.sample_aspect.denominator)}
    if clip.field_order is not None:
        look["fieldOrder"] = _FIELDS[clip.field_order]
    code = _COLOR_CODES.get((clip.color[0] or "", clip.color[1] or "", clip.color[2] or ""))
    return look if code is None else look | {"colorSpace": code}


def _audio(clip: RelinkClip) -> dict[str, str]:
    if not clip.channels:
        return {}
    return {
        "hasAudio": "1",
        "audioSources": str(len(clip.channels)),
        "audioChannels": str(sum(clip.channels)),
        "audioRate": str(clip.sample_rate),
    }


def _plain(text: str) -> str:
    """A name with U+FFFD for characters that XML 1.0 cannot contain."""
    return _UNSAYABLE.sub("\ufffd", text)
