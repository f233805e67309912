"""`run` killed before every call that changes the disk, and refused at every such call; then the next job, and the audit."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.laboratory import Bench, Call, fail, kill_before, trace_options
from tests.faults.lone_runs import KILLED_AT, STAGING, LoneRuns
from tests.faults.sweeps import Breaker, Point, benches, faulty, has, sweep
from tests.faults.test_error_sweep import ERRORS
from tests.support.slices import Slice

KILL_POINTS = 70
ERROR_POINTS = 70
"""At least so many of each in the whole sweeps."""


def _kill(call: Call, _number: int) -> tuple[str, ...]:
    return kill_before(call)


def _refuse(call: Call, number: int) -> tuple[str, ...]:
    return fail(call, ERRORS[number % len(ERRORS)])


@pytest.fixture
def laboratory(tmp_path: Path) -> list[Bench]:
    return benches(tmp_path)


@pytest.fixture
def runs(laboratory: list[Bench]) -> LoneRuns:
    return LoneRuns.learn(laboratory[0])


def _swept(laboratory: list[Bench], runs: LoneRuns, breaker: Breaker, part: Slice) -> list[Point]:
    subjects = [runs.first(), runs.refused(), *(runs.after(state) for state in KILLED_AT)]
    return [point for subject in subjects for point in sweep(laboratory, subject, breaker, part=part)]


def _summary(points: list[Point]) -> None:
    ended = {code: sum(point.code == code for point in points) for code in sorted({point.code for point in points})}
    print(f"{len(points)} points, ended with {ended}, {len(faulty(points))} bad", *faulty(points).items(), sep="\n")  # noqa: T201


def test_a_slice_of_the_kill_points(laboratory: list[Bench], runs: LoneRuns) -> None:
    points = sweep(laboratory, runs.first(), _kill, every=16)
    assert len(points) >= 2
    assert faulty(points) == {}


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "picked", [has("unlinkat", STAGING), has("write", "/results/.tmp-"), has("rename", "/results/a.result.json")]
)
def test_a_job_that_was_decided_is_told_as_it_was_decided(
    picked: Callable[[Call], bool], laboratory: list[Bench], runs: LoneRuns
) -> None:
    """Staging that cannot be removed, or a --result file that cannot be written: the outputs stand, and stdout says so."""
    bench, subject = laboratory[0], runs.first()
    subject.prepare(bench)
    subject.command(bench, trace_options())
    call = next(call for call in bench.durable_calls() if picked(call))
    subject.prepare(bench)
    broken = subject.command(bench, fail(call, "EIO"))
    assert json.loads(broken.output)["status"] == "COMPLETED"
    assert list(subject.audit(bench, broken)) == []


@pytest.mark.heavy
def test_every_kill_point(laboratory: list[Bench], runs: LoneRuns, part: Slice) -> None:
    points = _swept(laboratory, runs, _kill, part)
    _summary(points)
    assert faulty(points) == {}
    assert sum(point.code < 0 for point in points) >= part.share(KILL_POINTS)


@pytest.mark.heavy
def test_every_error_point(laboratory: list[Bench], runs: LoneRuns, part: Slice) -> None:
    points = _swept(laboratory, runs, _refuse, part)
    _summary(points)
    assert faulty(points) == {}
    assert len(points) >= part.share(ERROR_POINTS)
