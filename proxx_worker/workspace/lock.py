"""Ownership of a workspace: two kernel locks, held until the process and every encoder that inherited them have ended.

One is on `.proxx/worker.lock`, which names the holder and is never unlinked. The other is on the folder `running/` itself, so
that removing the lock file does not allow a second owner. A kernel lock cannot outlive its holders, so there are no stale locks.
"""

import errno
import fcntl
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from proxx_worker.contract.candidates import display_name
from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.files.syncing import sync_file
from proxx_worker.workspace.holder import Holder, is_dead_here, this_process
from proxx_worker.workspace.inheritors import inheritor_of
from proxx_worker.workspace.layout import Workspace, make_folder

DYING_ENCODER_SECONDS: Final = 2.0
"""How long to wait for a lock whose holder is dead: an encoder that inherited it may still be exiting."""

_POLL_SECONDS: Final = 0.01
_HELD_BY_ANOTHER: Final = frozenset({errno.EAGAIN, errno.EACCES})
# Over NFS and SMB a lock needs a descriptor open for writing, which a folder cannot have.
_FOLDER_LOCK_UNSUPPORTED: Final = frozenset(
    {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
)


class _BusyError(Exception):
    """Another process holds one of the locks."""


@dataclass(frozen=True, slots=True)
class WorkspaceLock:
    """A workspace owned by this process. `close`, or the end of the process, releases it."""

    workspace: Workspace
    file_fd: int
    folder_fd: int

    @classmethod
    def acquire(
        cls,
        workspace: Workspace,
        *,
        since: str,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Self:
        """Lock `workspace`. `since` (RFC 3339) is shown to others. If it fails, nothing in the workspace has changed.

        Raises:
            ProxxError: WORKSPACE_BUSY, naming the holder: at once if it is alive or on another host, else after waiting 2 s for
                an encoder that it left. WORKSPACE_INVALID, NO_SPACE or IO_ERROR if locking is impossible.

        """
        workspace.require()
        for folder in (workspace.running, workspace.private):
            make_folder(folder)
        deadline = monotonic() + DYING_ENCODER_SECONDS
        while True:
            try:
                return cls(workspace, *_lock_both(workspace, since))
            except _BusyError:
                holder = Holder.read(workspace.lock_file)
                dead = holder is not None and is_dead_here(holder)
                if monotonic() >= deadline or not (holder is None or dead):
                    raise _busy(workspace, holder, dead=dead) from None
            sleep(_POLL_SECONDS)

    def still_owned(self) -> bool:
        """Whether the paths still refer to what is locked. Check before each claim, as the workspace may have been replaced."""
        return _refers_to(self.workspace.lock_file, self.file_fd) and _refers_to(self.workspace.running, self.folder_fd)

    def require_owned(self) -> None:
        """Raise WORKSPACE_INVALID unless `still_owned`."""
        if not self.still_owned():
            shown = display_name(self.workspace.lock_file)
            raise ProxxError(
                ErrorCode.WORKSPACE_INVALID,
                f"{shown} or the folder running/ is no longer the one this worker locked: it was removed, replaced or unmounted; "
                "make sure that the workspace is complete, then start again",
                path=shown,
            )

    def filenos(self) -> tuple[int, ...]:
        """The descriptors that encoders inherit (`pass_fds`), so that nobody else can own the workspace while one runs."""
        return self.file_fd, self.folder_fd

    def close(self) -> None:
        """Release the workspace. The lock file stays."""
        os.close(self.file_fd)
        os.close(self.folder_fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _lock_both(workspace: Workspace, since: str) -> tuple[int, int]:
    """Lock the folder, then the file, and record this process as the holder. Raises `_BusyError`, leaving nothing open."""
    opened: list[int] = []
    try:
        with translate_os_errors("lock the folder", workspace.running, state_folder=True):
            folder_fd = os.open(workspace.running, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            opened.append(folder_fd)
            try:
                _flock(folder_fd)
            except OSError as error:
                if error.errno not in _FOLDER_LOCK_UNSUPPORTED:
                    raise
        with translate_os_errors("lock", workspace.lock_file, state_folder=True):
            file_fd = os.open(workspace.lock_file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
            opened.append(file_fd)
            _flock(file_fd)
            _require_named(workspace, file_fd, folder_fd)
            os.ftruncate(file_fd, 0)
            os.pwrite(file_fd, this_process(since).encode(), 0)
            sync_file(file_fd)  # for readers on other hosts
    except BaseException:
        for fd in opened:
            os.close(fd)
        raise
    return file_fd, folder_fd


def _flock(fd: int) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD_BY_ANOTHER:
            raise _BusyError from None
        raise


def _require_named(workspace: Workspace, file_fd: int, folder_fd: int) -> None:
    if not (_refers_to(workspace.lock_file, file_fd) and _refers_to(workspace.running, folder_fd)):
        raise _BusyError  # replaced between open and lock, so another process is using this workspace right now


def _refers_to(path: bytes, fd: int) -> bool:
    """Whether `path`, without following a symlink, refers to the file open as `fd`."""
    try:
        named = os.stat(path, follow_symlinks=False)
        held = os.fstat(fd)
    except OSError:
        return False  # removed or unreachable, so not what was locked; a share may answer ESTALE even for an open file
    return (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)


def _busy(workspace: Workspace, holder: Holder | None, *, dead: bool) -> ProxxError:
    if holder is None:
        return ProxxError(
            ErrorCode.WORKSPACE_BUSY,
            f"{workspace.name} is locked by another process, which {display_name(workspace.lock_file)} does not name; "
            "only one worker may use it: stop the other one, or give this one a workspace of its own",
            path=workspace.name,
        )
    if dead:
        left = inheritor_of(workspace.lock_file) or inheritor_of(workspace.running) or "a process"
        by = f"{left} that process {holder.pid}, a worker since {holder.since}, left behind when it ended"
        remedy = "end it, then start again"
    else:
        by = f"process {holder.pid} on {holder.host} since {holder.since}"
        remedy = "stop that one, or give this one a workspace of its own"
    return ProxxError(
        ErrorCode.WORKSPACE_BUSY,
        f"{workspace.name} is locked by {by}; only one worker may use it: {remedy}",
        path=workspace.name,
        pid=holder.pid,
        host=holder.host,
        since=holder.since,
    )
