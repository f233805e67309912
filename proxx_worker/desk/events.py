"""Jobs as they end, read from the folders: none is missed or reported twice, even across restarts."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from proxx_worker.contract.candidates import SPEC_SUFFIX, display_name, is_spec_name, stem_of
from proxx_worker.contract.status import RunningJob
from proxx_worker.contract.values import timestamp
from proxx_worker.desk.folders import folder_of, read_summary
from proxx_worker.desk.jobs import JobState, JobSummary
from proxx_worker.desk.names import names_of
from proxx_worker.desk.worker import read_status
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.workspace.entries import files_in, status_of
from proxx_worker.workspace.layout import Workspace

_OUTBOXES = (JobState.DONE, JobState.FAILED)


class UnknownNameError(Exception):
    """`--since-name` names a job that is in neither outbox, so the jobs after it are unknown."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One spec in an outbox. The inode tells it from a later one that got its name after it was removed."""

    state: JobState
    stem: bytes
    inode: int


class Ended:
    """The jobs that have ended and were not reported yet. Nothing is remembered except what is in the folders.

    A spec is moved last, so what is seen is complete. Jobs of one workspace run one after the other: their order is that of
    `finished_at`, then of the time when the spec got its name in the outbox, then of their names. Where the result does not
    tell, that time stands for `finished_at`: `skip_to` such a job must not tell all others again.
    """

    def __init__(self, workspace: Workspace) -> None:
        """Nothing is reported yet."""
        self._workspace = workspace
        self._told: set[_Entry] = set()
        self._listed: set[JobState] = set()

    def skip_to(self, name: str) -> None:
        """Treat the job `name`, and all that ended before it, as reported. Raises `UnknownNameError`, else as `take`.

        `.json` is removed from the name if no job has that name, as for `cancel` and `resubmit`.
        """
        jobs = self._new()
        names = dict.fromkeys((name, name.removesuffix(os.fsdecode(SPEC_SUFFIX))))
        last = next((key for meant in names for key, entry, _ in jobs if meant in names_of(entry.stem)), None)
        if last is None:
            message = f"no job called {name} is in done/ or failed/, so the jobs after it are unknown"
            raise UnknownNameError(f"{message}; name one that is there, or leave out --since-name for all of them")
        self._told |= {entry for key, entry, _ in jobs if key <= last}

    def take(self) -> list[JobSummary]:
        """The jobs that ended since the last call, in order. Raises WORKSPACE_INVALID or IO_ERROR."""
        jobs = self._new()
        self._told |= {entry for _, entry, _ in jobs}
        return [job for _, _, job in jobs]

    def has_told(self, name: str) -> bool:
        """Whether the job `name` was reported, and is still where it ended: a name there is never that of a running job."""
        return any(name == display_name(entry.stem) for entry in self._told)

    def _new(self) -> list[tuple[tuple[str, int, bytes], _Entry, JobSummary]]:
        there = {entry for state in _OUTBOXES for entry in self._entries(state)}
        self._told &= there
        read = (self._read(entry) for entry in there - self._told)
        return sorted((found for found in read if found is not None), key=lambda found: found[0])

    def _entries(self, state: JobState) -> Iterable[_Entry]:
        folder = folder_of(self._workspace, state)
        with translate_os_errors("list", folder, state_folder=True):
            try:
                with os.scandir(folder) as entries:
                    found = [_Entry(state, stem_of(it.name), it.inode()) for it in entries if is_spec_name(it.name)]
            except FileNotFoundError:
                if state in self._listed:
                    raise  # it existed: an outage, not an outbox that was emptied
                return []
        self._listed.add(state)
        return found

    def _read(self, entry: _Entry) -> tuple[tuple[str, int, bytes], _Entry, JobSummary] | None:
        """The job with its place in the order; None if it was removed meanwhile."""
        path = files_in(folder_of(self._workspace, entry.state), entry.stem).spec
        with translate_os_errors("inspect", path, state_folder=True):
            status = status_of(path)
        job = read_summary(self._workspace, entry.state, entry.stem)
        if status is None or job is None:
            return None
        ended = job.finished_at or timestamp(datetime.fromtimestamp(status.st_ctime_ns / 1e9, UTC))
        return (ended, status.st_ctime_ns, entry.stem), entry, job


def running_job(workspace: Workspace) -> RunningJob | None:
    """The job in the worker's last status; None if there is none."""
    status = read_status(workspace)
    return None if status is None else status.job
