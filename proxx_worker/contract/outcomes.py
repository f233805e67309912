"""Results of jobs that never started: refused ones, and those found after a crash."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.contract.jobspec import JobSpec, SpecSummary
from proxx_worker.contract.result import ErrorRecord, JobResult, JobStatus, SpecRecord, TaskRecord, TaskStatus, WorkerRecord

Signal = Literal["SIGINT", "SIGTERM"]


@dataclass(frozen=True, slots=True)
class JobTimes:
    """When a job was taken up and when it ended, UTC RFC 3339, and the monotonic seconds between: all from the caller's clock."""

    started_at: str
    finished_at: str
    duration_seconds: float


def not_run_tasks(sources: Sequence[str], errors: Mapping[int, JobError] | None = None) -> list[TaskRecord]:
    """One NOT_RUN task per source, in order; `errors` holds what was found wrong with a source, by its index."""
    found = errors or {}
    return [
        TaskRecord(
            index=index,
            source=source,
            status=TaskStatus.NOT_RUN,
            error=ErrorRecord.of(found[index]) if index in found else None,
        )
        for index, source in enumerate(sources)
    ]


def refused_result(
    *,
    name: str,
    summary: SpecSummary,
    error: JobError,
    worker: WorkerRecord,
    times: JobTimes,
    spec: JobSpec | None = None,
    task_errors: Mapping[int, JobError] | None = None,
) -> JobResult:
    """The FAILED result of a job that never started. `spec` is given where it was valid: then its settings are known."""
    return JobResult(
        job_id=summary.job_id,
        status=JobStatus.FAILED,
        error=ErrorRecord.of(error),
        jobspec=SpecRecord(name=name, sha256=summary.sha256, version=summary.version),
        engine=spec.engine.value if spec and spec.engine else None,
        proxy_profile=summary.profile,
        settings=spec.settings.as_json() if spec else None,
        tasks=not_run_tasks(summary.sources, task_errors),
        worker=worker,
        started_at=times.started_at,
        finished_at=times.finished_at,
        duration_seconds=times.duration_seconds,
    )


def interrupted_by_crash() -> JobError:
    """The error of a job that was claimed and has no commit record: the worker ended without a word."""
    message = (
        "the worker ended before this job was decided (killed, crashed, or the power went); nothing was published, its staging "
        "was removed, and nothing is retried: submit the spec again"
    )
    return JobError(ErrorCode.INTERRUPTED, message, {"found": "after a crash"})


def interrupted_by_signal(signal: Signal) -> JobError:
    """The error of a job, and of its running task, that a signal stopped."""
    message = f"the worker was stopped by {signal} ; nothing was published and nothing is retried: submit the spec again"
    return JobError(ErrorCode.INTERRUPTED, message, {"signal": signal})
