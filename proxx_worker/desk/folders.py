"""What is in a workspace's folders now. Only ever read: the folders are the state."""

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from proxx_worker.contract.candidates import is_candidate_name, is_spec_name, stem_of
from proxx_worker.desk.jobs import JobState, JobSummary, summary_of
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.workspace.entries import files_in
from proxx_worker.workspace.layout import Workspace

NO_RESULT: Final = "there is no result beside the spec"

_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def folder_of(workspace: Workspace, state: JobState) -> bytes:
    """The folder whose specs are in this state."""
    return {
        JobState.WAITING: workspace.inbox,
        JobState.RUNNING: workspace.running,
        JobState.DONE: workspace.done,
        JobState.FAILED: workspace.failed,
    }[state]


def stems_in(workspace: Workspace, state: JobState) -> list[bytes]:
    """The stems of the jobs in this state, sorted; none if no worker has created the folder yet.

    In the inbox a job is a regular file whose name is not too long (contract section 1). Raises WORKSPACE_INVALID or IO_ERROR.
    """
    folder = folder_of(workspace, state)
    is_job = is_candidate_name if state is JobState.WAITING else is_spec_name
    with translate_os_errors("list", folder, state_folder=True):
        try:
            with os.scandir(folder) as entries:
                return sorted(stem_of(it.name) for it in entries if is_job(it.name) and it.is_file(follow_symlinks=False))
        except FileNotFoundError:
            return []


def read_summary(workspace: Workspace, state: JobState, stem: bytes) -> JobSummary | None:
    """One job; None if it is gone meanwhile. Raises nothing: the summary states why a result cannot be read.

    A spec without a result is a job too: its folder counts it, and whoever removed the result should see what is left.
    """
    if state in {JobState.WAITING, JobState.RUNNING}:
        return JobSummary(stem, state)
    files = files_in(folder_of(workspace, state), stem)
    try:
        return summary_of(stem, state, _bytes_of(files.result))
    except FileNotFoundError:
        return replace(JobSummary(stem, state), unreadable=NO_RESULT) if os.path.lexists(files.spec) else None
    except OSError as error:
        return replace(JobSummary(stem, state), unreadable=error.strerror or str(error))


def read_jobs(workspace: Workspace, *states: JobState) -> Iterator[JobSummary]:
    """All jobs in these states, state by state, each by name. Raises WORKSPACE_INVALID or IO_ERROR."""
    for state in states:
        for stem in stems_in(workspace, state):
            job = read_summary(workspace, state, stem)
            if job is not None:
                yield job


def _bytes_of(path: bytes) -> bytes:
    descriptor = os.open(path, _READ)
    with open(descriptor, "rb", buffering=0) as file:
        return file.read()
