"""`cancel`, `hold`, `release`, `resubmit`: requests and specs dropped into an inbox."""

import argparse
import os
import sys
from pathlib import Path

from proxx_worker.cli.console import fail, say, say_path
from proxx_worker.cli.explain import no_such_code
from proxx_worker.contract.candidates import SPEC_SUFFIX, display_name, is_job_stem
from proxx_worker.contract.errors import EXIT_OK, ErrorCode, ProxxError
from proxx_worker.contract.text import visible
from proxx_worker.desk import drops
from proxx_worker.desk.again import OtherJobs, mark_resubmittable
from proxx_worker.desk.again import resubmit as drop_again
from proxx_worker.desk.cancel import NoSuchJobError, target_of
from proxx_worker.desk.cancel import cancel as ask_to_cancel
from proxx_worker.desk.folders import read_jobs, read_summary, stems_in
from proxx_worker.desk.jobs import JobState, JobSummary
from proxx_worker.desk.names import AmbiguousNameError, stem_shown_as
from proxx_worker.workspace.entries import exists, files_in
from proxx_worker.workspace.layout import Workspace


def cancel(arguments: argparse.Namespace) -> int:
    """Request that jobs are cancelled. Exit code 64, and no request, if one of the names is not a waiting or running job."""
    workspace = Workspace(Path(arguments.workspace))
    try:
        workspace.require()
        targets = [target_of(workspace, os.fsencode(name)) for name in dict.fromkeys(arguments.names)]
        for path in ask_to_cancel(workspace, targets):
            say_path(path)
    except NoSuchJobError as error:
        return fail(f"{error}; nothing was cancelled")
    except ProxxError as fault:
        return fail(fault.error.message, fault.code)
    return EXIT_OK


def hold(arguments: argparse.Namespace) -> int:
    """Hold the workspace; repeating it changes nothing."""
    return _switch(arguments, hold=True)


def release(arguments: argparse.Namespace) -> int:
    """Release the workspace; repeating it changes nothing."""
    return _switch(arguments, hold=False)


def _switch(arguments: argparse.Namespace, *, hold: bool) -> int:
    workspace = Workspace(Path(arguments.workspace))
    try:
        workspace.require()
        changed = drops.hold(workspace) if hold else drops.release(workspace)
    except ProxxError as fault:
        return fail(fault.error.message, fault.code)
    if hold:
        say("held: nothing is claimed until it is released" if changed else "it is already held")
    else:
        say("released" if changed else "it is not held")
    return EXIT_OK


def resubmit(arguments: argparse.Namespace) -> int:
    """Submit failed jobs' specs again. Exit code 64 for a name that no failed job has: then nothing is submitted."""
    if arguments.code is None and not arguments.names:
        return fail("name the jobs to submit again, or a code with --code")
    if arguments.code is not None and arguments.names:
        return fail("a name and --code exclude each other: leave out --code for these jobs, or the names for all of that code")
    if arguments.code is not None and arguments.code not in {it.value for it in ErrorCode}:
        return fail(no_such_code(arguments.code))
    workspace = Workspace(Path(arguments.workspace))
    try:
        workspace.require()
        jobs, left = (
            _of_code(workspace, arguments.code) if arguments.code is not None else (_named(workspace, arguments.names), 0)
        )
        done = drop_again(workspace, jobs)
    except NoSuchJobError as error:
        return fail(f"{error}; nothing was submitted")
    except ProxxError as fault:
        return fail(fault.error.message, fault.code)
    for path in done.made:
        say_path(path)
    for job in done.skipped:
        sys.stderr.write(f"{visible(job.name)} was skipped: its spec is already waiting or running\n")
    if not jobs and not left:
        sys.stderr.write(f"no failed job has the code {arguments.code}\n")
    if left:
        sys.stderr.write(f"{left} with this code were left alone: done since, under way, or bound to end the same way\n")
    return EXIT_OK


def _of_code(workspace: Workspace, code: str) -> tuple[list[JobSummary], int]:
    """The failed jobs of a code that can end differently now, and how many others there are."""
    failed = list(read_jobs(workspace, JobState.FAILED))
    of_code = [job for job in mark_resubmittable(failed, OtherJobs.of(workspace)) if job.code == code]
    wanted = [job for job in of_code if job.resubmittable]
    return wanted, len(of_code) - len(wanted)


def _named(workspace: Workspace, names: list[str]) -> list[JobSummary]:
    return [_failed(workspace, os.fsencode(name)) for name in dict.fromkeys(names)]


def _failed(workspace: Workspace, name: bytes) -> JobSummary:
    for stem in dict.fromkeys((name, name.removesuffix(SPEC_SUFFIX))):
        if is_job_stem(stem) and exists(files_in(workspace.failed, stem).spec):
            return read_summary(workspace, JobState.FAILED, stem) or JobSummary(stem, JobState.FAILED)
    try:
        shown = stem_shown_as(name, stems_in(workspace, JobState.FAILED))
    except AmbiguousNameError as error:
        raise NoSuchJobError(str(error)) from None
    if shown is not None:
        return read_summary(workspace, JobState.FAILED, shown) or JobSummary(shown, JobState.FAILED)
    raise NoSuchJobError(f"no job called {display_name(name)} is in failed/; `proxx-worker list --failed WORKSPACE` lists them")
