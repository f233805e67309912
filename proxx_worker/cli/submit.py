"""`submit`: a durable, atomic drop into a workspace's inbox."""

import argparse
import os
import sys
from pathlib import Path

from proxx_worker.cli.wiring import fail
from proxx_worker.contract.errors import EXIT_USAGE, ErrorCode, ProxxError
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.submit import submit as drop


def submit(arguments: argparse.Namespace) -> int:
    """Drop each spec, print the path that was made. Exit code 64 for a name or a file that cannot be dropped."""
    workspace = Workspace(Path(arguments.workspace))
    try:
        for jobspec in arguments.jobspecs:
            made = drop(workspace, Path(jobspec))
            sys.stdout.buffer.write(os.fsencode(made) + b"\n")
            sys.stdout.buffer.flush()
    except ProxxError as fault:
        code = fail(fault.error.message, fault.code)
        return EXIT_USAGE if fault.code is ErrorCode.SPEC_INVALID else code
    return 0
