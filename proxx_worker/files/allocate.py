"""Preallocates disk space, so that a full disk is found before anything is decided."""

import ctypes
import errno
import os
import sys
from typing import Final

from proxx_worker.files.durable import write_all
from proxx_worker.files.syncing import sync_file

_KEEP_SIZE: Final = 1  # FALLOC_FL_KEEP_SIZE, linux/falloc.h
_UNSUPPORTED: Final = frozenset({errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL})
_BLOCK: Final = 1 << 16

_fallocate = None if sys.platform == "darwin" else getattr(ctypes.CDLL(None, use_errno=True), "fallocate64", None)


def preallocate(fd: int, size: int) -> bool:
    """Reserve `size` bytes of disk for the file without changing its length. False if the filesystem does not support that.

    `release_unused` frees what stays unused. Raises `OSError`, usually ENOSPC or EDQUOT.
    """
    number = _allocate(fd, size)
    if number in _UNSUPPORTED:
        return False
    if number:
        raise OSError(number, os.strerror(number))
    return True


def preallocate_or_fill(fd: int, size: int) -> None:
    """`preallocate`; if that is not supported, write `size` zeros and sync them, to be overwritten by the next write.

    Raises `OSError`, usually ENOSPC or EDQUOT.
    """
    if preallocate(fd, size):
        return
    os.lseek(fd, 0, os.SEEK_SET)
    for start in range(0, size, _BLOCK):
        write_all(fd, bytes(min(_BLOCK, size - start)))
    sync_file(fd)


def release_unused(fd: int) -> None:
    """Free preallocated space that was not written to. Raises `OSError`."""
    os.ftruncate(fd, os.fstat(fd).st_size)


def _allocate(fd: int, size: int) -> int:
    """Returns 0 or an errno; ENOSYS if the C library lacks the call."""
    if _fallocate is None:
        return errno.ENOSYS
    while True:
        ctypes.set_errno(0)
        if int(_fallocate(fd, _KEEP_SIZE, ctypes.c_int64(0), ctypes.c_int64(size))) == 0:
            return 0
        number = ctypes.get_errno()
        if number != errno.EINTR:
            return number
