"""The status file: whole at any moment, at most twice a second, and never worth a job."""

from fractions import Fraction
from pathlib import Path

import orjson
import pytest

from proxx_worker.observe.observer import TaskInfo
from proxx_worker.observe.status import StatusFile
from proxx_worker.verification.progress import Progress

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


def test_it_holds_what_the_contract_names(tmp_path: Path, clock: Clock) -> None:
    status = StatusFile(tmp_path / "status.json")
    status.set_state("running", 7)
    first = orjson.loads((tmp_path / "status.json").read_bytes())
    assert list(first) == ["state", "pid", "host", "started_at", "heartbeat_at", "inbox", "job"]
    assert (first["state"], first["inbox"], first["job"]) == ("running", 7, None)
    clock.now += 1
    status.job_claimed("clip", "id", 3)
    assert orjson.loads((tmp_path / "status.json").read_bytes())["job"] == {
        "name": "clip", "job_id": "id", "task": 0, "tasks": 3, "source": None,
        "position_seconds": None, "duration_seconds": None, "frames": None, "speed": None,
    }  # fmt: skip
    clock.now += 1
    status.progressed(TASK, Progress(frames=10, position=Fraction(2, 5), speed=1.5))
    clock.now += 1
    status.flush()
    status.task_finished(TASK)
    assert orjson.loads((tmp_path / "status.json").read_bytes())["job"] == {
        "name": "clip", "job_id": "id", "task": 2, "tasks": 3, "source": "/media/a.mov",
        "position_seconds": 0.4, "duration_seconds": 2.5, "frames": 10, "speed": 1.5,
    }  # fmt: skip
    clock.now += 1
    status.set_state("stopping", 0)
    assert orjson.loads((tmp_path / "status.json").read_bytes())["job"] is None
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def test_it_is_written_at_most_twice_a_second_and_loses_nothing(tmp_path: Path, clock: Clock) -> None:
    status = StatusFile(tmp_path / "status.json")
    assert status.seconds_until_due() is None
    status.set_state("idle", 0)
    written = (tmp_path / "status.json").read_bytes()
    clock.now += 0.25
    status.set_state("running", 1)
    assert (tmp_path / "status.json").read_bytes() == written
    assert status.seconds_until_due() == 0.25
    clock.now += 0.25
    status.flush()
    assert orjson.loads((tmp_path / "status.json").read_bytes())["state"] == "running"
    assert status.seconds_until_due() is None


def test_what_was_said_before_is_written_only_as_a_heartbeat(tmp_path: Path, clock: Clock) -> None:
    status = StatusFile(tmp_path / "status.json")
    status.set_state("idle", 0)
    written = (tmp_path / "status.json").read_bytes()
    clock.now += 1
    status.set_state("idle", 0)
    assert status.seconds_until_due() is None
    assert (tmp_path / "status.json").read_bytes() == written
    (tmp_path / "status.json").unlink()
    status.beat()
    assert orjson.loads((tmp_path / "status.json").read_bytes())["state"] == "idle"


def test_a_task_without_a_known_length_has_none(tmp_path: Path, clock: Clock) -> None:
    status = StatusFile(tmp_path / "status.json")
    status.task_started(TaskInfo("c", "i", 1, 1, "/s", None))
    clock.now += 1
    status.progressed(TaskInfo("c", "i", 1, 1, "/s", None), Progress())
    document = orjson.loads((tmp_path / "status.json").read_bytes())
    assert document["job"]["duration_seconds"] is None
    assert document["job"]["position_seconds"] is None


def test_a_folder_that_is_gone_costs_no_job(tmp_path: Path, clock: Clock) -> None:
    status = StatusFile(tmp_path / "missing" / "status.json")
    status.set_state("running", 1)
    clock.now += 1
    (tmp_path / "missing").mkdir()
    status.flush()
    assert (tmp_path / "missing" / "status.json").exists()
