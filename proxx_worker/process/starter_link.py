"""The worker's end of the starter: starts it, asks it for children, and never waits for it beyond a stop or a deadline."""

import array
import atexit
import errno
import marshal
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import proxx_worker
from proxx_worker.process.ending import heed_children
from proxx_worker.process.starter import Request
from proxx_worker.process.stop import StopRequestedError, StopSignal

START_SECONDS: Final = 30.0
"""How long the starter may take for an answer, and a child until it has become its program. Normally about 3 ms."""

_STARTER: Final = "import sys; sys.path.append(sys.argv.pop(1)); from proxx_worker.process.starter import main; main()"
_REPORT_BYTES: Final = 4096
_LOOK_SECONDS: Final = 1.0
"""How often a stop is asked for: it is the heartbeat as well (decision 0017)."""


class StarterLink:
    """The starter process and the socket to it."""

    def __init__(self) -> None:
        """Start it. Raises `OSError`."""
        heed_children()
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        root = str(Path(proxx_worker.__file__).parents[1])
        with its:
            command = [sys.executable, "-I", "-S", "-B", "-c", _STARTER, root, str(its.fileno()), str(os.getpid())]
            try:
                # No stderr: faults in a child are reported, and a fault in the starter ends it.
                self._process = subprocess.Popen(
                    command, pass_fds=(its.fileno(),), cwd="/", env={"LC_ALL": "C"},
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
            except OSError:
                ours.close()
                raise
        self._socket = ours
        self.pid = self._process.pid
        atexit.register(self.close)

    def ask(self, request: Request, descriptors: Sequence[int], stop: StopSignal | None) -> int:
        """Ask for a child and return its PID. Raises `OSError`, `StopRequestedError`; it is then of no more use."""
        message = marshal.dumps(dict(request))
        sent = self._socket.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))])
        if sent != len(message):
            raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
        await_readable(self._socket.fileno(), stop, time.monotonic() + START_SECONDS)
        answer = self._socket.recv(8)
        if not answer:
            raise OSError(errno.EPIPE, "the starter has ended")
        (pid,) = struct.unpack("=q", answer)
        if pid < 0:
            raise OSError(-pid, os.strerror(-pid))
        return int(pid)

    def close(self) -> None:
        """Kill it and wait for its end."""
        atexit.unregister(self.close)
        self._process.kill()  # first: at the socket's end it would take the worker for dead and end its children
        self._socket.close()
        self._process.wait()


def read_report(descriptor: int, stop: StopSignal | None) -> str:
    """What a child reports of its start until it has become its program. Raises `OSError`, `StopRequestedError`."""
    deadline = time.monotonic() + START_SECONDS
    data = b""
    while True:
        await_readable(descriptor, stop, deadline)
        if not (chunk := os.read(descriptor, _REPORT_BYTES)):
            return data.decode("utf-8", "backslashreplace")
        data += chunk


def await_readable(descriptor: int, stop: StopSignal | None, deadline: float) -> None:
    """Wait until there is something to read. Raises `StopRequestedError`, and ETIMEDOUT after `deadline`."""
    ready = select.poll()
    ready.register(descriptor, select.POLLIN)
    if stop is not None:
        ready.register(stop.fileno(), select.POLLIN)
    while True:
        for found, _ in ready.poll(1000 * max(0.0, min(_LOOK_SECONDS, deadline - time.monotonic()))):
            if found == descriptor:
                return
        if stop is not None and stop.requested():
            raise StopRequestedError
        if time.monotonic() >= deadline:
            raise OSError(
                errno.ETIMEDOUT, f"no answer within {START_SECONDS:.0f} s: a process is stopped, or a disk does not respond"
            )
