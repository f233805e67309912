"""Runs one job from its spec to its result: inspect, encode, verify, commit, publish. The same for `run` and `watch`.

The order at the end (contract section 1): every output is durable in staging, then the result is committed, then the outputs are
published. A failed job leaves the output directory as it found it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.contract.jobspec import SpecSummary, summarize_spec, unread_summary
from proxx_worker.contract.result import ErrorRecord, JobResult, JobStatus, TaskRecord, TaskStatus, WorkerRecord
from proxx_worker.contract.status import Stage
from proxx_worker.delivery.output_directory import OutputDirectory, check_output_directory
from proxx_worker.delivery.staging import Staging
from proxx_worker.engines.port import Accepted, EngineContext, Refused
from proxx_worker.execution.preflight import AcceptedJob, Environment, RefusedJob, inspect, with_source
from proxx_worker.execution.reporting import Report, internal_errors, with_task_counts
from proxx_worker.execution.task import TaskContext, TaskOutcome, run_task
from proxx_worker.observe.clock import now
from proxx_worker.observe.joblog import JobLog
from proxx_worker.observe.observer import JobInfo, JobObserver
from proxx_worker.process.stop import StopSignal

_FINISHED = frozenset({TaskStatus.COMPLETED, TaskStatus.DISCARDED})


class Journal(Protocol):
    """Where the decision is recorded before anything is published: in `running/` for `watch`, in memory for `run`."""

    def reserve_space(self, tasks: int) -> None:
        """Reserve space for the result of a job with `tasks` tasks to run. Raises NO_SPACE."""
        ...

    def commit(self, result: JobResult) -> None:
        """Make `result` the job's durable decision, replacing an earlier one."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """What to execute. `name`: the claimed stem. `owner`: the owner of its staging folder, see `delivery`.

    `content`: the spec's bytes, or why they could not be read (too large, unreadable).
    """

    name: str
    owner: str
    content: bytes | JobError
    summary: SpecSummary

    @classmethod
    def of(cls, name: str, data: bytes, owner: str) -> "Job":
        """The job for a spec's bytes."""
        return cls(name, owner, data, summarize_spec(data))

    @classmethod
    def refused(cls, name: str, owner: str, sha256: str | None, refusal: JobError) -> "Job":
        """The job for a spec that could not be read. `sha256`: of the whole file; None if it was not read to the end."""
        return cls(name, owner, refusal, unread_summary(sha256))


class Executor:
    """Executes jobs one after the other. Stateless between jobs."""

    def __init__(self, environment: Environment, worker: WorkerRecord, observer: JobObserver, pass_fds: Sequence[int]) -> None:
        """`pass_fds`: descriptors that encoders inherit, so that a lock is held until the last encoder has exited."""
        self._environment = environment
        self._worker = worker
        self._observer = observer
        self._pass_fds = tuple(pass_fds)

    def execute(self, job: Job, journal: Journal, log: JobLog, stop: StopSignal) -> JobResult:
        """Execute `job` and return its committed result.

        Errors of the job are in the result. What `journal.commit` raises is passed on: the state folders have failed, and the
        worker must not continue.
        """
        result = self._run_job(job, journal, log, stop)
        self._observer.job_ended(_info(job), result)
        return result

    def _run_job(self, job: Job, journal: Journal, log: JobLog, stop: StopSignal) -> JobResult:
        report = Report(job.name, job.summary, self._worker, now(), paths=self._environment.paths)
        log.event("job_started", job_id=report.summary.job_id, sha256=report.summary.sha256)
        if isinstance(job.content, JobError):
            return _refuse(report, job.content, journal, log, stop)
        self._observer.job_entered(_info(job), Stage.PROBING)
        try:
            with internal_errors(log):
                inspected = inspect(job.content, self._environment, stop, check_output_directory)
        except ProxxError as fault:
            return _refuse(report, fault.error, journal, log, stop)
        if inspected.spec is not None:
            report = report.with_settings(inspected.kind, inspected.spec.settings)
        if isinstance(inspected, RefusedJob):
            return _refuse(report, inspected.error, journal, log, stop, inspected.errors)
        log.event("job_inspected", tasks=len(inspected.tasks), engine=inspected.kind)
        self._observer.job_entered(_info(job), Stage.SURVEYING)
        try:
            journal.reserve_space(len(inspected.tasks))
        except ProxxError as fault:
            if fault.code is not ErrorCode.NO_SPACE:
                raise
            return _refuse(report, fault.error, journal, log, stop)
        try:
            with internal_errors(log):
                path = self._environment.paths.local(inspected.spec.output_directory)
                directory = OutputDirectory.hold(path, self._environment.roots.outputs)
        except ProxxError as fault:
            return _refuse(report, fault.error, journal, log, stop)
        with directory:
            return self._execute_in(directory, job, inspected, report, journal, log, stop)

    def _execute_in(
        self,
        directory: OutputDirectory,
        job: Job,
        accepted: AcceptedJob,
        report: Report,
        journal: Journal,
        log: JobLog,
        stop: StopSignal,
    ) -> JobResult:
        context = TaskContext(
            job=job.name,
            job_id=report.summary.job_id,
            tasks=len(accepted.tasks),
            environment=self._environment,
            engine=accepted.engine,
            output_directory=accepted.spec.output_directory,
            observer=self._observer,
            engine_context=EngineContext(
                output_directory=directory.path,
                stop=stop,
                stall_seconds=self._environment.stall_seconds,
                log=log,
                on_progress=lambda _: None,
                pass_fds=self._pass_fds,
            ),
        )
        try:
            with internal_errors(log):
                directory.remove_stale_run_staging()
                directory.require_free([task.output_name for task in accepted.tasks])
                tasks, refused = _survey(context, accepted.tasks)
        except ProxxError as fault:
            return _refuse(report, fault.error, journal, log, stop)
        if refused:
            return _refuse(report, refused[min(refused)], journal, log, stop, refused)
        try:
            with internal_errors(log):
                staging = directory.open_staging(job.owner, job.name)
        except ProxxError as fault:
            return _refuse(report, fault.error, journal, log, stop)
        with staging:
            outcomes, error = _run_tasks(context, staging, tasks)
            result = _commit(report.result(_records(outcomes, report, error), error, now()), journal, stop)
            log.event("committed", status=result.status)
            if result.status is JobStatus.COMPLETED:
                self._observer.job_entered(_info(job), Stage.PUBLISHING)
                result = _publish(staging, result, journal, log, stop)
            staging.remove()
        _log_end(log, result)
        return result


def _refuse(
    report: Report,
    error: JobError,
    journal: Journal,
    log: JobLog,
    stop: StopSignal,
    errors: Mapping[int, JobError] | None = None,
) -> JobResult:
    """Commit a job that does not run. `errors`: of single sources, by index."""
    result = _commit(report.result(report.not_run(errors), error, now()), journal, stop)
    _log_end(log, result)
    return result


def _commit(result: JobResult, journal: Journal, stop: StopSignal) -> JobResult:
    """Make `result` the job's decision, or its cancel, if that is there: the last moment for it. Returns what was committed."""
    recorded = result.error is not None and result.error.code is ErrorCode.CANCELLED
    # A signal does not look for a cancel, so a job that it interrupted may have been cancelled before.
    if not recorded and stop.cancelled():
        ran = [task.status for task in result.tasks if task.status is not TaskStatus.NOT_RUN]
        error = with_task_counts(
            stop.error("its result was about to be recorded").error,
            finished=sum(status in _FINISHED for status in ran),
            never_ran=len(result.tasks) - len(ran) if ran else 0,
        )
        tasks = [_as_discarded(task) for task in result.tasks]
        result = result.model_copy(update={"status": JobStatus.FAILED, "error": ErrorRecord.of(error), "tasks": tasks})
    journal.commit(result)
    return result


def _survey(context: TaskContext, tasks: Sequence[Accepted]) -> tuple[list[Accepted], dict[int, JobError]]:
    """The tasks as the engine's survey leaves them, and the errors of those that it refuses, by index."""
    surveyed = context.engine.survey(tasks, context.engine_context)
    refused = {index: with_source(task.source, task.error) for index, task in enumerate(surveyed) if isinstance(task, Refused)}
    return [task for task in surveyed if isinstance(task, Accepted)], refused


def _run_tasks(context: TaskContext, staging: Staging, tasks: Sequence[Accepted]) -> tuple[list[TaskOutcome], JobError | None]:
    """Run the tasks in order until one fails. Its error is the job's, with what became of the other tasks."""
    outcomes: list[TaskOutcome] = []
    for index, task in enumerate(tasks):
        outcome = run_task(context, staging, index, task)
        outcomes.append(outcome)
        if outcome.error is not None:
            return outcomes, with_task_counts(outcome.error, finished=index, never_ran=len(tasks) - index - 1)
    return outcomes, None


def _publish(staging: Staging, result: JobResult, journal: Journal, log: JobLog, stop: StopSignal) -> JobResult:
    """Publish the outputs. If one cannot be published, the job fails and none stays published."""
    try:
        staging.publish(stop.requested)  # only for the heartbeat: the job is decided
    except ProxxError as fault:
        result = demote_to_failed(result, fault.error)
        journal.commit(result)
        return result
    log.event("published", outputs=[task.output for task in result.tasks])
    return result


def _records(outcomes: Sequence[TaskOutcome], report: Report, error: JobError | None) -> list[TaskRecord]:
    records = [outcome.record for outcome in outcomes]
    records += report.not_run()[len(records) :]
    return records if error is None else [_as_discarded(record) for record in records]


def _as_discarded(record: TaskRecord) -> TaskRecord:
    """The record of a finished task in a failed job: its proxy was verified but not published."""
    if record.status is not TaskStatus.COMPLETED:
        return record
    withdrawn = dict.fromkeys(("output", "output_path", "output_size_bytes", "output_sha256"))
    return record.model_copy(update={"status": TaskStatus.DISCARDED, **withdrawn})


def demote_to_failed(result: JobResult, error: JobError) -> JobResult:
    """A COMPLETED result that could not be published: the task of the output at fault FAILED, the others DISCARDED."""
    at_fault = error.details.get("output")
    tasks = [
        _as_discarded(record)
        if (record.output if record.output_path is None else record.output_path) != at_fault
        else _as_discarded(record).model_copy(update={"status": TaskStatus.FAILED, "error": ErrorRecord.of(error)})
        for record in result.tasks
    ]
    return result.model_copy(update={"status": JobStatus.FAILED, "error": ErrorRecord.of(error), "tasks": tasks})


def _info(job: Job) -> JobInfo:
    return JobInfo(job.name, job.summary.job_id, len(job.summary.sources))


def _log_end(log: JobLog, result: JobResult) -> None:
    if result.error is None:
        log.event("job_completed", duration_seconds=result.duration_seconds)
    else:
        log.event("job_failed", result.error.message, level="ERROR", code=result.error.code)
