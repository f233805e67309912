"""The real location of an open file or folder, and whether it is allowed. The kernel gives it, as names may be swapped."""

import fcntl
import os
import sys
from collections.abc import Sequence
from typing import Final

from proxx_worker.contract.errors import ErrorCode, ProxxError

_MAX_PATH: Final = 4096  # PATH_MAX of Linux; macOS has less
_MAX_MAC_PATH: Final = 1024  # F_GETPATH fills at most MAXPATHLEN bytes


def path_bytes(text: str) -> bytes:
    """A text path as bytes: UTF-8 whatever the locale; surrogate escapes become the original bytes."""
    return text.encode("utf-8", "surrogateescape")


def path_text(path: bytes) -> str:
    """The reverse of `path_bytes`: bytes that are not UTF-8 become surrogate escapes."""
    return path.decode("utf-8", "surrogateescape")


def location_of(descriptor: int) -> str:
    """The path, without symlinks, of the file open as `descriptor`. Meaningless for a deleted file. Raises `OSError`."""
    if sys.platform == "darwin":
        path = fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(_MAX_MAC_PATH)).split(b"\0", 1)[0]
    else:
        path = os.readlink(b"/proc/self/fd/%d" % descriptor)
    return path_text(path)


def real_path_of(path: str) -> str:
    """The path with every symlink resolved, as far as it exists. Uses names, so only suitable for a first check."""
    raw = path_bytes(path)
    # The system cannot open a longer one, and resolving it would check every folder in it.
    return path_text(os.path.realpath(raw) if len(raw) <= _MAX_PATH else os.path.normpath(raw))


def require_path_inside(path: str, roots: Sequence[str] | None, setting: str, what: str) -> None:
    """`require_inside` by names, before anything is opened, so as not to reveal whether a file outside exists."""
    if roots is not None:
        require_inside(path, real_path_of(path), roots, setting, what)


def require_inside(path: str, real: str, roots: Sequence[str] | None, setting: str, what: str) -> None:
    """Raise PATH_NOT_ALLOWED if `real`, the real location of `path`, is in none of `roots`; None allows any location.

    `setting` names the roots (`source_roots`), `what` the path (`a source`), both for the message.
    """
    if roots is None or not _outside(real, [real_path_of(root) for root in roots]):
        return
    raise ProxxError(
        ErrorCode.PATH_NOT_ALLOWED,
        f"{what} must be inside {setting}: {path} resolves to {real}. Use one that is, or have the operator extend {setting}.",
        path=path,
        real_path=real,
        roots=list(roots),
    )


def _outside(real: str, real_roots: Sequence[str]) -> bool:
    """Whether `real` is in none of `real_roots`. A root itself is inside."""
    return not any(real == root or real.startswith(root.rstrip("/") + "/") for root in real_roots)
