"""The interface for reporting a job's progress and outcome: facts only, never an estimate of the time left."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from proxx_worker.contract.result import JobResult, TaskRecord
from proxx_worker.contract.status import Stage
from proxx_worker.verification.progress import Progress


@dataclass(frozen=True, slots=True)
class JobInfo:
    """The running job: its claimed stem, its id, its number of sources."""

    name: str
    job_id: str
    tasks: int


@dataclass(frozen=True, slots=True)
class TaskInfo:
    """The running task: its number from 1, the number of tasks, its source, and the source's duration in seconds if known."""

    job: str
    job_id: str
    number: int
    tasks: int
    source: str
    duration: Fraction | None


class JobObserver(Protocol):
    """An observer: the status file, a progress bar, log lines. It must not raise."""

    def job_entered(self, job: JobInfo, stage: Stage) -> None:
        """The job as a whole entered a stage: claimed, probing, surveying or publishing."""
        ...

    def task_entered(self, task: TaskInfo, stage: Stage) -> None:
        """A task entered a stage: encoding, verifying or sealing. Encoding is always the first."""
        ...

    def progressed(self, task: TaskInfo, progress: Progress) -> None:
        """The encoder reported progress."""
        ...

    def task_ended(self, task: TaskInfo, outcome: TaskRecord) -> None:
        """The task succeeded or failed. A later task may still make the job fail."""
        ...

    def job_ended(self, job: JobInfo, outcome: JobResult) -> None:
        """The job is decided, and if it is COMPLETED, its outputs are published."""
        ...


class SilentObserver:
    """A `JobObserver` that ignores everything: a base for observers that need only some of it."""

    def job_entered(self, job: JobInfo, stage: Stage) -> None:
        """See `JobObserver.job_entered`."""

    def task_entered(self, task: TaskInfo, stage: Stage) -> None:
        """See `JobObserver.task_entered`."""

    def progressed(self, task: TaskInfo, progress: Progress) -> None:
        """See `JobObserver.progressed`."""

    def task_ended(self, task: TaskInfo, outcome: TaskRecord) -> None:
        """See `JobObserver.task_ended`."""

    def job_ended(self, job: JobInfo, outcome: JobResult) -> None:
        """See `JobObserver.job_ended`."""


class Observers:
    """Several observers as one."""

    def __init__(self, observers: Sequence[JobObserver]) -> None:
        """Pass everything on to all of them, in order."""
        self._observers = tuple(observers)

    def job_entered(self, job: JobInfo, stage: Stage) -> None:
        """See `JobObserver.job_entered`."""
        for observer in self._observers:
            observer.job_entered(job, stage)

    def task_entered(self, task: TaskInfo, stage: Stage) -> None:
        """See `JobObserver.task_entered`."""
        for observer in self._observers:
            observer.task_entered(task, stage)

    def progressed(self, task: TaskInfo, progress: Progress) -> None:
        """See `JobObserver.progressed`."""
        for observer in self._observers:
            observer.progressed(task, progress)

    def task_ended(self, task: TaskInfo, outcome: TaskRecord) -> None:
        """See `JobObserver.task_ended`."""
        for observer in self._observers:
            observer.task_ended(task, outcome)

    def job_ended(self, job: JobInfo, outcome: JobResult) -> None:
        """See `JobObserver.job_ended`."""
        for observer in self._observers:
            observer.job_ended(job, outcome)
