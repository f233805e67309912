"""Locks an output directory against other jobs: of this worker, of other workers, and of other hosts on a share."""

import errno
import fcntl
import os
from collections.abc import Callable
from typing import Final, TypeAlias

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.delivery.location import missing
from proxx_worker.delivery.names import LOCK_NAME
from proxx_worker.files.errnos import classify_os_error
from proxx_worker.files.locations import path_bytes

Flock: TypeAlias = Callable[[int, int], None]
"""`fcntl.flock`, or a test's replacement."""

_LOCK_UNSUPPORTED: Final = frozenset({errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
_LOCK_HELD: Final = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES})
_NOT_A_STALE_LOCK: Final = frozenset(
    {errno.ENOENT, errno.EISDIR, errno.ELOOP, errno.ENXIO, errno.EACCES, errno.EPERM, errno.EROFS}
)
_ATTEMPTS: Final = 100


class DirectoryLock:
    """A lock on a directory: on its own descriptor, which leaves no trace, or on a lock file in it.

    On a local disk a lock on the folder's descriptor is enough. NFS and SMB refuse that, or grant it for this host only, so
    there the lock is on a file in the folder, which goes through the server. The kernel releases either with the process.
    """

    def __init__(self, directory: int, path: str, *, local: bool, flock: Flock = fcntl.flock) -> None:
        """Lock the folder open as `directory`. `local`: only this host can write to it. `path` is for messages.

        Raises OUTPUT_DIRECTORY_BUSY if another job holds it, UNSUPPORTED_FILESYSTEM if it supports no locks, and for the lock
        file OUTPUT_DIRECTORY_NOT_WRITABLE, OUTPUT_DIRECTORY_MISSING.
        """
        self._directory = directory
        self._path = path
        self._flock = flock
        self._lock_file: int | None = None
        if not (local and self._lock_directory()):
            self._lock_file = self._create_lock_file()

    def release(self) -> None:
        """Remove the lock file, if there is one, and release it. The folder's own lock is released with its descriptor."""
        if self._lock_file is None:
            return
        try:
            # While still locked: a process that has opened it by now will find a different inode, or none, under the name.
            os.unlink(LOCK_NAME, dir_fd=self._directory)
        except FileNotFoundError:
            pass  # removed by hand
        except OSError as error:
            raise classify_os_error(error, "remove the lock file in", path_bytes(self._path)) from error
        finally:
            os.close(self._lock_file)
            self._lock_file = None

    def _lock_directory(self) -> bool:
        try:
            self._flock(self._directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise self._busy() from error
        except OSError as error:
            if error.errno in _LOCK_UNSUPPORTED:
                return False
            raise classify_os_error(error, "lock", path_bytes(self._path)) from error
        return True

    def _create_lock_file(self) -> int:
        for _ in range(_ATTEMPTS):
            try:
                descriptor = os.open(
                    LOCK_NAME,
                    os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC,
                    0o666,
                    dir_fd=self._directory,
                )
            except OSError as error:
                raise self._create_error(error) from error
            try:
                self._flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_lock_file(self._directory, descriptor):
                    return descriptor
            except OSError as error:
                os.close(descriptor)
                raise self._lock_error(error) from error
            # Its holder removed it between our open and our lock, so the name now refers to a different file.
            os.close(descriptor)
        raise self._busy()

    def _busy(self) -> ProxxError:
        return ProxxError(
            ErrorCode.OUTPUT_DIRECTORY_BUSY,
            f"only one job at a time may write to an output directory, and another job is using {self._path}. "
            "Wait until it has finished, or give this job another output directory.",
            path=self._path,
        )

    def _create_error(self, error: OSError) -> ProxxError:
        # ENOENT on creation: the folder was deleted after it was opened or, as in /proc, accepts no files.
        if error.errno == errno.ENOENT and os.fstat(self._directory).st_nlink == 0:
            return missing(self._path, "it was deleted")
        if error.errno in {errno.EACCES, errno.EPERM} and (owner := self._lock_file_owner()) is not None:
            return ProxxError(
                ErrorCode.OUTPUT_DIRECTORY_BUSY,
                f"only one job at a time may write to an output directory, but {self._path} has a lock file "
                f"{os.fsdecode(LOCK_NAME)} of another user (uid {owner}), which this one may not open. Wait until that job has "
                "finished; if there is none, remove it.",
                path=self._path,
            )
        if error.errno in {errno.ENOENT, errno.EACCES, errno.EPERM, errno.EROFS}:
            return ProxxError(
                ErrorCode.OUTPUT_DIRECTORY_NOT_WRITABLE,
                f"the output directory must be writable: {self._path} refuses a lock file ({error.strerror}). "
                "Give the worker's user permission to create files there.",
                path=self._path,
                errno=errno.errorcode.get(error.errno or 0),
            )
        return classify_os_error(error, "create the lock file in", path_bytes(self._path))

    def _lock_file_owner(self) -> int | None:
        """The user id of a lock file that is another user's; None if there is no lock file, or it is this user's."""
        try:
            owner = os.stat(LOCK_NAME, dir_fd=self._directory, follow_symlinks=False).st_uid
        except OSError:
            return None
        return None if owner == os.geteuid() else owner

    def _lock_error(self, error: OSError) -> ProxxError:
        if error.errno in _LOCK_HELD:
            return self._busy()
        if error.errno in _LOCK_UNSUPPORTED:
            return ProxxError(
                ErrorCode.UNSUPPORTED_FILESYSTEM,
                f"an output directory must be locked against other workers, but its filesystem does not support locks: "
                f"{self._path} ({error.strerror}). Mount the share with locking, or use another directory.",
                path=self._path,
                errno=errno.errorcode.get(error.errno or 0),
            )
        return classify_os_error(error, "lock the lock file in", path_bytes(self._path))


def remove_stale_lock(directory: int, path: str, flock: Flock = fcntl.flock) -> None:
    """Remove the lock file that a killed process left in the folder open as `directory`, unless it is locked.

    Leaves alone what this user cannot have created: a folder, a symlink, another user's file. Raises IO_ERROR.
    """
    try:
        descriptor = os.open(LOCK_NAME, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError as error:
        if error.errno in _NOT_A_STALE_LOCK:
            return
        raise classify_os_error(error, "open the lock file in", path_bytes(path)) from error
    try:
        flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_lock_file(directory, descriptor):
            os.unlink(LOCK_NAME, dir_fd=directory)
    except OSError as error:
        if error.errno not in _LOCK_HELD:
            raise classify_os_error(error, "remove the lock file in", path_bytes(path)) from error
    finally:
        os.close(descriptor)


def _is_lock_file(directory: int, descriptor: int) -> bool:
    """Whether the lock file's name refers to the file that is open as `descriptor`."""
    try:
        named = os.stat(LOCK_NAME, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(named, os.fstat(descriptor))
