"""Where an open file or folder really is, and whether it may be. The kernel is asked: names can be swapped between two looks."""

import fcntl
import os
import sys
from collections.abc import Sequence
from typing import Final

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.planning.roots import outside_roots

_MAX_PATH: Final = 1024  # F_GETPATH fills at most MAXPATHLEN bytes


def path_bytes(text: str) -> bytes:
    """Text as a path: UTF-8 whatever the locale says; bytes of another encoding come back as they were."""
    return text.encode("utf-8", "surrogateescape")


def path_text(path: bytes) -> str:
    """A path as text, the other way round: bytes that are not UTF-8 come as surrogate escapes."""
    return path.decode("utf-8", "surrogateescape")


def location_of(descriptor: int) -> str:
    """The path, without symlinks, of what is open as `descriptor`. Of a deleted file it means nothing. Raises `OSError`."""
    if sys.platform == "darwin":
        return path_text(fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(_MAX_PATH)).split(b"\0", 1)[0])
    return path_text(os.readlink(b"/proc/self/fd/%d" % descriptor))


def real_path_of(path: str) -> str:
    """The path with every symlink in it resolved, as far as it exists. By names, and so good for a first look only."""
    return path_text(os.path.realpath(path_bytes(path)))


def require_inside(path: str, real: str, roots: Sequence[str] | None, setting: str, what: str) -> None:
    """Raise PATH_NOT_ALLOWED where `real`, the real location of `path`, lies in none of `roots`; None allows every place.

    `setting` names the roots (`source_roots`), `what` the path (`a source`), both for the message.
    """
    if roots is None or not outside_roots(real, [real_path_of(root) for root in roots]):
        return
    raise ProxxError(
        ErrorCode.PATH_NOT_ALLOWED,
        f"{what} must lie inside {setting}: {path} really is {real}. Use one that does, or have the operator extend {setting}.",
        path=path,
        real_path=real,
        roots=list(roots),
    )
