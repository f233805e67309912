"""The files that belong to a clip besides the one that a JobSpec names: further parts of an R3D, and sidecars.

Resolve opens all of them by path, automatically. So their identity is checked like the source's own, before and after the render.
R3D: a clip is `NAME_001.R3D`, `NAME_002.R3D`, ... in one folder. Sidecars: RED's `.RMD` of the clip, Blackmagic's `.sidecar`.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.text import display_name
from proxx_worker.engines.source_file import SourceIdentity, require_unchanged
from proxx_worker.files.errnos import classify_os_error
from proxx_worker.files.locations import path_bytes

_R3D_PART = re.compile(rb"(.+)_([0-9]{3})\.(r3d)", re.IGNORECASE)
_FIRST_PART = 1
_RMD, _SIDECAR = b".rmd", b".sidecar"


@dataclass(frozen=True, slots=True)
class CompanionFile:
    """A file that belongs to the clip, and its identity at the survey."""

    path: str
    identity: SourceIdentity

    @property
    def name(self) -> str:
        """Its file name, for messages and records."""
        return display_name(os.fsencode(self.path.rsplit("/", 1)[-1]))


@dataclass(frozen=True, slots=True)
class Companions:
    """All companion files of a clip: further parts in order, and sidecars."""

    parts: tuple[CompanionFile, ...] = ()
    sidecars: tuple[CompanionFile, ...] = ()

    def require_unchanged(self, path: str) -> None:
        """Raise SOURCE_CHANGED if one of them was removed or changed, or a new one was added to the source at `path`."""
        known = (*self.parts, *self.sidecars)
        for file in known:
            require_unchanged(file.path, file.identity)
        now = companions_of(path)
        added = sorted({file.path for file in (*now.parts, *now.sidecars)} - {file.path for file in known})
        if added:
            raise ProxxError(
                ErrorCode.SOURCE_CHANGED,
                f"a clip must be complete before its job starts, but {added[0]} was added to {path} since, and Resolve applies "
                "it automatically. Submit the job again once the clip is complete.",
                path=added[0],
                source=path,
            )


def companions_of(path: str) -> Companions:
    """The companion files of the source at `path`.

    Raises SOURCE_UNSUPPORTED if `path` is not the first part of its clip, or a part in between is missing; SOURCE_UNREADABLE if
    the folder cannot be listed.
    """
    folder, _, name = path_bytes(path).rpartition(b"/")
    try:
        names = sorted(os.listdir(folder or b"/"))  # noqa: PTH208 - names of any bytes
    except OSError as error:
        raise classify_os_error(error, "list the folder of", path) from error
    part = _R3D_PART.fullmatch(name)
    numbered = [] if part is None else _further_parts(part, names, path)
    stems = {name.rpartition(b".")[0].lower(), *([] if part is None else [part[1].lower()])}
    sidecars = [other for other in names if other != name and _is_sidecar(other, name, stems)]
    return Companions(tuple(_with_identity(folder, numbered)), tuple(_with_identity(folder, sidecars)))


def _is_sidecar(name: bytes, source: bytes, stems: set[bytes]) -> bool:
    lower = name.lower()
    stem, dot, suffix = lower.rpartition(b".")
    return (dot + suffix in {_RMD, _SIDECAR}) and (stem in stems or stem == source.lower())


def _further_parts(part: "re.Match[bytes]", names: Sequence[bytes], path: str) -> list[bytes]:
    number = int(part[2])
    if number != _FIRST_PART:
        first = display_name(b"%s_001.%s" % (part[1], part[3]))
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"a spec must name the first part of an R3D clip, but {path} is part {number}. Name {first}; Resolve reads the "
            "others with it.",
            path=path,
            part=number,
        )
    found = {
        int(other[2]): name
        for name in names
        if (other := _R3D_PART.fullmatch(name)) and other[1].lower() == part[1].lower() and int(other[2]) != _FIRST_PART
    }
    for expected, actual in enumerate(sorted(found), start=_FIRST_PART + 1):
        if actual != expected:
            raise ProxxError(
                ErrorCode.SOURCE_UNSUPPORTED,
                f"an R3D clip must be complete, but {path} has a part {actual} and no part {expected}. Copy the card again.",
                path=path,
                missing=expected,
            )
    return [found[part_number] for part_number in sorted(found)]


def _with_identity(folder: bytes, names: Sequence[bytes]) -> Iterator[CompanionFile]:
    for name in names:
        whole = os.fsdecode(folder + b"/" + name)
        try:
            yield CompanionFile(whole, SourceIdentity.of(Path(whole).stat()))
        except OSError as error:
            raise classify_os_error(error, "inspect", whole) from error
