"""Progress as messages of Open Job Description, which AWS Deadline Cloud and its like read from a task's output.

`openjd_progress: PERCENT`, `openjd_status: TEXT`, `openjd_fail: TEXT`, each a line of its own (Open Job Description 2023-09, "How
Jobs Are Run": stdout and stderr are both read). The worker says them itself, because a wrapper that did would be the direct child
in its place, which alone is told when a task is cancelled.
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
    """Lines for a runner of Open Job Description. Satisfies `JobObserver`.

    The progress is that of the whole job: tasks count alike, and within one the encoder's position in the source's length, where
    that is known.
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        """`write` takes whole lines."""
        self._write = write
        self._last = 0.0
        self._told = -1.0

    def job_entered(self, job: JobInfo, stage: Stage) -> None:
        """See `JobObserver.job_entered`."""
        self._say("status", f"{job.name}: {stage}")

    def task_entered(self, task: TaskInfo, stage: Stage) -> None:
        """See `JobObserver.task_entered`."""
        self._say("status", f"{task.job}: {stage} task {task.number} of {task.tasks}, {task.source}")
        if stage is Stage.ENCODING:
            self._say_progress(task, 0.0)

    def progressed(self, task: TaskInfo, progress: Progress) -> None:
        """See `JobObserver.progressed`."""
        if task.duration and progress.position is not None and time.monotonic() - self._last >= INTERVAL_SECONDS:
            self._say_progress(task, min(1.0, max(0.0, float(progress.position / task.duration))))

    def task_ended(self, task: TaskInfo, outcome: TaskRecord) -> None:
        """See `JobObserver.task_ended`."""
        if outcome.error is None:
            self._say_progress(task, 1.0)

    def job_ended(self, job: JobInfo, outcome: JobResult) -> None:
        """See `JobObserver.job_ended`."""
        if outcome.error is not None:
            self._say("fail", f"{outcome.error.code}: {outcome.error.message}")
        self._say("status", f"{job.name}: {outcome.status}")

    def _say_progress(self, task: TaskInfo, part: float) -> None:
        percent = round(100 * (task.number - 1 + part) / task.tasks, 1)
        self._last = time.monotonic()
        if percent > self._told:
            self._told = percent
            self._say("progress", f"{percent:.1f}")

    def _say(self, word: str, text: str) -> None:
        self._write(f"openjd_{word}: {visible(text)}\n")
