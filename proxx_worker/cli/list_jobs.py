"""`list`: a workspace's jobs by state; failed ones by code, each with its reason, each code with what to do."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from proxx_worker.cli.console import fail, say
from proxx_worker.cli.explain import no_such_code
from proxx_worker.contract.errors import EXIT_OK, ErrorCode, ProxxError
from proxx_worker.desk.again import OtherJobs, mark_resubmittable
from proxx_worker.desk.documents import list_document
from proxx_worker.desk.folders import read_jobs, stems_in
from proxx_worker.desk.jobs import JobState, JobSummary
from proxx_worker.desk.remedies import remedy_of
from proxx_worker.desk.selection import Selection, by_code, since_of
from proxx_worker.workspace.layout import Workspace


def list_jobs(arguments: argparse.Namespace) -> int:
    """Print the jobs. Exit code 0, also if there are none; 4 if the workspace cannot be read."""
    try:
        since = None if arguments.since is None else since_of(arguments.since, datetime.now(UTC))
    except (ValueError, OverflowError):
        return fail(
            f"--since takes a time such as 2026-01-31T18:00:00Z or 2026-01-31, or an age such as 2h or 3d, not {arguments.since}"
        )
    if arguments.code is not None and arguments.code not in {it.value for it in ErrorCode}:
        return fail(no_such_code(arguments.code))
    workspace = Workspace(Path(arguments.workspace))
    selection = Selection(_states(arguments), arguments.code, since, resubmittable=arguments.resubmittable)
    try:
        workspace.require()
        counts = {state: len(stems_in(workspace, state)) for state in JobState}
        jobs = _selected(workspace, selection, mark=arguments.resubmittable or arguments.json)
    except ProxxError as fault:
        return fail(fault.error.message, fault.code)
    if arguments.json:
        sys.stdout.buffer.write(list_document(workspace.name, counts, jobs))
    else:
        for line in _lines(counts, jobs):
            say(line)
    return EXIT_OK


def _states(arguments: argparse.Namespace) -> frozenset[JobState]:
    named = {state for state in JobState if getattr(arguments, state.value, False)}
    if not named and (arguments.code is not None or arguments.resubmittable):
        named = {JobState.FAILED}
    return frozenset(named or JobState)


def _selected(workspace: Workspace, selection: Selection, *, mark: bool) -> list[JobSummary]:
    jobs = list(read_jobs(workspace, *selection.read_states()))
    if mark and JobState.FAILED in selection.read_states():
        failed = mark_resubmittable((job for job in jobs if job.state is JobState.FAILED), OtherJobs.of(workspace))
        marked = {job.stem: job for job in failed}
        jobs = [marked.get(job.stem, job) if job.state is JobState.FAILED else job for job in jobs]
    return [job for job in jobs if selection.wants(job)]


def _lines(counts: Mapping[JobState, int], jobs: list[JobSummary]) -> Iterator[str]:
    yield ", ".join(f"{counts[state]} {state.value}" for state in JobState)
    for state in JobState:
        listed = [job for job in jobs if job.state is state]
        if not listed:
            continue
        yield ""
        yield f"{state.value}:"
        if state is JobState.FAILED:
            yield from _failed_lines(listed)
        else:
            yield from (f"  {job.name}{_facts(job)}" for job in listed)


def _failed_lines(failed: list[JobSummary]) -> Iterator[str]:
    for code, jobs in by_code(failed):
        yield f"  {code} ({len(jobs)}): {remedy_of(code).action}"
        for job in jobs:
            yield f"    {job.name}{_facts(job)}"
            yield f"      {job.message or job.unreadable}"


def _facts(job: JobSummary) -> str:
    """When it ended, and how long it took; nothing for one that has not ended."""
    if job.finished_at is None or job.duration_seconds is None:
        return ""
    wanted = f"  {job.wanted}" if job.wanted else ""
    return f"{wanted}  {job.finished_at}  {job.duration_seconds:.1f} s"
