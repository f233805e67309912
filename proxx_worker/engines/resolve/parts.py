"""The files that belong to a clip beside the one that a JobSpec names: further parts of an R3D, and sidecars.

Resolve opens all of them by path, unasked. So their identity is held to like the source's own: before the render, and after it.
R3D: one clip is `NAME_001.R3D`, `NAME_002.R3D`, ... in one folder. Sidecars: RED's `.RMD` of the clip, Blackmagic's `.sidecar`.
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

_PART = re.compile(rb"(.+)_([0-9]{3})\.(r3d)", re.IGNORECASE)
_FIRST = 1
_RMD, _SIDECAR = b".rmd", b".sidecar"


@dataclass(frozen=True, slots=True)
class Beside:
    """One file that belongs to the clip, and its state when it was surveyed."""

    path: str
    identity: SourceIdentity

    @property
    def name(self) -> str:
        """Its bare name, for messages and records."""
        return display_name(os.fsencode(self.path.rsplit("/", 1)[-1]))


@dataclass(frozen=True, slots=True)
class Companions:
    """All of them: the further parts in order, then the sidecars."""

    parts: tuple[Beside, ...] = ()
    sidecars: tuple[Beside, ...] = ()

    def require_unchanged(self, path: str) -> None:
        """Raise SOURCE_CHANGED where one of them is gone, is not as it was, or has come to the source at `path` since."""
        known = (*self.parts, *self.sidecars)
        for file in known:
            require_unchanged(file.path, file.identity)
        now = companions_of(path)
        came = sorted({file.path for file in (*now.parts, *now.sidecars)} - {file.path for file in known})
        if came:
            raise ProxxError(
                ErrorCode.SOURCE_CHANGED,
                f"What belongs to a source must be there before its job: {came[0]} has come beside {path} since, and Resolve "
                "applies it unasked. Submit the job again once the clip is complete.",
                path=came[0],
                source=path,
            )


def companions_of(path: str) -> Companions:
    """What lies beside the source at `path` and belongs to it.

    Raises SOURCE_UNSUPPORTED for a part that is not the first of its clip, or where one between two others is missing;
    SOURCE_UNREADABLE where the folder cannot be listed.
    """
    folder, _, name = path_bytes(path).rpartition(b"/")
    try:
        names = sorted(os.listdir(folder or b"/"))  # noqa: PTH208 - names of any bytes
    except OSError as error:
        raise classify_os_error(error, "look beside", path) from error
    part = _PART.fullmatch(name)
    numbered = [] if part is None else _parts(part, names, path)
    stems = {name.rpartition(b".")[0].lower(), *([] if part is None else [part[1].lower()])}
    beside = [it for it in names if it != name and _is_sidecar(it, name, stems)]
    return Companions(tuple(_held(folder, numbered)), tuple(_held(folder, beside)))


def _is_sidecar(name: bytes, source: bytes, stems: set[bytes]) -> bool:
    lower = name.lower()
    stem, dot, suffix = lower.rpartition(b".")
    return (dot + suffix in {_RMD, _SIDECAR}) and (stem in stems or stem == source.lower())


def _parts(part: "re.Match[bytes]", names: Sequence[bytes], path: str) -> list[bytes]:
    number = int(part[2])
    if number != _FIRST:
        first = display_name(b"%s_001.%s" % (part[1], part[3]))
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"an R3D clip is named by its first part: {path} is part {number}. Name {first}, which stands for the whole clip.",
            path=path,
            part=number,
        )
    found = {
        int(other[2]): name
        for name in names
        if (other := _PART.fullmatch(name)) and other[1].lower() == part[1].lower() and int(other[2]) != _FIRST
    }
    for expected, there in enumerate(sorted(found), start=_FIRST + 1):
        if there != expected:
            raise ProxxError(
                ErrorCode.SOURCE_UNSUPPORTED,
                f"an R3D clip must be whole, but part {expected} of {path} is missing: part {there} is there. Copy the card "
                "again.",
                path=path,
                missing=expected,
            )
    return [found[at] for at in sorted(found)]


def _held(folder: bytes, names: Sequence[bytes]) -> Iterator[Beside]:
    for name in names:
        whole = os.fsdecode(folder + b"/" + name)
        try:
            yield Beside(whole, SourceIdentity.of(Path(whole).stat()))
        except OSError as error:
            raise classify_os_error(error, "inspect", whole) from error
