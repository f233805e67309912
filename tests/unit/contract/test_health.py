"""What a probe is told, by value."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from proxx_worker.contract.health import health_of
from proxx_worker.contract.status import WorkerState, WorkerStatus

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
STATUS = WorkerStatus(WorkerState.IDLE, 7, "render1", "2026-05-01T11:00:00.000Z", "2026-05-01T12:00:00.000Z", 0, None)
ENDED = replace(STATUS, state=WorkerState.ENDED)


@pytest.mark.parametrize("alive", [True, None])
@pytest.mark.parametrize("state", [state for state in WorkerState if state is not WorkerState.ENDED])
@pytest.mark.parametrize(("age", "ok"), [(0, True), (10, True), (10.1, False), (-10, True), (-10.1, False), (1e6, False)])
def test_a_worker_that_may_live_is_as_well_as_its_heartbeat(
    *, alive: bool | None, state: WorkerState, age: float, ok: bool
) -> None:
    health = health_of(replace(STATUS, state=state), AT + timedelta(seconds=age), alive=alive, max_age=10)
    assert health.ok is ok
    assert health.line.startswith("healthy: " if ok else "unhealthy: ")
    assert f"{state}, pid 7 on render1, heartbeat {age:.1f} s old" in health.line


@pytest.mark.parametrize(
    ("status", "alive", "says"),
    [
        (STATUS, False, "no worker is running here"),
        (None, False, "no worker is running here"),
        (None, True, "a worker is running here and has not written a status yet"),
        (None, None, "a worker is running here and has not written a status yet"),
        (
            ENDED,
            True,
            f"the last status, of {STATUS.heartbeat_at}, says that its worker has ended",
        ),
        (
            ENDED,
            None,
            f"the last status, of {STATUS.heartbeat_at}, says that its worker has ended",
        ),
    ],
)
def test_the_heartbeat_of_no_worker_is_not_looked_at(status: WorkerStatus | None, *, alive: bool | None, says: str) -> None:
    health = health_of(status, AT, alive=alive, max_age=10)
    assert health.ok is False
    assert health.line == f"unhealthy: {says}"
