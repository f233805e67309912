"""inotify(7): the names of what happens in one folder, without a thread and without a queue of our own."""

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from proxx_worker.workspace.hints import Hints

MAX_NAMES: Final = 1 << 15
"""More names than this at once say no more than "scan"."""

_HEADER: Final = struct.Struct("iIII")
_BUFFER_BYTES: Final = 1 << 16

# linux/inotify.h
_IN_CLOSE_WRITE: Final = 0x8
_IN_MOVED_TO: Final = 0x80
_IN_CREATE: Final = 0x100
_IN_DELETE_SELF: Final = 0x400
_IN_MOVE_SELF: Final = 0x800
_IN_UNMOUNT: Final = 0x2000
_IN_Q_OVERFLOW: Final = 0x4000
_IN_IGNORED: Final = 0x8000
_IN_ONLYDIR: Final = 0x1000000
_IN_DONT_FOLLOW: Final = 0x2000000
# What brings a job or completes one. Not what a claim causes (MOVED_FROM), and not each write (MODIFY).
_MASK: Final = _IN_CLOSE_WRITE | _IN_MOVED_TO | _IN_CREATE | _IN_DELETE_SELF | _IN_MOVE_SELF | _IN_ONLYDIR | _IN_DONT_FOLLOW
_SCAN_NEEDED: Final = _IN_Q_OVERFLOW | _IN_UNMOUNT | _IN_IGNORED | _IN_DELETE_SELF | _IN_MOVE_SELF


class InotifyWatcher:
    """inotify(7). The kernel's queue is bounded (fs.inotify.max_queued_events), so an unread flood costs no memory here."""

    reason: str | None = None

    def __init__(self, folder: bytes) -> None:
        """Raises `OSError` where the system grants no watch."""
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = _checked(int(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)))
        try:
            _checked(int(libc.inotify_add_watch(self._fd, folder, ctypes.c_uint32(_MASK))))
        except OSError:
            os.close(self._fd)
            raise

    def fileno(self) -> int | None:
        """The inotify descriptor itself."""
        return self._fd

    def read(self) -> Hints:
        """Empty the kernel's queue. Names of one file's several events are one name."""
        names: set[bytes] = set()
        lost = False
        with suppress(BlockingIOError):
            while buffer := os.read(self._fd, _BUFFER_BYTES):
                for mask, name in _events(buffer):
                    lost = lost or bool(mask & _SCAN_NEEDED)
                    if name:
                        names.add(name)
                if lost or len(names) > MAX_NAMES:
                    names.clear()
                    lost = True
        return Hints(tuple(sorted(names)), lost=lost)

    def close(self) -> None:
        """Close the descriptor, and with it the watch."""
        os.close(self._fd)


def _events(buffer: bytes) -> Iterator[tuple[int, bytes]]:
    """Mask and name of each event in what inotify returned: always whole events."""
    at = 0
    while at < len(buffer):
        _watch, mask, _cookie, length = _HEADER.unpack_from(buffer, at)
        at += _HEADER.size + length
        yield mask, buffer[at - length : at].rstrip(b"\0")


def _checked(answer: int) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer
