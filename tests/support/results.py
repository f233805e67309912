"""Results as a worker would write them, for tests that move them about."""

from collections.abc import Sequence

from proxx_worker.contract.candidates import display_name
from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.result import ErrorRecord, JobResult, JobStatus, SpecRecord, TaskRecord, TaskStatus, WorkerRecord
from proxx_worker.workspace.claimed import ClaimedJob


def result_of(job: ClaimedJob, status: JobStatus = JobStatus.FAILED, message: str = "refused") -> JobResult:
    """A small result that fits `job`."""
    error = ErrorRecord(code=ErrorCode.SPEC_INVALID, message=message) if status is JobStatus.FAILED else None
    return JobResult(
        job_id=(job.sha256 or "unknown")[:12],
        status=status,
        error=error,
        jobspec=SpecRecord(name=display_name(job.stem), sha256=job.sha256, version="2.1"),
        engine=None,
        proxy_profile=None,
        settings=None,
        tasks=[],
        worker=WorkerRecord(version="0", ffmpeg=None, ffprobe=None, declared_versions={}),
        started_at="2026-01-01T00:00:00Z",
        finished_at="2026-01-01T00:00:00Z",
        duration_seconds=0.0,
    )


def task_record(status: TaskStatus, error: ErrorRecord | None = None, *, size: int | None = None) -> TaskRecord:
    """A small record of one task."""
    return TaskRecord(index=0, source="/a.mov", status=status, error=error, output_size_bytes=size)


def job_result(status: JobStatus, error: ErrorRecord | None = None, tasks: Sequence[TaskRecord] = ()) -> JobResult:
    """A small result of no job in particular."""
    return JobResult(
        job_id="J1",
        status=status,
        error=error,
        jobspec=SpecRecord(name="clip", sha256=None, version="2.1"),
        engine=None,
        proxy_profile=None,
        settings=None,
        tasks=list(tasks),
        worker=WorkerRecord(version="0", ffmpeg=None, ffprobe=None, declared_versions={}),
        started_at="2026-01-01T00:00:00Z",
        finished_at="2026-01-01T00:00:00Z",
        duration_seconds=0.0,
    )
