"""`check`: one line for each assumption about the environment, ok or violated, with what to do."""

import argparse
import os
from contextlib import closing
from pathlib import Path

from proxx_worker.assumptions import all_assumptions
from proxx_worker.cli.console import UsageError, fail, say
from proxx_worker.cli.wiring import sandbox_of, settings_from
from proxx_worker.contract.candidates import display_name, is_stray_name, stem_too_long, strays_text
from proxx_worker.contract.errors import EXIT_OK, ErrorClass
from proxx_worker.process.stop import StopFlag
from proxx_worker.workspace.layout import Workspace


def check(arguments: argparse.Namespace) -> int:
    """Print a line per assumption on stdout. Exit code 0 when all hold, 4 when one is violated."""
    try:
        settings = settings_from(arguments)
    except UsageError as error:
        return fail(str(error))
    workspace = None if arguments.workspace is None else Workspace(Path(arguments.workspace))
    violated = False
    with closing(StopFlag()) as never:  # a signal ends this command by itself
        for assumption in all_assumptions(settings, os.environ.get("PATH"), workspace, sandbox_of(settings), never):
            if assumption.error is None:
                say(f"ok        {assumption.name}: {assumption.held}")
            else:
                say(f"VIOLATED  {assumption.name}: {assumption.error.code}: {assumption.error.message}")
                violated = True
    names = _inbox_names(workspace)
    for name in sorted(filter(stem_too_long, names)):
        shown = display_name(name)
        say(f"note      {shown} in the inbox is left alone: a JobSpec's name has at most 235 bytes before .json; rename it")
    if strays := list(filter(is_stray_name, names)):
        say(f"note      in the inbox {strays_text(strays)}")
    return int(ErrorClass.ENVIRONMENT) if violated else EXIT_OK


def _inbox_names(workspace: Workspace | None) -> list[bytes]:
    """Names in the inbox. Those that are not jobs violate no assumption, but someone may be waiting for them."""
    if workspace is None:
        return []
    try:
        return os.listdir(workspace.inbox)  # noqa: PTH208 - names as bytes, which pathlib has not
    except OSError:
        return []  # reported above as a violated assumption, or not created yet
