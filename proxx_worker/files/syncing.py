"""fsync of files and folders."""

import ctypes
import errno
import fcntl
import os
import sys
from collections.abc import Callable
from typing import Final

from proxx_worker.files.errnos import FilePath

# macOS's errors on filesystems without F_FULLFSYNC, SMB above all.
_FULL_SYNC_UNSUPPORTED: Final = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY})
# Filesystems whose folders cannot be synced (older SMB clients) return EINVAL or ENOTSUP: the server orders the entries itself.
_FOLDER_SYNC_UNSUPPORTED: Final = _FULL_SYNC_UNSUPPORTED | {errno.EINVAL}

_PIECE_BYTES: Final = 8 << 20
_WAIT_WRITE_WAIT: Final = 7  # all three flags of linux/fs.h: the range is written when the call returns
_WRITE_BACK_UNSUPPORTED: Final = frozenset({errno.ENOSYS, errno.EPERM})  # an old kernel, or a filter of system calls

_libc = ctypes.CDLL(None, use_errno=True)
_sync_file_range = getattr(_libc, "sync_file_range", None)


def write_back(fd: int, checkpoint: Callable[[], object]) -> None:
    """Write the file's contents to its storage piece by piece, so that the fsync that must follow is short.

    An fsync cannot be interrupted, and takes minutes for a large output on a slow disk. `checkpoint` is called before each piece
    of 8 MiB; what it raises ends the work. Not durable by itself. Does nothing for a small file, and on systems without the call
    (macOS). Raises `OSError`; after that, the contents cannot be trusted.
    """
    size = os.fstat(fd).st_size
    if size <= _PIECE_BYTES or _sync_file_range is None:
        return
    for offset in range(0, size, _PIECE_BYTES):
        checkpoint()
        ctypes.set_errno(0)
        if int(_sync_file_range(fd, ctypes.c_int64(offset), ctypes.c_int64(_PIECE_BYTES), _WAIT_WRITE_WAIT)) != 0:
            number = ctypes.get_errno()
            if number in _WRITE_BACK_UNSUPPORTED:
                return
            raise OSError(number, os.strerror(number))


def sync_file(fd: int) -> None:
    """Make the file's contents durable. Raises `OSError`; after that, the contents cannot be trusted."""
    if sys.platform == "darwin":
        # On macOS, fsync only reaches the drive's cache. On filesystems without F_FULLFSYNC (shares) it has to suffice.
        try:
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
        except OSError as error:
            if error.errno not in _FULL_SYNC_UNSUPPORTED:
                raise
            os.fsync(fd)
    else:
        os.fsync(fd)


def sync_directory(path: FilePath, *, dir_fd: int | None = None) -> bool:
    """Make the folder's entries durable. Returns False if its filesystem cannot sync folders."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        return sync_directory_fd(fd)
    finally:
        os.close(fd)


def require_syncable(path: FilePath) -> None:
    """Raise `OSError` unless the folder can be opened for a sync, which needs read permission: before anything is put into it."""
    os.close(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))


def sync_directory_fd(fd: int) -> bool:
    """`sync_directory` for an open folder."""
    try:
        sync_file(fd)
    except OSError as error:
        if error.errno not in _FOLDER_SYNC_UNSUPPORTED:
            raise
        return False
    return True
