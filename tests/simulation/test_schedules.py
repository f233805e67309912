"""Random schedules of the worker's real code on a simulated machine, and each seeded fault found by them."""

import secrets
import sys
import time
from collections.abc import Sequence

import pytest

from tests.simulation.schedules import Outcome, first_fault, run
from tests.simulation.seeded import FAULTS, Fault, MissingSync, missing_syncs
from tests.support.slices import Slice

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: elsewhere the worker makes other calls")

SCHEDULES = 300
MANY_SCHEDULES = 10_000
LOOKED_AT = 4_000
"""So many schedules, at most, to find a seeded fault."""

NOT_NEEDED: dict[str, str] = {}
"""Syncs that no schedule can tell from none, and why."""


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
@pytest.mark.parametrize("fault", list(missing_syncs()), ids=lambda fault: fault.name)
def test_a_missing_sync_is_found(fault: MissingSync) -> None:
    assert _is_found(fault) == (fault.name not in NOT_NEEDED)


def _is_found(fault: Fault | MissingSync) -> bool:
    with fault.seeded():
        outcome = first_fault(range(LOOKED_AT))
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
