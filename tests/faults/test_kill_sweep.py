"""The real command killed before every call that changes the disk, in work and in recovery, started again, and audited."""

from pathlib import Path

import pytest

from tests.faults.laboratory import Bench, Call, kill_before
from tests.faults.sweeps import STATES, benches, faulty, killed_at, sweep, watching, work
from tests.support.slices import Slice

KILL_POINTS = 400
"""At least so many in the whole sweep."""


def _kill(call: Call, _number: int) -> tuple[str, ...]:
    return kill_before(call)


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> list[Bench]:
    return benches(tmp_path_factory.mktemp("laboratory"))


def test_undisturbed_every_job_is_executed_once(laboratory: list[Bench]) -> None:
    bench = laboratory[0]
    work(bench)
    assert bench.watch().code == 1
    assert bench.violations(settled=True) == []
    assert sorted(bench.executions().values()) == [0, 1, 1]


def test_a_slice_of_the_kill_points(laboratory: list[Bench]) -> None:
    points = sweep(laboratory, watching(work), _kill, every=120)
    assert len(points) >= 2
    assert faulty(points) == {}


@pytest.mark.heavy
def test_every_kill_point(tmp_path: Path, part: Slice) -> None:
    laboratory = benches(tmp_path)
    points = sweep(laboratory, watching(work), _kill, part=part)
    for state in STATES:
        points += sweep(laboratory, watching(killed_at(state)), _kill, part=part)
    killed = [point for point in points if point.code < 0]
    print(f"{len(points)} kill points, {len(killed)} reached, {len(faulty(points))} bad", *faulty(points).items(), sep="\n")  # noqa: T201
    assert faulty(points) == {}
    assert len(killed) >= part.share(KILL_POINTS)
