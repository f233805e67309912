"""Giving all outputs of a job their names, or none of them; forwards, backwards, and again after a crash."""

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
"""Device and inode number: which file a name refers to."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An output as the commit record describes it: its final name, size in bytes, SHA-256 as hex."""

    name: str
    size: int
    sha256: str


class PublishingStuckError(Exception):
    """Outputs could be neither published nor taken back: the commit record must stay, and the next start decides.

    Not a `ProxxError`, because it is no fault that a job's result could state: the job is not decided. `error` says why.
    """

    def __init__(self, error: ProxxError) -> None:
        """`error`: what refused the last step back."""
        super().__init__(str(error))
        self.error = error.error


@dataclass(frozen=True, slots=True)
class Publisher:
    """The two held folders between which outputs move. `path`: the output directory, for messages and results.

    `checkpoint` is called before each output, and before each MiB that is hashed. What it raises, unless a `ProxxError`, leaves
    everything to the next start, as a crash would.
    """

    output: int
    staging: int
    path: str
    checkpoint: Callable[[], object]

    def publish(self, names: Sequence[str]) -> None:
        """Move every name out of staging, and make that durable.

        Where one is refused, take the published ones back first. Raises OUTPUT_EXISTS with `details.output`, the path that was
        taken, NO_SPACE or IO_ERROR; `PublishingStuckError` where taking back failed.
        """
        ours = {name: _inode(status) for name in names if (status := self._status(self.staging, name)) is not None}
        self._publish(names, ours)

    def resume(self, outputs: Sequence[Recorded]) -> None:
        """Finish a publishing that a crash cut, as often as it takes. Every output is compared with its record.

        Raises as `publish` does; IO_ERROR where an output is lost, differs from its record or cannot be read in staging. Then all
        are back in staging. Raises `PublishingStuckError` also where it cannot be seen which outputs are published.
        """
        ours: dict[str, Inode] = {}
        waiting: list[str] = []
        faults: list[ProxxError] = []
        for output in outputs:
            self.checkpoint()
            try:
                if self._look_at(output, ours):
                    waiting.append(output.name)
            except ProxxError as fault:
                faults.append(fault)
        if faults:
            self._take_back(ours)
            raise faults[0]
        self._publish(waiting, ours)

    def final_path(self, name: str) -> str:
        """The path of the output `name` once it is published."""
        return f"{self.path.rstrip('/')}/{name}"

    def _publish(self, names: Sequence[str], ours: Mapping[str, Inode]) -> None:
        try:
            for name in names:
                self.checkpoint()
                self._move_out(name)
            self._sync(self.output)
        except ProxxError:
            self._take_back(ours)
            raise

    def _take_back(self, ours: Mapping[str, Inode]) -> None:
        """Move back into staging whatever of `ours` has its final name, the last one first, and make that durable.

        The folder is checked, memory is not trusted: a step that reported an error may have been done all the same. Raises
        `PublishingStuckError` where one is refused: then some are in either folder.
        """
        with _undecided():
            moved = [name for name in list(ours)[::-1] if self._move_back(name, ours[name])]
            if moved:
                # In this order: a name must not be durably gone from one folder before it is durably in the other.
                self._sync(self.staging)
                self._sync(self.output)

    def _move_out(self, name: str) -> None:
        raw = path_bytes(name)
        try:
            rename_no_clobber(raw, raw, src_dir_fd=self.staging, dst_dir_fd=self.output)
        except FileExistsError as error:
            raise output_exists([name], self.path) from error
        except OSError as error:
            raise classify_os_error(error, "publish", path_bytes(self.final_path(name))) from error

    def _move_back(self, name: str, inode: Inode) -> bool:
        """Whether the final name referred to `inode`; then it no longer does. A foreign file of that name is left alone."""
        final = self._status(self.output, name)
        if final is None or _inode(final) != inode:
            return False
        raw = path_bytes(name)
        staged = self._status(self.staging, name)
        try:
            if staged is not None and _inode(staged) == inode:
                # Where a rename is a link and an unlink, it came half-way.
                os.unlink(raw, dir_fd=self.output)
            else:
                rename_no_clobber(raw, raw, src_dir_fd=self.output, dst_dir_fd=self.staging)
        except OSError as error:
            raise classify_os_error(error, "take back", path_bytes(self.final_path(name))) from error
        return True

    def _sync(self, folder: int) -> None:
        try:
            sync_directory_fd(folder)
        except OSError as error:
            raise classify_os_error(error, "make durable", path_bytes(self.path)) from error

    def _look_at(self, output: Recorded, ours: dict[str, Inode]) -> bool:
        """Whether it still waits in staging. Notes in `ours` which file it is, as soon as that is known.

        Raises OUTPUT_EXISTS, IO_ERROR; `PublishingStuckError` where that cannot be known.
        """
        with _undecided():
            staged, final = self._status(self.staging, output.name), self._status(self.output, output.name)
        if staged is not None:
            ours[output.name] = _inode(staged)
            reason = self._difference(self.staging, output)
            if reason is not None:
                raise self._lost(output, reason)
            if final is None:
                return True
            if _inode(final) != _inode(staged):
                raise output_exists([output.name], self.path)
            self._forget_staged(output.name)
            return False
        if final is None:
            raise self._lost(output, "it is in neither folder")
        with _undecided():
            reason = self._difference(self.output, output)
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
            raise classify_os_error(error, "look at", path_bytes(self.final_path(name))) from error

    def _difference(self, folder: int, output: Recorded) -> str | None:
        """In what the file in `folder` differs from its record; None where it is the one. Raises IO_ERROR."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(path_bytes(output.name), flags, dir_fd=folder)
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    return "it is not a file"
                if status.st_size != output.size:
                    return f"it has {status.st_size} bytes, not {output.size}"
                return None if sha256_of(descriptor, self.checkpoint) == output.sha256 else "its contents differ"
            finally:
                os.close(descriptor)
        except OSError as error:
            if error.errno == errno.ELOOP:
                return "it is a symlink"
            raise classify_os_error(error, "read", path_bytes(self.final_path(output.name))) from error

    def _forget_staged(self, name: str) -> None:
        """Finish a move that a crash cut between its link and its unlink."""
        self._sync(self.output)
        try:
            os.unlink(path_bytes(name), dir_fd=self.staging)
        except OSError as error:
            raise classify_os_error(error, "publish", path_bytes(self.final_path(name))) from error

    def _lost(self, output: Recorded, reason: str) -> ProxxError:
        path = self.final_path(output.name)
        return ProxxError(
            ErrorCode.IO_ERROR,
            f"a finished output must still be there when it is published: {path} is not ({reason}). "
            "The output directory was changed by someone else, or its storage lost data. Submit the job again.",
            output=path,
            reason=reason,
        )


def output_exists(names: Sequence[str], path: str) -> ProxxError:
    """OUTPUT_EXISTS for the taken `names`; `details.output` is the first of them, `details.existing` all, as whole paths."""
    existing = [f"{path.rstrip('/')}/{name}" for name in names]
    return ProxxError(
        ErrorCode.OUTPUT_EXISTS,
        f"an output is never overwritten, and something already has this name: {', '.join(existing)}. "
        "Move it away, or give the job another naming template or output directory.",
        output=existing[0],
        existing=list(existing),
    )


def _inode(status: os.stat_result) -> Inode:
    return status.st_dev, status.st_ino


@contextmanager
def _undecided() -> Iterator[None]:
    """Let an error of the body leave as the one that leaves the job to the next start."""
    try:
        yield
    except ProxxError as error:
        raise PublishingStuckError(error) from error
