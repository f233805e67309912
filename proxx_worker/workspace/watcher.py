"""Watches the inbox: a descriptor that becomes readable when something changes, and what changed."""

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
    """Why there are no events, so that the folder is only polled; None if there are."""

    def fileno(self) -> int | None:
        """A descriptor that is readable when `read` has something to report; None if there are no events."""

    def read(self) -> Wakeups:
        """What changed since the last call. Never blocks, never raises."""

    def close(self) -> None:
        """Stop watching."""


class NoEvents:
    """A folder that is only polled, because its changes raise no events here."""

    def __init__(self, reason: str) -> None:
        """`reason` is for the log."""
        self.reason: str | None = reason

    def fileno(self) -> int | None:
        """None: there is nothing to wait for."""
        return None

    def read(self) -> Wakeups:
        """Always nothing."""
        return NO_WAKEUPS

    def close(self) -> None:
        """Nothing to stop."""


def watch_inbox(folder: bytes, kind: FilesystemKind) -> Watcher:
    """Watch `folder`; call it before the first scan, so that no change is missed in between.

    If events are impossible (a network filesystem, a system limit), the watcher's `reason` says why. Raises WORKSPACE_INVALID for
    a folder that is missing or not readable.
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
