"""The hidden folder inside an output directory where a job's outputs grow, and its removal."""

import errno
import os
import stat
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.text import display_name
from proxx_worker.delivery.location import directory_error
from proxx_worker.delivery.publishing import Publisher, Recorded
from proxx_worker.delivery.staged_file import StagedFile, not_adopted
from proxx_worker.files.errnos import classify_os_error
from proxx_worker.files.locations import path_bytes
from proxx_worker.files.syncing import sync_directory_fd

_FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Staging:
    """One job's staging folder, held open. Leaving the context closes descriptors and removes nothing: `remove` does that.

    So a worker that must stop before its decision is durable leaves everything to the next start.
    """

    def __init__(self, output: int, path: str, name: str, require_in_place: Callable[[], None]) -> None:
        """Hold the folder `name` in the output directory that is open as `output` (at `path`); see `make_staging`."""
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
        """A new output file. Raises NO_SPACE, IO_ERROR."""
        self._make_durable()
        return self._keep(StagedFile.create(self._fd, self.path, name))

    def adopt(self, rendered: str, name: str, checkpoint: Callable[[], object]) -> StagedFile:
        """The output `name` from the file `rendered`, which an engine made in the staging folder by itself.

        Raises OUTPUT_INVALID where that is not the one entry that is new here, or not a finished file of the worker's own, see
        `StagedFile.adopt`; NO_SPACE, IO_ERROR, also where `name` is taken.
        """
        self._make_durable()
        try:
            known = {path_bytes(staged.name) for staged in self._files}
            new = sorted(entry for entry in map(os.fsencode, os.listdir(self._fd)) if entry not in known)
        except OSError as error:
            raise classify_os_error(error, "look into", path_bytes(self.path)) from error
        if new != [path_bytes(rendered)]:
            found = ", ".join(display_name(entry) for entry in new) or "nothing"
            raise not_adopted(self.path, f"it left {found} instead of {rendered}")
        return self._keep(StagedFile.adopt(self._fd, self.path, rendered, name, checkpoint))

    def publish(self, checkpoint: Callable[[], object]) -> None:
        """Give all outputs their names, in the order they were made, or none. The job's decision is durable before.

        `checkpoint` is called before each; it must not raise, because a stop now comes too late.

        Raises OUTPUT_EXISTS, NO_SPACE, IO_ERROR, OUTPUT_DIRECTORY_MISSING where the directory was moved away meanwhile: then
        nothing is published. Raises `PublishingStuckError` where some could not be taken back.
        """
        self._require_in_place()
        self._publisher(checkpoint).publish([staged.name for staged in self._files])

    def resume(self, outputs: Sequence[Recorded], checkpoint: Callable[[], object]) -> None:
        """Finish the publishing of an earlier process from its commit record. See `Publisher`, and `Publisher.resume`."""
        self._publisher(checkpoint).resume(outputs)

    def remove(self) -> None:
        """Remove the folder and all in it, durably. Raises IO_ERROR, also for anything in it that the worker does not make."""
        self._close_files()
        empty_folder(self._fd, self.path)
        self._close_folder()
        try:
            os.rmdir(path_bytes(self.name), dir_fd=self._output)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise classify_os_error(error, "remove", path_bytes(self.path)) from error
        sync_output(self._output, self._directory_path)

    def close(self) -> None:
        """Let go of every file and of the folder."""
        self._close_files()
        self._close_folder()

    def _make_durable(self) -> None:
        """Once, before the first output: the decision that names these files must not outlive the folder they are in."""
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
    """Make the folder `name`, for the worker's user alone. Raises OUTPUT_DIRECTORY_NOT_WRITABLE, NO_SPACE, IO_ERROR."""
    try:
        os.mkdir(path_bytes(name), 0o700, dir_fd=output)
    except OSError as error:
        raise directory_error(error, path) from error


def remove_staging(output: int, path: str, name: bytes) -> bool:
    """Remove the staging folder `name` with the files in it. Returns False where there is no folder of that name.

    A symlink of that name is not a folder, and is never followed. Not durable by itself. Raises IO_ERROR.
    """
    shown = path_bytes(f"{path.rstrip('/')}/") + name
    try:
        folder = os.open(name, _FOLDER_FLAGS, dir_fd=output)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
            return False
        raise classify_os_error(error, "open", shown) from error
    try:
        empty_folder(folder, shown.decode("utf-8", "surrogateescape"))
    finally:
        os.close(folder)
    try:
        os.rmdir(name, dir_fd=output)
    except OSError as error:
        raise classify_os_error(error, "remove", shown) from error
    return True


def empty_folder(folder: int, path: str) -> None:
    """Unlink every entry of the staging folder that is open as `folder`. Staging is flat: a folder in it is someone else's."""
    try:
        for entry in os.listdir(folder):
            if stat.S_ISDIR(os.stat(entry, dir_fd=folder, follow_symlinks=False).st_mode):
                raise ProxxError(
                    ErrorCode.IO_ERROR,
                    f"staging must hold nothing but the worker's own files: {path} has a folder in it. Remove {path} by hand.",
                    path=path,
                )
            os.unlink(entry, dir_fd=folder)
    except OSError as error:
        raise classify_os_error(error, "empty", path_bytes(path)) from error
