"""`.proxx/status.json`: what the worker does now, for anyone who looks. Replaced atomically, at most twice a second."""

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import orjson

from proxx_worker.contract.text import steady_json
from proxx_worker.files.durable import write_all
from proxx_worker.observe.observer import TaskInfo
from proxx_worker.observe.records import timestamp
from proxx_worker.verification.progress import Progress

State = Literal["idle", "running", "stopping"]
MIN_INTERVAL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class JobStatus:
    """The running job as the status file shows it. Position and duration in seconds; `speed` as a multiple of real time."""

    name: str
    job_id: str
    task: int
    tasks: int
    source: str | None
    position_seconds: float | None = None
    duration_seconds: float | None = None
    frames: int | None = None
    speed: float | None = None


class StatusFile:
    """Keeps the newest state and writes it when it may. Satisfies `JobObserver`."""

    def __init__(self, path: Path, *, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """Nothing is written until the first `set_state`. `is_stopping`: whether a stop was asked for, whatever goes on yet."""
        self._path = path
        self._is_stopping = is_stopping
        self._temporary = path.with_name(path.name + ".new")
        self._host = socket.gethostname()
        self._started_at = timestamp(datetime.now(UTC))
        self._state: State = "idle"
        self._inbox = 0
        self._job: JobStatus | None = None
        self._written: float | None = None
        self._dirty = False

    def set_state(self, state: State, inbox: int | None = None) -> None:
        """Idle, running or stopping, and how many candidates wait; None: as many as before."""
        news = state, self._inbox if inbox is None else inbox
        if state != "running":
            self._job = None
        if self._written is None or news != (self._state, self._inbox):
            self._state, self._inbox = news
            self._changed()

    def beat(self) -> None:
        """Nothing has changed, but the worker is there."""
        self._changed()

    def job_claimed(self, name: str, job_id: str, tasks: int) -> None:
        """A job is ours; none of its tasks runs yet (`task` 0)."""
        self._job = JobStatus(name, job_id, 0, tasks, None)
        self._changed()

    def task_started(self, task: TaskInfo) -> None:
        """See `JobObserver.task_started`."""
        duration = None if task.duration is None else float(task.duration)
        self._job = JobStatus(task.job, task.job_id, task.number, task.tasks, task.source, duration_seconds=duration)
        self._changed()

    def progressed(self, task: TaskInfo, progress: Progress) -> None:
        """See `JobObserver.progressed`."""
        if self._job is None or self._job.task != task.number:
            self.task_started(task)
        if self._job is not None:
            position = None if progress.position is None else float(progress.position)
            self._job = replace(self._job, position_seconds=position, frames=progress.frames, speed=progress.speed)
            self._changed()

    def task_finished(self, task: TaskInfo) -> None:
        """See `JobObserver.task_finished`."""

    def _changed(self) -> None:
        self._dirty = True
        self.flush()

    def seconds_until_due(self) -> float | None:
        """When a held-back change may be written; None when there is none."""
        if not self._dirty:
            return None
        return 0.0 if self._written is None else max(0.0, self._written + MIN_INTERVAL_SECONDS - time.monotonic())

    def flush(self) -> None:
        """Write a held-back change if its time has come."""
        if self.seconds_until_due() == 0.0:
            self.write()

    def write(self) -> None:
        """Write now. A status that cannot be written is not worth a job: the state folders speak for themselves."""
        self._written, self._dirty = time.monotonic(), False
        document = {
            "state": "stopping" if self._is_stopping() else self._state,
            "pid": os.getpid(),
            "host": self._host,
            "started_at": self._started_at,
            "heartbeat_at": timestamp(datetime.now(UTC)),
            "inbox": self._inbox,
            "job": self._job,
        }
        try:
            data = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
            self._write_new(steady_json(data))
            self._temporary.replace(self._path)
        except OSError:
            # A full disk or a lost folder is found, classified and reported by the room that needs it.
            self._dirty = True

    def _write_new(self, data: bytes) -> None:
        """To be read by everyone and written by the worker alone, as every other file of the workspace's."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._temporary, flags, 0o644)
        try:
            write_all(descriptor, data)
        finally:
            os.close(descriptor)
