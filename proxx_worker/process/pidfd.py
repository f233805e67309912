"""A process as a descriptor: unlike a number, it is never reused, and it becomes readable when the process has ended."""

import errno
import os
import sys
from typing import Final

from proxx_worker.contract.errors import ErrorCode, ProxxError

_FORBIDDEN: Final = frozenset({errno.ENOSYS, errno.EPERM})


def open_pidfd(pid: int) -> int | None:
    """The descriptor; None where there is none: macOS, containers that forbid it.

    Raises `OSError`, also for a process that is gone.
    """
    if sys.platform == "linux" and hasattr(os, "pidfd_open"):
        try:
            return os.pidfd_open(pid)
        except OSError as error:
            if error.errno not in _FORBIDDEN:
                raise
    return None


def open_childs_pidfd(pid: int) -> int | None:
    """`open_pidfd` of a child that has just started. Raises IO_ERROR."""
    try:
        return open_pidfd(pid)
    except OSError as error:
        raise ProxxError(
            ErrorCode.IO_ERROR,
            f"a child must be watched once it has started: {error.strerror}. Check the limit on open files.",
            pid=pid,
            errno=errno.errorcode.get(error.errno or 0),
        ) from error
