"""Reserves disk space for a job's file, by creating it under `.proxx/` before the job is claimed.

A file left by an earlier process is removed, never written to: after a power cut it may be another name of a job's committed
result.
"""

import errno
import os
from contextlib import suppress
from typing import Final

from proxx_worker.files.allocate import preallocate, preallocate_or_fill
from proxx_worker.files.durable import create_file, write_all
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.files.rename import rename_no_clobber, replace_from_open
from proxx_worker.files.syncing import sync_directory, sync_file

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class Reservation:
    """At most one reserved file at `path`. All methods raise `ProxxError` (NO_SPACE, WORKSPACE_INVALID or IO_ERROR)."""

    def __init__(self, path: bytes) -> None:
        """Touches nothing yet."""
        self._path = path
        self._fd: int | None = None
        self._size = 0

    def discard_leftover(self) -> None:
        """Remove the file that an earlier process left."""
        self._drop()
        with translate_os_errors("remove", self._path, state_folder=True), suppress(FileNotFoundError):
            os.unlink(self._path)

    def reserve(self, size: int, *, filled: bool) -> int:
        """Open an empty file with `size` bytes of disk space, or keep the open one. Returns its descriptor.

        With `filled`, the space is reserved on every filesystem; without, only if the filesystem can preallocate.
        """
        if self._fd is not None and self._size >= size:
            return self._fd
        with translate_os_errors("reserve space in", os.path.dirname(self._path), state_folder=True):
            if self._fd is None:
                self.discard_leftover()
                self._fd = create_file(self._path)
            if size:
                (preallocate_or_fill if filled else preallocate)(self._fd, size)
        self._size = size
        return self._fd

    def write(self, data: bytes) -> None:
        """Make `data` the file's entire, durable content. After NO_SPACE, shorter content may be tried."""
        fd = self.reserve(0, filled=True)
        with translate_os_errors("write", self._path, state_folder=True):
            try:
                os.lseek(fd, 0, os.SEEK_SET)
                write_all(fd, data)
                os.ftruncate(fd, len(data))
                sync_file(fd)
            except OSError as error:
                if error.errno not in _FULL:
                    self._drop()  # a file whose sync has failed is never trusted again
                raise

    def replace(self, target: bytes) -> None:
        """Atomically rename the file to `target`, replacing what is there, and sync `target`'s folder."""
        fd = self.reserve(0, filled=True)
        with translate_os_errors("put the record in place at", target, state_folder=True):
            replace_from_open(fd, self._path, target)
            sync_directory(os.path.dirname(target))
        self._drop()

    def give(self, target: bytes) -> None:
        """Rename the file to `target`, which must not exist. Not durable by itself."""
        self.reserve(0, filled=False)
        with translate_os_errors("create", target, state_folder=True):
            rename_no_clobber(self._path, target)
        self._drop()

    def _drop(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
        self._fd, self._size = None, 0
