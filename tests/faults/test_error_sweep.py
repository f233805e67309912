"""Every call that changes the disk refused in turn: the job fails or the worker stops, the result is true, nothing is lost."""

from pathlib import Path

import pytest

from tests.faults.laboratory import Bench, Call, fail
from tests.faults.sweeps import Point, benches, faulty, killed_at, sweep, watching, work
from tests.support.slices import Slice

ERRORS = ("EIO", "ENOSPC", "EDQUOT", "EACCES", "EROFS", "EMFILE", "ESTALE")
ERROR_POINTS = 150
"""At least so many in the whole sweep."""

ENDS = {0, 1, 2, 4}


def _refuse(call: Call, number: int) -> tuple[str, ...]:
    return fail(call, ERRORS[number % len(ERRORS)])


def _faulty(points: list[Point]) -> dict[str, tuple[str, ...]]:
    ended_otherwise = {point.where: (f"ended with {point.code}",) for point in points if point.code not in ENDS}
    return faulty(points) | ended_otherwise


@pytest.fixture
def laboratory(tmp_path: Path) -> list[Bench]:
    return benches(tmp_path)


def test_a_slice_of_the_errors(laboratory: list[Bench]) -> None:
    points = sweep(laboratory, watching(work), _refuse, every=79)
    assert len(points) >= 2
    assert _faulty(points) == {}


@pytest.mark.heavy
def test_every_error_point(laboratory: list[Bench], part: Slice) -> None:
    points = sweep(laboratory, watching(work), _refuse, part=part)
    for state in ("claimed", "one of two published", "result moved", "record torn"):
        points += sweep(laboratory, watching(killed_at(state)), _refuse, part=part)
    print(f"{len(points)} error points, {len(_faulty(points))} with violations", *_faulty(points).items(), sep="\n")  # noqa: T201
    assert _faulty(points) == {}
    assert len(points) >= part.share(ERROR_POINTS)
