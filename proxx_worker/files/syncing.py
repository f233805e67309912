"""fsync, of files and of folders."""

import errno
import fcntl
import os
import sys
from typing import Final

from proxx_worker.files.errnos import FilePath

# What macOS answers on filesystems that know no F_FULLFSYNC: SMB above all.
_NO_FULL_SYNC: Final = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY})
# A filesystem whose folders cannot be synced (older SMB clients) says EINVAL or ENOTSUP: its server orders the entries itself.
_FOLDERS_NOT_SYNCED: Final = _NO_FULL_SYNC | {errno.EINVAL}


def sync_file(fd: int) -> None:
    """Return once the file's bytes are on the medium. Raises `OSError`; after one, the bytes must not be trusted again."""
    if sys.platform == "darwin":
        # On macOS fsync stops at the drive's cache. Where there is nothing more, it has to do: a share's drive is its server's.
        try:
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
        except OSError as error:
            if error.errno not in _NO_FULL_SYNC:
                raise
            os.fsync(fd)
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
        sync_file(fd)
    except OSError as error:
        if error.errno not in _FOLDERS_NOT_SYNCED:
            raise
        return False
    return True
