"""Checks an output directory, or holds it for one job."""

import errno
import fcntl
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.delivery.holding import DirectoryLock, Flock, remove_stale_lock
from proxx_worker.delivery.location import directory_error, missing, open_directory, real_location, require_writable
from proxx_worker.delivery.names import RUN_STAGING, staging_name
from proxx_worker.delivery.publishing import output_exists
from proxx_worker.delivery.staging import Staging, make_staging, remove_staging, sync_output
from proxx_worker.files.filesystems import FilesystemKind, filesystem_of, kind_of, refuse_object_store
from proxx_worker.files.locations import path_bytes, require_inside, require_path_inside
from proxx_worker.files.syncing import sync_directory_fd


def check_output_directory(path: str, names: Sequence[str]) -> None:
    """Check an output directory without changing it.

    Raises OUTPUT_DIRECTORY_MISSING, OUTPUT_DIRECTORY_NOT_WRITABLE, UNSUPPORTED_FILESYSTEM, OUTPUT_EXISTS.
    """
    directory = open_directory(path)
    try:
        refuse_object_store(filesystem_of(path_bytes(real_location(directory, path))), path)
        require_writable(directory, path)
        _require_free(directory, path, names)
    finally:
        os.close(directory)


class OutputDirectory:
    """An output directory held for one job: locked, with every step relative to one descriptor."""

    def __init__(self, fd: int, path: str, lock: DirectoryLock) -> None:
        """See `hold`."""
        self.path = path
        self._fd = fd
        self._lock = lock

    @classmethod
    def hold(cls, path: str, roots: Sequence[str] | None = None, *, flock: Flock = fcntl.flock) -> "OutputDirectory":
        """Hold the directory at `path`. `roots`: where outputs may be written; its real location must be in one of them.

        Raises OUTPUT_DIRECTORY_MISSING, OUTPUT_DIRECTORY_NOT_WRITABLE, OUTPUT_DIRECTORY_BUSY, PATH_NOT_ALLOWED,
        UNSUPPORTED_FILESYSTEM.
        """
        try:
            fd = open_directory(path)
        except ProxxError as fault:
            if fault.code is ErrorCode.OUTPUT_DIRECTORY_NOT_WRITABLE:  # also what a confined worker is told of all outside
                require_path_inside(path, roots, "output_roots", "the output directory")
            raise
        try:
            real = real_location(fd, path)
            require_inside(path, real, roots, "output_roots", "the output directory")
            mount = filesystem_of(path_bytes(real))
            refuse_object_store(mount, path)
            require_writable(fd, path)
            lock = DirectoryLock(fd, path, local=kind_of(mount) is FilesystemKind.LOCAL, flock=flock)
        except BaseException:
            os.close(fd)
            raise
        return cls(fd, path, lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()

    def release(self) -> None:
        """Unlock and close the directory, and remove its lock file."""
        if self._fd < 0:
            return
        try:
            self._lock.release()
        finally:
            os.close(self._fd)
            self._fd = -1

    def require_free(self, names: Sequence[str]) -> None:
        """Raise OUTPUT_EXISTS if any of `names` exists, even as a dangling symlink; `details.existing` lists them all."""
        _require_free(self._fd, self.path, names)

    def require_in_place(self) -> None:
        """Raise OUTPUT_DIRECTORY_MISSING if the path no longer refers to the directory that is held."""
        try:
            named, held = os.stat(path_bytes(self.path)), os.fstat(self._fd)
        except OSError as error:
            raise directory_error(error, self.path) from error
        if not os.path.samestat(named, held):
            raise missing(self.path, "it was moved or replaced while the job ran")

    def open_staging(self, owner: str, job: str) -> Staging:
        """Create an empty staging folder for the job, removing one that an earlier process of the same owner left."""
        name = staging_name(owner, job)
        remove_staging(self._fd, self.path, path_bytes(name))
        try:
            make_staging(self._fd, self.path, name)
            return Staging(self._fd, self.path, name, self.require_in_place)
        except ProxxError:
            # It may have been created although the reply was lost, or could not be opened. A failed job leaves nothing behind.
            with suppress(OSError):
                os.rmdir(path_bytes(name), dir_fd=self._fd)
                sync_directory_fd(self._fd)
            raise

    def reopen_staging(self, owner: str, job: str) -> Staging:
        """The staging folder that an earlier process left, with its contents; a new one if it is gone. For recovery."""
        name = staging_name(owner, job)
        try:
            os.stat(path_bytes(name), dir_fd=self._fd, follow_symlinks=False)
        except FileNotFoundError:
            make_staging(self._fd, self.path, name)
        except OSError as error:
            raise directory_error(error, self.path) from error
        return Staging(self._fd, self.path, name, self.require_in_place)

    def remove_stale_run_staging(self) -> bool:
        """Remove the staging folder of a killed `run`. Whoever holds the directory knows that this `run` has ended.

        Returns whether there was one. Raises IO_ERROR if it cannot be removed.
        """
        return remove_staging(self._fd, self.path, path_bytes(RUN_STAGING))


def _is_taken(directory: int, path: str, name: str) -> bool:
    try:
        os.stat(path_bytes(name), dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise ProxxError(
                ErrorCode.OUTPUT_NAME_INVALID,
                f"an output's name must fit its filesystem: {name} is too long for {path}. Use a shorter naming template.",
                name=name,
                path=path,
            ) from error
        raise directory_error(error, path) from error
    return True


def _require_free(directory: int, path: str, names: Sequence[str]) -> None:
    taken = [name for name in names if _is_taken(directory, path, name)]
    if taken:
        raise output_exists(taken, path)


def discard_staging(path: str, owner: str, job: str, *, flock: Flock = fcntl.flock) -> bool:
    """Durably remove what a job of `owner` left in the output directory at `path`; for recovery of a job that is over.

    The directory need not be held: the folder belongs to this owner only, and a lock file that is not locked belongs to no one.
    Returns False if there is no such folder, or the directory is missing or the worker may not enter it: a rejected spec may name
    any path, even a relative one, and the worker left nothing in a directory that it cannot enter. Raises IO_ERROR.
    """
    if not path.startswith("/"):
        return False
    try:
        directory = open_directory(path)
    except ProxxError as fault:
        if fault.code in {ErrorCode.OUTPUT_DIRECTORY_MISSING, ErrorCode.OUTPUT_DIRECTORY_NOT_WRITABLE}:
            return False
        raise
    try:
        remove_stale_lock(directory, path, flock)
        removed = remove_staging(directory, path, path_bytes(staging_name(owner, job)))
        sync_output(directory, path)  # even if it is gone: the process that removed it may have been killed before the sync
        return removed
    finally:
        os.close(directory)


def left_staging(path: str, owner: str, job: str) -> str | None:
    """Where a job's staging folder still lies that could not be discarded, by its name and kind alone; None: there is none."""
    staging = f"{path}/{staging_name(owner, job)}"
    with suppress(OSError):
        if path.startswith("/") and stat.S_ISDIR(os.stat(path_bytes(staging), follow_symlinks=False).st_mode):
            return staging
    return None
