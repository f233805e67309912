"""Durably and atomically submits a file to an inbox: a reader sees all of it or nothing, even after a power cut."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from proxx_worker.contract.candidates import (
    MAX_STEM_BYTES,
    RESULT_SUFFIX,
    SPEC_SUFFIX,
    display_name,
    is_candidate_name,
    lowest_free_job_name,
    stem_of,
)
from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.files.durable import create_file, write_all
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.files.rename import rename_no_clobber
from proxx_worker.files.syncing import sync_directory, sync_file
from proxx_worker.workspace.entries import exists
from proxx_worker.workspace.layout import Workspace

_CHUNK: Final = 1 << 20


def submit(workspace: Workspace, jobspec: Path) -> Path:
    """Copy the file `jobspec` into `workspace`'s inbox under its own name, or `NAME~2`, ... if that is taken.

    The spec itself is not validated. A missing inbox is created. Returns the path of the copy.

    Raises:
        ProxxError: SPEC_INVALID for a name that no worker would claim, or if it is not a readable file; WORKSPACE_INVALID,
            UNSUPPORTED_FILESYSTEM, NO_SPACE or IO_ERROR if it cannot be stored.

    """
    name = os.fsencode(jobspec.name)
    _require_candidate(name)
    workspace.require()
    workspace.make_inbox()
    workspace.require_inbox()
    temporary = os.path.join(workspace.inbox, b".submit-" + secrets.token_hex(8).encode())
    try:
        _copy(jobspec, temporary)
        made = place(workspace.inbox, temporary, stem_of(name))
    except (ProxxError, KeyboardInterrupt):
        with suppress(OSError):
            os.unlink(temporary)
        raise
    sync_drop(workspace.inbox, made)
    return Path(os.fsdecode(made))


def sync_drop(folder: bytes, made: bytes) -> None:
    """Sync the folder that `made` was just put into. Raises WORKSPACE_INVALID, NO_SPACE or IO_ERROR, saying that it stands.

    It is not taken back: after a power cut it could return all the same, when everybody takes it for gone.
    """
    try:
        with translate_os_errors("sync the folder", folder, state_folder=True):
            sync_directory(folder)
    except ProxxError as fault:
        name = display_name(os.path.basename(made))
        message = f"{fault.error.message}; {name} was dropped before that, and stands: look in the folder before you try again"
        raise ProxxError(fault.code, message, **fault.error.details) from fault


def _require_candidate(name: bytes) -> None:
    if not is_candidate_name(name):
        shown = display_name(name)
        raise ProxxError(ErrorCode.SPEC_INVALID, f"no worker takes {shown} from an inbox: {_rejection(name)}", name=shown)


def _rejection(name: bytes) -> str:
    """Why `name` is not a candidate, and what to do."""
    if name.startswith(b"."):
        return "its name begins with a dot, like those of hidden and unfinished files; rename it"
    if name.endswith(RESULT_SUFFIX):
        return "it is a job's result; name the JobSpec, which is NAME.json next to NAME.result.json"
    if name.endswith(SPEC_SUFFIX):
        return f"its name has more than {MAX_STEM_BYTES} bytes before .json; rename it"
    if SPEC_SUFFIX in name.lower():
        return "a JobSpec's name ends in lower-case .json; rename it"
    return (
        "it is not a JobSpec, whose name ends in .json; to create one for a clip and submit it: "
        "proxx-worker spec --profile P --output-directory DIR --submit WORKSPACE CLIP"
    )


def _copy(source: Path, target: bytes) -> None:
    with _source_errors(source):
        source_fd = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        with _source_errors(source):  # a share may answer ESTALE even for an open file
            mode = os.fstat(source_fd).st_mode
        if not stat.S_ISREG(mode):
            raise ProxxError(ErrorCode.SPEC_INVALID, f"{source} is not a file; name a JobSpec file", path=str(source))
        with translate_os_errors("write", target, state_folder=True):
            target_fd = create_file(target)
            try:
                while part := os.read(source_fd, _CHUNK):
                    write_all(target_fd, part)
                sync_file(target_fd)
            finally:
                os.close(target_fd)
    finally:
        os.close(source_fd)


@contextmanager
def _source_errors(source: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"{source} cannot be read ({error.strerror}); name a readable JobSpec file"
        raise ProxxError(ErrorCode.SPEC_INVALID, message, path=str(source)) from error


def place(folder: bytes, temporary: bytes, wanted: bytes) -> bytes:
    """Rename `temporary`, a file in `folder`, to `WANTED.json`, or `WANTED~2.json`, ... if that is taken. Returns its path.

    Raises SPEC_INVALID if the free name is one that no worker claims; WORKSPACE_INVALID, NO_SPACE or IO_ERROR.
    """
    while True:
        with translate_os_errors("submit to", folder, state_folder=True):
            stem = lowest_free_job_name(wanted, lambda it: exists(os.path.join(folder, it + SPEC_SUFFIX)))
            _require_candidate(stem + SPEC_SUFFIX)
            target = os.path.join(folder, stem + SPEC_SUFFIX)
            try:
                rename_no_clobber(temporary, target)
            except FileExistsError:
                continue  # taken between the check and the rename
        return target
