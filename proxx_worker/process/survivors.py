"""Processes that a child left behind: found by the pipes that they inherited, and killed."""

import os
import select
import signal
import sys
from collections.abc import Set as AbstractSet
from pathlib import Path

from proxx_worker.process.pidfd import open_pidfd

_WAIT_MILLISECONDS = 1000


def kill_holders(pipe_inodes: AbstractSet[int]) -> int:
    """Kill every other process that holds one of these pipes, and wait for its end. Returns how many there were.

    Only a descendant of the child can have inherited them. Linux only: elsewhere nothing tells who holds a pipe.
    """
    killed = 0
    if sys.platform == "linux":
        links = {f"pipe:[{inode}]" for inode in pipe_inodes}
        for process in Path("/proc").iterdir():
            if process.name.isdigit() and int(process.name) != os.getpid() and _holds(process, links):
                killed += _kill(process, links)
    return killed


def _kill(process: Path, links: AbstractSet[str]) -> int:
    """Kill the process, unless the number has passed on to another one since it was looked at."""
    try:
        handle = open_pidfd(int(process.name))
    except OSError:
        return 0  # It has ended.
    try:
        if not _holds(process, links):
            return 0
        if handle is None or sys.platform != "linux":
            os.kill(int(process.name), signal.SIGKILL)
        else:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            end = select.poll()
            end.register(handle, select.POLLIN)
            end.poll(_WAIT_MILLISECONDS)
    except ProcessLookupError:
        return 0
    finally:
        if handle is not None:
            os.close(handle)
    return 1


def _holds(process: Path, links: AbstractSet[str]) -> bool:
    try:
        return any(_target(link) in links for link in (process / "fd").iterdir())
    except OSError:
        return False  # It has ended, or it is another user's: then it is no child of ours.


def _target(link: Path) -> str | None:
    try:
        return str(link.readlink())
    except OSError:
        return None
