"""Whether two paths name one clip: a symlinked card, a second mount point, another spelling of the path."""

import os
from unicodedata import normalize

from proxx_worker.files.locations import path_bytes


def same_clip(one: str, other: str) -> bool:
    """Whether two absolute paths name one clip, by device and inode where both exist.

    Where one does not, by name, composed and decomposed accents counting as one, as a share may have renamed it so.
    """
    names = _plain(one), _plain(other)
    if names[0] == names[1]:
        return True
    identities = _identity(one), _identity(other)
    if None not in identities:
        return identities[0] == identities[1]
    return normalize("NFC", names[0]) == normalize("NFC", names[1])


def _plain(path: str) -> str:
    """Without empty parts and `.`; `..` stays, as it may follow a symlink."""
    return "/".join(part for part in path.split("/") if part not in {"", "."})


def _identity(path: str) -> tuple[int, int] | None:
    """Device and inode; None if the system does not tell."""
    try:
        status = os.stat(path_bytes(path))
    except OSError:
        return None
    return status.st_dev, status.st_ino
