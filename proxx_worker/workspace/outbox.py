"""A job's name in `done/` or `failed/`, and files of it that a crash may have left there.

The name was free when the job was claimed. If it was taken since, the job gets the lowest free number, and both are kept.
"""

from dataclasses import dataclass

from proxx_worker.contract.candidates import display_name, job_names
from proxx_worker.contract.result import JobResult, JobStatus, decode_result
from proxx_worker.contract.states import outbox_of
from proxx_worker.workspace.entries import exists, files_in, same_file
from proxx_worker.workspace.layout import Workspace


@dataclass(frozen=True, slots=True)
class FoundResult:
    """A job's result in the outbox, while its spec is still in `running/`."""

    outbox: bytes
    stem: bytes
    record: JobResult


def read_record(path: bytes) -> JobResult | None:
    """The result at `path`; None if the file is not a valid one. Raises `OSError`."""
    with open(path, "rb") as stream:
        data = stream.read()
    try:
        return decode_result(data)
    except ValueError:
        return None


def find_in_outbox(workspace: Workspace, job: bytes) -> FoundResult | None:
    """The result of the running job `job` in an outbox, under its name or a numbered one, without a spec yet.

    Raises `OSError`.
    """
    for outbox, status in ((workspace.done, JobStatus.COMPLETED), (workspace.failed, JobStatus.FAILED)):
        for stem in job_names(job):
            there = files_in(outbox, stem)
            if not any(map(exists, (there.spec, there.result, there.log))):
                break
            record = _own_record(workspace, job, outbox, stem)
            if record is not None and record.status is status:
                return FoundResult(outbox, stem, record)
    return None


def outbox_stem(workspace: Workspace, job: bytes, outbox: bytes) -> bytes:
    """The name of `job`'s files in `outbox`: that of a result that a crash left, else the lowest free one.

    Raises `OSError`.
    """
    if not exists(files_in(workspace.running, job).result):
        found = find_in_outbox(workspace, job)
        if found is not None and found.outbox == outbox:
            return found.stem
    return next(stem for stem in job_names(job) if _is_free(workspace, job, outbox, stem))


def find_log(workspace: Workspace, job: bytes) -> bytes | None:
    """The log of the running job `job`, if it is in an outbox already: with its result, or alone.

    Result and log are moved before either is synced, so a power cut may keep one move without the other. Raises `OSError`.
    """
    found = find_in_outbox(workspace, job)
    if found is not None:
        log = files_in(found.outbox, found.stem).log
        return log if exists(log) else None
    for outbox in (workspace.done, workspace.failed):
        there = files_in(outbox, job)
        if exists(there.log) and not exists(there.spec) and not exists(there.result):
            return there.log
    return None


def _is_free(workspace: Workspace, job: bytes, outbox: bytes, stem: bytes) -> bool:
    """Whether no other job has files under this name. After a power cut, some of this job's own may exist."""
    here, there = files_in(workspace.running, job), files_in(outbox, stem)
    own_log = not exists(there.log) or same_file(here.log, there.log) or (stem == job and not exists(here.log))
    return own_log and all(
        not exists(target) or same_file(source, target)
        for source, target in ((here.spec, there.spec), (here.result, there.result))
    )


def _own_record(workspace: Workspace, job: bytes, outbox: bytes, stem: bytes) -> JobResult | None:
    """The result under this name, if it is `job`'s: it has that job name, and there is no other job's spec."""
    here, there = files_in(workspace.running, job), files_in(outbox, stem)
    if not exists(there.result) or (exists(there.spec) and not same_file(here.spec, there.spec)):
        return None
    record = read_record(there.result)
    return record if record is not None and record.jobspec.name == display_name(job) else None


def outbox_folder(workspace: Workspace, status: JobStatus) -> bytes:
    """The folder of `outbox_of(status)`."""
    return {"done": workspace.done, "failed": workspace.failed}[outbox_of(status)]
