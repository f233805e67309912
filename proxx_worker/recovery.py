"""Recovery at start, before the first claim: every job that the last process had claimed is decided and moved to its folder.

Nothing is encoded again. Every step may be interrupted by another crash and is then done again.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from proxx_worker.contract.candidates import display_name
from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.contract.jobspec import SpecSummary, parse_jobspec, summarize_spec, unread_summary
from proxx_worker.contract.path_map import PathMap
from proxx_worker.contract.result import JobResult, WorkerRecord
from proxx_worker.contract.states import Decision
from proxx_worker.delivery.output_directory import OutputDirectory, discard_staging, left_staging
from proxx_worker.delivery.publishing import RecordedOutput
from proxx_worker.execution.executor import demote_to_failed
from proxx_worker.execution.reporting import Report
from proxx_worker.observe.clock import now
from proxx_worker.observe.joblog import JobLog
from proxx_worker.observe.logs import JobLogFile
from proxx_worker.process.stop import SUBMIT_AGAIN, StopRequestedError, StopSignal, raise_if_stopped
from proxx_worker.workspace.claimed import ClaimedJob
from proxx_worker.workspace.recovery import RecoveryItem, recover
from proxx_worker.workspace.requests import TOO_LATE, Requests
from proxx_worker.workspace.spool import Spool


@dataclass(frozen=True, slots=True)
class Recoverer:
    """Finishes what a crash left. `owner`: the owner of this workspace's staging. `count`: called for every finished job."""

    spool: Spool
    requests: Requests
    owner: str
    output_roots: Sequence[str] | None
    paths: PathMap
    worker: WorkerRecord
    log: JobLog
    count: Sequence[Callable[[JobResult], object]]
    stop: StopSignal

    def finish_jobs(self) -> None:
        """Decide and finish every job in `running/`, or as many as there is time for before a stop.

        Raises `ProxxError` where a state folder or an output directory fails.
        """
        found = recover(self.spool)
        for name in found.strays:
            self.log.event(
                "stray_left_alone", "not a job's file; look at it and move it away", level="WARNING", name=display_name(name)
            )
        with suppress(StopRequestedError):
            for item in found.items:
                self._checkpoint()
                self._carry(item)

    def _checkpoint(self) -> None:
        raise_if_stopped(self.stop, StopRequestedError())

    def _carry(self, item: RecoveryItem) -> None:
        with JobLogFile(item.job.name, self.spool.open_log(item.job)) as log:
            log.event("recovering", decision=item.decision)
            result = self._decided(item)
            if result.error is not None:
                log.event("job_failed", result.error.message, level="ERROR", code=result.error.code)
            if self.requests.settle(item.job, result):
                log.event("cancel_too_late", TOO_LATE, level="WARNING")
        self.spool.finish(item.job, result.status)
        self.log.event("finished", job=item.job.name, status=result.status, recovered=True)
        for count in self.count:
            count(result)

    def _decided(self, item: RecoveryItem) -> JobResult:
        """The job's committed result, with everything in the output directory as that result says."""
        match item.decision, item.record:
            case Decision.PUBLISH_AND_FINISH, JobResult() as record:
                return self._published(item, record)
            case Decision.FINISH, JobResult() as record:
                self._discard_staging(item)
                return record
            case Decision.MOVE_SPEC, JobResult() as record:
                return record
            case _:
                result = self._interrupted(item)
                self.spool.commit(item.job, result)
                self._discard_staging(item)
                return result

    def _published(self, item: RecoveryItem, record: JobResult) -> JobResult:
        """Publish what is not published yet. If that fails, roll back all outputs, and the job is FAILED."""
        # The record has the paths on this machine: the mappings may have changed since.
        places = [((task.output_path or task.output).rpartition("/"), task) for task in record.tasks if task.output is not None]
        outputs = [RecordedOutput(name, task.output_size_bytes or 0, task.output_sha256 or "") for (_, _, name), task in places]
        path = places[0][0][0] or "/"
        try:
            directory = OutputDirectory.hold(path, self.output_roots)
        except ProxxError as fault:
            if fault.code is not ErrorCode.OUTPUT_DIRECTORY_MISSING:
                raise
            return self._withdrawn(item, record, fault.error)  # its outputs, published or not, are gone with it
        with directory, directory.reopen_staging(self.owner, item.job.name) as staging:
            try:
                staging.resume(outputs, self._checkpoint)
            except ProxxError as fault:
                record = self._withdrawn(item, record, fault.error)
            staging.remove()
        return record

    def _withdrawn(self, item: RecoveryItem, record: JobResult, error: JobError) -> JobResult:
        failed = demote_to_failed(record, error)
        self.spool.commit(item.job, failed)
        return failed

    def _interrupted(self, item: RecoveryItem) -> JobResult:
        """The result of a job that was claimed but not decided: its worker was killed, or the power failed."""
        moment = now()
        summary = summary_of(item)
        report = Report(item.job.name, summary, self.worker, moment, paths=self.paths)
        if item.job.data is not None:
            try:
                spec = parse_jobspec(item.job.data)
            except ProxxError:
                pass  # it would have been rejected, but INTERRUPTED takes precedence
            else:
                report = report.with_settings(spec.engine, spec.settings)
        return report.result(report.not_run(), self._why_undecided(item.job), moment)

    def _why_undecided(self, job: ClaimedJob) -> JobError:
        if self.requests.is_cancelled(job):
            return JobError(ErrorCode.CANCELLED, f"the job was cancelled; its worker ended while running it. {SUBMIT_AGAIN}")
        return JobError(
            ErrorCode.INTERRUPTED,
            "the worker ended during this job (killed, or the machine went down), and nothing is retried. "
            "Nothing was published; submit the job again.",
        )

    def _discard_staging(self, item: RecoveryItem) -> None:
        path = summary_of(item).output_directory
        if path is None:
            return
        local = self.paths.local(path)
        discard_staging(local, self.owner, item.job.name)
        if (left := left_staging(local, self.owner, item.job.name)) is not None:
            reason = f"the worker may no longer enter {local}, where an interrupted job left {left}; remove that folder"
            self.log.event("left_behind", reason, level="WARNING", job=item.job.name)


def summary_of(item: RecoveryItem) -> SpecSummary:
    """The summary of the spec in `running/`."""
    return unread_summary(item.job.sha256) if item.job.data is None else summarize_spec(item.job.data)
