"""One output while it is made: a file in staging, held open from before its first byte to its name."""

import os
import stat
import sys
from collections.abc import Callable

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.files.errnos import classify_os_error
from proxx_worker.files.hashing import sha256_of
from proxx_worker.files.locations import path_bytes
from proxx_worker.files.syncing import sync_directory_fd, sync_file, write_back


class StagedFile:
    """A new file in a staging folder, and the descriptor that has been held since before anything was written to it.

    Only such a descriptor reliably sees a failed writeback: a fresh open and fsync returned success on lost data, and so did a
    second fsync after EIO. So `seal` syncs once, and an error is final.
    """

    def __init__(self, staging: int, staging_path: str, name: str) -> None:
        """Make `name` in the folder open as `staging` (at `staging_path`). Raises NO_SPACE, IO_ERROR."""
        self.name = name
        self.path = f"{staging_path}/{name}"
        self._staging = staging
        self._staging_path = staging_path
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            # The umask decides who may read the finished proxy; until then the staging folder lets nobody in.
            self.fd = os.open(path_bytes(name), flags, 0o666, dir_fd=staging)
        except OSError as error:
            raise classify_os_error(error, "make the output", path_bytes(self.path)) from error

    @property
    def folder(self) -> str:
        """The staging folder as a child that starts in it may name it (`cwd`).

        On Linux it goes by the held descriptor, so that an output directory swapped for a symlink cannot send the encoder
        elsewhere. Elsewhere it is the path, and `same_inode` tells afterwards.
        """
        return f"/proc/self/fd/{self._staging}" if sys.platform == "linux" else self._staging_path

    def size(self) -> int:
        """Bytes in the file now."""
        return self._status().st_size

    def growth(self) -> tuple[int, int, int]:
        """A value that changes with every write, also with one that does not make the file longer."""
        status = self._status()
        return status.st_size, status.st_blocks, status.st_mtime_ns

    def same_inode(self) -> bool:
        """Whether the name in staging still stands for the file that is held, and for nothing but a regular file."""
        try:
            named = os.stat(path_bytes(self.name), dir_fd=self._staging, follow_symlinks=False)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise classify_os_error(error, "look at", path_bytes(self.path)) from error
        return stat.S_ISREG(named.st_mode) and os.path.samestat(named, self._status())

    def read_at(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`; fewer at the end of the file only."""
        try:
            return os.pread(self.fd, size, offset)
        except OSError as error:
            raise classify_os_error(error, "read", path_bytes(self.path)) from error

    def write_at(self, offset: int, data: bytes) -> None:
        """Put `data` at `offset` through the held descriptor. Raises NO_SPACE, IO_ERROR."""
        view = memoryview(data)
        try:
            while view:
                written = os.pwrite(self.fd, view, offset)
                offset, view = offset + written, view[written:]
        except OSError as error:
            raise classify_os_error(error, "write", path_bytes(self.path)) from error

    def fsync(self, checkpoint: Callable[[], object]) -> None:
        """Make the bytes durable. Once: after an error nothing here may be trusted. Raises NO_SPACE, IO_ERROR.

        `checkpoint`: see `write_back`. The fsync itself cannot be interrupted.
        """
        try:
            write_back(self.fd, checkpoint)
            sync_file(self.fd)
        except OSError as error:
            raise classify_os_error(error, "make durable", path_bytes(self.path)) from error

    def sha256(self, checkpoint: Callable[[], object]) -> str:
        """SHA-256 of the file as hex, read through the held descriptor; right after the encode it is still in memory."""
        try:
            return sha256_of(self.fd, checkpoint)
        except OSError as error:
            raise classify_os_error(error, "read", path_bytes(self.path)) from error

    def seal(self, checkpoint: Callable[[], object]) -> tuple[int, str]:
        """Make the file and its name in staging durable. Returns its size and SHA-256.

        `checkpoint` is called again and again, between pieces of at most 8 MiB; what it raises ends the work.

        Raises OUTPUT_INVALID where the name stands for another file than the one that is held; NO_SPACE, IO_ERROR.
        """
        if not self.same_inode():
            raise ProxxError(
                ErrorCode.OUTPUT_INVALID,
                f"the encoder must write into the file that it was given: {self.path} is another one now. "
                "See that nothing else writes to the output directory.",
                path=self.path,
            )
        self.fsync(checkpoint)
        try:
            sync_directory_fd(self._staging)
        except OSError as error:
            raise classify_os_error(error, "make durable", path_bytes(self._staging_path)) from error
        return self.size(), self.sha256(checkpoint)

    def close(self) -> None:
        """Let go of the file."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def _status(self) -> os.stat_result:
        try:
            return os.fstat(self.fd)
        except OSError as error:
            raise classify_os_error(error, "look at", path_bytes(self.path)) from error
