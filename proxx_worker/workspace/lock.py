"""Ownership of a workspace: two kernel locks, held for the life of the process and by every encoder that inherits them.

One is on `.proxx/worker.lock`, which names the holder and is never unlinked; the other on the folder `running/` itself, so that
removing the lock file does not make room for a second owner. A kernel lock cannot outlive its holders: there is nothing stale
to clean, and nothing to guess.
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
from proxx_worker.workspace.layout import Workspace, make_folder

DYING_ENCODER_SECONDS: Final = 2.0
"""How long a lock whose named holder is dead is waited for: its encoder inherited the lock and may still be dying."""

_POLL_SECONDS: Final = 0.01
_HELD_BY_ANOTHER: Final = frozenset({errno.EAGAIN, errno.EACCES})
# Over NFS and SMB a lock needs a descriptor open for writing, which a folder cannot have.
_FOLDER_CANNOT_BE_LOCKED: Final = frozenset(
    {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
)


class _BusyError(Exception):
    """Another process holds one of the locks."""


@dataclass(frozen=True, slots=True)
class WorkspaceLock:
    """A workspace owned by this process. Closing it, or the process's end, gives it up."""

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
        """Own `workspace` or raise. `since` (RFC 3339) is what others are shown. A loser changes nothing in the workspace.

        Raises:
            ProxxError: WORKSPACE_BUSY, naming the holder; at once where it lives or is on another host, else after 2 s of
                waiting for the encoder that it left. WORKSPACE_INVALID, NO_SPACE or IO_ERROR where there is no way to lock.

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
                if monotonic() >= deadline or not (holder is None or is_dead_here(holder)):
                    raise _busy(workspace, holder) from None
            sleep(_POLL_SECONDS)

    def still_owned(self) -> bool:
        """Whether the paths still name what is locked. Ask before each claim: a replaced workspace is not this one."""
        return _names(self.workspace.lock_file, self.file_fd) and _names(self.workspace.running, self.folder_fd)

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
        """The descriptors that an encoder inherits (`pass_fds`): while it lives, no one else can own the workspace."""
        return self.file_fd, self.folder_fd

    def close(self) -> None:
        """Give the workspace up. The lock file stays."""
        os.close(self.file_fd)
        os.close(self.folder_fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _lock_both(workspace: Workspace, since: str) -> tuple[int, int]:
    """Lock the folder, then the file, and name this process as the holder. Raises `_BusyError` and leaves nothing open."""
    opened: list[int] = []
    try:
        with translate_os_errors("lock the folder", workspace.running, state_folder=True):
            folder_fd = os.open(workspace.running, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            opened.append(folder_fd)
            try:
                _flock(folder_fd)
            except OSError as error:
                if error.errno not in _FOLDER_CANNOT_BE_LOCKED:
                    raise
        with translate_os_errors("lock", workspace.lock_file, state_folder=True):
            file_fd = os.open(workspace.lock_file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
            opened.append(file_fd)
            _flock(file_fd)
            _require_named(workspace, file_fd, folder_fd)
            os.ftruncate(file_fd, 0)
            os.pwrite(file_fd, this_process(since).encode(), 0)
            sync_file(file_fd)  # for a reader on another host; the lock itself needs no disk
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
    if not (_names(workspace.lock_file, file_fd) and _names(workspace.running, folder_fd)):
        raise _BusyError  # replaced between open and lock: another process is at work on this workspace right now


def _names(path: bytes, fd: int) -> bool:
    """Whether `path` itself, no symlink, names what `fd` has open."""
    try:
        named = os.stat(path, follow_symlinks=False)
        held = os.fstat(fd)
    except OSError:
        return False  # gone, or no longer reachable: either way not what was locked. Of a held file a share may say ESTALE
    return (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)


def _busy(workspace: Workspace, holder: Holder | None) -> ProxxError:
    if holder is None:
        return ProxxError(
            ErrorCode.WORKSPACE_BUSY,
            f"{workspace.name} is held by another process that {display_name(workspace.lock_file)} does not name; "
            "one worker at a time: stop the other one, or give this one a workspace of its own",
            path=workspace.name,
        )
    return ProxxError(
        ErrorCode.WORKSPACE_BUSY,
        f"{workspace.name} is held by process {holder.pid} on {holder.host} since {holder.since}; "
        "one worker at a time: stop that one, or give this one a workspace of its own",
        path=workspace.name,
        pid=holder.pid,
        host=holder.host,
        since=holder.since,
    )
