"""Random schedules of the worker's real code on a simulated machine, and each seeded fault found by them."""

import secrets
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack

import pytest

from tests.simulation.needs import IN_STORMS, NOT_NEEDED, OF_THE_LABORATORY, PLANNED, TOGETHER
from tests.simulation.schedules import EVERY_STORM, Outcome, first_fault, run, weather_after
from tests.simulation.seeded import FAULTS, Fault, MissingSync, missing_syncs
from tests.simulation.weather import Weather
from tests.support.slices import Slice

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: elsewhere the worker makes other calls")

SCHEDULES = 300
MANY_SCHEDULES = 10_000
LOOKED_AT = 3_000
"""So many schedules, at most, to find a seeded fault."""
SOON = 220
"""From this seed on each of the laboratory's faults is met early: found within 50 schedules, so that the test takes no time."""
_MISSING = {fault.name.partition(": ")[0]: fault for fault in missing_syncs()}


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
    assert _is_found(fault, first=SOON)


def test_each_sync_is_in_one_list() -> None:
    listed = [*IN_STORMS, *PLANNED, *NOT_NEEDED]
    assert sorted(listed) == sorted(_MISSING)


def test_each_sync_that_the_laboratory_needs_is_found() -> None:
    storms = {(name,) for name in IN_STORMS} | {TOGETHER}
    assert set(OF_THE_LABORATORY) <= storms


@pytest.mark.heavy
@pytest.mark.parametrize("names", [*((name,) for name in IN_STORMS), TOGETHER], ids=" and ".join)
def test_a_sync_without_effect_is_found_in_a_storm(names: Sequence[str]) -> None:
    assert _is_found(*(_MISSING[name] for name in names), every=EVERY_STORM)


@pytest.mark.heavy
@pytest.mark.parametrize("name", PLANNED)
def test_a_sync_without_effect_is_found_by_a_plan(name: str) -> None:
    assert _is_found(_MISSING[name], weather=weather_after(PLANNED[name]))


def _is_found(*faults: Fault | MissingSync, first: int = 0, every: int = 1, weather: Weather | None = None) -> bool:
    with ExitStack() as stack:
        for fault in faults:
            stack.enter_context(fault.seeded())
        outcome = first_fault(range(first, first + LOOKED_AT * every, every), weather)
    if outcome is None:
        return False
    print(f"{', '.join(it.name for it in faults)}: {outcome.faults[0]} (seed {outcome.seed})")  # noqa: T201
    return _told(first_fault([outcome.seed], weather)) == ""  # without the fault that very schedule goes well


@pytest.mark.heavy
def test_ten_thousand_schedules(part: Slice) -> None:
    first = secrets.randbits(40)
    seeds: Sequence[int] = part.of(range(first, first + MANY_SCHEDULES))
    print(f"schedules from seed {first} on")  # noqa: T201
    began = time.process_time()
    assert _told(first_fault(seeds)) == ""
    seconds = time.process_time() - began
    print(f"{len(seeds)} schedules in {seconds:.0f} s of CPU: {len(seeds) / seconds * 3600:,.0f} an hour")  # noqa: T201
