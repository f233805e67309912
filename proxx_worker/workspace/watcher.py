"""Wake-ups for the inbox: a descriptor that becomes readable when something happens in it, and what that was."""

import errno
import os
from typing import Protocol

from proxx_worker.contract.candidates import display_name
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.files.filesystems import FilesystemKind
from proxx_worker.workspace.events import EventWatcher
from proxx_worker.workspace.wakeups import NO_WAKEUPS, Wakeups


class Watcher(Protocol):
    """Watches one folder."""

    reason: str | None
    """Why there are no events and the folder is polled alone; None where there are."""

    def fileno(self) -> int | None:
        """A descriptor that is readable when `read` has something to report; None where there are no events."""

    def read(self) -> Wakeups:
        """What happened since the last call. Never blocks, never raises."""

    def close(self) -> None:
        """Stop watching."""


class NoEvents:
    """A folder whose changes raise no events here: it is polled."""

    def __init__(self, reason: str) -> None:
        """`reason` is for the log."""
        self.reason: str | None = reason

    def fileno(self) -> int | None:
        """None: there is nothing to wait for."""
        return None

    def read(self) -> Wakeups:
        """Nothing, ever."""
        return NO_WAKEUPS

    def close(self) -> None:
        """Nothing to stop."""


def watch_inbox(folder: bytes, kind: FilesystemKind) -> Watcher:
    """Watch `folder`; call it before the first scan, so that nothing falls in between.

    Where there can be no events (a network filesystem, a limit of the system), the watcher's `reason` says why. Raises
    WORKSPACE_INVALID for a folder that is missing or may not be read.
    """
    if kind is FilesystemKind.NETWORK:
        return NoEvents("a network filesystem does not report what other hosts write to it")
    with translate_os_errors("list the inbox", folder, state_folder=True):
        os.close(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    try:
        return EventWatcher(folder)
    except OSError as error:
        limits = {errno.EMFILE: " (raise fs.inotify.max_user_instances)", errno.ENOSPC: " (raise fs.inotify.max_user_watches)"}
        hint = limits.get(error.errno or 0, "")
        return NoEvents(f"the system provides no file events for {display_name(folder)}: {error.strerror}{hint}")
