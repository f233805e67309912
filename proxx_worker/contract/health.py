"""Whether a worker is healthy: it is alive, and it wrote its status recently."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from proxx_worker.contract.status import WorkerState, WorkerStatus

MAX_AGE_SECONDS: Final = 60.0
"""How old a heartbeat may be. It is written every two seconds; only unresponsive storage delays that of a healthy worker."""


@dataclass(frozen=True, slots=True)
class Health:
    """The verdict, and one line that states it."""

    ok: bool
    line: str


def health_of(status: WorkerStatus | None, now: datetime, *, alive: bool | None, max_age: float) -> Health:
    """Judge what a worker wrote last (None: nothing that can be read) at the time `now`.

    `alive`: whether its process exists; None if that cannot be seen, so that the heartbeat alone decides. `max_age`: in
    seconds. A heartbeat further in the future than that does not count: the clock was set back, and it would stay fresh.
    """
    if alive is False:
        return Health(ok=False, line="unhealthy: no worker is running here")
    if status is None:
        return Health(ok=False, line="unhealthy: a worker is running here and has not written a status yet")
    if status.state is WorkerState.ENDED:
        return Health(ok=False, line=f"unhealthy: the last status, of {status.heartbeat_at}, says that its worker has ended")
    age = (now - datetime.fromisoformat(status.heartbeat_at)).total_seconds()
    facts = f"{status.state}, pid {status.pid} on {status.host}, heartbeat {age:.1f} s old"
    if abs(age) > max_age:
        return Health(ok=False, line=f"unhealthy: {facts}, at most {max_age:g} s are allowed; the worker or its storage hangs")
    return Health(ok=True, line=f"healthy: {facts}")
