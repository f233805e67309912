"""The metrics file: Prometheus text for the node exporter's textfile collector, atomically replaced every few seconds."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from proxx_worker import __version__
from proxx_worker.contract.result import JobResult, JobStatus, TaskRecord, TaskStatus
from proxx_worker.contract.status import Stage, WorkerStatus
from proxx_worker.files.durable import write_all
from proxx_worker.files.places import place_of
from proxx_worker.observe.joblog import JobLog
from proxx_worker.observe.metrics_text import NO_CODE, Values, metrics_text
from proxx_worker.observe.observer import JobInfo, SilentObserver, TaskInfo

INTERVAL_SECONDS = 5.0


class MetricsFile(SilentObserver):
    """Counts since the start, and writes the file. Satisfies `JobObserver`.

    Written by `beat`, at most every five seconds, at the end of each job, and when the worker ends.
    """

    def __init__(self, path: Path, workspace: str, scanned_at: Callable[[], float | None], log: JobLog) -> None:
        """`scanned_at`: when the inbox was last listed, in monotonic seconds. Writes nothing yet."""
        self._path = path
        self._workspace = workspace
        self._scanned_at = scanned_at
        self._log = log
        self._process = psutil.Process()
        self._values = Values(started_at=time.time())
        self._written: float | None = None
        self._encoding_since: float | None = None
        self._refused = False

    def update(self, status: WorkerStatus) -> None:
        """Use the worker's new status."""
        self._values.inbox = status.inbox
        if status.job is None:
            self._values.job_started_at = None

    def beat(self) -> None:
        """Heartbeat: the worker's loops are running."""
        if self._written is None or time.monotonic() - self._written >= INTERVAL_SECONDS:
            self._write()

    def end(self) -> None:
        """The worker is ending by itself."""
        self._values.up = False
        self._write()

    def job_entered(self, job: JobInfo, stage: Stage) -> None:
        """See `JobObserver.job_entered`."""
        if stage is Stage.CLAIMED:
            self._values.job_started_at = time.time()

    def task_entered(self, task: TaskInfo, stage: Stage) -> None:
        """See `JobObserver.task_entered`."""
        self._count_encoding()
        if stage is Stage.ENCODING:
            self._encoding_since = time.monotonic()

    def task_ended(self, task: TaskInfo, outcome: TaskRecord) -> None:
        """See `JobObserver.task_ended`."""
        self._count_encoding()
        if outcome.status is TaskStatus.COMPLETED and task.duration is not None:
            self._values.media_seconds += float(task.duration)

    def job_ended(self, job: JobInfo, outcome: JobResult) -> None:
        """See `JobObserver.job_ended`."""
        self.count(outcome)
        self._values.job_started_at = None
        self._write()

    def count(self, outcome: JobResult) -> None:
        """Count a finished job: this worker's, or a recovered one."""
        self._values.jobs[outcome.status, NO_CODE if outcome.error is None else outcome.error.code.value] += 1
        if outcome.status is JobStatus.COMPLETED:
            self._values.output_bytes += sum(task.output_size_bytes or 0 for task in outcome.tasks)

    def _count_encoding(self) -> None:
        if self._encoding_since is not None:
            self._values.encode_seconds += time.monotonic() - self._encoding_since
            self._encoding_since = None

    def _write(self) -> None:
        """Write now. An error does not fail a job, and is reported once."""
        self._written = time.monotonic()
        scanned_at = self._scanned_at()
        self._values.heartbeat_at = time.time()
        self._values.scanned_at = 0.0 if scanned_at is None else self._values.heartbeat_at - (self._written - scanned_at)
        self._values.resident_memory_bytes = self._process.memory_info().rss
        text = metrics_text(self._values, workspace=self._workspace, version=__version__)
        try:
            _replace(place_of(self._path), text.encode())
        except OSError as error:
            if not self._refused:
                message = f"{self._path} cannot be written: {error.strerror}. Retrying every {INTERVAL_SECONDS:g} s"
                self._log.event("metrics_not_written", message, level="WARNING")
            self._refused = True
        else:
            self._refused = False


def _replace(path: bytes, data: bytes) -> None:
    """Readable by everyone, whatever the umask, because the exporter runs as another user."""
    temporary = path + b".new"  # the collector reads what ends in .prom
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o644)
    try:
        os.fchmod(descriptor, 0o644)
        write_all(descriptor, data)
    finally:
        os.close(descriptor)
    os.replace(temporary, path)  # noqa: PTH105 - bytes
