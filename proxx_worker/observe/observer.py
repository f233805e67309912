"""The port through which a job shows its progress: facts only, never an estimate of time left."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from proxx_worker.verification.progress import Progress


@dataclass(frozen=True, slots=True)
class TaskInfo:
    """Which task runs: its number from 1, of how many, its source, the source's duration in seconds where known."""

    job: str
    job_id: str
    number: int
    tasks: int
    source: str
    duration: Fraction | None


class JobObserver(Protocol):
    """Someone who looks on: the status file, the bar on a terminal, the plain lines of a log."""

    def task_started(self, task: TaskInfo) -> None:
        """A task's encoder is about to start."""
        ...

    def progressed(self, task: TaskInfo, progress: Progress) -> None:
        """The encoder reported where it is."""
        ...

    def task_finished(self, task: TaskInfo) -> None:
        """The task ended, well or not."""
        ...


class Observers:
    """Several observers as one."""

    def __init__(self, observers: Sequence[JobObserver]) -> None:
        """Tell all of them, in order."""
        self._observers = tuple(observers)

    def task_started(self, task: TaskInfo) -> None:
        """See `JobObserver.task_started`."""
        for observer in self._observers:
            observer.task_started(task)

    def progressed(self, task: TaskInfo, progress: Progress) -> None:
        """See `JobObserver.progressed`."""
        for observer in self._observers:
            observer.progressed(task, progress)

    def task_finished(self, task: TaskInfo) -> None:
        """See `JobObserver.task_finished`."""
        for observer in self._observers:
            observer.task_finished(task)
