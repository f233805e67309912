"""Watches one folder with watchdog: reports changes as wakeups, and has a descriptor that wakes a `select`.

On Linux watchdog's inotify reader is used directly, without an observer. After a rename out of the folder, as in every claim, an
observer delays events to pair them with a rename into it (half a second per claim, measured with watchdog 7.1), and its queue is
unbounded. The reader calls back at once, and reports when the kernel lost events.
"""

import os
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from proxx_worker.workspace.wakeups import Wakeups

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.inotify_c import InotifyEvent, WatchDescriptor

MAX_NAMES: Final = 1 << 15
"""With more names than this, only a scan is requested."""

_DRAIN: Final = 4096


class EventWatcher:
    """Collects what watchdog's thread reports until the worker's thread reads it. Bounded, however many changes there are."""

    reason: str | None = None

    def __init__(self, folder: bytes) -> None:
        """Watch `folder`. Raises `OSError` if the system refuses a watch."""
        self._lock = threading.Lock()
        self._names: set[bytes] = set()
        self._changed = self._lost = False
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)  # noqa: FBT003 - its one form
        self._writer.setblocking(False)  # noqa: FBT003 - its one form
        try:
            self._stop = _watch_by_inotify(folder, self) if sys.platform == "linux" else _watch_by_observer(folder, self)
        except BaseException:
            self._reader.close()
            self._writer.close()
            raise

    def fileno(self) -> int | None:
        """Readable when `read` has something to report."""
        return self._reader.fileno()

    def read(self) -> Wakeups:
        """What was reported since the last call."""
        with suppress(BlockingIOError):
            while self._reader.recv(_DRAIN):
                pass
        with self._lock:
            wakeups = Wakeups(tuple(sorted(self._names)), changed=self._changed, lost=self._lost)
            self._names.clear()
            self._changed = self._lost = False
        return wakeups

    def close(self) -> None:
        """Stop watching; nothing is reported afterwards."""
        self._stop()
        self._reader.close()
        self._writer.close()

    def report(self, name: bytes | None, *, lost: bool = False) -> None:
        """Called by watchdog's thread: the entry `name` changed, or an unknown one (None), or events were lost."""
        with self._lock:
            was_empty = not (self._names or self._changed or self._lost)
            self._lost = self._lost or lost or len(self._names) >= MAX_NAMES
            self._changed = self._changed or name is None
            if self._lost:
                self._names.clear()
            elif name is not None:
                self._names.add(name)
        if was_empty:
            with suppress(OSError):  # closed: nobody reads it any more
                self._writer.send(b"\0")


if sys.platform == "linux":
    from watchdog.observers.inotify_c import CallbackId, InotifyConstants, InotifyFD, Mask

    # What adds or completes a job or ends a hold (DELETE). Not what a claim causes (MOVED_FROM), and not each write (MODIFY).
    _MASK: Final = Mask(
        InotifyConstants.IN_CLOSE_WRITE
        | InotifyConstants.IN_MOVED_TO
        | InotifyConstants.IN_CREATE
        | InotifyConstants.IN_DELETE
        | InotifyConstants.IN_DELETE_SELF
        | InotifyConstants.IN_MOVE_SELF
        | InotifyConstants.IN_ONLYDIR
        | InotifyConstants.IN_DONT_FOLLOW
    )
    _FOLDER_GONE: Final = InotifyConstants.IN_DELETE_SELF | InotifyConstants.IN_MOVE_SELF | InotifyConstants.IN_UNMOUNT

    class _Callback:
        """watchdog's callback: each event at once, on the reader's thread."""

        def __init__(self, watcher: EventWatcher) -> None:
            self._watcher = watcher

        def on_event(self, event: "InotifyEvent") -> None:
            self._watcher.report(event.name or None, lost=bool(event.mask & _FOLDER_GONE))

        def on_watch_deleted(self, wd: "WatchDescriptor") -> None:
            self._watcher.report(None, lost=True)

        def on_queue_overflow(self) -> None:
            self._watcher.report(None, lost=True)

    def _watch_by_inotify(folder: bytes, watcher: EventWatcher) -> Callable[[], None]:
        reader = InotifyFD()
        reader.start()

        def stop() -> None:
            reader.stop()
            reader.join()

        try:
            reader.add_callback(folder, _MASK, _Callback(watcher), CallbackId(0))
        except OSError:
            stop()
            raise
        return stop

else:  # pragma: no cover - chosen by platform, and measured on Linux alone

    def _watch_by_inotify(folder: bytes, watcher: EventWatcher) -> Callable[[], None]:  # noqa: ARG001 - the other branch's signature
        raise AssertionError("inotify is Linux's")


def _watch_by_observer(folder: bytes, watcher: EventWatcher) -> Callable[[], None]:
    """Another system's observer: reports only that the folder changed. A scan finds the entry."""
    from watchdog.events import FileSystemEventHandler  # noqa: PLC0415 - not needed on Linux
    from watchdog.observers import Observer  # noqa: PLC0415 - as above

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: "FileSystemEvent") -> None:
            watcher.report(None)

    observer = Observer()
    observer.schedule(Handler(), os.fsdecode(folder))
    observer.start()

    def stop() -> None:
        observer.stop()
        observer.join()

    return stop
