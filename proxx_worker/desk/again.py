"""Which failed jobs are worth submitting again, and submitting them."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256

from proxx_worker.contract.candidates import display_name, dropped_stem
from proxx_worker.contract.errors import Again, ErrorCode, ProxxError
from proxx_worker.contract.strict_json import MAX_SPEC_BYTES
from proxx_worker.desk.drops import drop_spec
from proxx_worker.desk.folders import folder_of, read_jobs, read_summary, stems_in
from proxx_worker.desk.jobs import JobState, JobSummary
from proxx_worker.desk.remedies import remedy_of
from proxx_worker.desk.selection import moment_of
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.workspace.claimed import read_if_regular
from proxx_worker.workspace.entries import files_in
from proxx_worker.workspace.layout import Workspace


def digests_of(workspace: Workspace, *states: JobState) -> frozenset[str]:
    """The SHA-256 of every spec in these states. Raises WORKSPACE_INVALID or IO_ERROR."""
    found: set[str] = set()
    for state in states:
        folder = folder_of(workspace, state)
        for stem in stems_in(workspace, state):
            path = files_in(folder, stem).spec
            with translate_os_errors("read", path, state_folder=True):
                data = read_if_regular(path, MAX_SPEC_BYTES + 1)
            if data is not None:
                found.add(sha256(data).hexdigest())
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class OtherJobs:
    """Why a failed job need not be submitted again: the same spec waits, runs, or was completed later.

    `under_way`: the SHA-256 of the specs that wait or run. `done`: that of each completed spec, and when it last was.
    """

    under_way: frozenset[str]
    done: Mapping[str, str]

    @classmethod
    def of(cls, workspace: Workspace) -> "OtherJobs":
        """The jobs of a workspace that have not failed. Raises WORKSPACE_INVALID or IO_ERROR."""
        under_way = digests_of(workspace, JobState.WAITING, JobState.RUNNING)
        done: dict[str, str] = {}
        for job in read_jobs(workspace, JobState.DONE):
            if job.sha256 is not None and job.finished_at is not None:
                done[job.sha256] = max(done.get(job.sha256, ""), job.finished_at)
        return cls(under_way, done)

    def stand_for(self, sha256: str, finished_at: str) -> bool:
        """Whether one of them stands for a job with this spec that failed then. What was done before the failure does not."""
        return sha256 in self.under_way or self.done.get(sha256, "") >= finished_at


def mark_resubmittable(failed: Iterable[JobSummary], others: OtherJobs) -> list[JobSummary]:
    """`failed` with `resubmittable` set if submitting the spec again can help.

    If several failed with one spec, the last counts. Only sources are checked.
    """
    jobs = list(failed)
    last = {job.sha256: job.stem for job in sorted(jobs, key=lambda job: (job.finished_at or "", job.stem))}
    return [replace(job, resubmittable=True) if last[job.sha256] == job.stem and _is_open(job, others) else job for job in jobs]


def _is_open(job: JobSummary, others: OtherJobs) -> bool:
    """Whether nothing has taken the failed job's place, and the same spec can end otherwise now."""
    if job.sha256 is None or job.finished_at is None:
        return False
    return not others.stand_for(job.sha256, job.finished_at) and can_help(job)


def can_help(job: JobSummary) -> bool:
    """Whether the same spec can end differently now, by its code and the state of its sources."""
    match remedy_of(job.code or "").again:
        case Again.HELPS:
            return True
        case Again.NEVER:
            return False
        case Again.AFTER_SOURCE:
            changed = _is_there if job.code == ErrorCode.SOURCE_MISSING else partial(_changed_since, job.finished_at)
            return bool(job.failed_sources) and all(map(changed, job.failed_sources))


def _is_there(source: str) -> bool:
    """Whether a source that was missing exists now. Its times may be old: a volume was mounted, a folder was renamed."""
    try:
        return os.path.exists(source)
    except ValueError:
        return False


def _changed_since(finished_at: str | None, source: str) -> bool:
    """Whether a source exists and it, or its link, was changed after the job ended: its content, permissions or name.

    This compares the worker's clock with the storage's, but only decides what is offered.
    """
    ended = moment_of(finished_at)
    try:
        found = (os.stat(source), os.lstat(source))
    except (OSError, ValueError):
        return False
    return ended is not None and max(max(it.st_mtime, it.st_ctime) for it in found) > ended.timestamp()


@dataclass(frozen=True, slots=True)
class Resubmitted:
    """The outcome of a call: the new paths in the inbox, and the jobs that were skipped because their spec is under way."""

    made: tuple[bytes, ...]
    skipped: tuple[JobSummary, ...]


def resubmit(workspace: Workspace, jobs: Sequence[JobSummary]) -> Resubmitted:
    """Submit the specs of failed `jobs` again, under their names. One that already waits or runs again is skipped.

    Raises:
        ProxxError: WORKSPACE_INVALID, NO_SPACE, IO_ERROR, also where another job has the name by now. The message says which
            were dropped before.

    """
    under_way = set(digests_of(workspace, JobState.WAITING, JobState.RUNNING))
    made: list[bytes] = []
    skipped: list[JobSummary] = []
    for job in jobs:
        path = files_in(workspace.failed, job.stem).spec
        try:
            data = _spec_at(path)
            _require_same(workspace, job)
            digest = sha256(data).hexdigest()
            if digest in under_way:
                skipped.append(job)
                continue
            made.append(drop_spec(workspace, dropped_stem(job.stem), data))
            under_way.add(digest)
        except ProxxError as fault:
            raise _partly(fault, made) from fault
    return Resubmitted(tuple(made), tuple(skipped))


def _spec_at(path: bytes) -> bytes:
    with translate_os_errors("read", path):
        data = read_if_regular(path, MAX_SPEC_BYTES + 1)
    if data is None or len(data) > MAX_SPEC_BYTES:
        shown = display_name(path)
        why = "it is missing, not a file, unreadable, or larger than 1 MiB"
        message = f"{shown} cannot be submitted: {why}; write the spec again, and submit that"
        raise ProxxError(ErrorCode.IO_ERROR, message, path=shown)
    return data


def _require_same(workspace: Workspace, job: JobSummary) -> None:
    """Raise IO_ERROR if another job has failed under this name since. For after the spec was read: it comes after its result."""
    now = read_summary(workspace, JobState.FAILED, job.stem)
    if now is None or now.job_id is None or job.job_id is None or (now.job_id, now.started_at) == (job.job_id, job.started_at):
        return  # one without a result, or whose result was not read, cannot be told apart
    path = display_name(files_in(workspace.failed, job.stem).spec)
    message = f"{path} was not submitted: another job has failed under this name since; look at it, then submit it again"
    raise ProxxError(ErrorCode.IO_ERROR, message, path=path)


def _partly(fault: ProxxError, made: Sequence[bytes]) -> ProxxError:
    if not made:
        return fault
    names = ", ".join(display_name(os.path.basename(path)) for path in made)
    return ProxxError(fault.code, f"{fault.error.message}; already submitted: {names}", **fault.error.details)
