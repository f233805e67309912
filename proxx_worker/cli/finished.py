"""The results that a command works on: files, or all those of a workspace."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from proxx_worker.cli.console import UsageError, reason_of
from proxx_worker.contract.candidates import display_name, is_spec_name
from proxx_worker.contract.finished import FinishedJob, FinishedTask, read_finished
from proxx_worker.contract.text import visible
from proxx_worker.feeding.gathering import MANIFEST_NAME, Move, read_manifest
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


@dataclass(frozen=True, slots=True)
class Found:
    """The results that were named. `workspace`: whose results they are; None for files. `files`: all that were read.

    `without_result`: specs of a workspace's finished jobs whose results are gone, which would be left out without a word.
    """

    results: list[FoundResult]
    workspace: str | None
    files: tuple[Path, ...]
    without_result: tuple[Path, ...] = ()

    def tell_left_out(self) -> None:
        """Say on stderr which finished jobs are not among the results."""
        for spec in self.without_result:
            sys.stderr.write(f"left out: there is no result beside {visible(display_name(os.fsencode(spec)))}\n")


def results_of(arguments: Sequence[str]) -> Found:
    """The results in files or in a workspace; outputs that a `gathered.json` among the arguments lists are where it says.

    Raises `UsageError` for anything else, and for what cannot be read.
    """
    manifests = [Path(argument) for argument in arguments if Path(argument).name == MANIFEST_NAME]
    named = [argument for argument in arguments if Path(argument).name != MANIFEST_NAME]
    if not named:
        raise UsageError(f"{MANIFEST_NAME} says where outputs are now, but not what they are: name their results, too")
    moves = {move.source: move for path in manifests for move in _moves(path)}
    folders = [argument for argument in named if os.path.isdir(argument)]  # noqa: PTH112 - one that cannot be seen is a file
    if folders and len(named) > 1:
        raise UsageError(f"{display_name(os.fsencode(folders[0]))} is a folder: name one workspace alone, or only result files")
    workspace = folders[0] if folders else None
    paths, without = ([Path(argument) for argument in named], []) if workspace is None else _in_workspace(workspace)
    results, faults = [], []
    for path in paths:
        try:
            results.append(FoundResult(path, _where_they_are(_read(path), moves)))
        except (OSError, ValueError) as error:
            faults.append(_fault(path, error))
    if faults:
        more = f"; and {len(faults) - _FAULTS_TOLD} more" if len(faults) > _FAULTS_TOLD else ""
        remedy = _OF_FILES if workspace is None else _OF_A_WORKSPACE
        raise UsageError(f"{'; '.join(faults[:_FAULTS_TOLD])}{more}; {remedy}")
    return Found(results, workspace, (*paths, *manifests), tuple(without))


def _moves(path: Path) -> tuple[Move, ...]:
    try:
        return read_manifest(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{display_name(os.fsencode(path))} cannot be read: {reason_of(error)}; name what `gather` wrote"
        ) from error


def _where_they_are(job: FinishedJob, moves: Mapping[str, Move]) -> FinishedJob:
    """The result as if its job had written to the folder that its outputs were gathered into."""
    return job.model_copy(update={"tasks": tuple(_where_it_is(task, moves.get(task.output_file or "")) for task in job.tasks)})


def _where_it_is(task: FinishedTask, move: Move | None) -> FinishedTask:
    if move is None or move.sha256 != task.output_sha256:
        return task
    return task.model_copy(update={"output": move.target, "output_path": None})


def _in_workspace(path: str) -> tuple[list[Path], list[Path]]:
    """The results in both outboxes, and the specs that have none."""
    workspace = Workspace(Path(path))
    found: list[Path] = []
    without: list[Path] = []
    for outbox in (workspace.done, workspace.failed):
        directory = Path(os.fsdecode(outbox))
        try:
            entries = sorted(directory.iterdir())
        except FileNotFoundError as error:
            raise UsageError(
                f"{display_name(os.fsencode(path))} is not a workspace: it has no {directory.name}/; name one that a worker has "
                "used, or result files (NAME.result.json)"
            ) from error
        except OSError as error:
            raise UsageError(
                f"{display_name(outbox)} cannot be listed: {reason_of(error)}; give your user read permission on it"
            ) from error
        results = {entry.name.removesuffix(_SUFFIX): entry for entry in entries if entry.name.endswith(_SUFFIX)}
        found += results.values()
        without += [
            entry
            for entry in entries
            if is_spec_name(os.fsencode(entry.name)) and entry.name.removesuffix(".json") not in results
        ]
    return found, without


def _read(path: Path) -> FinishedJob:
    return read_finished(path.read_bytes())


def _fault(path: Path, error: OSError | ValueError) -> str:
    shown = display_name(os.fsencode(path))
    if isinstance(error, OSError):
        return f"the result {shown} cannot be read: {reason_of(error)}"
    return f"{shown} is not a result of this worker: {error}"


_FAULTS_TOLD = 10
_OF_FILES = "name a NAME.result.json from done/ or failed/, or the workspace"
_OF_A_WORKSPACE = "move it out of the workspace, or name the other results (NAME.result.json) instead of the workspace"


def require_not_read(option: str, path: str, files: Sequence[Path]) -> None:
    """Raise `UsageError` if what is to be written there is one of the files that are read."""
    for file in files:
        if Path(path).exists() and file.samefile(path):
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
