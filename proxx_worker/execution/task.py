"""One task of a job: encode into staging, verify against the source, make it durable, and say what was found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from proxx_worker.contract.errors import ErrorCode, JobError, JsonValue, ProxxError
from proxx_worker.contract.result import Check, ErrorRecord, TaskRecord, TaskStatus
from proxx_worker.contract.status import Stage
from proxx_worker.delivery.staged_file import StagedFile
from proxx_worker.delivery.staging import Staging
from proxx_worker.engines.ffmpeg import EncodeRun, encode
from proxx_worker.engines.proxy_probe import probe_proxy
from proxx_worker.engines.source_file import OpenSource, open_probed
from proxx_worker.execution.preflight import Environment, InspectedTask, about
from proxx_worker.execution.reporting import internal_errors
from proxx_worker.observe.joblog import JobLog
from proxx_worker.observe.moments import now
from proxx_worker.observe.observer import JobObserver, TaskInfo
from proxx_worker.observe.records import timestamp
from proxx_worker.planning.mxf import MxfScanner
from proxx_worker.planning.plan import TaskPlan
from proxx_worker.process.stop import StopSignal, interrupted, raise_if_stopped
from proxx_worker.verification.verdict import judge, judge_encode

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class TaskContext:
    """What all tasks of a job share. `final_directory`: where the outputs will stand, as the spec names it."""

    job: str
    job_id: str
    tasks: int
    environment: Environment
    observer: JobObserver
    log: JobLog
    stop: StopSignal
    pass_fds: Sequence[int]
    final_directory: str

    def checkpoint(self, work: str) -> Callable[[], None]:
        """What a long pass over a file calls again and again: raises INTERRUPTED once a stop is requested. See `interrupted`."""
        return partial(raise_if_stopped, self.stop, interrupted(work))


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """The task's record, and its error where it failed."""

    record: TaskRecord
    error: JobError | None


@dataclass(slots=True)
class _Findings:
    """What has been found so far; a task that fails half-way still tells it."""

    run: EncodeRun | None = None
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0
    checks: tuple[Check, ...] = ()
    output_media: dict[str, JsonValue] | None = None
    size: int | None = None
    sha256: str | None = None


def run_task(context: TaskContext, staging: Staging, index: int, task: InspectedTask) -> TaskOutcome:
    """Run task `index`. Never raises `ProxxError`; an error that nobody foresaw is INTERNAL_ERROR, its traceback in the log."""
    started = now()
    found = _Findings()
    error: JobError | None = None
    info = TaskInfo(
        context.job, context.job_id, index + 1, context.tasks, task.source, None if task.plan is None else task.plan.duration
    )
    fingerprint = None if task.plan is None else task.plan.fingerprint()
    context.log.event("task_started", task.source, task=index + 1, tasks=context.tasks, fingerprint=fingerprint)
    try:
        with internal_errors(context.log):
            _perform(context, staging, info, task, found)
    except ProxxError as fault:
        error = about(task.source, fault.error)
    finished = now()
    if error is None:
        context.log.event("task_completed", task=index + 1, size_bytes=found.size, sha256=found.sha256)
    else:
        context.log.event("task_failed", error.message, level="ERROR", task=index + 1, code=error.code)
    final = f"{context.final_directory.rstrip('/')}/{task.output_name}"
    record = TaskRecord(
        index=index,
        source=task.source,
        status=TaskStatus.COMPLETED if error is None else TaskStatus.FAILED,
        error=None if error is None else ErrorRecord.of(error),
        output=final if error is None else None,
        output_size_bytes=found.size if error is None else None,
        output_sha256=found.sha256 if error is None else None,
        command=None if found.run is None else list(found.run.argv),
        exit_code=None if found.run is None else found.run.child.exit_code,
        source_media=None if task.facts is None else task.facts.as_json(),
        output_media=found.output_media,
        checks=list(found.checks),
        started_at=timestamp(started.wall),
        finished_at=timestamp(finished.wall),
        duration_seconds=round(finished.monotonic - started.monotonic, 3),
        cpu_seconds=round(found.cpu_seconds, 3),
        peak_memory_bytes=found.peak_memory_bytes,
    )
    context.observer.task_ended(info, record)
    return TaskOutcome(record, error)


def _perform(context: TaskContext, staging: Staging, info: TaskInfo, task: InspectedTask, found: _Findings) -> None:
    if task.plan is None or task.identity is None or task.output_name is None:
        raise ProxxError(ErrorCode.INTERNAL_ERROR, "a task without a plan reached the encoder; please report this")
    with open_probed(task.source, task.identity, context.environment.roots.check_source(task.source)) as source:
        staged = staging.create(task.output_name)
        context.observer.task_entered(info, Stage.ENCODING)
        run = _encode(context, staged, info, source, task.plan, found)
    run.require_ended()
    if run.observation.exit_code == 0 and task.plan.completes_mxf:
        _complete_mxf(staged, task.plan, context.checkpoint("a proxy was completed"))
    context.observer.task_entered(info, Stage.VERIFYING)
    _verify(context, staged, task.plan, run, found)
    context.observer.task_entered(info, Stage.SEALING)
    found.size, found.sha256 = staged.seal(context.checkpoint("a proxy was made durable and hashed"))
    staged.close()  # it is durable, and a job of thousands of sources must not hold them all


def _encode(
    context: TaskContext, staged: StagedFile, info: TaskInfo, source: OpenSource, plan: TaskPlan, found: _Findings
) -> EncodeRun:
    run = encode(
        context.environment.tools(),
        plan,
        source,
        staged,
        stop=context.stop,
        stall_seconds=context.environment.stall_seconds,
        on_progress=partial(context.observer.progressed, info),
        log=context.log,
        pass_fds=context.pass_fds,
    )
    found.run = run
    found.cpu_seconds = run.child.cpu_seconds
    found.peak_memory_bytes = run.child.peak_memory_bytes
    return run


def _verify(context: TaskContext, staged: StagedFile, plan: TaskPlan, run: EncodeRun, found: _Findings) -> None:
    """Judge the encode, then the proxy itself. Raises what the verdict says."""
    verdict = judge_encode(plan, run.observation)
    if verdict.error is None:
        proxy = probe_proxy(
            context.environment.tools(),
            plan,
            staged.name,
            context.stop,
            cwd=staged.folder,
            stall_seconds=context.environment.stall_seconds,
            pass_fds=context.pass_fds,
        )
        verdict = judge(plan, run.observation, proxy)
    found.checks, found.output_media = verdict.checks, verdict.output_media
    failed = [check.name for check in verdict.checks if check.ok is False]
    context.log.event("verified", checks=len(verdict.checks), failed=list(failed))
    if verdict.error is not None:
        raise ProxxError(verdict.error.code, verdict.error.message, **verdict.error.details)


def _complete_mxf(staged: StagedFile, plan: TaskPlan, checkpoint: Callable[[], object]) -> None:
    """Put in the UMID that follows from the content, and the true display aspect, before anything is verified or hashed."""
    scanner = MxfScanner(plan.expected.video.display_aspect)
    offset = 0
    try:
        while chunk := staged.read_at(offset, _CHUNK_BYTES):
            checkpoint()
            scanner.feed(chunk)
            offset += len(chunk)
        patch = scanner.finish()
    except ValueError as error:
        raise ProxxError(
            ErrorCode.OUTPUT_INVALID,
            f"the encoder must write a whole MXF file, but {error}. Look at the encoder's lines in the job's log.",
            path=staged.path,
        ) from error
    for place, value in patch.writes():
        checkpoint()  # one place for each frame, and each may cost a slow disk a seek
        staged.write_at(place, value)
