"""Checks of folder entries that distinguish absence from errors: an error is never taken for absence."""

import os

from proxx_worker.contract.candidates import JobFiles


def status_of(path: bytes) -> os.stat_result | None:
    """The status of `path`, without following a symlink; None only if it does not exist. Raises `OSError`."""
    try:
        return os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return None


def exists(path: bytes) -> bool:
    """Whether any kind of entry has this name. Raises `OSError`."""
    return status_of(path) is not None


def same_file(one: bytes, other: bytes) -> bool:
    """Whether both names exist and refer to the same file. Raises `OSError`."""
    first, second = status_of(one), status_of(other)
    return first is not None and second is not None and os.path.samestat(first, second)


def files_in(folder: bytes, stem: bytes) -> JobFiles:
    """The paths of a job's three files in `folder`."""
    files = JobFiles.of(stem)
    return JobFiles(os.path.join(folder, files.spec), os.path.join(folder, files.result), os.path.join(folder, files.log))
