"""The hidden staging folder in an output directory, where a job's outputs are written."""

import errno
import os
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.text import display_name
from proxx_worker.delivery.location import directory_error
from proxx_worker.delivery.publishing import Publisher, RecordedOutput
from proxx_worker.delivery.staged_file import StagedFile, adoption_refused
from proxx_worker.files.errnos import classify_os_error
from proxx_worker.files.locations import path_bytes
from proxx_worker.files.syncing import sync_directory_fd

_LATE_FILES: Final = 8
"""Resolve makes one file for a render. Whoever goes on making files is told by IO_ERROR."""

_FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Staging:
    """One job's staging folder, held open. Leaving the context closes descriptors but removes nothing: `remove` does that.

    So a worker that must stop before its decision is durable leaves everything to the next start.
    """

    def __init__(self, output: int, path: str, name: str, require_in_place: Callable[[], None]) -> None:
        """Open the folder `name` in the output directory that is open as `output` (at `path`); see `make_staging`."""
        self.name = name
        self.path = f"{path.rstrip('/')}/{name}"
        self._output = output
        self._directory_path = path
        self._require_in_place = require_in_place
        self._files: list[StagedFile] = []
        self._durable = False
        try:
            self._fd = os.open(path_bytes(name), _FOLDER_FLAGS, dir_fd=output)
        except OSError as error:
            raise directory_error(error, path) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def create(self, name: str) -> StagedFile:
        """Create an output file. Raises NO_SPACE, IO_ERROR."""
        self._make_durable()
        return self._keep(StagedFile.create(self._fd, self.path, name))

    def adopt(self, rendered: str, name: str, checkpoint: Callable[[], object]) -> StagedFile:
        """Take over the file `rendered`, which an engine itself created in the staging folder, as the output `name`.

        Raises OUTPUT_INVALID if it is not the only new entry, or not a finished file of the worker's user, see
        `StagedFile.adopt`; NO_SPACE, IO_ERROR, also if `name` exists.
        """
        self._make_durable()
        try:
            known = {path_bytes(staged.name) for staged in self._files}
            new = sorted(entry for entry in map(os.fsencode, os.listdir(self._fd)) if entry not in known)
        except OSError as error:
            raise classify_os_error(error, "list", path_bytes(self.path)) from error
        if new != [path_bytes(rendered)]:
            found = ", ".join(display_name(entry) for entry in new) or "nothing"
            raise adoption_refused(self.path, f"it left {found} instead of {rendered}")
        return self._keep(StagedFile.adopt(self._fd, self.path, rendered, name, checkpoint))

    def publish(self, checkpoint: Callable[[], object]) -> None:
        """Publish all outputs, in the order they were created, or none. The job's decision must already be durable.

        `checkpoint` is called before each; it must not raise, because a stop is too late now.

        Raises OUTPUT_EXISTS, NO_SPACE, IO_ERROR, or OUTPUT_DIRECTORY_MISSING if the directory was moved meanwhile; nothing is
        published then. Raises `PublishingStuckError` if the rollback failed.
        """
        self._require_in_place()
        self._publisher(checkpoint).publish([staged.name for staged in self._files])

    def resume(self, outputs: Sequence[RecordedOutput], checkpoint: Callable[[], object]) -> None:
        """Finish publishing for an earlier process, from its commit record. See `Publisher.resume`."""
        self._publisher(checkpoint).resume(outputs)

    def remove(self) -> None:
        """Durably remove the folder and its contents. Raises IO_ERROR, also if it contains a folder."""
        self._close_files()
        _remove_folder(self._fd, self._output, path_bytes(self.name), self.path)
        self._close_folder()
        sync_output(self._output, self._directory_path)

    def close(self) -> None:
        """Close every file and the folder."""
        self._close_files()
        self._close_folder()

    def _make_durable(self) -> None:
        """Once, before the first output: a durable decision must never name files in a folder that is lost."""
        if not self._durable:
            sync_output(self._output, self._directory_path)
            self._durable = True

    def _keep(self, staged: StagedFile) -> StagedFile:
        self._files.append(staged)
        return staged

    def _publisher(self, checkpoint: Callable[[], object]) -> Publisher:
        return Publisher(self._output, self._fd, self._directory_path, checkpoint)

    def _close_files(self) -> None:
        for staged in self._files:
            staged.close()

    def _close_folder(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def sync_output(output: int, path: str) -> None:
    """Make the entries of the output directory that is open as `output` durable. Raises NO_SPACE, IO_ERROR."""
    try:
        sync_directory_fd(output)
    except OSError as error:
        raise classify_os_error(error, "make durable", path_bytes(path)) from error


def make_staging(output: int, path: str, name: str) -> None:
    """Create the folder `name`, for the worker's user only. Raises OUTPUT_DIRECTORY_NOT_WRITABLE, NO_SPACE, IO_ERROR."""
    try:
        os.mkdir(path_bytes(name), 0o700, dir_fd=output)
    except OSError as error:
        raise directory_error(error, path) from error


def remove_staging(output: int, path: str, name: bytes) -> bool:
    """Remove the staging folder `name` with the files in it. Returns False if there is no folder of that name.

    A symlink is never followed and does not count as a folder. Not durable by itself. Raises IO_ERROR.
    """
    shown = path_bytes(f"{path.rstrip('/')}/") + name
    try:
        folder = os.open(name, _FOLDER_FLAGS, dir_fd=output)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
            return False
        raise classify_os_error(error, "open", shown) from error
    try:
        _remove_folder(folder, output, name, shown.decode("utf-8", "surrogateescape"))
    finally:
        os.close(folder)
    return True


def _remove_folder(folder: int, output: int, name: bytes, path: str) -> None:
    """Remove the staging folder `name`, open as `folder`, with the files in it.

    Resolve, told to stop, may just then make its file: what comes between is removed too, a bounded number of times.
    """
    for late in range(_LATE_FILES + 1):
        empty_folder(folder, path)
        try:
            os.rmdir(name, dir_fd=output)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.ENOTEMPTY or late == _LATE_FILES:
                raise classify_os_error(error, "remove", path_bytes(path)) from error
        else:
            return


def empty_folder(folder: int, path: str) -> None:
    """Unlink every entry of the staging folder that is open as `folder`. The worker creates no folder in it."""
    try:
        for entry in os.listdir(folder):
            with suppress(FileNotFoundError):  # Resolve may remove its file itself
                if stat.S_ISDIR(os.stat(entry, dir_fd=folder, follow_symlinks=False).st_mode):
                    raise ProxxError(
                        ErrorCode.IO_ERROR,
                        f"staging must contain nothing but the worker's own files, but {path} has a folder in it. "
                        f"Remove {path} by hand.",
                        path=path,
                    )
                os.unlink(entry, dir_fd=folder)
    except OSError as error:
        raise classify_os_error(error, "empty", path_bytes(path)) from error
