"""Notifications to systemd over its socket: ready, alive, current work, about to end (sd_notify(3)). None without a socket.

The protocol is one datagram of lines per word. A library would be longer than this, and is one more thing that loads at start.
"""

import socket
import time
from collections.abc import Mapping
from contextlib import suppress

from proxx_worker.contract.status import RunningJob, WorkerState, WorkerStatus
from proxx_worker.contract.text import visible

_EXTENSION_SECONDS = 60.0
"""How much longer a start may take after each sign of life: recovery hashes what a crash left to be published."""

_LONGEST_PAUSE = 10.0


class Supervisor:
    """The service manager that started this process."""

    def __init__(self, address: str | None, watchdog_seconds: float | None) -> None:
        """`address`: its datagram socket, or None. `watchdog_seconds`: after how long a silence it kills; None: never."""
        self._address = None if address is None else "\0" + address[1:] if address.startswith("@") else address
        self._pause = min(_LONGEST_PAUSE, _EXTENSION_SECONDS if watchdog_seconds is None else watchdog_seconds / 4)
        self._watched = watchdog_seconds is not None
        self._ready = False
        self._last: float | None = None
        self._told = ""

    @classmethod
    def of(cls, environment: Mapping[str, str], pid: int) -> "Supervisor":
        """The one that the environment names. Its watchdog may be for another process than `pid` (sd_watchdog_enabled(3))."""
        micros = environment.get("WATCHDOG_USEC", "")
        watched = micros.isdecimal() and environment.get("WATCHDOG_PID", str(pid)) == str(pid)
        return cls(environment.get("NOTIFY_SOCKET") or None, int(micros) / 1e6 if watched else None)

    def ready(self) -> None:
        """The workspace is owned, all assumptions hold, recovery is done: jobs are claimed from now on."""
        self._ready = True
        self._send("READY=1")

    def beat(self) -> None:
        """The worker's loops run. Sent as often as the watchdog requires; before `ready`, it asks for more time to start."""
        now = time.monotonic()
        if self._last is not None and now - self._last < self._pause:
            return
        self._last = now
        if not self._ready:
            self._send(f"EXTEND_TIMEOUT_USEC={_EXTENSION_SECONDS * 1e6:.0f}")
        elif self._watched:
            self._send("WATCHDOG=1")

    def tell(self, status: WorkerStatus) -> None:
        """What goes on, for `systemctl status`."""
        self.say(status_text(status))

    def say(self, text: str) -> None:
        """One line for `systemctl status`, if it is not there already."""
        if text != self._told:
            self._told = text
            self._send(f"STATUS={visible(text)}")

    def stopping(self) -> None:
        """The worker is about to end. Not sent while a last job runs: from here on the stop timeout counts."""
        self._send("STOPPING=1")

    def _send(self, word: str) -> None:
        if self._address is None:
            return
        # It must not cost a job where the manager is being replaced, or its queue is full.
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
