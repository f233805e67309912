"""Which of the files in a folder are clips, by name, place and content; and how that is reported. Values in, values out."""

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from proxx_worker.feeding.cards import NO_CARD, Place
from proxx_worker.feeding.spans import span_text
from proxx_worker.media.content_kind import ContentKind


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip: `path` is absolute, `relative` is below `root`. Names that are not UTF-8 hold surrogate escapes (PEP 383).

    `raw`: whether it is camera RAW; None if that was not checked.
    """

    path: str
    root: str
    relative: str
    raw: bool | None = None
    place: Place = NO_CARD


class Skip(StrEnum):
    """Why a file is not a clip. The values are the names in a summary."""

    TEXT = "text"
    AUDIO = "audio"
    STILL = "still"
    DOCUMENT = "document"
    EMPTY = "empty"
    UNKNOWN = "unknown"
    HIDDEN = "hidden"
    UNFINISHED = "unfinished copy"
    THUMBNAIL = "thumbnail"
    PROXY = "proxy"
    PROXY_FOLDER = "folder of proxies"
    CARD_DATA = "card data"
    SYSTEM = "system folder"
    LINK = "link to a folder"
    BROKEN_LINK = "broken link"
    SPECIAL = "not a file"
    OTHER_EXTENSION = "other extension"
    CAMERA_RAW = "camera RAW without a _resolve profile (for machines with DaVinci Resolve Studio)"
    NOT_RAW = "not camera RAW (_resolve profiles accept nothing else)"


_SYSTEM_FOLDERS = frozenset(
    {"SYSTEM VOLUME INFORMATION", "$RECYCLE.BIN", "RECYCLER", "LOST+FOUND", "@EADIR", "#RECYCLE", "#SNAPSHOT"}
)
_PROXY_FOLDERS = frozenset({"PROXY", "PROXIES"})
_UNFINISHED = re.compile(
    r".*(?:~|\.(?:part|partial|tmp|temp|download|crdownload|filepart|!ut|aspera|copying|inprogress))", re.IGNORECASE
)
_THUMBNAIL = re.compile(r".*\.thm", re.IGNORECASE)
_CAMERA_PROXY = re.compile(r".*\.lr[vf]|[A-Z][A-Z_]?\d{3,4}[CD]\d{3}.*_proxy\.\w+", re.IGNORECASE)  # GoPro, DJI; Canon
_CAMERA_STILL = re.compile(r".*\.cr3", re.IGNORECASE)  # its first bytes are those of Canon's CRM clips


def folder_skip(name: str, own_proxies: Iterable[str] = ()) -> Skip | None:
    """Why a folder of this name is not searched; None if it is. `own_proxies`: names of folders of our outputs."""
    if name.startswith("."):
        return Skip.HIDDEN
    if name.upper() in _SYSTEM_FOLDERS:
        return Skip.SYSTEM
    return Skip.PROXY_FOLDER if name.upper() in _PROXY_FOLDERS or name in own_proxies else None


def name_skip(name: str) -> Skip | None:
    """Why a file of this name is not a clip, whatever it contains; None if its content decides."""
    if name.startswith("."):
        return Skip.HIDDEN  # also ._A001.mov, in which macOS stores what other file systems cannot
    for pattern, reason in _BY_NAME:
        if pattern.fullmatch(name):
            return reason
    return None


_BY_NAME = (
    (_UNFINISHED, Skip.UNFINISHED),
    (_THUMBNAIL, Skip.THUMBNAIL),
    (_CAMERA_PROXY, Skip.PROXY),
    (_CAMERA_STILL, Skip.STILL),
)


def has_extension(name: str, extensions: Sequence[str]) -> bool:
    """Whether the name's extension is one of `extensions`, with or without a dot, in any case."""
    return posixpath.splitext(name)[1].lstrip(".").lower() in {extension.lstrip(".").lower() for extension in extensions}


def content_skip(kind: ContentKind, place: Place) -> Skip | None:
    """Why a file with this content at this place on a card is not a clip; None for a clip."""
    reason = _BY_CONTENT.get(kind)
    if reason is not None or place.is_clip:
        return reason
    return Skip.PROXY if place.is_proxy else Skip.CARD_DATA


_BY_CONTENT = {
    ContentKind.TEXT: Skip.TEXT,
    ContentKind.AUDIO: Skip.AUDIO,
    ContentKind.STILL: Skip.STILL,
    ContentKind.DOCUMENT: Skip.DOCUMENT,
    ContentKind.EMPTY: Skip.EMPTY,
    ContentKind.UNKNOWN: Skip.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found below the folders: clips in the order of their paths, what was passed over, and parts of one shot."""

    clips: tuple[Clip, ...]
    skipped: tuple[tuple[str, Skip], ...]
    spans: tuple[tuple[str, ...], ...] = ()


_SPANS_TOLD = 20


def tell(findings: Findings) -> list[str]:
    """The findings for a person, a line each: `22 clips (12 P2, 10 XAVC), 6 skipped: 2 text, 1 audio, ...`."""
    layouts = Counter(clip.place.layout for clip in findings.clips if clip.place.layout is not None)
    cards = f" ({_counts(layouts)})" if layouts else ""
    reasons = Counter(str(reason) for _, reason in findings.skipped)
    skipped = f", {len(findings.skipped)} skipped: {_counts(reasons)}" if reasons else ", none skipped"
    lines = [f"{counted(len(findings.clips), 'clip')}{cards}{skipped}"]
    told = [f"spanned, one task each: {span_text(span)}" for span in findings.spans]
    lines += told[:_SPANS_TOLD]
    if len(told) > _SPANS_TOLD:
        lines.append(f"and {len(told) - _SPANS_TOLD} more spanned shots")
    silent = sum(clip.place.separate_audio for clip in findings.clips)
    if silent:
        lines.append(f"{counted(silent, 'clip')} from cards that store audio in separate files: their proxies have no audio")
    return lines


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counter.items(), key=lambda item: (-item[1], item[0])))


def counted(count: int, noun: str) -> str:
    """`1 clip`, `2 clips`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
