"""Where a file that a user names is written: a symlink is followed, and what is no regular file is never replaced."""

import errno
import os
import stat
from typing import Final

from proxx_worker.files.durable import write_durable
from proxx_worker.files.errnos import FilePath

_KINDS: Final = {
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}


class NoPlaceError(Exception):
    """No file can be written there; the message completes "PATH cannot be written: "."""


def place_of(path: FilePath) -> bytes:
    """Where a file of this name is written: where the symlink of that name leads, even to nothing, else at the name itself.

    Raises `OSError`, also if the name is taken by anything but a regular file: a rename would destroy a device or a pipe.
    """
    raw = os.fsencode(path)
    try:
        mode = os.stat(raw).st_mode  # the kernel's own way through symlinks, which refuses to follow those that others planted
    except FileNotFoundError:
        mode = stat.S_IFREG
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, f"it is {_KINDS.get(stat.S_IFMT(mode), 'no file')}, which a file must not replace")
    return os.path.realpath(raw) if os.path.islink(raw) else raw


def require_place(path: FilePath) -> bytes:
    """`place_of`, for a check before the work. Raises `NoPlaceError` also if its folder cannot be written."""
    try:
        place = place_of(path)
    except (OSError, ValueError) as error:
        raise NoPlaceError(str(getattr(error, "strerror", None) or error)) from error
    folder = os.path.dirname(place) or b"."
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):
        raise NoPlaceError("its folder must exist and be writable")
    return place


def write_output(path: FilePath, data: bytes) -> None:
    """`write_durable` at the place of a file that a user has named. Raises `OSError`."""
    write_durable(place_of(path), data)
