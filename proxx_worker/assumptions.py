"""What the worker assumes about its environment, as one list. `check` shows it; unless all of it holds, `watch` claims nothing.

Every assumption is judged separately. The test that a rename is one step and never overwrites has to write, so only `watch`
runs it, under the lock: see `Workspace.prepare`.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.engines.resolve.lock import holder_of
from proxx_worker.engines.resolve.paths import ScriptingPaths
from proxx_worker.engines.tools import locate_tool
from proxx_worker.files.places import NoPlaceError, require_place
from proxx_worker.process.sandbox import Sandbox
from proxx_worker.process.stop import StopSignal
from proxx_worker.process.trial import try_confined, try_start
from proxx_worker.rights import describe_rights
from proxx_worker.settings import Settings
from proxx_worker.workspace.assumptions import Assumption, assumptions_of, evaluate
from proxx_worker.workspace.layout import Workspace


def all_assumptions(
    settings: Settings, path: str | None, workspace: Workspace | None, sandbox: Sandbox | None, stop: StopSignal
) -> Iterator[Assumption]:
    """Tools, what confines them (None: nothing does), roots, and those on `workspace` where one is given. Changes nothing.

    `path`: the value of `PATH`. Raises `StopRequestedError` where a tool that is tried would have to be waited for.
    """
    yield evaluate("ffmpeg", lambda: locate_tool("ffmpeg", settings.ffmpeg, path))
    yield evaluate("ffprobe", lambda: locate_tool("ffprobe", settings.ffprobe, path))
    if sandbox is None:
        confines = Assumption("sandbox", _OFF)
        yield confines
        yield evaluate("setpriv", lambda: try_start(stop), "not needed on this system")
    else:
        confines = evaluate("sandbox", lambda: _require_sandbox(sandbox, settings, path, stop))
        yield confines
    if settings.encoder_memory_bytes is not None:
        yield evaluate("encoder_memory_bytes", _require_limits, f"FFmpeg may use {settings.encoder_memory_bytes} bytes")
    for entry in settings.path_map:
        yield evaluate("path_map", partial(_require_root, entry.to, "path_map"), f"{entry.to} is a folder (for {entry.prefix})")
    for setting, roots in (("source_roots", settings.source_roots), ("output_roots", settings.output_roots)):
        for root in roots or ():
            yield evaluate(setting, partial(_require_root, root, setting), f"{root} is a folder")
    if confines.ok and (settings.source_roots is not None or settings.output_roots is not None):
        yield evaluate("own rights", partial(describe_rights, settings))
    paths = ScriptingPaths.of(settings.resolve_script_api, settings.resolve_script_lib, settings.resolve_executable)
    yield evaluate("resolve", lambda: _resolve(paths))
    if settings.metrics_file is not None:
        metrics_file = Path(settings.metrics_file)
        yield evaluate("metrics_file", lambda: _require_place(metrics_file), f"{metrics_file} can be written")
    if workspace is not None:
        yield from assumptions_of(workspace)


_OFF = "off: a clip that takes over FFmpeg has all the rights of this user"


def _require_sandbox(sandbox: Sandbox, settings: Settings, path: str | None, stop: StopSignal) -> str:
    described = sandbox.require(stop)
    started = []
    with suppress(ProxxError):  # a missing tool is an assumption of its own
        started.append(locate_tool("ffmpeg", settings.ffmpeg, path))
    with suppress(ProxxError):
        started.append(locate_tool("ffprobe", settings.ffprobe, path))
    for program in started:
        try_confined(sandbox, program, settings.encoder_memory_bytes, stop)
    return described


def _require_limits() -> None:
    if sys.platform != "linux":
        message = "this system cannot limit a process's memory; leave encoder_memory_bytes out"
        raise ProxxError(ErrorCode.IO_ERROR, message)


def require_all(assumptions: Iterable[Assumption]) -> None:
    """Raise the error of the first that is violated."""
    for assumption in assumptions:
        if assumption.error is not None:
            raise ProxxError.of(assumption.error)


def _resolve(paths: ScriptingPaths) -> str:
    """What holds of DaVinci Resolve. A worker that is not meant to have one violates nothing. Nothing is started."""
    if paths.absent:
        return f"none is set up (no {paths.lib}), so camera RAW is refused; docs/resolve.md says how to set it up"
    paths.require()
    how = "a running Resolve is used" if paths.executable is None else f"{paths.executable} is started for each job"
    holder = holder_of(os.stat(paths.lib).st_ino)  # noqa: PTH116 - a path as it is configured
    used = "" if holder is None else f"; process {holder} is using it"
    return f"scripting at {paths.lib}; {how}{used}"


def _require_root(root: str, setting: str) -> None:
    if not os.path.isdir(root):  # noqa: PTH112 - one that may not be seen is none
        message = f"{root} is not a folder, so nothing can lie inside it; mount it, or correct {setting}"
        raise ProxxError(ErrorCode.IO_ERROR, message, path=root, setting=setting)


def _require_place(path: Path) -> None:
    try:
        require_place(path)
    except NoPlaceError as error:
        message = f"metrics_file {path} cannot be written: {error}; put that right, or correct the setting"
        raise ProxxError(ErrorCode.IO_ERROR, message, path=str(path)) from error
