"""Cancelling jobs: finds the spec by its name, and drops the request for it."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass

from proxx_worker.contract.candidates import CANCEL_SUFFIX, SPEC_SUFFIX, display_name, dropped_stem, is_job_stem
from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.desk.drops import drop_cancel
from proxx_worker.desk.folders import stems_in
from proxx_worker.desk.jobs import JobState
from proxx_worker.desk.names import AmbiguousNameError, stem_shown_as
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.workspace.claimed import HASHED_AT_MOST, read_if_regular, sha256_if_regular
from proxx_worker.workspace.entries import exists, files_in, status_of
from proxx_worker.workspace.layout import Workspace


class NoSuchJobError(Exception):
    """No job in the wanted states has this name; the message says what is known about it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A job that can be cancelled, and the SHA-256 of its spec."""

    stem: bytes
    state: JobState
    sha256: str


def target_of(workspace: Workspace, name: bytes) -> Target:
    """The job of this name, running or else waiting; `.json` is removed from the name if no job has it.

    Raises `NoSuchJobError`, or `ProxxError` (WORKSPACE_INVALID, IO_ERROR).
    """
    stems = [stem for stem in dict.fromkeys((name, name.removesuffix(SPEC_SUFFIX))) if is_job_stem(stem)]
    for stem in stems:
        # It moves from the inbox to running: looking in this order finds it in one of them, or in both, and never misses it.
        found = [target for state in (JobState.WAITING, JobState.RUNNING) if (target := _target(workspace, state, stem))]
        if found:
            return found[-1]
    meant = _shown(workspace, name)
    if meant is not None:
        return meant
    shown = display_name(stems[-1] if stems else name)
    for outbox in (workspace.done, workspace.failed) if stems else ():
        with translate_os_errors("look for", outbox, state_folder=True):
            if exists(files_in(outbox, stems[-1]).spec):
                raise NoSuchJobError(f"{shown} has already ended; it is in {display_name(os.path.basename(outbox))}/")
    raise NoSuchJobError(f"no waiting or running job is called {shown}; `proxx-worker list WORKSPACE` lists them")


def _shown(workspace: Workspace, name: bytes) -> Target | None:
    """The waiting or running job that a list shows by this name."""
    there = [stem for state in (JobState.WAITING, JobState.RUNNING) for stem in stems_in(workspace, state)]
    try:
        stem = stem_shown_as(name, there)
    except AmbiguousNameError as error:
        raise NoSuchJobError(str(error)) from None
    if stem is None:
        return None
    found = [target for state in (JobState.WAITING, JobState.RUNNING) if (target := _target(workspace, state, stem))]
    return found[-1] if found else None


def target_in(workspace: Workspace, state: JobState, stem: bytes) -> Target:
    """The job that a list shows in this state, and no other of its name. Raises as `target_of`."""
    target = _target(workspace, state, stem)
    if target is None:
        raise NoSuchJobError(f"{display_name(stem)} is no longer {state.value}; nothing was cancelled")
    return target


def cancel_if_there(workspace: Workspace, target: Target) -> None:
    """Request that a job found some time ago is cancelled. Raises `NoSuchJobError` if it has ended since, else as `cancel`."""
    if not _is_there(workspace, target):
        raise NoSuchJobError(f"{display_name(target.stem)} is no longer waiting or running; nothing was cancelled")
    cancel(workspace, [target])


def _is_there(workspace: Workspace, target: Target) -> bool:
    """Whether it waits or runs, perhaps claimed since under a name with a number: a cancel under the old name means that, too."""
    waiting = _target(workspace, JobState.WAITING, target.stem)  # first, as in `target_of`
    if waiting is not None and waiting.sha256 == target.sha256:
        return True
    running = (it for it in stems_in(workspace, JobState.RUNNING) if target.stem in {it, dropped_stem(it)})
    found = (_target(workspace, JobState.RUNNING, it) for it in running)
    return any(it is not None and it.sha256 == target.sha256 for it in found)


def cancel(workspace: Workspace, targets: Sequence[Target]) -> list[bytes]:
    """Request that each is cancelled. Returns the paths of the requests, including those that existed already.

    Raises `ProxxError`: IO_ERROR if another request with that name is in the way; WORKSPACE_INVALID, NO_SPACE, IO_ERROR.
    """
    asked: list[bytes] = []
    for target in targets:
        try:
            asked.append(_ask(workspace, target))
        except ProxxError as fault:
            if not asked:
                raise
            names = ", ".join(display_name(os.path.basename(path)) for path in asked)
            message = f"{fault.error.message}; these requests were made before that and still stand: {names}"
            raise ProxxError(fault.code, message, **fault.error.details) from fault
    return asked


def _ask(workspace: Workspace, target: Target) -> bytes:
    made = drop_cancel(workspace, target.stem, target.sha256)
    if made is not None:
        return made
    path = os.path.join(workspace.inbox, target.stem + CANCEL_SUFFIX)
    with translate_os_errors("read", path):
        there = read_if_regular(path, len(target.sha256) + 2)
    if there is not None and there.strip().decode("ascii", "replace").lower() == target.sha256:
        return path
    shown = display_name(path)
    message = f"{shown} exists but is for another spec, or is not a file; remove it, then cancel again"
    raise ProxxError(ErrorCode.IO_ERROR, message, path=shown)


def _target(workspace: Workspace, state: JobState, stem: bytes) -> Target | None:
    folder = workspace.running if state is JobState.RUNNING else workspace.inbox
    path = files_in(folder, stem).spec
    with translate_os_errors("read", path, state_folder=True):
        status, digest = status_of(path), sha256_if_regular(path)
    if digest is not None:
        return Target(stem, state, digest)
    if status is not None and stat.S_ISREG(status.st_mode) and status.st_size > HASHED_AT_MOST:
        message = f"{display_name(stem)} is over 256 MiB, so it cannot be cancelled; it will fail when its turn comes"
        raise NoSuchJobError(message)
    return None
