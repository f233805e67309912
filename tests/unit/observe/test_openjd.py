"""The lines that a runner of Open Job Description reads."""

from fractions import Fraction

import pytest

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.result import ErrorRecord, JobStatus, TaskStatus
from proxx_worker.contract.status import Stage
from proxx_worker.observe.observer import JobInfo, TaskInfo
from proxx_worker.observe.openjd import OpenJdProgress
from proxx_worker.verification.progress import Progress
from tests.support.results import job_result, task_record

JOB = JobInfo("clip", "J1", 2)
FIRST = TaskInfo("clip", "J1", 1, 2, "/a.mov", Fraction(10))
SECOND = TaskInfo("clip", "J1", 2, 2, "/b.mov", None)


def at(seconds: float | None) -> Progress:
    return Progress(position=None if seconds is None else Fraction(seconds), frames=1, speed=None)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_a_job_that_goes_well(clock: list[float]) -> None:
    lines: list[str] = []
    shown = OpenJdProgress(lines.append)
    shown.job_entered(JOB, Stage.PROBING)
    shown.task_entered(FIRST, Stage.ENCODING)
    shown.progressed(FIRST, at(1))
    for position in (5, 99, None, -1):
        clock[0] += 1
        shown.progressed(FIRST, at(position))
    shown.task_entered(FIRST, Stage.VERIFYING)
    shown.task_ended(FIRST, task_record(TaskStatus.COMPLETED))
    shown.task_entered(SECOND, Stage.ENCODING)
    clock[0] += 1
    shown.progressed(SECOND, at(3))
    shown.task_ended(SECOND, task_record(TaskStatus.COMPLETED))
    shown.job_ended(JOB, job_result(JobStatus.COMPLETED))
    assert [line.rstrip("\n") for line in lines] == [
        "openjd_status: clip: probing",
        "openjd_status: clip: encoding task 1 of 2, /a.mov",
        "openjd_progress: 0.0",
        "openjd_progress: 25.0",
        "openjd_progress: 50.0",
        "openjd_status: clip: verifying task 1 of 2, /a.mov",
        "openjd_status: clip: encoding task 2 of 2, /b.mov",
        "openjd_progress: 100.0",
        "openjd_status: clip: COMPLETED",
    ]


def test_a_failure_is_told_in_one_line() -> None:
    lines: list[str] = []
    shown = OpenJdProgress(lines.append)
    error = ErrorRecord(code=ErrorCode.ENCODE_FAILED, message="two\nlines")
    shown.task_ended(FIRST, task_record(TaskStatus.FAILED, error))
    shown.job_ended(JOB, job_result(JobStatus.FAILED, error))
    assert lines == ["openjd_fail: ENCODE_FAILED: two\\x0alines\n", "openjd_status: clip: FAILED\n"]
