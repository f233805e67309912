"""Finds what the last process left, from the folders alone, cleans it up, and returns the jobs to recover.

Every step may be interrupted by another crash and is then done again.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from proxx_worker.contract.candidates import LOG_SUFFIX, RESULT_SUFFIX, SPEC_SUFFIX, dropped_stem
from proxx_worker.contract.result import JobResult, JobStatus
from proxx_worker.contract.states import Decision, RecordPlace, RecordState, Standing, decide
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.files.syncing import sync_directory
from proxx_worker.workspace.claimed import ClaimedJob, read_claimed
from proxx_worker.workspace.entries import exists, files_in, same_file, status_of
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.outbox import find_in_outbox, read_record
from proxx_worker.workspace.spool import Spool


@dataclass(frozen=True, slots=True)
class RecoveryItem:
    """One job that the last process had claimed, and the decision about it. `record`: its result, None for INTERRUPT."""

    job: ClaimedJob
    decision: Decision
    record: JobResult | None


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was found in `running/`.

    `items`: to be finished in this order before anything is claimed. `strays`: entries that belong to no job, to be reported and
    left alone.
    """

    items: tuple[RecoveryItem, ...]
    strays: tuple[bytes, ...]


def recover(spool: Spool) -> Recovery:
    """Remove files that a crash left in two folders, set invalid results aside, and decide about each job in `running/`.

    Only for the holder of the lock, before the first claim. Raises `ProxxError` for any error in a state folder: the worker then
    stops, and the next start decides.
    """
    workspace = spool.workspace
    spool.discard_leftovers()
    _sync_moves(workspace)
    with translate_os_errors("read the folder", workspace.running, state_folder=True):
        names = sorted(os.listdir(workspace.running))
        stems = [name.removesuffix(SPEC_SUFFIX) for name in names if _is_spec(workspace, name)]
        for stem in stems:
            _drop_from_inbox(workspace, stem)
        owned = {name for stem in stems for name in _own_names(stem)}
        strays = tuple(name for name in names if name not in owned and not _drop_from_running(workspace, name))
    return Recovery(tuple(item for stem in stems for item in _items(spool, stem)), strays)


def _sync_moves(workspace: Workspace) -> None:
    """Make moves durable that were interrupted before their syncs, each file's new name before its old one is gone for good.

    Else a later power cut could return a spec to the inbox, where it would be executed although recovery has decided about it; or
    the next claim's sync of `running/` could lose a finished job's spec, whose name in the outbox is not durable yet.
    """
    for outbox in (workspace.done, workspace.failed):
        with translate_os_errors("sync the folder", outbox, state_folder=True):
            sync_directory(outbox)
    with translate_os_errors("sync the folder", workspace.running, state_folder=True):
        sync_directory(workspace.running)
    with translate_os_errors("sync the folder", workspace.inbox, state_folder=True):
        sync_directory(workspace.inbox)


def _items(spool: Spool, stem: bytes) -> Iterator[RecoveryItem]:
    job = read_claimed(stem, files_in(spool.workspace.running, stem).spec, spool.stop, sync=True)
    if job is None:
        return
    with translate_os_errors("find the result of", stem, state_folder=True):
        standing, record = _standing(spool.workspace, stem)
    if standing.record is RecordState.TORN:
        spool.set_aside_corrupt(stem)
    yield RecoveryItem(job, decide(standing), record)


def _standing(workspace: Workspace, stem: bytes) -> tuple[Standing, JobResult | None]:
    path = files_in(workspace.running, stem).result
    if exists(path):
        record = read_record(path)
        if record is None:
            return Standing(RecordState.TORN, RecordPlace.RUNNING), None
        return Standing(_state(record), RecordPlace.RUNNING), record
    found = find_in_outbox(workspace, stem)
    if found is None:
        return Standing(RecordState.ABSENT, None), None
    return Standing(_state(found.record), RecordPlace.OUTBOX), found.record


def _state(record: JobResult) -> RecordState:
    return RecordState.COMPLETED if record.status is JobStatus.COMPLETED else RecordState.FAILED


def _is_spec(workspace: Workspace, name: bytes) -> bool:
    if not name.endswith(SPEC_SUFFIX) or name.endswith(RESULT_SUFFIX) or name.startswith(b"."):
        return False
    status = status_of(os.path.join(workspace.running, name))
    return status is not None and stat.S_ISREG(status.st_mode)


def _own_names(stem: bytes) -> tuple[bytes, ...]:
    return stem + SPEC_SUFFIX, stem + RESULT_SUFFIX, stem + LOG_SUFFIX, stem + b".corrupt"


def _drop_from_inbox(workspace: Workspace, stem: bytes) -> None:
    """Remove from the inbox a spec that a power cut left in both folders: it was claimed.

    The worker may have added a number to the job's name; in the inbox the file has its original name.
    """
    here = files_in(workspace.running, stem).spec
    for name in dict.fromkeys((stem, dropped_stem(stem))):
        there = files_in(workspace.inbox, name).spec
        if same_file(here, there):
            os.unlink(there)
            sync_directory(workspace.inbox)


def _drop_from_running(workspace: Workspace, name: bytes) -> bool:
    """Remove a file of a finished job that a power cut left in both folders; False if it is not one."""
    here = os.path.join(workspace.running, name)
    for outbox in (workspace.done, workspace.failed):
        if same_file(here, os.path.join(outbox, name)):
            os.unlink(here)
            sync_directory(workspace.running)
            return True
    return False
