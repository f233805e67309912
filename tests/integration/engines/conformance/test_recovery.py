"""A worker that ends at any moment of a job, whichever engine makes its outputs: the next start leaves nothing half done."""

from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.result import JobStatus, TaskStatus, decode_result
from proxx_worker.contract.status import Stage
from proxx_worker.execution.preflight import Environment
from proxx_worker.process.stop import StopFlag
from tests.faults.invariants import Expected, violations
from tests.support.benches import Bench
from tests.support.jobs import MOMENTS, Moment, Watcher, environment, spec
from tests.support.worker import CrashError, crash, live

DECIDED: frozenset[Moment] = frozenset({(Stage.PUBLISHING, 0), (JobStatus.COMPLETED, 0)})
"""Moments after the commit record."""


@pytest.fixture
def world(bench: Bench) -> Environment:
    return environment(bench.engine, bench.kind)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace."""
    folder = tmp_path / "workspace"
    (folder / "inbox").mkdir(parents=True)
    return folder


@pytest.fixture
def dropped(bench: Bench, sources: list[Path], out: Path, root: Path) -> bytes:
    """A job of two sources, in the inbox."""
    data = spec(sources, out, **bench.settings)
    (root / "inbox" / "job.json").write_bytes(data)
    return data


def faults(root: Path, dropped: bytes, out: Path) -> list[str]:
    return violations(root, Expected([dropped], {out: {}}), settled=True)


def test_a_job_is_carried_to_its_end(root: Path, dropped: bytes, out: Path, world: Environment, stop: StopFlag) -> None:
    assert live(root, world, stop) == 0
    assert faults(root, dropped, out) == []
    assert sorted(entry.name for entry in out.iterdir()) == ["one_000.mov", "two_001.mov"]


@pytest.mark.one_in(7)
@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: f"{moment[0]}-{moment[1]}")
def test_a_crash_at_any_moment(root: Path, dropped: bytes, out: Path, world: Environment, stop: StopFlag, moment: Moment) -> None:
    with pytest.raises(CrashError):
        live(root, world, stop, Watcher({moment: crash}))
    watcher = Watcher()
    exit_code = live(root, world, stop, watcher)
    assert watcher.told == [], "nothing is encoded again"
    assert faults(root, dropped, out) == []
    decided = moment in DECIDED
    folder = root / ("done" if decided else "failed")
    result = decode_result((folder / "job.result.json").read_bytes())
    if decided:
        assert (exit_code, result.error) == (0, None)
        assert [task.status for task in result.tasks] == [TaskStatus.COMPLETED] * 2
    else:
        assert result.error is not None
        assert (exit_code, result.error.code) == (2, ErrorCode.INTERRUPTED)
        assert [task.status for task in result.tasks] == [TaskStatus.NOT_RUN] * 2
    assert len(list(out.iterdir())) == (2 if decided else 0)
