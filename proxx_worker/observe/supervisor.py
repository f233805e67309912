"""Notifications to systemd over its socket: ready, alive, status, stopping (sd_notify(3)). Does nothing without a socket.

The protocol is one datagram per message. A library would be larger than this module, and slow down the start.
"""

import socket
import time
from collections.abc import Mapping
from contextlib import suppress

from proxx_worker.contract.status import RunningJob, WorkerState, WorkerStatus
from proxx_worker.contract.text import visible

_EXTENSION_SECONDS = 60.0
"""How much longer a start may take after each heartbeat: recovery hashes outputs that a crash left unpublished."""

_MAX_INTERVAL = 10.0


class Supervisor:
    """The service manager that started this process."""

    def __init__(self, address: str | None, watchdog_seconds: float | None) -> None:
        """`address`: its datagram socket, or None. `watchdog_seconds`: its watchdog timeout, or None."""
        self._address = None if address is None else "\0" + address[1:] if address.startswith("@") else address
        self._interval = min(_MAX_INTERVAL, _EXTENSION_SECONDS if watchdog_seconds is None else watchdog_seconds / 4)
        self._watched = watchdog_seconds is not None
        self._ready = False
        self._last: float | None = None
        self._status = ""

    @classmethod
    def of(cls, environment: Mapping[str, str], pid: int) -> "Supervisor":
        """The one named in the environment. Its watchdog may be meant for a process other than `pid` (sd_watchdog_enabled(3))."""
        micros = environment.get("WATCHDOG_USEC", "")
        watched = micros.isdecimal() and environment.get("WATCHDOG_PID", str(pid)) == str(pid)
        return cls(environment.get("NOTIFY_SOCKET") or None, int(micros) / 1e6 if watched else None)

    def ready(self) -> None:
        """Report that the start is complete (workspace locked, assumptions checked, recovery done), and jobs will be claimed."""
        self._ready = True
        self._send("READY=1")

    def beat(self) -> None:
        """Heartbeat, sent as often as the watchdog requires. Before `ready`, it extends the start timeout."""
        now = time.monotonic()
        if self._last is not None and now - self._last < self._interval:
            return
        self._last = now
        if not self._ready:
            self._send(f"EXTEND_TIMEOUT_USEC={_EXTENSION_SECONDS * 1e6:.0f}")
        elif self._watched:
            self._send("WATCHDOG=1")

    def update(self, status: WorkerStatus) -> None:
        """Show the worker's status in `systemctl status`."""
        self.set_status(status_text(status))

    def set_status(self, text: str) -> None:
        """Show one line in `systemctl status`, if it has changed."""
        if text != self._status:
            self._status = text
            self._send(f"STATUS={visible(text)}")

    def stopping(self) -> None:
        """Report that the worker is about to end. Not while a last job runs, as the stop timeout starts now."""
        self._send("STOPPING=1")

    def _send(self, word: str) -> None:
        if self._address is None:
            return
        # An error must not fail a job: the manager may be restarting, or its queue may be full.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto(word.encode("utf-8", "backslashreplace"), socket.MSG_DONTWAIT, self._address)


def status_text(status: WorkerStatus) -> str:
    """One line: `running: clip, encoding task 1 of 2, 12.0 of 60.0 s; 3 waiting`."""
    waiting = f"; {status.inbox} waiting" if status.inbox else ""
    if status.job is None:
        return f"{status.state}{waiting}"
    last = "stopping after this job" if status.state is WorkerState.STOPPING else str(status.state)
    return f"{last}: {_job_text(status.job)}{waiting}"


def _job_text(job: RunningJob) -> str:
    text = f"{job.name}, {job.stage}"
    if job.task:
        text += f" task {job.task} of {job.tasks}"
    if job.position_seconds is not None:
        length = "" if job.duration_seconds is None else f" of {job.duration_seconds:.1f}"
        text += f", {job.position_seconds:.1f}{length} s"
    return text
