"""All that the worker assumes of its environment: one list, which `check` shows and without which `watch` claims nothing.

Every assumption is judged by itself. The proof by trial (that a rename is one step and never overwrites) writes, so `watch` alone
makes it, under the lock: see `Workspace.prepare`.
"""

import os
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.engines.tools import locate_tool
from proxx_worker.process.trial import try_start
from proxx_worker.settings import Settings
from proxx_worker.workspace.assumptions import Assumption, assumptions_of, judged
from proxx_worker.workspace.layout import Workspace


def all_assumptions(settings: Settings, path: str | None, workspace: Workspace | None) -> Iterator[Assumption]:
    """Tools, roots, and those on `workspace` where one is given. `path`: the value of `PATH`. Changes nothing."""
    yield judged("ffmpeg", lambda: locate_tool("ffmpeg", settings.ffmpeg, path))
    yield judged("ffprobe", lambda: locate_tool("ffprobe", settings.ffprobe, path))
    yield judged("setpriv", try_start, "not needed on this system")
    for entry in settings.path_map:
        yield judged("path_map", partial(_require_root, entry.to, "path_map"), f"{entry.to} is a folder (for {entry.prefix})")
    for setting, roots in (("source_roots", settings.source_roots), ("output_roots", settings.output_roots)):
        for root in roots or ():
            yield judged(setting, partial(_require_root, root, setting), f"{root} is a folder")
    if settings.metrics_file is not None:
        metrics_file = Path(settings.metrics_file)
        yield judged("metrics_file", lambda: _require_place(metrics_file), f"{metrics_file} can be written")
    if workspace is not None:
        yield from assumptions_of(workspace)


def require_all(assumptions: Iterable[Assumption]) -> None:
    """Raise the error of the first that is violated."""
    for assumption in assumptions:
        if assumption.error is not None:
            raise ProxxError.of(assumption.error)


def _require_root(root: str, setting: str) -> None:
    if not Path(root).is_dir():
        message = f"{root} is not a folder, so nothing can lie inside it; mount it, or correct {setting}"
        raise ProxxError(ErrorCode.IO_ERROR, message, path=root, setting=setting)


def _require_place(path: Path) -> None:
    folder = path.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK) or path.is_dir():
        message = f"metrics_file {path} cannot be written: its folder must exist and be writable; make it, or correct the setting"
        raise ProxxError(ErrorCode.IO_ERROR, message, path=str(path))
