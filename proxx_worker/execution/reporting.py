"""Builds the result JSON, for every mode. Times are passed in as arguments."""

import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from proxx_worker.contract.errors import JOB_LOG, ErrorCode, JobError, ProxxError
from proxx_worker.contract.jobspec import SpecSummary
from proxx_worker.contract.output_settings import Engine, OutputSettings
from proxx_worker.contract.path_map import NO_MAPPINGS, PathMap
from proxx_worker.contract.result import (
    ErrorRecord,
    JobResult,
    JobStatus,
    SpecRecord,
    TaskRecord,
    TaskStatus,
    WorkerRecord,
)
from proxx_worker.contract.source_media import SettingsRecord
from proxx_worker.contract.values import timestamp
from proxx_worker.media.source_record import rational
from proxx_worker.observe.clock import Moment
from proxx_worker.observe.joblog import JobLog


@contextmanager
def internal_errors(log: JobLog) -> Iterator[None]:
    """Turn an unexpected error into INTERNAL_ERROR and log its traceback, so that every claimed job gets a result."""
    try:
        yield
    except ProxxError:
        raise
    except Exception as error:
        log.event("internal_error", traceback.format_exc(), level="ERROR")
        message = f"unexpected error in proxx-worker: {error!r}. Please report it with {JOB_LOG}."
        raise ProxxError(ErrorCode.INTERNAL_ERROR, message) from error


_SOURCE_SPECIFIC = frozenset(
    {
        ErrorCode.SOURCE_DAMAGED,
        ErrorCode.SOURCE_CHANGED,
        ErrorCode.ENCODE_FAILED,
        ErrorCode.ENCODE_STALLED,
        ErrorCode.ENCODE_OUT_OF_MEMORY,
        ErrorCode.OUTPUT_INVALID,
        ErrorCode.RESOLVE_FAILED,
    }
)
"""Errors that concern one source only: the job's other sources would have succeeded without it."""


def with_task_counts(error: JobError, *, finished: int, never_ran: int) -> JobError:
    """A task's error as the job's, with what became of the other tasks: a job publishes all its outputs or none."""
    parts = []
    if finished:
        parts.append("1 finished proxy was discarded" if finished == 1 else f"{finished} finished proxies were discarded")
    if never_ran:
        parts.append(f"{never_ran} never ran")
    if not parts:
        return error
    remedy = "; remove this source or make one spec per clip" if error.code in _SOURCE_SPECIFIC else ""
    return replace(error, message=f"{error.message.rstrip('.')}. {', '.join(parts)}{remedy}.")


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of a job before its tasks run: enough to build a result at any stage.

    `paths`: maps its sources to this machine's paths.
    """

    name: str
    summary: SpecSummary
    worker: WorkerRecord
    started: Moment
    engine: Engine | None = None
    settings: OutputSettings | None = None
    paths: PathMap = NO_MAPPINGS

    def with_settings(self, engine: Engine | None, settings: OutputSettings | None) -> "Report":
        """The same report with the engine and the settings."""
        return replace(self, engine=engine, settings=settings)

    def result(self, tasks: Sequence[TaskRecord], error: JobError | None, finished: Moment) -> JobResult:
        """The job's result: COMPLETED if there is no `error`, else FAILED."""
        return JobResult(
            job_id=self.summary.job_id,
            status=JobStatus.COMPLETED if error is None else JobStatus.FAILED,
            error=None if error is None else ErrorRecord.of(error),
            jobspec=SpecRecord(name=self.name, sha256=self.summary.sha256, version=self.summary.version),
            engine=None if self.engine is None else self.engine.value,
            proxy_profile=self.summary.profile,
            settings=None if self.settings is None else settings_record(self.settings),
            tasks=list(tasks),
            worker=self.worker,
            started_at=timestamp(self.started.wall),
            finished_at=timestamp(finished.wall),
            duration_seconds=round(finished.monotonic - self.started.monotonic, 3),
        )

    def not_run(self, errors: Mapping[int, JobError] | None = None) -> list[TaskRecord]:
        """One NOT_RUN record per source, in order, each with its own error if it has one."""
        return [
            TaskRecord(
                index=index,
                source=source,
                source_path=self.paths.mapped(source),
                status=TaskStatus.NOT_RUN,
                error=ErrorRecord.of(errors[index]) if errors and index in errors else None,
            )
            for index, source in enumerate(self.summary.sources)
        ]


def settings_record(settings: OutputSettings) -> SettingsRecord:
    """The resolved settings as the result shows them; `fps` is an exact rational such as `"30000/1001"`."""
    return SettingsRecord(
        codec=settings.codec.value,
        container=settings.container.value,
        resolution=str(settings.resolution),
        fps_mode=settings.fps_mode.value,
        fps=None if settings.fps is None else rational(settings.fps),
        dnxhr_level=None if settings.dnxhr_level is None else settings.dnxhr_level.value,
    )
