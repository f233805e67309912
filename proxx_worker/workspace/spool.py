"""The only module that moves job files: claim, commit, finish. Every step is durable before the next begins.

A job has three files: `JOB.json`, `JOB.result.json` and `JOB.log`. They move from `running/` to `done/` or `failed/`, the spec
last: a spec in the outbox means that its result is there, complete and durable.
"""

import os
from contextlib import suppress
from dataclasses import astuple
from typing import Final

from proxx_worker.contract.candidates import JobFiles, display_name, lowest_free_job_name, stem_of
from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.result import JobResult, JobStatus, encode_result
from proxx_worker.files.allocate import release_unused
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.files.rename import rename_no_clobber
from proxx_worker.files.syncing import sync_directory, sync_file
from proxx_worker.process.stop import StopSignal
from proxx_worker.workspace.claimed import ClaimedJob, read_claimed
from proxx_worker.workspace.entries import exists, files_in, same_file
from proxx_worker.workspace.layout import Workspace, require_directory
from proxx_worker.workspace.outbox import find_log, outbox_folder, outbox_stem
from proxx_worker.workspace.reservation import Reservation

RECORD_BYTES: Final = 256 << 10
"""Reserved for a result: enough for some forty tasks. `reserve_record` can reserve more once a spec has been read."""

LOG_BYTES: Final = 64 << 10
"""Reserved for a log, if the filesystem supports it."""

CORRUPT_SUFFIX: Final = b".corrupt"
"""For a file that had the name of a job's result but was not a valid one."""


class Spool:
    """Moves the job files of one workspace. Only for the holder of its lock. Methods raise only `ProxxError`."""

    def __init__(self, workspace: Workspace, stop: StopSignal) -> None:
        """Touches nothing yet."""
        self.workspace = workspace
        self.stop = stop
        self._record = Reservation(os.path.join(workspace.private, b"next.result.json"))
        self._log = Reservation(os.path.join(workspace.private, b"next.log"))

    def discard_leftovers(self) -> None:
        """Remove the reservations of an earlier process."""
        self._record.discard_leftover()
        self._log.discard_leftover()

    def reserve_record(self, size: int = RECORD_BYTES) -> None:
        """Reserve space for the next result and log, if it is not reserved already.

        Call it before a claim, preferably while idle, and with a larger `size` once the number of tasks is known.
        """
        self._record.reserve(size, filled=True)
        self._log.reserve(LOG_BYTES, filled=False)

    def claim(self, name: bytes) -> ClaimedJob | None:
        """Durably move `inbox/NAME.json` into `running/` under the lowest free job name.

        Returns None, with nothing changed, if it no longer exists or is no longer a regular file.
        """
        self.reserve_record()
        source = os.path.join(self.workspace.inbox, name)
        stem = self._claim_as(source, stem_of(name))
        if stem is None:
            return None
        path = self._running(stem).spec
        job = read_claimed(stem, path, self.stop, sync=True)
        if job is None:
            self._return_to_inbox(path, source)
            return None
        with translate_os_errors("sync the folder", self.workspace.running, state_folder=True):
            sync_directory(self.workspace.running)
            sync_directory(self.workspace.inbox)
        self._log.give(self._running(stem).log)
        return job

    def open_log(self, job: ClaimedJob) -> int:
        """A descriptor for appending to the job's log, wherever a crash left it. The caller closes it."""
        path = self._log_path(job)
        with translate_os_errors("open", path, state_folder=True):
            return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)

    def commit(self, job: ClaimedJob, result: JobResult) -> None:
        """Atomically make `result` the job's durable decision, replacing an earlier one.

        After NO_SPACE nothing has changed, and a shorter result may be committed: the space is still reserved.
        """
        self._record.write(encode_result(result))
        self._record.replace(self._running(job.stem).result)

    def finish(self, job: ClaimedJob, status: JobStatus) -> None:
        """Move the job to `done/` or `failed/`: result and log, then the spec. Resumes wherever a crash interrupted it."""
        self._sync_log(job)
        outbox = outbox_folder(self.workspace, status)
        with translate_os_errors("find a name in", outbox, state_folder=True):
            stem = outbox_stem(self.workspace, job.stem, outbox)
        here, there = self._running(job.stem), files_in(outbox, stem)
        self._move(here.result, there.result)
        self._move(here.log, there.log)
        self._move_corrupt(job.stem, outbox)
        with translate_os_errors("sync the folder", outbox, state_folder=True):
            sync_directory(outbox)
        self._move(here.spec, there.spec)
        with translate_os_errors("sync the folder", outbox, state_folder=True):
            sync_directory(outbox)
            sync_directory(self.workspace.running)

    def set_aside_corrupt(self, stem: bytes) -> None:
        """Rename an invalid result in `running/` to `JOB.corrupt`."""
        path = self._running(stem).result
        with translate_os_errors("set aside", path, state_folder=True):
            _keep_as_corrupt(path, self.workspace.running, stem)
            sync_directory(self.workspace.running)

    def _claim_as(self, source: bytes, wanted: bytes) -> bytes | None:
        while True:
            with translate_os_errors("find a free name in", self.workspace.path, state_folder=True):
                stem = lowest_free_job_name(wanted, self._is_taken)
            with translate_os_errors("claim", source, state_folder=True):
                try:
                    rename_no_clobber(source, self._running(stem).spec)
                except FileExistsError:
                    continue  # taken between the check and the rename: use the next free name
                except FileNotFoundError:
                    for folder in (self.workspace.inbox, self.workspace.running):
                        require_directory(folder)
                    return None
            return stem

    def _return_to_inbox(self, path: bytes, source: bytes) -> None:
        """Return what turned into a symlink, FIFO or folder between the check and the rename: it is not a job."""
        with translate_os_errors("put back", path, state_folder=True), suppress(FileExistsError):
            rename_no_clobber(path, source)

    def _is_taken(self, stem: bytes) -> bool:
        folders = (self.workspace.running, self.workspace.done, self.workspace.failed)
        return any(exists(path) for folder in folders for path in astuple(files_in(folder, stem)))

    def _running(self, stem: bytes) -> JobFiles:
        return files_in(self.workspace.running, stem)

    def _log_path(self, job: ClaimedJob) -> bytes:
        """The log's path: in `running/`, or in the outbox if a crash interrupted the move."""
        here = self._running(job.stem).log
        with translate_os_errors("find", here, state_folder=True):
            moved = None if exists(here) else find_log(self.workspace, job.stem)
        return here if moved is None else moved

    def _sync_log(self, job: ClaimedJob) -> None:
        fd = self.open_log(job)
        try:
            with translate_os_errors("sync the log of", display_name(job.stem), state_folder=True):
                release_unused(fd)
                sync_file(fd)
        finally:
            os.close(fd)

    def _move(self, src: bytes, dst: bytes) -> None:
        """Move one file to the outbox, even if that was already done, wholly or in part (the file in both folders)."""
        with translate_os_errors("move to the outbox", src, state_folder=True):
            try:
                rename_no_clobber(src, dst)
            except FileNotFoundError:
                if not exists(dst):
                    raise
            except FileExistsError:
                if not same_file(src, dst):
                    raise _unexpected_file(dst) from None
                os.unlink(src)

    def _move_corrupt(self, stem: bytes, outbox: bytes) -> None:
        src = os.path.join(self.workspace.running, stem + CORRUPT_SUFFIX)
        with translate_os_errors("move to the outbox", src, state_folder=True):
            if exists(src):
                _keep_as_corrupt(src, outbox, stem)


def _keep_as_corrupt(path: bytes, folder: bytes, stem: bytes) -> None:
    """Rename `path` to `STEM.corrupt` in `folder`, with a number if another file has that name; may be done already."""
    wanted = os.path.join(folder, stem + CORRUPT_SUFFIX)
    if same_file(path, wanted):
        os.unlink(path)
        return
    free = lowest_free_job_name(stem, lambda it: exists(os.path.join(folder, it + CORRUPT_SUFFIX)))
    rename_no_clobber(path, os.path.join(folder, free + CORRUPT_SUFFIX))


def _unexpected_file(path: bytes) -> ProxxError:
    shown = display_name(path)
    return ProxxError(
        ErrorCode.WORKSPACE_INVALID,
        f"{shown} appeared while its job was being finished; only the worker may write there: move it away, then start again",
        path=shown,
    )
