"""What a console reads of files: a job's result and log, wherever the job is now, and whether a form names folders."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from proxx_worker.desk.folders import folder_of
from proxx_worker.desk.jobs import JobState, JobSummary
from proxx_worker.workspace.entries import files_in
from proxx_worker.workspace.layout import Workspace

_LOG_BYTES: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class JobFiles:
    """A job's result, None if there is none yet; the end of its log; `path`: see `path_of`, for where the job is now."""

    path: str
    result: bytes | None = None
    log: tuple[str, ...] = ()


def read_files(workspace: Workspace, job: JobSummary) -> JobFiles:
    """Raises nothing: what cannot be read counts as missing."""
    for state in dict.fromkeys((job.state, JobState.RUNNING, JobState.FAILED, JobState.DONE)):
        files = files_in(folder_of(workspace, state), job.stem)
        if state is JobState.WAITING or not os.path.exists(files.spec):
            continue
        return JobFiles(path_of(workspace, replace(job, state=state)), _bytes_of(files.result), tuple(_tail_of(files.log)))
    return JobFiles(path_of(workspace, job))


def path_of(workspace: Workspace, job: JobSummary) -> str:
    """Where the job's result is; the spec, where there is no result yet."""
    files = files_in(folder_of(workspace, job.state), job.stem)
    finished = job.state in {JobState.FAILED, JobState.DONE}
    return os.fsdecode(files.result if finished else files.spec)


def page_of(workspace: Workspace, job: JobSummary) -> str:
    """Where the report on a finished job goes: beside its result, as an absolute path."""
    result = files_in(folder_of(workspace, job.state), job.stem).result
    return os.path.abspath(os.fsdecode(result).removesuffix(".result.json") + ".html")


def have_folders(sources: Iterable[str]) -> bool:
    """Whether any of the paths is a folder. May take long, on storage that does."""
    return any(map(os.path.isdir, sources))


def _bytes_of(path: bytes) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def _tail_of(path: bytes) -> list[str]:
    """The last lines of a log; none if it cannot be read."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _LOG_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return lines if size <= _LOG_BYTES else ["(only the end is shown)", *lines[1:]]
