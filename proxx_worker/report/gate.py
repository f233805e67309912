"""Which tasks miss the limit that a caller has set (`--fail-below`)."""

from collections.abc import Sequence

from proxx_worker.contract.result import TaskStatus
from proxx_worker.report.document import ExaminedJob
from proxx_worker.report.examine import ExaminedTask


def missed_limit(jobs: Sequence[ExaminedJob], limit: float | None) -> list[str]:
    """A line for each task that misses it: a frame's SSIM is lower, or a finished proxy could not be compared."""
    if limit is None:
        return []
    found = [(job, task, _reason(task, limit)) for job in jobs for task in job.tasks]
    return [
        f"{job.job.jobspec.name} task {task.task.index + 1}: {reason}, and the limit is {limit:g}"
        for job, task, reason in found
        if reason is not None
    ]


def _reason(examined: ExaminedTask, limit: float) -> str | None:
    summary = examined.summary
    if summary is None or summary.ssim_min is None:
        return "it could not be compared" if examined.task.status is TaskStatus.COMPLETED else None
    return f"frame {summary.ssim_min_frame} has an SSIM of {summary.ssim_min:.6g}" if summary.ssim_min < limit else None
