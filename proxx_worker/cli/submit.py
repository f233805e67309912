"""`submit`: a durable, atomic drop into a workspace's inbox."""

import argparse
from pathlib import Path

from proxx_worker.cli.console import fail, say_path
from proxx_worker.cli.interrupts import interrupt_on_stops
from proxx_worker.contract.errors import EXIT_USAGE, ErrorCode, ProxxError
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.submit import submit as drop


def submit(arguments: argparse.Namespace) -> int:
    """Drop each spec, print the path that was made. Exit code 64 for a name or a file that cannot be dropped."""
    interrupt_on_stops()
    workspace = Workspace(Path(arguments.workspace))
    try:
        for jobspec in arguments.jobspecs:
            say_path(drop(workspace, Path(jobspec)))
    except ProxxError as fault:
        code = fail(fault.error.message, fault.code)
        return EXIT_USAGE if fault.code is ErrorCode.SPEC_INVALID else code
    return 0
