"""Random schedules of the worker's real code on a simulated machine, and each seeded fault found by them."""

import secrets
import sys
import time
from collections.abc import Sequence

import pytest

from tests.simulation.schedules import EVERY_STORM, Outcome, first_fault, run
from tests.simulation.seeded import FAULTS, Fault, MissingSync, missing_syncs
from tests.support.slices import Slice

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: elsewhere the worker makes other calls")

SCHEDULES = 300
MANY_SCHEDULES = 10_000
LOOKED_AT = 1_000
"""So many schedules, at most, to find a seeded fault."""

FOUND = (
    "files.durable.write_durable 1",
    "files.durable.write_durable 2",
    "workspace.claimed.read_claimed 1",
    "workspace.reservation.Reservation.replace 1",
    "workspace.reservation.Reservation.write 1",
    "workspace.spool.Spool.claim 1",
    "workspace.spool.Spool.claim 2",
    "workspace.spool.Spool.finish 1",
    "workspace.spool.Spool.finish 3",
    "workspace.spool.Spool._sync_log 1",
    "workspace.submit._copy 1",
    "workspace.submit.submit 1",
    "delivery.staged_file.StagedFile.seal 1",
)
"""The syncs, by function and place in it, that so many schedules are seen to need. Of the others nothing is said here: some wait
for a schedule that meets them, some another sync makes up for."""


def _told(outcome: Outcome | None) -> str:
    return "" if outcome is None else str(outcome)


def test_a_few_hundred_schedules() -> None:
    assert _told(first_fault(range(SCHEDULES))) == ""


def test_a_seed_tells_everything() -> None:
    again = [run(seed, calls=True) for seed in (7, 8, 9)]
    assert [run(seed, calls=True) for seed in (7, 8, 9)] == again
    assert len({outcome.story for outcome in again}) == 3


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_of_the_crash_laboratory_is_found(fault: Fault) -> None:
    assert _is_found(fault)


@pytest.mark.heavy
@pytest.mark.parametrize("name", FOUND)
def test_a_sync_without_effect_is_found(name: str) -> None:
    (fault,) = (it for it in missing_syncs() if it.name.startswith(f"{name}: "))
    assert _is_found(fault, every=EVERY_STORM)


def _is_found(fault: Fault | MissingSync, every: int = 1) -> bool:
    with fault.seeded():
        outcome = first_fault(range(0, LOOKED_AT * every, every))
    if outcome is None:
        return False
    print(f"{fault.name}: {outcome.faults[0]} (seed {outcome.seed})")  # noqa: T201
    return _told(first_fault([outcome.seed])) == ""  # without the fault that very schedule goes well


@pytest.mark.heavy
def test_ten_thousand_schedules(part: Slice) -> None:
    first = secrets.randbits(40)
    seeds: Sequence[int] = part.of(range(first, first + MANY_SCHEDULES))
    print(f"schedules from seed {first} on")  # noqa: T201
    began = time.process_time()
    assert _told(first_fault(seeds)) == ""
    seconds = time.process_time() - began
    print(f"{len(seeds)} schedules in {seconds:.0f} s of CPU: {len(seeds) / seconds * 3600:,.0f} an hour")  # noqa: T201
