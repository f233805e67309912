"""One output while it is made: a file in staging, held open from before its first byte to its name."""

import os
import stat
import sys
from collections.abc import Callable

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.files.errnos import classify_os_error
from proxx_worker.files.hashing import sha256_of
from proxx_worker.files.locations import path_bytes
from proxx_worker.files.rename import rename_no_clobber
from proxx_worker.files.syncing import sync_directory_fd, sync_file, write_back


class StagedFile:
    """A new file in a staging folder, and the descriptor that has been held since before anything was written to it.

    Only such a descriptor reliably sees a failed writeback: a fresh open and fsync returned success on lost data, and so did a
    second fsync after EIO. So `seal` syncs once, and an error is final.
    """

    def __init__(self, staging: int, staging_path: str, name: str, fd: int) -> None:
        """The file `name`, open as `fd`, in the folder that is open as `staging` (at `staging_path`)."""
        self.name = name
        self.path = f"{staging_path}/{name}"
        self.fd = fd
        self._staging = staging
        self._staging_path = staging_path
        self._adopted_size: int | None = None

    @classmethod
    def create(cls, staging: int, staging_path: str, name: str) -> "StagedFile":
        """Make the file. Raises NO_SPACE, IO_ERROR."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            # The umask decides who may read the finished proxy; until then the staging folder is closed to others.
            fd = os.open(path_bytes(name), flags, 0o666, dir_fd=staging)
        except OSError as error:
            raise classify_os_error(error, "make the output", path_bytes(f"{staging_path}/{name}")) from error
        return cls(staging, staging_path, name, fd)

    @classmethod
    def adopt(cls, staging: int, staging_path: str, rendered: str, name: str, checkpoint: Callable[[], object]) -> "StagedFile":
        """Take over the file `rendered`, made by someone else, as `name`. A writeback that failed before may go unseen.

        It is made durable on the way, with `checkpoint` as in `fsync`.

        Raises OUTPUT_INVALID where it is no regular file of the worker's user with this one name, or still grows; NO_SPACE,
        IO_ERROR, also where `name` is taken.
        """
        path = f"{staging_path}/{rendered}"
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        try:
            # Checked before it is opened, since opening a pipe or a device may have an effect; and again once it is held.
            _require_own(os.stat(path_bytes(rendered), dir_fd=staging, follow_symlinks=False), path)
            fd = os.open(path_bytes(rendered), flags, dir_fd=staging)
        except OSError as error:
            raise classify_os_error(error, "adopt", path_bytes(path)) from error
        try:
            _require_finished(fd, path, checkpoint)
            if name != rendered:
                rename_no_clobber(path_bytes(rendered), path_bytes(name), src_dir_fd=staging, dst_dir_fd=staging)
        except BaseException as error:
            os.close(fd)
            if isinstance(error, OSError):
                raise classify_os_error(error, "adopt", path_bytes(path)) from error
            raise
        staged = cls(staging, staging_path, name, fd)
        staged._adopted_size = staged.size()
        return staged

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
        """Whether the name in staging still refers to the file that is held, and to a regular file."""
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

        Raises OUTPUT_INVALID where the name refers to a file other than the one that is held, or where the file was adopted and
        has another size since: whoever made it was not done. NO_SPACE, IO_ERROR.
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
        digest, size = self.sha256(checkpoint), self.size()
        if self._adopted_size not in {None, size}:
            raise not_adopted(self.path, "it was still being written when it was taken over")
        return size, digest

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


def _require_own(status: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise not_adopted(path, "it is not a regular file")
    if status.st_uid != os.geteuid():
        raise not_adopted(path, f"it belongs to user {status.st_uid}")
    if status.st_nlink != 1:
        raise not_adopted(path, f"it has {status.st_nlink} names")


def _require_finished(fd: int, path: str, checkpoint: Callable[[], object]) -> None:
    """Raise OUTPUT_INVALID where the file open as `fd` is not the worker's own, or where it grows meanwhile."""
    before = os.fstat(fd)
    _require_own(before, path)
    write_back(fd, checkpoint)
    sync_file(fd)  # the time that this takes shows whether it is still being written
    if os.fstat(fd).st_size != before.st_size:
        raise not_adopted(path, "it is still being written")


def not_adopted(path: str, reason: str) -> ProxxError:
    """OUTPUT_INVALID for what an engine left in staging."""
    return ProxxError(
        ErrorCode.OUTPUT_INVALID,
        f"an engine must leave exactly one new file in staging, finished and the worker's own: {path} ({reason}). "
        "See that nothing else writes to the output directory.",
        path=path,
        reason=reason,
    )
