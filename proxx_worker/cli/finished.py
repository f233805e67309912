"""The results that a command works on: files, or all those of a workspace."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from proxx_worker.cli.console import UsageError, reason_of
from proxx_worker.contract.candidates import display_name
from proxx_worker.contract.finished import FinishedJob, read_finished
from proxx_worker.workspace.layout import Workspace

_SUFFIX = ".result.json"
_LOG_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class FoundResult:
    """A result and the file that it was read from."""

    path: Path
    job: FinishedJob

    def log(self) -> str | None:
        """The end of the job's log, which a worker leaves beside the result; None without one."""
        if not self.path.name.endswith(_SUFFIX):
            return None
        try:
            with self.path.with_name(self.path.name.removesuffix(_SUFFIX) + ".log").open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _LOG_BYTES))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return None


def results_of(arguments: Sequence[str]) -> tuple[list[FoundResult], bool]:
    """The results, and whether they are a workspace's. Raises `UsageError` if it is neither, or cannot be read."""
    folders = [argument for argument in arguments if Path(argument).is_dir()]
    if folders and len(arguments) > 1:
        raise UsageError(f"{display_name(os.fsencode(folders[0]))} is a folder: name one workspace alone, or only result files")
    folder = bool(folders)
    paths = _in_workspace(arguments[0]) if folder else [Path(argument) for argument in arguments]
    return [FoundResult(path, _read(path)) for path in paths], folder


def _in_workspace(path: str) -> list[Path]:
    workspace = Workspace(Path(path))
    found: list[Path] = []
    for outbox in (workspace.done, workspace.failed):
        directory = Path(os.fsdecode(outbox))
        try:
            found += sorted(entry for entry in directory.iterdir() if entry.name.endswith(_SUFFIX))
        except FileNotFoundError as error:
            raise UsageError(
                f"{display_name(os.fsencode(path))} is not a workspace: it has no {directory.name}/; name one that a worker has "
                "used, or result files (NAME.result.json)"
            ) from error
        except OSError as error:
            raise UsageError(
                f"{display_name(outbox)} cannot be listed: {reason_of(error)}; give your user read permission on it"
            ) from error
    return found


def _read(path: Path) -> FinishedJob:
    shown = display_name(os.fsencode(path))
    try:
        return read_finished(path.read_bytes())
    except OSError as error:
        raise UsageError(f"the result {shown} cannot be read: {reason_of(error)}; name a readable result file") from error
    except ValueError as error:
        raise UsageError(
            f"{shown} is not a result of this worker: {error}; name a NAME.result.json from done/ or failed/, or the workspace"
        ) from error


def require_not_read(option: str, path: str, results: Sequence[FoundResult]) -> None:
    """Raise `UsageError` if what is to be written there is one of the results that are read."""
    for result in results:
        if Path(path).exists() and result.path.samefile(path):
            raise UsageError(f"{option} {path} is one of the results being read; name another file")


def require_extra(extra: str, *modules: str) -> None:
    """Raise `UsageError`, naming the extra, if one of its libraries is not installed."""
    for module in modules:
        try:
            import_module(module)
        except ModuleNotFoundError as error:
            raise UsageError(
                f"this command needs {error.name}, which is not installed; install the extra: pip install 'proxx-worker[{extra}]'"
            ) from error


def require_writable(option: str, path: str) -> None:
    """Raise `UsageError` if a file cannot be written there: found before the work, not after it."""
    folder = Path(path).absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK) or Path(path).is_dir():
        raise UsageError(f"{option} {path} cannot be written: its folder must exist and be writable")
