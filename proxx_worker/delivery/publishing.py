"""Publishes all outputs of a job or none: moves them to their final names, rolls back on errors, resumes after a crash."""

import errno
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.files.errnos import classify_os_error
from proxx_worker.files.hashing import sha256_of
from proxx_worker.files.locations import path_bytes
from proxx_worker.files.rename import rename_no_clobber
from proxx_worker.files.syncing import sync_directory_fd

Inode: TypeAlias = tuple[int, int]
"""Device and inode number, which identify a file."""


@dataclass(frozen=True, slots=True)
class RecordedOutput:
    """An output as the commit record describes it: its final name, size in bytes, SHA-256 as hex."""

    name: str
    size: int
    sha256: str


class PublishingStuckError(Exception):
    """Outputs could be neither published nor rolled back: the commit record must stay, and the next start decides.

    Not a `ProxxError`, because no result can state it: the job is undecided. `error` says why.
    """

    def __init__(self, error: ProxxError) -> None:
        """`error`: why the rollback failed."""
        super().__init__(str(error))
        self.error = error.error


@dataclass(frozen=True, slots=True)
class Publisher:
    """Moves outputs between two open folders. `path`: the output directory, for messages and results.

    `checkpoint` is called before each output and each hashed MiB. Anything it raises, other than a `ProxxError`, leaves
    everything to the next start, as a crash would.
    """

    output: int
    staging: int
    path: str
    checkpoint: Callable[[], object]

    def publish(self, names: Sequence[str]) -> None:
        """Durably move all of `names` out of staging; if one fails, roll back those already published and raise.

        Raises OUTPUT_EXISTS with `details.output`, the existing path; NO_SPACE, IO_ERROR; `PublishingStuckError` if the rollback
        failed.
        """
        ours = {name: _inode(status) for name in names if (status := self._status(self.staging, name)) is not None}
        self._publish(names, ours)

    def resume(self, outputs: Sequence[RecordedOutput]) -> None:
        """Finish publishing after a crash, any number of times. Every output is compared with its record.

        Raises as `publish` does; IO_ERROR if an output is lost, differs from its record or cannot be read in staging. All outputs
        are back in staging then. Raises `PublishingStuckError` also if it is unknown which outputs are published.
        """
        ours: dict[str, Inode] = {}
        staged: list[str] = []
        faults: list[ProxxError] = []
        for output in outputs:
            self.checkpoint()
            try:
                if self._is_staged(output, ours):
                    staged.append(output.name)
            except ProxxError as fault:
                faults.append(fault)
        if faults:
            self._roll_back(ours)
            raise faults[0]
        self._publish(staged, ours)

    def final_path(self, name: str) -> str:
        """The path of the output `name` after publishing."""
        return f"{self.path.rstrip('/')}/{name}"

    def _publish(self, names: Sequence[str], ours: Mapping[str, Inode]) -> None:
        try:
            for name in names:
                self.checkpoint()
                self._publish_one(name)
            self._sync(self.output)
        except ProxxError:
            self._roll_back(ours)
            raise

    def _roll_back(self, ours: Mapping[str, Inode]) -> None:
        """Durably move those of `ours` that have their final names back into staging, last one first.

        The folder decides which those are: a step that reported an error may still have taken effect. Raises
        `PublishingStuckError` if one fails; then each folder has some of them.
        """
        with _stuck_on_error():
            moved = [name for name in list(ours)[::-1] if self._unpublish_one(name, ours[name])]
            if moved:
                # In this order: a name must not be durably removed from one folder before it is durably in the other.
                self._sync(self.staging)
                self._sync(self.output)

    def _publish_one(self, name: str) -> None:
        raw = path_bytes(name)
        try:
            rename_no_clobber(raw, raw, src_dir_fd=self.staging, dst_dir_fd=self.output)
        except FileExistsError as error:
            raise output_exists([name], self.path) from error
        except OSError as error:
            raise classify_os_error(error, "publish", path_bytes(self.final_path(name))) from error

    def _unpublish_one(self, name: str, inode: Inode) -> bool:
        """Remove the final name if it refers to `inode`, and return whether it did. A foreign file of that name is left alone."""
        final = self._status(self.output, name)
        if final is None or _inode(final) != inode:
            return False
        raw = path_bytes(name)
        staged = self._status(self.staging, name)
        try:
            if staged is not None and _inode(staged) == inode:
                # The rename was a link and an unlink, and only the link was done.
                os.unlink(raw, dir_fd=self.output)
            else:
                rename_no_clobber(raw, raw, src_dir_fd=self.output, dst_dir_fd=self.staging)
        except OSError as error:
            raise classify_os_error(error, "unpublish", path_bytes(self.final_path(name))) from error
        return True

    def _sync(self, folder: int) -> None:
        try:
            sync_directory_fd(folder)
        except OSError as error:
            raise classify_os_error(error, "make durable", path_bytes(self.path)) from error

    def _is_staged(self, output: RecordedOutput, ours: dict[str, Inode]) -> bool:
        """Whether the output is still in staging. Its inode is recorded in `ours` as soon as it is known.

        Raises OUTPUT_EXISTS, IO_ERROR; `PublishingStuckError` if that is unknown.
        """
        with _stuck_on_error():
            staged, final = self._status(self.staging, output.name), self._status(self.output, output.name)
        if staged is not None:
            ours[output.name] = _inode(staged)
            reason = self._mismatch(self.staging, output)
            if reason is not None:
                raise self._lost(output, reason)
            if final is None:
                return True
            if _inode(final) != _inode(staged):
                raise output_exists([output.name], self.path)
            self._finish_rename(output.name)
            return False
        if final is None:
            raise self._lost(output, "it is in neither folder")
        with _stuck_on_error():
            reason = self._mismatch(self.output, output)
        if reason is not None:
            raise self._lost(output, reason)
        ours[output.name] = _inode(final)
        return False

    def _status(self, folder: int, name: str) -> os.stat_result | None:
        try:
            return os.stat(path_bytes(name), dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise classify_os_error(error, "inspect", path_bytes(self.final_path(name))) from error

    def _mismatch(self, folder: int, output: RecordedOutput) -> str | None:
        """How the file in `folder` differs from its record; None if it matches. Raises IO_ERROR."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(path_bytes(output.name), flags, dir_fd=folder)
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    return "it is not a regular file"
                if status.st_size != output.size:
                    return f"it has {status.st_size} bytes, not {output.size}"
                return None if sha256_of(descriptor, self.checkpoint) == output.sha256 else "its contents differ"
            finally:
                os.close(descriptor)
        except OSError as error:
            if error.errno == errno.ELOOP:
                return "it is a symlink"
            raise classify_os_error(error, "read", path_bytes(self.final_path(output.name))) from error

    def _finish_rename(self, name: str) -> None:
        """Finish a rename that a crash interrupted between its link and its unlink."""
        self._sync(self.output)
        try:
            os.unlink(path_bytes(name), dir_fd=self.staging)
        except OSError as error:
            raise classify_os_error(error, "publish", path_bytes(self.final_path(name))) from error

    def _lost(self, output: RecordedOutput, reason: str) -> ProxxError:
        path = self.final_path(output.name)
        return ProxxError(
            ErrorCode.IO_ERROR,
            f"a finished output must stay unchanged until it is published, but {path} did not ({reason}). "
            "Someone else changed the output directory, or its storage lost data. Submit the job again.",
            output=path,
            reason=reason,
        )


def output_exists(names: Sequence[str], path: str) -> ProxxError:
    """OUTPUT_EXISTS for `names`. `details.output`: the first full path; `details.existing`: all of them."""
    existing = [f"{path.rstrip('/')}/{name}" for name in names]
    return ProxxError(
        ErrorCode.OUTPUT_EXISTS,
        f"outputs never overwrite existing files, and these exist already: {', '.join(existing)}. "
        "Move them away, or give the job another naming template or output directory.",
        output=existing[0],
        existing=list(existing),
    )


def _inode(status: os.stat_result) -> Inode:
    return status.st_dev, status.st_ino


@contextmanager
def _stuck_on_error() -> Iterator[None]:
    """Raise a `ProxxError` of the body as `PublishingStuckError`."""
    try:
        yield
    except ProxxError as error:
        raise PublishingStuckError(error) from error
