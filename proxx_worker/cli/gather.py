"""`gather`: the outputs of jobs that each ran in its own folder, moved into one folder."""

import argparse
import os
import sys
from pathlib import Path

from proxx_worker.cli.console import fail, reason_of
from proxx_worker.cli.paths import absolute
from proxx_worker.contract.candidates import display_name
from proxx_worker.contract.errors import EXIT_USAGE, ErrorCode, ProxxError, exit_code
from proxx_worker.contract.text import has_lone_surrogate, visible
from proxx_worker.feeding.gather import gather as move_all
from proxx_worker.feeding.gathering import ReadResult, read_result


def gather(arguments: argparse.Namespace) -> int:
    """Move the outputs of COMPLETED results. Exit code: the class of what forbids it, else the highest class of FAILED results.

    64 for a file that is not a result: then nothing is moved.
    """
    into = absolute(arguments.into)
    if has_lone_surrogate(into):
        return fail(
            f"--into {display_name(os.fsencode(arguments.into))} is not UTF-8, and gathered.json cannot carry it; rename it"
        )
    results: list[tuple[str, ReadResult]] = []
    unreadable = 0
    for path in dict.fromkeys(arguments.results):
        shown = display_name(os.fsencode(path))
        try:
            results.append((shown, read_result(Path(path).read_bytes())))
        except (OSError, ValueError) as error:
            unreadable = fail(f"the result {shown} cannot be read: {reason_of(error)}; nothing was moved. Name complete results")
    if unreadable:
        return EXIT_USAGE
    try:
        gathered = move_all([output for _, result in results for output in result.outputs], into)
    except ProxxError as fault:
        return fail(fault.error.message, fault.code)
    for move in gathered.moved:
        sys.stdout.write(f"{visible(move.target)}\n")
    codes: list[ErrorCode] = []
    for shown, result in results:
        if result.failure is not None:
            code, message = result.failure
            codes.append(code)
            fail(f"{shown} FAILED, so it has nothing to gather: {message}", code)
    sys.stderr.write(f"{len(gathered.moved)} moved, {gathered.in_place} in place already, {len(codes)} failed\n")
    return exit_code(codes)
