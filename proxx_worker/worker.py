"""The serial loop of one workspace: wake, claim, execute, finish. The folders are the state; everything else can be lost."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from proxx_worker.contract.candidates import display_name, strays_text
from proxx_worker.contract.errors import EXIT_OK, ErrorCode, JobError, ProxxError
from proxx_worker.contract.jobspec import too_large
from proxx_worker.contract.result import ErrorRecord, JobResult
from proxx_worker.contract.status import Stage
from proxx_worker.execution.executor import Executor, Job
from proxx_worker.observe.joblog import JobLog
from proxx_worker.observe.logs import JobLogFile
from proxx_worker.observe.observer import JobInfo, JobObserver
from proxx_worker.observe.status import StatusFile
from proxx_worker.observe.tally import Tally
from proxx_worker.process.stop import SUBMIT_AGAIN, CancellableStop, StopRequestedError, StopSignal
from proxx_worker.process.waiting import wait_readable
from proxx_worker.workspace.claimed import ClaimedJob
from proxx_worker.workspace.inbox import Inbox
from proxx_worker.workspace.lock import WorkspaceLock
from proxx_worker.workspace.requests import TOO_LATE, Requests
from proxx_worker.workspace.spool import RECORD_BYTES, Spool
from proxx_worker.workspace.watcher import Watcher

TASK_RECORD_BYTES = 16 << 10
"""Room for a task that ran in a result: its command, facts and some thirty checks measured 7 to 9 KB."""

REFUSED_TASK_BYTES = 1 << 10
"""Room for a task that did not run, not counting paths. A spec of 1 MiB may name 340,000 tasks and be refused."""

IDLE_SECONDS = 2.0
"""The longest wait: an idle worker's heartbeat is never older, however rarely the inbox is polled."""

_ENVIRONMENT_CODES = frozenset({ErrorCode.FFMPEG_MISSING, ErrorCode.FFPROBE_MISSING, ErrorCode.SANDBOX_UNAVAILABLE})

_PATH_COPIES = 8  # a source's path appears in its task, in the error's message and details, and resolved


@dataclass(frozen=True, slots=True)
class Stops:
    """The two ways to end: `now` fails the running job, `after_job` lets it finish."""

    now: StopSignal
    after_job: StopSignal

    def requested(self) -> bool:
        """Whether no further job may be claimed."""
        return self.now.requested() or self.after_job.requested()


@dataclass(frozen=True, slots=True)
class SpoolJournal:
    """Commits a job's result into `running/`. Satisfies `Journal`."""

    spool: Spool
    job: ClaimedJob

    def reserve_space(self, tasks: int) -> None:
        """See `Spool.reserve_record`."""
        self.spool.reserve_record(RECORD_BYTES + TASK_RECORD_BYTES * tasks)

    def commit(self, result: JobResult) -> None:
        """See `Spool.commit`."""
        self.spool.commit(self.job, result)


class Worker:
    """One worker on one owned workspace."""

    def __init__(  # noqa: PLR0913 - the parts of a worker, wired in one place
        self,
        *,
        spool: Spool,
        inbox: Inbox,
        requests: Requests,
        watcher: Watcher,
        lock: WorkspaceLock,
        executor: Executor,
        status: StatusFile,
        observer: JobObserver,
        log: JobLog,
        stops: Stops,
        require_tools: Callable[[], object],
        require_start: Callable[[], object],
        owner: str,
    ) -> None:
        """`owner` names this workspace's staging.

        `require_tools` raises if FFmpeg or ffprobe is missing, `require_start` if no child can be started at all.
        `stops.now` is checked in every long pass, which drives the heartbeat (`BeatingStop`).
        """
        self._spool = spool
        self._inbox = inbox
        self._requests = requests
        self._watcher = watcher
        self._lock = lock
        self._executor = executor
        self._status = status
        self._observer = observer
        self._log = log
        self._stops = stops
        self._require_tools = require_tools
        self._require_start = require_start
        self._owner = owner
        self.tally = Tally()
        self._held = False

    def work(self, *, once: bool) -> int:
        """Claim and execute until stopped, or with `once` until no candidate is left. Returns the exit code.

        Raises `ProxxError` when the worker must not continue: a state folder failed, the workspace is no longer its own, a tool
        is missing. A running job is then left where the next start finds it. With `once` also WORKSPACE_HELD, if candidates wait
        but nothing may be claimed.
        """
        while not self._stops.requested():
            self._update_inbox()
            name = None if self._is_held() else self._next_name()
            if name is not None:
                self._run_job(name)
            elif once and self._is_drained():
                self._report_ignored_files()
                return self.tally.exit_code
            else:
                self._wait()
        return EXIT_OK

    def count(self, result: JobResult) -> None:
        """Count a finished job: `work(once=True)` exits with the highest class of those that failed."""
        self.tally.add(result)

    def waiting(self) -> int:
        """How many candidates wait, with arrivals during a job. Lists nothing: a large inbox must not delay a stop."""
        self._inbox.arrived(self._watcher.read().names)
        return self._inbox.count

    def _update_inbox(self) -> None:
        """Take in what has arrived: events are hints, the listing is the truth."""
        self._lock.require_owned()
        self._spool.workspace.require_folders()
        self._inbox.refresh(time.monotonic(), self._watcher.read())
        self._report_ignored_files()

    def _report_ignored_files(self) -> None:
        """Log, once each, files in the inbox that are not jobs but that somebody may expect to run."""
        for name in self._inbox.take_unreported():
            message = "left alone: a JobSpec's name has at most 235 bytes before .json; rename it"
            self._log.event("name_too_long", message, level="WARNING", name=display_name(name))
        strays = self._inbox.take_strays()
        if strays:
            self._log.event("not_jobspecs", strays_text(strays), level="WARNING", count=len(strays))

    def _is_held(self) -> bool:
        """Whether the workspace is held, so that nothing may be claimed."""
        held = self._requests.held()
        if held != self._held:
            self._held = held
            if held:
                self._log.event("held", waiting=self._inbox.count)
            else:
                self._log.event("released", waiting=self._inbox.count)
        return held

    def _next_name(self) -> bytes | None:
        """The next spec to claim: one to be cancelled, else the first candidate; None if there is none."""
        self._requests.arrived(self._inbox.take_cancels())
        cancelled = self._requests.next_cancelled(time.monotonic(), self._stops.now.requested)
        for removed in self._requests.take_removed():
            self._log.event("cancel_removed", removed.reason, level="WARNING", name=display_name(removed.name))
        if cancelled is not None:
            return cancelled
        candidate = self._inbox.next_candidate(time.monotonic(), self._stops.now.requested)
        return None if candidate is None else candidate.name

    def _is_drained(self) -> bool:
        """Whether nothing is left to do, by a fresh listing, not the absence of events. Raises WORKSPACE_HELD."""
        self._inbox.rescan(time.monotonic())
        if self._held:
            waiting = self._inbox.count_files()
            if waiting:
                raise _held(self._spool.workspace.name, waiting)
            return True
        self._requests.arrived(self._inbox.take_cancels())
        return self._inbox.is_empty() and not self._requests.pending

    def _run_job(self, name: bytes) -> None:
        """Claim one job and carry it to `done/` or `failed/`."""
        self._require_tools()
        claimed = self._spool.claim(name)
        if claimed is None:
            return
        job = job_of(claimed, self._owner)
        info = JobInfo(claimed.name, job.summary.job_id, len(job.summary.sources))
        self._status.running(self._inbox.count, info)
        self._observer.job_entered(info, Stage.CLAIMED)
        job = self._reserve_for_refusal(job)
        if self._requests.is_cancelled(claimed):
            job = replace(job, content=JobError(ErrorCode.CANCELLED, f"the job was cancelled before it began. {SUBMIT_AGAIN}"))
        stop = CancellableStop(self._stops.now, self._requests.watch(claimed), partial(self._requests.look, claimed))
        with JobLogFile(claimed.name, self._spool.open_log(claimed)) as log:
            log.event("claimed", name=display_name(name))
            result = self._executor.execute(job, SpoolJournal(self._spool, claimed), log, stop)
            if self._requests.settle(claimed, result):
                log.event("cancel_too_late", TOO_LATE, level="WARNING")
        self._spool.finish(claimed, result.status)
        self._log.event("finished", job=claimed.name, status=result.status)
        self.count(result)
        if result.error is not None:
            self._require_working_host(result.error)

    def _require_working_host(self, error: ErrorRecord) -> None:
        """Raise if every other job would fail like this one: a broken host must not empty the inbox."""
        if error.code in _ENVIRONMENT_CODES:
            raise ProxxError(error.code, error.message, **error.details)
        if error.code is ErrorCode.IO_ERROR:
            with suppress(StopRequestedError):  # the loop sees it
                self._require_start()

    def _reserve_for_refusal(self, job: Job) -> Job:
        """The job, with space reserved for a result that rejects all its sources; rejected at once if there is none."""
        paths = len(job.content) if isinstance(job.content, bytes) else 0
        try:
            self._spool.reserve_record(RECORD_BYTES + REFUSED_TASK_BYTES * len(job.summary.sources) + _PATH_COPIES * paths)
        except ProxxError as fault:
            if fault.code is not ErrorCode.NO_SPACE:
                raise
            return replace(job, content=fault.error)
        return job

    def _wait(self) -> None:
        """Wait for an event, a signal, the next poll, or the next check of an incomplete spec."""
        if self._held:
            self._status.held(self._inbox.count)
            until_wake = IDLE_SECONDS  # nothing is claimed while held
        else:
            self._status.idle(self._inbox.count)
            until_wake = self._inbox.seconds_until_wake(time.monotonic())
        waits = (IDLE_SECONDS, until_wake, self._status.seconds_until_due())
        descriptors = [self._stops.now.fileno(), self._stops.after_job.fileno()]
        events = self._watcher.fileno()
        if events is not None:
            descriptors.append(events)
        wait_readable(descriptors, min(seconds for seconds in waits if seconds is not None))


def _held(workspace: str, waiting: int) -> ProxxError:
    message = (
        f"the workspace must be released before its jobs are claimed, but {workspace} is held (waiting: {waiting}). "
        f"Release it: proxx-worker release {workspace}"
    )
    return ProxxError(ErrorCode.WORKSPACE_HELD, message, waiting=waiting)


def job_of(claimed: ClaimedJob, owner: str) -> Job:
    """The job to execute for a claimed spec: its bytes, or why there are none."""
    if claimed.data is not None:
        return Job.of(claimed.name, claimed.data, owner)
    if claimed.unreadable is None:
        return Job.refused(claimed.name, owner, claimed.sha256, too_large(claimed.size).error)
    message = (
        f"the worker must be able to read a spec, but the system refused: {claimed.unreadable}. "
        "Give the worker's user read permission, or end the program that holds the file, then submit it again."
    )
    return Job.refused(claimed.name, owner, claimed.sha256, JobError(ErrorCode.IO_ERROR, message))
