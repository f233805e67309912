"""kqueue(2): tells that a folder changed, not what changed in it. macOS only; written from its manual, measured nowhere yet."""

import os
import select
import sys

from proxx_worker.workspace.hints import Hints

if sys.platform == "darwin":  # pragma: no cover

    class KqueueWatcher:
        """kqueue(2): tells that a folder changed, not what changed in it."""

        reason: str | None = None

        def __init__(self, folder: bytes) -> None:
            """Raises `OSError` where the system grants no watch."""
            self._folder_fd = os.open(folder, os.O_EVTONLY | os.O_CLOEXEC)
            try:
                self._queue = select.kqueue()
                flags = select.KQ_NOTE_WRITE | select.KQ_NOTE_EXTEND | select.KQ_NOTE_DELETE | select.KQ_NOTE_RENAME
                event = select.kevent(self._folder_fd, select.KQ_FILTER_VNODE, select.KQ_EV_ADD | select.KQ_EV_CLEAR, flags)
                self._queue.control([event], 0, 0)
            except OSError:
                os.close(self._folder_fd)
                raise

        def fileno(self) -> int | None:
            """The queue's descriptor."""
            return self._queue.fileno()

        def read(self) -> Hints:
            """Whether anything changed since the last call."""
            return Hints(changed=bool(self._queue.control(None, 8, 0)))

        def close(self) -> None:
            """Stop watching."""
            self._queue.close()
            os.close(self._folder_fd)
