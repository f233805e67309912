"""`.proxx/status.json`, kept up to date: replaced as a whole, at most twice a second."""

import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from proxx_worker.contract.result import JobResult, TaskRecord
from proxx_worker.contract.status import RunningJob, Stage, WorkerState, WorkerStatus, encode_status
from proxx_worker.files.durable import write_all
from proxx_worker.observe.observer import JobInfo, TaskInfo
from proxx_worker.observe.records import timestamp
from proxx_worker.verification.progress import Progress

MIN_INTERVAL_SECONDS = 0.5


class StatusFile:
    """Keeps the newest status and writes it when it may. Satisfies `JobObserver`.

    Every change and every `beat` writes the file, unless it was written within the last half second. A change that comes too soon
    is written by the next of either.
    """

    def __init__(
        self,
        path: Path,
        *,
        is_stopping: Callable[[], bool] = lambda: False,
        tell: Sequence[Callable[[WorkerStatus], object]] = (),
    ) -> None:
        """Nothing is written until the first change. `is_stopping`: whether a stop was requested, whatever goes on yet.

        `tell`: called with every status, whether the file could be written or not.
        """
        self._path = path
        self._is_stopping = is_stopping
        self._tell = tuple(tell)
        self._temporary = path.with_name(path.name + ".new")
        self._host = socket.gethostname()
        self._started_at = timestamp(datetime.now(UTC))
        self._state = WorkerState.IDLE
        self._inbox = 0
        self._job: RunningJob | None = None
        self._exit_code: int | None = None
        self._written: float | None = None
        self._dirty = False

    def idle(self, inbox: int) -> None:
        """No job runs, and `inbox` candidates wait."""
        self._note(WorkerState.IDLE, inbox, None)

    def held(self, inbox: int) -> None:
        """No job runs, none is claimed until the workspace is released, and `inbox` candidates wait."""
        self._note(WorkerState.HELD, inbox, None)

    def running(self, inbox: int, job: JobInfo) -> None:
        """A job was claimed; `inbox` others wait."""
        self._note(WorkerState.RUNNING, inbox, RunningJob(job.name, job.job_id, Stage.CLAIMED, 0, job.tasks))

    def end(self, inbox: int, exit_code: int) -> None:
        """The worker is about to end, with `exit_code`. Written at once: nothing comes after it."""
        self._exit_code = exit_code
        self._note(WorkerState.ENDED, inbox, None)
        self.write()

    def beat(self) -> None:
        """The worker's loops run. Long passes call this at least once a second."""
        if self._written is not None and self._may_be_written():
            self.write()

    def job_entered(self, job: JobInfo, stage: Stage) -> None:
        """See `JobObserver.job_entered`."""
        if self._job is not None:
            self._note_job(replace(self._job, stage=stage))

    def task_entered(self, task: TaskInfo, stage: Stage) -> None:
        """See `JobObserver.task_entered`."""
        if self._job is not None and self._job.task == task.number:
            self._note_job(replace(self._job, stage=stage))
            return
        duration = None if task.duration is None else float(task.duration)
        job = RunningJob(task.job, task.job_id, stage, task.number, task.tasks, task.source, duration_seconds=duration)
        self._note_job(job)

    def progressed(self, task: TaskInfo, progress: Progress) -> None:
        """See `JobObserver.progressed`."""
        if self._job is not None:
            position = None if progress.position is None else float(progress.position)
            self._note_job(replace(self._job, position_seconds=position, frames=progress.frames, speed=progress.speed))

    def task_ended(self, task: TaskInfo, outcome: TaskRecord) -> None:
        """See `JobObserver.task_ended`."""

    def job_ended(self, job: JobInfo, outcome: JobResult) -> None:
        """See `JobObserver.job_ended`: it is shown until the next job, or until there is none."""

    def seconds_until_due(self) -> float | None:
        """When a held-back change may be written; None when there is none."""
        if not self._dirty:
            return None
        return 0.0 if self._written is None else max(0.0, self._written + MIN_INTERVAL_SECONDS - time.monotonic())

    def write(self) -> None:
        """Write now. A status that cannot be written does not fail a job: the state is in the folders."""
        self._written, self._dirty = time.monotonic(), False
        ending = self._state is WorkerState.ENDED or not self._is_stopping()
        status = WorkerStatus(
            state=self._state if ending else WorkerState.STOPPING,
            pid=os.getpid(),
            host=self._host,
            started_at=self._started_at,
            heartbeat_at=timestamp(datetime.now(UTC)),
            inbox=self._inbox,
            job=self._job,
            exit_code=self._exit_code,
        )
        try:
            self._write_new(encode_status(status))
            self._temporary.replace(self._path)
        except OSError:
            # A full disk or a lost folder is found, classified and reported by the package that needs it.
            self._dirty = True
        for tell in self._tell:
            tell(status)

    def _note_job(self, job: RunningJob) -> None:
        self._note(self._state, self._inbox, job)

    def _note(self, state: WorkerState, inbox: int, job: RunningJob | None) -> None:
        news = state, inbox, job
        if self._written is not None and news == (self._state, self._inbox, self._job):
            return
        self._state, self._inbox, self._job = news
        self._dirty = True
        if self._may_be_written():
            self.write()

    def _may_be_written(self) -> bool:
        return self._written is None or time.monotonic() - self._written >= MIN_INTERVAL_SECONDS

    def _write_new(self, data: bytes) -> None:
        """To be read by everyone and written by the worker alone, as every other file of the workspace's."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._temporary, flags, 0o644)
        try:
            write_all(descriptor, data)
        finally:
            os.close(descriptor)
