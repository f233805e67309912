"""The metrics file: what it counts, when it is written, and how. Prometheus's own parser reads it in tests/farm."""

import os
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import pytest

from proxx_worker import __version__
from proxx_worker.contract.errors import ErrorCode, JsonValue
from proxx_worker.contract.result import ErrorRecord, JobStatus, TaskStatus
from proxx_worker.contract.status import RunningJob, Stage, WorkerState, WorkerStatus
from proxx_worker.observe.joblog import Level
from proxx_worker.observe.metrics import MetricsFile
from proxx_worker.observe.metrics_text import Values, metrics_text
from proxx_worker.observe.observer import JobInfo, TaskInfo
from tests.support.results import job_result, task_record

JOB = JobInfo("clip", "J1", 1)
TASK = TaskInfo("clip", "J1", 1, 1, "/a.mov", Fraction(5, 2))
RUNNING = RunningJob("clip", "J1", Stage.CLAIMED, 0, 1)
AT = "2026-05-01T12:00:00.000Z"


class Recorder:
    """A log that keeps its actions."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Level]] = []

    def event(self, action: str, message: str = "", *, level: Level = "INFO", **fields: JsonValue) -> None:
        self.events.append((action, level))

    def encoder_lines(self, lines: Sequence[str]) -> None:
        raise AssertionError(lines)


class Clocks:
    """The wall's and the monotonic clock that the file sees, at a fixed distance."""

    def __init__(self) -> None:
        self.monotonic = 1000.0

    def time(self) -> float:
        return self.monotonic + 1e9


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    monkeypatch.setattr("time.monotonic", lambda: clocks.monotonic)
    monkeypatch.setattr("time.time", clocks.time)
    return clocks


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "proxx.prom"


def made(path: Path, scanned_at: Callable[[], float | None] = lambda: None) -> tuple[MetricsFile, Recorder]:
    log = Recorder()
    return MetricsFile(path, "/srv/x", scanned_at, log), log


def values(path: Path) -> dict[str, float]:
    """Every series that is not 0, by its name and labels without the workspace."""
    found = re.findall(r'(?m)^proxx_worker_(\w+)\{workspace="/srv/x",?(.*)\} (.*)$', path.read_text())
    return {name + labels: float(value) for name, labels, value in found if float(value)}


def status(job: RunningJob | None, inbox: int) -> WorkerStatus:
    return WorkerStatus(WorkerState.IDLE, 7, "h", AT, AT, inbox, job)


def test_a_job_from_its_claim_to_its_end(clocks: Clocks, path: Path) -> None:
    file, _ = made(path, lambda: 990.0)
    file.update(status(None, 4))
    file.beat()
    memory = values(path)["resident_memory_bytes"]
    start = {f'infoversion="{__version__}"': 1, "up": 1, "start_time_seconds": 1e9 + 1000, "resident_memory_bytes": memory}
    assert values(path) == {
        **start, "inbox_jobs": 4, "heartbeat_timestamp_seconds": 1e9 + 1000, "last_scan_timestamp_seconds": 1e9 + 990,
    }  # fmt: skip
    file.job_entered(JOB, Stage.CLAIMED)
    file.update(status(RUNNING, 3))
    file.job_entered(JOB, Stage.PROBING)
    clocks.monotonic += 5
    file.task_entered(TASK, Stage.ENCODING)
    file.beat()
    running = values(path)
    assert (running["job_running"], running["job_start_time_seconds"], running["inbox_jobs"]) == (1, 1e9 + 1000, 3)
    clocks.monotonic += 3
    file.task_entered(TASK, Stage.VERIFYING)
    clocks.monotonic += 100
    file.task_ended(TASK, task_record(TaskStatus.COMPLETED))
    file.job_ended(JOB, job_result(JobStatus.COMPLETED, tasks=[task_record(TaskStatus.COMPLETED, size=77)]))
    ended = values(path)
    assert "job_running" not in ended
    assert "job_start_time_seconds" not in ended
    assert ended['jobs_totalstatus="COMPLETED",code=""'] == 1
    assert (ended["encode_seconds_total"], ended["media_seconds_total"], ended["output_bytes_total"]) == (3, 2.5, 77)
    file.end()
    assert "up" not in values(path)


def test_a_job_that_fails_publishes_nothing(clocks: Clocks, path: Path) -> None:
    file, _ = made(path)
    error = ErrorRecord(code=ErrorCode.ENCODE_FAILED, message="x")
    file.task_entered(TASK, Stage.ENCODING)
    clocks.monotonic += 2
    file.task_ended(TASK, task_record(TaskStatus.FAILED, error))
    file.job_ended(JOB, job_result(JobStatus.FAILED, error, [task_record(TaskStatus.DISCARDED, size=77)]))
    ended = values(path)
    assert ended['jobs_totalstatus="FAILED",code="ENCODE_FAILED"'] == 1
    assert ended["encode_seconds_total"] == 2
    assert "output_bytes_total" not in ended
    assert "media_seconds_total" not in ended


def test_it_is_written_every_five_seconds_and_not_more_often(clocks: Clocks, path: Path) -> None:
    file, _ = made(path)
    written = []
    for _ in range(12):
        path.unlink(missing_ok=True)
        file.beat()
        written.append(path.exists())
        clocks.monotonic += 1
    assert [number for number, there in enumerate(written) if there] == [0, 5, 10]


def test_every_outcome_is_there_from_the_start() -> None:
    text = metrics_text(Values(), workspace="/x", version="1")
    assert 'jobs_total{workspace="/x",status="COMPLETED",code=""} 0\n' in text
    for code in ErrorCode:
        assert f'jobs_total{{workspace="/x",status="FAILED",code="{code}"}} 0\n' in text


def test_a_workspace_s_name_cannot_break_a_line() -> None:
    assert 'up{workspace="/a\\\\b\\"c\\nd"} 1\n' in metrics_text(Values(), workspace='/a\\b"c\nd', version="1")


def test_everybody_may_read_it_and_nothing_else_is_left(path: Path) -> None:
    before = os.umask(0o077)
    try:
        file, _ = made(path)
        file.beat()
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644
    assert os.listdir(path.parent) == ["proxx.prom"]  # noqa: PTH208 - names


def test_a_link_stays_and_a_pipe_is_not_replaced(path: Path) -> None:
    (path.parent / "link").symlink_to(path.name)
    file, log = made(path.parent / "link")
    file.beat()
    assert (path.parent / "link").is_symlink()
    assert path.read_text().startswith("# ")
    os.mkfifo(path.parent / "pipe")
    refused, told = made(path.parent / "pipe")
    refused.beat()
    assert (path.parent / "pipe").is_fifo()
    assert (log.events, told.events) == ([], [("metrics_not_written", "WARNING")])


def test_a_folder_that_is_gone_costs_no_job_and_is_told_once(clocks: Clocks, path: Path) -> None:
    file, log = made(path.parent / "gone" / "proxx.prom")
    for _ in range(3):
        file.beat()
        clocks.monotonic += 5
    (path.parent / "gone").mkdir()
    file.beat()
    (path.parent / "gone" / "proxx.prom").unlink()
    (path.parent / "gone").rmdir()
    clocks.monotonic += 5
    file.beat()
    assert log.events == [("metrics_not_written", "WARNING")] * 2
