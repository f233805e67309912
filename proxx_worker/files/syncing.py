"""fsync, of files and of folders."""

import ctypes
import errno
import fcntl
import os
import sys
from collections.abc import Callable
from typing import Final

from proxx_worker.files.errnos import FilePath

# What macOS answers on filesystems that know no F_FULLFSYNC: SMB above all.
_NO_FULL_SYNC: Final = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY})
# A filesystem whose folders cannot be synced (older SMB clients) says EINVAL or ENOTSUP: its server orders the entries itself.
_FOLDERS_NOT_SYNCED: Final = _NO_FULL_SYNC | {errno.EINVAL}

_PIECE_BYTES: Final = 8 << 20
_WAIT_WRITE_WAIT: Final = 7  # all three flags of linux/fs.h: the piece is with the storage when the call returns
_CANNOT_WRITE_BACK: Final = frozenset({errno.ENOSYS, errno.EPERM})  # an old kernel, or a filter of system calls

_libc = ctypes.CDLL(None, use_errno=True)
_sync_file_range = getattr(_libc, "sync_file_range", None)


def write_back(fd: int, checkpoint: Callable[[], object]) -> None:
    """Hand the file's bytes to its storage piece by piece, so that the fsync that must follow has little left to wait for.

    An fsync cannot be interrupted, and a large output on a slow disk keeps it waiting for minutes. `checkpoint` is called before
    each piece of 8 MiB; what it raises ends the work. No promise of durability by itself. Does nothing for a small file and on a
    system that cannot (macOS). Raises `OSError`; after one, the bytes must not be trusted again.
    """
    size = os.fstat(fd).st_size
    if size <= _PIECE_BYTES or _sync_file_range is None:
        return
    for offset in range(0, size, _PIECE_BYTES):
        checkpoint()
        ctypes.set_errno(0)
        if int(_sync_file_range(fd, ctypes.c_int64(offset), ctypes.c_int64(_PIECE_BYTES), _WAIT_WRITE_WAIT)) != 0:
            number = ctypes.get_errno()
            if number in _CANNOT_WRITE_BACK:
                return
            raise OSError(number, os.strerror(number))


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
