"""The summary of a `run` for a person: what was made and how it was checked, or what went wrong and what to do. Pure."""

from fractions import Fraction

from proxx_worker.cli.console import error_lines
from proxx_worker.contract.result import ErrorRecord, JobResult, TaskRecord, TaskStatus
from proxx_worker.contract.text import value_text

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_STEP = 1000


def summary_lines(result: JobResult) -> list[str]:
    """The lines, without their ends."""
    tasks = len(result.tasks)
    clips = f": {tasks} clip{'' if tasks == 1 else 's'} in {result.duration_seconds:.1f} s" if tasks else ""
    lines = [f"{result.status}  {result.jobspec.name}{clips}"]
    for task in result.tasks:
        lines += _task_lines(task, alone=tasks == 1)
    return lines if result.error is None else [*lines, *_error_lines(result.error)]


def _task_lines(task: TaskRecord, *, alone: bool) -> list[str]:
    lines = [f"  {task.status.value:<9}  {task.source}"]
    if task.status is TaskStatus.COMPLETED:
        facts = [_size(task.output_size_bytes or 0), _checks(task)]
        speed = _speed(task)
        lines.append(f"    {task.output_path or task.output}")
        lines.append(f"    {', '.join(facts if speed is None else [*facts, speed])}")
    elif task.status is TaskStatus.FAILED:
        failed = [check for check in task.checks if check.ok is False]
        lines += [
            f"    check {check.name}: expected {value_text(check.expected)}, found {value_text(check.actual)}" for check in failed
        ]
    if task.error is not None and not alone:
        lines += [f"    {line}" for line in _error_lines(task.error)]
    return lines


def _error_lines(error: ErrorRecord) -> list[str]:
    return error_lines(error.code, error.message, error.details)


def _checks(task: TaskRecord) -> str:
    made = [check for check in task.checks if check.ok is not None]
    return f"{len(made)} checks passed"


def _speed(task: TaskRecord) -> str | None:
    """How many times faster than real time all of the task was, verification included."""
    duration = None if task.source_media is None else task.source_media.duration
    if not duration or not task.duration_seconds:
        return None
    return f"{float(Fraction(duration)) / task.duration_seconds:.1f}x real time"


def _size(count: int) -> str:
    size, unit = float(count), 0
    while size >= _STEP and unit < len(_UNITS) - 1:
        size, unit = size / _STEP, unit + 1
    return f"{count} bytes" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"
