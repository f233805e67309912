"""A workspace's worker: its last status, and whether it is alive."""

import os
import signal
import socket
from dataclasses import dataclass
from datetime import datetime

from proxx_worker.contract.candidates import HOLD_NAME
from proxx_worker.contract.health import MAX_AGE_SECONDS
from proxx_worker.contract.status import MAX_STATUS_BYTES, WorkerState, WorkerStatus, decode_status
from proxx_worker.workspace.entries import exists
from proxx_worker.workspace.holder import Holder, is_dead_here
from proxx_worker.workspace.layout import Workspace


@dataclass(frozen=True, slots=True)
class WorkerLook:
    """One observation.

    `alive`: None if the worker is on another host, where it cannot be seen. `held`: the request exists. `holder`: its process.
    """

    status: WorkerStatus | None
    alive: bool | None
    held: bool
    holder: Holder | None = None

    def heartbeat_age(self, now: datetime) -> float | None:
        """In seconds; None if nothing can be read."""
        return None if self.status is None else (now - datetime.fromisoformat(self.status.heartbeat_at)).total_seconds()

    def is_stale(self, now: datetime) -> bool:
        """Whether a live worker has not written a status for a minute: it or its storage hangs."""
        age = self.heartbeat_age(now)
        working = self.alive is not False and self.status is not None and self.status.state is not WorkerState.ENDED
        return working and age is not None and abs(age) > MAX_AGE_SECONDS


def look_at_worker(workspace: Workspace) -> WorkerLook:
    """Observe the worker. Raises nothing: what cannot be read counts as missing."""
    holder = Holder.read(workspace.lock_file)
    if holder is None or is_dead_here(holder):
        alive: bool | None = False
    else:
        alive = True if holder.host == socket.gethostname() else None
    try:
        held = exists(os.path.join(workspace.inbox, HOLD_NAME))
    except OSError:
        held = False
    return WorkerLook(read_status(workspace), alive, held, holder)


def read_status(workspace: Workspace) -> WorkerStatus | None:
    """The worker's last status; None if it cannot be read."""
    try:
        with workspace.status_file.open("rb") as file:
            return decode_status(file.read(MAX_STATUS_BYTES + 1))
    except (OSError, ValueError):
        return None


def drain(workspace: Workspace, worker: Holder) -> bool:
    """Ask this worker, on this host, to end after its job. False if it has ended, or another works here. Raises `OSError`."""
    if Holder.read(workspace.lock_file) != worker or worker.host != socket.gethostname() or is_dead_here(worker):
        return False
    os.kill(worker.pid, signal.SIGUSR1)
    return True
