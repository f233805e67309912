"""Waiting for the end of any process, one that is not a child too."""

import os
import select
import sys


def await_end(pid: int, seconds: float | None = None) -> bool:
    """Wait until the process has ended, at most `seconds`. Returns whether it has. A child is not reaped."""
    try:
        if sys.platform == "linux":
            process = os.pidfd_open(pid)
            try:
                return bool(select.select([process], [], [], seconds)[0])
            finally:
                os.close(process)
        else:
            queue = select.kqueue()
            try:
                end = select.kevent(pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)
                return bool(queue.control([end], 1, seconds))
            finally:
                queue.close()
    except ProcessLookupError:
        return True
