"""fsync, of files and of folders."""

import errno
import fcntl
import os
import sys
from typing import Final

from proxx_worker.files.errnos import FilePath

# A filesystem whose folders cannot be synced (older SMB clients) says EINVAL or ENOTSUP: its server orders the entries itself.
_FOLDERS_NOT_SYNCED: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})


def sync_file(fd: int) -> None:
    """Return once the file's bytes are on the medium. Raises `OSError`; after one, the bytes must not be trusted again."""
    if sys.platform == "darwin":
        # On macOS fsync stops at the drive's cache.
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
    else:
        os.fsync(fd)


def sync_directory(path: FilePath, *, dir_fd: int | None = None) -> bool:
    """Return once the folder's entries are on the medium: True. False where its filesystem cannot sync folders."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        return sync_directory_fd(fd)
    finally:
        os.close(fd)


def sync_directory_fd(fd: int) -> bool:
    """`sync_directory` for a folder that is held open."""
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in _FOLDERS_NOT_SYNCED:
            raise
        return False
    return True
