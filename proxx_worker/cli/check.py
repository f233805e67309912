"""`check`: every assumption about the environment, one line each, true or violated, with what to do."""

import argparse
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from proxx_worker.cli.console import UsageError, fail, say
from proxx_worker.cli.wiring import settings_from
from proxx_worker.contract.candidates import display_name, stem_too_long
from proxx_worker.contract.errors import EXIT_OK, ErrorClass, ErrorCode, ProxxError
from proxx_worker.engines.tools import locate_setpriv, locate_tool
from proxx_worker.settings import Settings
from proxx_worker.workspace.assumptions import Assumption, assumptions_of
from proxx_worker.workspace.layout import Workspace


def check(arguments: argparse.Namespace) -> int:
    """Print a line per assumption on stdout. Exit code 0 when all hold, 4 when one is violated."""
    try:
        settings = settings_from(arguments)
    except UsageError as error:
        return fail(str(error))
    violated = False
    for assumption in _assumptions(settings, arguments.workspace):
        word = "ok      " if assumption.ok else "VIOLATED"
        code = "" if assumption.code is None else f"{assumption.code}: "
        say(f"{word}  {assumption.name}: {code}{assumption.message}")
        violated = violated or not assumption.ok
    for name in _left_alone(arguments.workspace):
        say(f"note      {name} in the inbox is left alone: a JobSpec's name has at most 235 bytes before .json; rename it")
    return int(ErrorClass.ENVIRONMENT) if violated else EXIT_OK


def _assumptions(settings: Settings, workspace: str | None) -> Iterator[Assumption]:
    path = os.environ.get("PATH")
    yield _tool("ffmpeg", lambda: locate_tool("ffmpeg", settings.ffmpeg, path))
    yield _tool("ffprobe", lambda: locate_tool("ffprobe", settings.ffprobe, path))
    yield _tool("setpriv", lambda: locate_setpriv() or "not needed on this system")
    yield from _roots("source_roots", settings.source_roots)
    yield from _roots("output_roots", settings.output_roots)
    if workspace is not None:
        yield from assumptions_of(Workspace(Path(workspace)))


def _left_alone(workspace: str | None) -> list[str]:
    """Names in the inbox that only their length keeps from being jobs: nothing is violated, but somebody waits for them."""
    if workspace is None:
        return []
    try:
        names = os.listdir(Workspace(Path(workspace)).inbox)  # noqa: PTH208 - names as bytes, which pathlib has not
    except OSError:
        return []  # said above, as a violated assumption, or not there yet
    return [display_name(name) for name in sorted(names) if stem_too_long(name)]


def _tool(name: str, locate: Callable[[], str]) -> Assumption:
    try:
        return Assumption(name, ok=True, message=locate())
    except ProxxError as fault:
        return Assumption(name, ok=False, message=fault.error.message, code=fault.code)


def _roots(setting: str, roots: tuple[str, ...] | None) -> Iterator[Assumption]:
    for root in roots or ():
        if Path(root).is_dir():
            yield Assumption(setting, ok=True, message=f"{root} is a folder")
        else:
            message = f"{root} is not a folder, so nothing can lie inside it; mount it, or correct {setting}"
            yield Assumption(setting, ok=False, message=message, code=ErrorCode.IO_ERROR)
