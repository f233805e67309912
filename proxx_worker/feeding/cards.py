"""Camera card layouts: where each stores its clips, what else is beside them, and which files are parts of one shot.

Sources: Adobe's XMP Toolkit (P2_Handler, XDCAM_Handler, XDCAMEX_Handler, AVCHD_Handler: the layouts in their header comments),
Sony's PDW manuals (Clip, Sub, Edit), Canon's C80 manual (`_Proxy`), ARRI's ALEXA manual ("File naming scheme"), GoPro's chapter
names.
Paths are text, absolute, with `/`. Case is ignored, because copying a card can change it.
"""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layout:
    """One card layout. `inside`: a path in its tree; `clip`: a path of one of its clips. Both are matched upper-cased.

    `separate_audio`: its video files have no audio, which is in separate files.
    """

    name: str
    inside: re.Pattern[str]
    clip: re.Pattern[str]
    separate_audio: bool = False


def _layout(name: str, inside: str, clip: str, *, separate_audio: bool = False) -> Layout:
    return Layout(name, re.compile(f".*/{inside}/"), re.compile(f".*/{inside}/{clip}"), separate_audio=separate_audio)


LAYOUTS = (
    _layout("P2", r"CONTENTS/(?:VIDEO|AUDIO|CLIP|ICON|VOICE|PROXY)", r"(?<=/VIDEO/)[^/]+\.MXF", separate_audio=True),
    _layout("P2 AVC-LongG", r"CONTENTS/AVCLIP", r"[^/]+\.MXF"),
    _layout("Canon XF", r"(?:CONTENTS|CANONXF|XFVC|CRM)/(?:CLIPS|REEL_?)\d+", r".+"),
    _layout("XDCAM SAM", r"PROAV", r"CLPR/([^/]+)/\1V\d\d\.MXF", separate_audio=True),
    _layout("XDCAM EX", r"BPAV", r"CLPR/([^/]+)/\1\.MP4"),
    _layout("XAVC", r"(?:M4ROOT|XDROOT)", r"CLIP/[^/]+"),
    _layout("AVCHD", r"BDMV", r"STREAM/[^/]+\.(?:MTS|M2TS)"),
    _layout("GoPro", r"DCIM/\d{3}GOPRO", r"[^/]+"),
    _layout("Canon", r"DCIM/\d{3}(?:CANON|EOS\w+|_\d{4})", r"[^/]+"),
)
"""Layouts recognized by their own folders. XDCAM's Clip and Sub are recognized by what is above them: `disc_roots`."""

XDCAM = "XDCAM"
ARRI = "ARRI"
_DISC_CLIP = re.compile(r"CLIP/[^/]+")
_DISC_FOLDERS = re.compile(r"(?:CLIP|SUB|EDIT|TAKE|GENERAL|USERDATA)/")
_DISC_MARKS = frozenset({"DISCMETA.XML", "MEDIAPRO.XML"})
_DISC_PROXY = re.compile(r"(?P<disc>.*)/SUB/(?P<clip>[^/]+)S\d\d\.(?:MXF|MP4)")  # Clip/C0001.MXF, Sub/C0001S01.MXF
_PROXIES = re.compile(r".*/(?:SUB|PROXY)/[^/]+|.*/PROAV/CLPR/([^/]+)/\1S\d\d\.MXF")
_ARRI_CLIP = re.compile(
    r"(?:[A-Z]\d{3}[CD]\d{3}_\d{6}(?:\d\d)?_[A-Z][0-9A-Z]{3}|[A-Z_]{1,2}\d{4}[CD]\d{3}_\d{6}_\d{6}_[0-9A-Z]{5})\.\w+"
)


@dataclass(frozen=True, slots=True)
class Place:
    """A file's place on its card. `layout` is None if it is not on a card; then it may be a clip like any other.

    `is_proxy`: a movie there is the camera's own proxy.
    """

    layout: str | None
    is_clip: bool
    separate_audio: bool = False
    is_proxy: bool = False


NO_CARD = Place(None, is_clip=True)


def disc_roots(files: Iterable[str]) -> frozenset[str]:
    """The folders (upper case) that hold an XDCAM disc. `files`: every file that was found.

    Its list of clips says so or, where only the folders were copied, a proxy in Sub that has its clip in Clip.
    """
    found = {path.upper() for path in files}
    marked = {posixpath.dirname(path) for path in found if posixpath.basename(path) in _DISC_MARKS}
    proxies = filter(None, map(_DISC_PROXY.fullmatch, found))
    paired = {proxy["disc"] for proxy in proxies if f"{proxy['disc']}/CLIP/{proxy['clip']}.MXF" in found}
    return frozenset(marked | paired)


def place_of(path: str, discs: frozenset[str]) -> Place:
    """The card layout of the file `path`, and whether its place makes it one of the card's clips."""
    upper = path.upper()
    for layout in LAYOUTS:
        if layout.inside.match(upper):
            return _place(
                layout.name, upper, is_clip=layout.clip.fullmatch(upper) is not None, separate_audio=layout.separate_audio
            )
    disc = next((root for root in _folders_above(upper) if root in discs), None)
    if disc is not None:
        below = upper[len(disc) + 1 :]
        if _DISC_FOLDERS.match(below):
            return _place(XDCAM, upper, is_clip=_DISC_CLIP.fullmatch(below) is not None)
    if _ARRI_CLIP.fullmatch(posixpath.basename(upper)):
        return Place(ARRI, is_clip=True)
    return NO_CARD


def _place(layout: str, upper: str, *, is_clip: bool, separate_audio: bool = False) -> Place:
    return Place(layout, is_clip, separate_audio, is_proxy=not is_clip and _PROXIES.fullmatch(upper) is not None)


def _folders_above(path: str) -> Iterable[str]:
    while (path := posixpath.dirname(path)) not in {"", "/"}:
        yield path


# --- parts of one shot, by name ---

_PARTS = (
    re.compile(r"(?P<shot>.*/(?P<clip>\w{6}))/(?P=clip)(?P<part>\d\d)\.MXF"),  # Canon XF: AA0092/AA009201.MXF, AA009202.MXF
    re.compile(r"(?P<shot>.*/BPAV/CLPR/[^/]+_)(?P<part>\d\d)/[^/]+\.MP4"),  # XDCAM EX: machine, take, part (XDCAMEX_Handler)
    re.compile(r"(?P<shot>.*/G[HXLS])(?P<part>\d\d)(?P<number>\d{4})\.(?:MP4|360)"),  # GoPro from HERO6 on: part, then number
    re.compile(r"(?P<shot>.*/G)(?P<part>OPR|P\d\d)(?P<number>\d{4})\.MP4"),  # GoPro before: GOPR0001, GP010001
    re.compile(r"(?P<shot>.*\.RDC/[^/]+_)(?P<part>\d{3})\.R3D"),  # RED: A001_C001_0101AB_001.R3D
)


def spanned_by_name(clips: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """The clips that are parts of one shot, each shot's in order. A part without other parts among `clips` does not count."""
    shots: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for path in clips:
        for pattern in _PARTS:
            if found := pattern.fullmatch(path.upper()):
                number = found.groupdict().get("number", "")
                # GOPR0001 comes before GP010001, and sorts before it.
                shots.setdefault((found["shot"], number), []).append((found["part"], path))
                break
    return tuple(tuple(path for _, path in sorted(parts)) for parts in shots.values() if len(parts) > 1)
