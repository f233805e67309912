"""An output in staging, held open from before its first byte until it is published."""

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
    """A new file in a staging folder, with a descriptor that was opened before anything was written to it.

    Only such a descriptor reliably reports a failed writeback: a fresh open and fsync returned success on lost data, and so did
    a second fsync after EIO. So `seal` syncs once, and an error is final.
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
        """Create the file. Raises NO_SPACE, IO_ERROR."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            # The umask decides who may read the finished proxy; until then nobody else may enter the staging folder.
            fd = os.open(path_bytes(name), flags, 0o666, dir_fd=staging)
        except OSError as error:
            raise classify_os_error(error, "create the output", path_bytes(f"{staging_path}/{name}")) from error
        return cls(staging, staging_path, name, fd)

    @classmethod
    def adopt(cls, staging: int, staging_path: str, rendered: str, name: str, checkpoint: Callable[[], object]) -> "StagedFile":
        """Take over the file `rendered`, created by another process, as `name`. An earlier failed writeback may go unnoticed.

        The file is made durable, with `checkpoint` as in `fsync`.

        Raises OUTPUT_INVALID if it is not a regular file of the worker's user with a single link, or if it still grows; NO_SPACE,
        IO_ERROR, also if `name` exists.
        """
        path = f"{staging_path}/{rendered}"
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        try:
            # Checked before opening, because opening a pipe or device may have side effects, and again once it is open.
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
        """The staging folder as the working directory of a child.

        On Linux it names the open descriptor, so that swapping the output directory for a symlink cannot redirect the encoder.
        On other systems it is the path, and `same_inode` finds out afterwards.
        """
        return f"/proc/self/fd/{self._staging}" if sys.platform == "linux" else self._staging_path

    def size(self) -> int:
        """The file's current size in bytes."""
        return self._status().st_size

    def growth(self) -> tuple[int, int, int]:
        """A value that changes with every write, even one that does not extend the file."""
        status = self._status()
        return status.st_size, status.st_blocks, status.st_mtime_ns

    def same_inode(self) -> bool:
        """Whether the name in staging still refers to the open file, and that is a regular file."""
        try:
            named = os.stat(path_bytes(self.name), dir_fd=self._staging, follow_symlinks=False)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise classify_os_error(error, "inspect", path_bytes(self.path)) from error
        return stat.S_ISREG(named.st_mode) and os.path.samestat(named, self._status())

    def read_at(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`; fewer only at the end of the file."""
        try:
            return os.pread(self.fd, size, offset)
        except OSError as error:
            raise classify_os_error(error, "read", path_bytes(self.path)) from error

    def write_at(self, offset: int, data: bytes) -> None:
        """Write `data` at `offset`. Raises NO_SPACE, IO_ERROR."""
        view = memoryview(data)
        try:
            while view:
                written = os.pwrite(self.fd, view, offset)
                offset, view = offset + written, view[written:]
        except OSError as error:
            raise classify_os_error(error, "write", path_bytes(self.path)) from error

    def fsync(self, checkpoint: Callable[[], object]) -> None:
        """Make the contents durable. Call it once: after an error they cannot be trusted. Raises NO_SPACE, IO_ERROR.

        `checkpoint`: see `write_back`. The fsync itself cannot be interrupted.
        """
        try:
            write_back(self.fd, checkpoint)
            sync_file(self.fd)
        except OSError as error:
            raise classify_os_error(error, "make durable", path_bytes(self.path)) from error

    def sha256(self, checkpoint: Callable[[], object]) -> str:
        """SHA-256 of the file as hex. Right after the encode its contents are still cached."""
        try:
            return sha256_of(self.fd, checkpoint)
        except OSError as error:
            raise classify_os_error(error, "read", path_bytes(self.path)) from error

    def seal(self, checkpoint: Callable[[], object]) -> tuple[int, str]:
        """Make the file and its name in staging durable. Returns its size and SHA-256.

        `checkpoint` is called at least every 8 MiB; what it raises ends the work.

        Raises OUTPUT_INVALID if the name refers to a different file than the open one, or if an adopted file's size has changed,
        as its writer was not finished then; NO_SPACE, IO_ERROR.
        """
        if not self.same_inode():
            raise ProxxError(
                ErrorCode.OUTPUT_INVALID,
                f"the encoder must write to the file that it was given, but {self.path} was replaced. "
                "Make sure that nothing else writes to the output directory.",
                path=self.path,
            )
        self.fsync(checkpoint)
        try:
            sync_directory_fd(self._staging)
        except OSError as error:
            raise classify_os_error(error, "make durable", path_bytes(self._staging_path)) from error
        digest, size = self.sha256(checkpoint), self.size()
        if self._adopted_size not in {None, size}:
            raise adoption_refused(self.path, "it was still being written after the render had ended")
        return size, digest

    def close(self) -> None:
        """Close the descriptor."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def _status(self) -> os.stat_result:
        try:
            return os.fstat(self.fd)
        except OSError as error:
            raise classify_os_error(error, "inspect", path_bytes(self.path)) from error


def _require_own(status: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise adoption_refused(path, "it is not a regular file")
    if status.st_uid != os.geteuid():
        raise adoption_refused(path, f"it belongs to user {status.st_uid}")
    if status.st_nlink != 1:
        raise adoption_refused(path, f"it has {status.st_nlink} hard links")


def _require_finished(fd: int, path: str, checkpoint: Callable[[], object]) -> None:
    """Raise OUTPUT_INVALID if the file open as `fd` is not the worker's own, or grows while it is synced."""
    before = os.fstat(fd)
    _require_own(before, path)
    write_back(fd, checkpoint)
    sync_file(fd)  # takes long enough to notice a file that is still being written
    if os.fstat(fd).st_size != before.st_size:
        raise adoption_refused(path, "it is still being written")


def adoption_refused(path: str, reason: str) -> ProxxError:
    """OUTPUT_INVALID for an engine's file in staging."""
    return ProxxError(
        ErrorCode.OUTPUT_INVALID,
        f"an engine must leave exactly one new file in staging, finished and owned by the worker's user: {path} ({reason}). "
        "Make sure that nothing else writes to the output directory.",
        path=path,
        reason=reason,
    )
