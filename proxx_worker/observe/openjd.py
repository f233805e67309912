"""Progress as Open Job Description messages, which AWS Deadline Cloud and similar systems read from a task's output.

`openjd_progress: PERCENT`, `openjd_status: TEXT`, `openjd_fail: TEXT`, one per line (Open Job Description 2023-09, "How Jobs Are
Run": stdout and stderr are both read). The worker prints them itself: a wrapper that did would be the direct child in its place,
and only the direct child is signalled when a task is cancelled.
"""

import time
from collections.abc import Callable

from proxx_worker.contract.result import JobResult, TaskRecord
from proxx_worker.contract.status import Stage
from proxx_worker.contract.text import visible
from proxx_worker.observe.observer import JobInfo, TaskInfo
from proxx_worker.verification.progress import Progress

INTERVAL_SECONDS = 1.0


class OpenJdProgress:
    """Writes messages for an Open Job Description runner. Satisfies `JobObserver`.

    Progress is that of the whole job: all tasks count equally, and within a task the encoder's position relative to the source's
    duration counts, if known.
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        """`write` gets complete lines."""
        self._write = write
        self._last = 0.0
        self._last_percent = -1.0

    def job_entered(self, job: JobInfo, stage: Stage) -> None:
        """See `JobObserver.job_entered`."""
        self._send("status", f"{job.name}: {stage}")

    def task_entered(self, task: TaskInfo, stage: Stage) -> None:
        """See `JobObserver.task_entered`."""
        self._send("status", f"{task.job}: {stage} task {task.number} of {task.tasks}, {task.source}")
        if stage is Stage.ENCODING:
            self._send_progress(task, 0.0)

    def progressed(self, task: TaskInfo, progress: Progress) -> None:
        """See `JobObserver.progressed`."""
        if task.duration and progress.position is not None and time.monotonic() - self._last >= INTERVAL_SECONDS:
            self._send_progress(task, min(1.0, max(0.0, float(progress.position / task.duration))))

    def task_ended(self, task: TaskInfo, outcome: TaskRecord) -> None:
        """See `JobObserver.task_ended`."""
        if outcome.error is None:
            self._send_progress(task, 1.0)

    def job_ended(self, job: JobInfo, outcome: JobResult) -> None:
        """See `JobObserver.job_ended`."""
        if outcome.error is not None:
            self._send("fail", f"{outcome.error.code}: {outcome.error.message}")
        self._send("status", f"{job.name}: {outcome.status}")

    def _send_progress(self, task: TaskInfo, part: float) -> None:
        percent = round(100 * (task.number - 1 + part) / task.tasks, 1)
        self._last = time.monotonic()
        if percent > self._last_percent:
            self._last_percent = percent
            self._send("progress", f"{percent:.1f}")

    def _send(self, word: str, text: str) -> None:
        self._write(f"openjd_{word}: {visible(text)}\n")
