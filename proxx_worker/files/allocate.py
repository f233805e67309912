"""Space set aside before it is needed, so that a full disk is found while nothing has been decided."""

import ctypes
import errno
import os
import sys
from typing import Final

from proxx_worker.files.durable import write_all
from proxx_worker.files.syncing import sync_file

_KEEP_SIZE: Final = 1  # FALLOC_FL_KEEP_SIZE, linux/falloc.h
_UNKNOWN_HERE: Final = frozenset({errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL})
_BLOCK: Final = 1 << 16

_fallocate = None if sys.platform == "darwin" else getattr(ctypes.CDLL(None, use_errno=True), "fallocate64", None)


def preallocate(fd: int, size: int) -> bool:
    """Give the file `size` bytes of disk without changing its length. False where the filesystem has no such promise.

    `release_unused` returns what stays unused. Raises `OSError`, ENOSPC and EDQUOT above all.
    """
    number = _allocate(fd, size)
    if number in _UNKNOWN_HERE:
        return False
    if number:
        raise OSError(number, os.strerror(number))
    return True


def preallocate_or_fill(fd: int, size: int) -> None:
    """`preallocate`, and where that is not possible write `size` zeros and sync them: the next write goes over them.

    Raises `OSError`, ENOSPC and EDQUOT above all.
    """
    if preallocate(fd, size):
        return
    os.lseek(fd, 0, os.SEEK_SET)
    for start in range(0, size, _BLOCK):
        write_all(fd, bytes(min(_BLOCK, size - start)))
    sync_file(fd)


def release_unused(fd: int) -> None:
    """Free what `preallocate` took and nothing was written to. Raises `OSError`."""
    os.ftruncate(fd, os.fstat(fd).st_size)


def _allocate(fd: int, size: int) -> int:
    """Returns 0 or an errno; ENOSYS where the C library has no such call."""
    if _fallocate is None:
        return errno.ENOSYS
    while True:
        ctypes.set_errno(0)
        if int(_fallocate(fd, _KEEP_SIZE, ctypes.c_int64(0), ctypes.c_int64(size))) == 0:
            return 0
        number = ctypes.get_errno()
        if number != errno.EINTR:
            return number
