"""Ends a child that nobody watches yet: its start failed halfway."""

import os
import signal
import time
from contextlib import suppress
from typing import Final

WAIT_SECONDS: Final = 1.0
_POLL_SECONDS: Final = 0.01


def kill_and_reap(pid: int) -> None:
    """Kill the child and wait for its end; one that is stuck in the kernel is left to the system."""
    with suppress(ProcessLookupError, ChildProcessError):  # it is gone, and so is its exit code
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + WAIT_SECONDS
        while os.waitpid(pid, os.WNOHANG)[0] == 0 and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)


def heed_children() -> None:
    """Undo an ignored SIGCHLD, as the process that started the worker may have left it: the kernel would discard exit codes.

    The main thread's alone to call.
    """
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
