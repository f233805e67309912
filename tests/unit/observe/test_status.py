"""The status file: whole at any moment, at most twice a second, and never worth a job."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from proxx_worker.contract.result import TaskRecord, TaskStatus
from proxx_worker.contract.status import RunningJob, Stage, WorkerState, WorkerStatus, decode_status
from proxx_worker.observe.observer import JobInfo, TaskInfo
from proxx_worker.observe.status import StatusFile
from proxx_worker.verification.progress import Progress

JOB = JobInfo("clip", "id", 3)
TASK = TaskInfo("clip", "id", 2, 3, "/media/a.mov", Fraction(5, 2))


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("proxx_worker.observe.status.time.monotonic", made)
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "status.json"


def read(path: Path) -> WorkerStatus:
    return decode_status(path.read_bytes())


def test_a_job_from_its_claim_to_its_end(path: Path, clock: Clock) -> None:
    status = StatusFile(path)
    shown: list[tuple[WorkerState, int, RunningJob | None]] = []

    def later() -> None:
        clock.now += 1
        status.beat()
        written = read(path)
        shown.append((written.state, written.inbox, written.job))

    status.idle(8)
    later()
    status.running(7, JOB)
    status.job_entered(JOB, Stage.CLAIMED)
    later()
    status.job_entered(JOB, Stage.PROBING)
    later()
    status.task_entered(TASK, Stage.ENCODING)
    status.progressed(TASK, Progress(frames=10, position=Fraction(2, 5), speed=1.5))
    later()
    status.task_entered(TASK, Stage.VERIFYING)
    later()
    status.task_ended(TASK, TaskRecord(index=1, source="/media/a.mov", status=TaskStatus.COMPLETED))
    status.job_entered(JOB, Stage.PUBLISHING)
    later()
    status.end(6, 0)
    written = read(path)
    started = RunningJob("clip", "id", Stage.ENCODING, 2, 3, "/media/a.mov", 0.4, 2.5, 10, 1.5)
    assert shown == [
        (WorkerState.IDLE, 8, None),
        (WorkerState.RUNNING, 7, RunningJob("clip", "id", Stage.CLAIMED, 0, 3)),
        (WorkerState.RUNNING, 7, RunningJob("clip", "id", Stage.PROBING, 0, 3)),
        (WorkerState.RUNNING, 7, started),
        (WorkerState.RUNNING, 7, replace(started, stage=Stage.VERIFYING)),
        (WorkerState.RUNNING, 7, replace(started, stage=Stage.PUBLISHING)),
    ]
    assert (written.state, written.inbox, written.job) == (WorkerState.ENDED, 6, None)
    assert [entry.name for entry in path.parent.iterdir()] == ["status.json"]


def test_it_is_written_at_most_twice_a_second_and_loses_nothing(path: Path, clock: Clock) -> None:
    status = StatusFile(path)
    assert status.seconds_until_due() is None
    status.idle(0)
    written = path.read_bytes()
    clock.now += 0.25
    status.running(1, JOB)
    status.beat()
    assert path.read_bytes() == written
    assert status.seconds_until_due() == 0.25
    clock.now += 0.25
    assert status.seconds_until_due() == 0.0
    status.beat()
    assert read(path).state is WorkerState.RUNNING
    assert status.seconds_until_due() is None


def test_the_end_is_written_whenever_it_comes(path: Path) -> None:
    status = StatusFile(path, is_stopping=lambda: True)
    status.idle(0)
    assert read(path).state is WorkerState.STOPPING
    status.end(2, 4)
    assert (read(path).state, read(path).inbox) == (WorkerState.ENDED, 2)


def test_what_was_said_before_is_written_only_as_a_heartbeat(path: Path, clock: Clock) -> None:
    status = StatusFile(path)
    status.idle(0)
    clock.now += 1
    written = path.read_bytes()
    status.idle(0)
    assert status.seconds_until_due() is None
    assert path.read_bytes() == written
    path.unlink()
    status.beat()
    assert read(path).state is WorkerState.IDLE


def test_a_heartbeat_alone_begins_nothing(path: Path) -> None:
    StatusFile(path).beat()
    assert not path.exists()


def test_a_task_without_a_known_length_has_none(path: Path, clock: Clock) -> None:
    status = StatusFile(path)
    task = TaskInfo("c", "i", 1, 1, "/s", None)
    status.running(0, JobInfo("c", "i", 1))
    status.task_entered(task, Stage.ENCODING)
    status.progressed(task, Progress())
    clock.now += 1
    status.beat()
    assert read(path).job == RunningJob("c", "i", Stage.ENCODING, 1, 1, "/s", frames=0)


def test_what_belongs_to_no_claimed_job_is_not_shown(path: Path, clock: Clock) -> None:
    status = StatusFile(path)
    status.idle(0)
    clock.now += 1
    status.job_entered(JOB, Stage.PROBING)
    status.progressed(TASK, Progress(frames=1))
    status.beat()
    assert read(path).job is None


def test_a_folder_that_is_gone_costs_no_job(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "missing" / "status.json"
    status = StatusFile(path)
    status.running(1, JOB)
    assert not path.exists()
    clock.now += 1
    path.parent.mkdir()
    status.beat()
    assert read(path).inbox == 1
