"""Keeps `.proxx/status.json` up to date: replaces it atomically, at most twice a second."""

import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from proxx_worker.contract.result import JobResult, TaskRecord
from proxx_worker.contract.status import RunningJob, Stage, WorkerState, WorkerStatus, encode_status
from proxx_worker.contract.values import timestamp
from proxx_worker.files.durable import write_all
from proxx_worker.observe.observer import JobInfo, TaskInfo
from proxx_worker.verification.progress import Progress

MIN_INTERVAL_SECONDS = 0.5


class StatusFile:
    """Keeps the current status and writes it to the file. Satisfies `JobObserver`.

    Every change and every `beat` writes the file, unless it was written within the last half second; then the next one does.
    """

    def __init__(
        self,
        path: Path,
        *,
        is_stopping: Callable[[], bool] = lambda: False,
        listeners: Sequence[Callable[[WorkerStatus], object]] = (),
    ) -> None:
        """Writes nothing until the first change. `is_stopping`: whether a stop was requested, even if a job still runs.

        `listeners`: called with every status, even if the file cannot be written.
        """
        self._path = path
        self._is_stopping = is_stopping
        self._listeners = tuple(listeners)
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
        """No job is running, and `inbox` candidates are waiting."""
        self._update(WorkerState.IDLE, inbox, None)

    def held(self, inbox: int) -> None:
        """As `idle`, and no job is claimed until the workspace is released."""
        self._update(WorkerState.HELD, inbox, None)

    def running(self, inbox: int, job: JobInfo) -> None:
        """A job was claimed; `inbox` others are waiting."""
        self._update(WorkerState.RUNNING, inbox, RunningJob(job.name, job.job_id, Stage.CLAIMED, 0, job.tasks))

    def end(self, inbox: int, exit_code: int) -> None:
        """The worker is about to end with `exit_code`. Written immediately, as the last status."""
        self._exit_code = exit_code
        self._update(WorkerState.ENDED, inbox, None)
        self.write()

    def beat(self) -> None:
        """Heartbeat: the worker's loops are running. Long passes call this at least once a second."""
        if self._written is not None and self._may_be_written():
            self.write()

    def job_entered(self, job: JobInfo, stage: Stage) -> None:
        """See `JobObserver.job_entered`."""
        if self._job is not None:
            self._update_job(replace(self._job, stage=stage))

    def task_entered(self, task: TaskInfo, stage: Stage) -> None:
        """See `JobObserver.task_entered`."""
        if self._job is not None and self._job.task == task.number:
            self._update_job(replace(self._job, stage=stage))
            return
        duration = None if task.duration is None else float(task.duration)
        job = RunningJob(task.job, task.job_id, stage, task.number, task.tasks, task.source, duration_seconds=duration)
        self._update_job(job)

    def progressed(self, task: TaskInfo, progress: Progress) -> None:
        """See `JobObserver.progressed`."""
        if self._job is not None:
            position = None if progress.position is None else float(progress.position)
            self._update_job(replace(self._job, position_seconds=position, frames=progress.frames, speed=progress.speed))

    def task_ended(self, task: TaskInfo, outcome: TaskRecord) -> None:
        """See `JobObserver.task_ended`."""

    def job_ended(self, job: JobInfo, outcome: JobResult) -> None:
        """See `JobObserver.job_ended`: the job stays shown until the next one starts, or the worker is idle."""

    def seconds_until_due(self) -> float | None:
        """Seconds until a delayed change may be written; None if there is none."""
        if not self._dirty:
            return None
        return 0.0 if self._written is None else max(0.0, self._written + MIN_INTERVAL_SECONDS - time.monotonic())

    def write(self) -> None:
        """Write now. An error does not fail a job, as the actual state is in the folders."""
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
            # A full disk or a missing folder is reported by the code that depends on it.
            self._dirty = True
        for listener in self._listeners:
            listener(status)

    def _update_job(self, job: RunningJob) -> None:
        self._update(self._state, self._inbox, job)

    def _update(self, state: WorkerState, inbox: int, job: RunningJob | None) -> None:
        new = state, inbox, job
        if self._written is not None and new == (self._state, self._inbox, self._job):
            return
        self._state, self._inbox, self._job = new
        self._dirty = True
        if self._may_be_written():
            self.write()

    def _may_be_written(self) -> bool:
        return self._written is None or time.monotonic() - self._written >= MIN_INTERVAL_SECONDS

    def _write_new(self, data: bytes) -> None:
        """Readable by everyone and writable only by the worker, like every other file in the workspace."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._temporary, flags, 0o644)
        try:
            write_all(descriptor, data)
        finally:
            os.close(descriptor)
