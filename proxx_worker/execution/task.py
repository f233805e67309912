"""Runs one task of a job: encode into staging, verify against the source, seal, and record the result."""

from dataclasses import dataclass, field, replace
from functools import partial

from proxx_worker.contract.errors import JobError, JsonValue, ProxxError
from proxx_worker.contract.result import Check, ErrorRecord, TaskRecord, TaskStatus
from proxx_worker.contract.source_media import SourceMedia
from proxx_worker.contract.status import Stage
from proxx_worker.contract.values import timestamp
from proxx_worker.delivery.staging import Staging
from proxx_worker.engines.port import Accepted, Encoded, EngineContext, EnginePort, Plan, Unfinished, Usage
from proxx_worker.engines.source_file import open_probed
from proxx_worker.execution.preflight import Environment, with_source
from proxx_worker.execution.reporting import internal_errors
from proxx_worker.observe.clock import now
from proxx_worker.observe.observer import JobObserver, TaskInfo
from proxx_worker.verification.verdict import judge, judge_evidence


@dataclass(frozen=True, slots=True)
class TaskContext:
    """What all tasks of a job share. `output_directory`: as in the spec; `engine_context` has its path on this machine."""

    job: str
    job_id: str
    tasks: int
    environment: Environment
    engine: EnginePort
    output_directory: str
    observer: JobObserver
    engine_context: EngineContext


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """The task's record, and its error if it failed."""

    record: TaskRecord
    error: JobError | None


@dataclass(slots=True)
class _Findings:
    """What is known so far; a task that fails halfway still reports it."""

    usage: Usage = field(default_factory=Usage)
    argv: tuple[str, ...] | None = None
    exit_code: int | None = None
    checks: tuple[Check, ...] = ()
    output_media: dict[str, JsonValue] | None = None
    notes: tuple[str, ...] = ()
    size: int | None = None
    sha256: str | None = None


def run_task(context: TaskContext, staging: Staging, index: int, task: Accepted) -> TaskOutcome:
    """Run task `index`. Never raises `ProxxError`; an unexpected error is INTERNAL_ERROR, its traceback in the log."""
    started = now()
    found = _Findings()
    error: JobError | None = None
    info = TaskInfo(context.job, context.job_id, index + 1, context.tasks, task.source, task.plan.duration)
    engine_context = replace(context.engine_context, on_progress=partial(context.observer.progressed, info))
    log = engine_context.log
    log.event("task_started", task.source, task=index + 1, tasks=context.tasks, fingerprint=task.plan.fingerprint())
    try:
        with internal_errors(log):
            _perform(context, staging, info, task, engine_context, found)
    except ProxxError as fault:
        error = with_source(task.source, fault.error)
    finished = now()
    if error is None:
        log.event("task_completed", task=index + 1, size_bytes=found.size, sha256=found.sha256)
    else:
        log.event("task_failed", error.message, level="ERROR", task=index + 1, code=error.code)
    output, output_path = (
        final_path(folder, task.output_name) for folder in (context.output_directory, engine_context.output_directory)
    )
    record = TaskRecord(
        index=index,
        source=task.source,
        source_path=task.source_path,
        status=TaskStatus.COMPLETED if error is None else TaskStatus.FAILED,
        error=None if error is None else ErrorRecord.of(error),
        output=output if error is None else None,
        output_path=output_path if error is None and context.output_directory != engine_context.output_directory else None,
        output_size_bytes=found.size if error is None else None,
        output_sha256=found.sha256 if error is None else None,
        command=None if found.argv is None else list(found.argv),
        exit_code=found.exit_code,
        source_media=_with_notes(task.source_media, found.notes),
        output_media=found.output_media,
        checks=list(found.checks),
        started_at=timestamp(started.wall),
        finished_at=timestamp(finished.wall),
        duration_seconds=round(finished.monotonic - started.monotonic, 3),
        cpu_seconds=round(found.usage.cpu_seconds, 3),
        peak_memory_bytes=found.usage.peak_memory_bytes,
    )
    context.observer.task_ended(info, record)
    return TaskOutcome(record, error)


def final_path(directory: str, name: str) -> str:
    """The path of an output after publishing."""
    return f"{directory.rstrip('/')}/{name}"


def _with_notes(media: SourceMedia | None, notes: tuple[str, ...]) -> SourceMedia | None:
    """The facts with what the encode found out about the source."""
    return media.model_copy(update={"notes": [*media.notes, *notes]}) if media is not None and notes else media


def _perform(
    context: TaskContext, staging: Staging, info: TaskInfo, task: Accepted, engine_context: EngineContext, found: _Findings
) -> None:
    check_place = context.environment.roots.check_source(task.source_file)
    with open_probed(task.source_file, task.identity, check_place) as source:
        context.observer.task_entered(info, Stage.ENCODING)
        encoded = context.engine.encode(task.plan, source, staging, task.output_name, engine_context)
        found.usage, found.argv, found.exit_code = encoded.usage, encoded.argv, encoded.exit_code
    if isinstance(encoded, Unfinished):
        raise ProxxError.of(encoded.fault)
    found.notes = encoded.notes
    plan = task.plan if encoded.plan is None else encoded.plan
    context.engine.finalize(plan, encoded, engine_context)
    context.observer.task_entered(info, Stage.VERIFYING)
    _verify(context, plan, encoded, engine_context, found)
    context.observer.task_entered(info, Stage.SEALING)
    found.size, found.sha256 = encoded.staged.seal(engine_context.checkpoint("a proxy was made durable and hashed"))
    encoded.staged.close()  # a job with thousands of sources must not keep them all open


def _verify(context: TaskContext, plan: Plan, encoded: Encoded, engine_context: EngineContext, found: _Findings) -> None:
    """Judge the engine's evidence, then the proxy itself. Raises the verdict's error."""
    verdict = judge_evidence(encoded.evidence)
    if verdict.error is None:
        proxy = context.environment.probe.proxy(plan.expected, encoded.staged, engine_context)
        verdict = judge(plan.expected, proxy, encoded.evidence)
    found.checks, found.output_media = verdict.checks, verdict.output_media
    failed = [check.name for check in verdict.checks if check.ok is False]
    engine_context.log.event("verified", checks=len(verdict.checks), failed=list(failed))
    if verdict.error is not None:
        raise ProxxError.of(verdict.error)
