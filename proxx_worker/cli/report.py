"""`report`: compares source and proxy of finished jobs, as an HTML page and as figures."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from proxx_worker import __version__
from proxx_worker.cli.console import UsageError, fail, say, terminal_is_dumb
from proxx_worker.cli.finished import Found, require_extra, require_not_read, results_of
from proxx_worker.cli.paths import require_writable
from proxx_worker.cli.signals import Signals
from proxx_worker.cli.wiring import sandbox_of, settings_from, tools_of
from proxx_worker.contract.errors import ErrorClass, ErrorCode, ProxxError
from proxx_worker.contract.text import visible
from proxx_worker.files.errnos import classify_os_error
from proxx_worker.files.places import write_output
from proxx_worker.report.document import ExaminedJob, document_of, encode_document
from proxx_worker.report.examine import ExaminedTask, Examiner, examine, frame_images
from proxx_worker.report.finding import Verdict
from proxx_worker.report.gate import missed_limit
from proxx_worker.report.progress import progress_on
from proxx_worker.settings import Settings

if TYPE_CHECKING:
    from proxx_worker.report.pictures import ShownFrame

_PAGE_PICTURES = 6_000_000
"""Bytes of images in a page on a whole workspace: with base64, 8 of the 10 MB that such a page may have."""

_WORST_TASKS = 10


def report(arguments: argparse.Namespace) -> int:
    """Write the page, and the figures where asked for. Exit code 2 for a `fail` or a missed limit, 130/143 when stopped."""
    signals = Signals()
    signals.install()
    try:
        require_extra("report", "jinja2")
        require_writable("--html", arguments.html)
        if arguments.json is not None:
            require_writable("--json", arguments.json)
        settings = settings_from(arguments)
        found = results_of(arguments.results)
        _require_own_files(arguments, found)
    except UsageError as error:
        return fail(str(error))
    try:
        jobs = _examine(arguments, settings, found, signals)
    except ProxxError as fault:
        if fault.code is ErrorCode.INTERRUPTED and signals.exit_code is not None:
            sys.stderr.write("proxx-worker: stopped; nothing was written\n")
            return signals.exit_code
        return fail(fault.error.message, fault.code)
    for job in jobs:
        for task in job.tasks:
            _tell(job, task)
    found.tell_left_out()
    missed = missed_limit(jobs, arguments.fail_below)
    for line in missed:
        sys.stderr.write(f"missed limit: {visible(line)}\n")
    failed = any(task.verdict is Verdict.FAIL for job in jobs for task in job.tasks)
    return int(ErrorClass.EXECUTION) if failed or missed else 0


def _require_own_files(arguments: argparse.Namespace, found: Found) -> None:
    """Raise `UsageError` if one of the two files is a result, or the other one."""
    require_not_read("--html", arguments.html, found.files)
    if arguments.json is None:
        return
    require_not_read("--json", arguments.json, found.files)
    if os.path.realpath(arguments.json) == os.path.realpath(arguments.html):
        raise UsageError(f"--json {arguments.json} is also the --html file; name another file")


def _examine(arguments: argparse.Namespace, settings: Settings, found: Found, signals: Signals) -> list[ExaminedJob]:
    from proxx_worker.report.page import ReportPage, render

    tools = tools_of(settings, sandbox_of(settings))()
    tools.require_confined()
    with progress_on(sys.stderr, dumb=terminal_is_dumb()) as progress:
        examiner = Examiner(tools, signals.stop, settings.stall_seconds, arguments.worst, progress.frames)
        jobs = []
        for result in found.results:
            tasks = []
            for task in result.job.tasks:
                progress.begin(task)
                tasks.append(examine(examiner, result.job, task))
            jobs.append(ExaminedJob(result.job, tuple(tasks), result.log()))
        pictures = _pictures(examiner, jobs, whole=found.workspace is not None)
    page = ReportPage(
        title=_title(found),
        jobs=jobs,
        made_by=f"proxx-worker {__version__}",
        gate=arguments.fail_below,
        compact=found.workspace is not None,
        pictures=pictures,
    )
    _write(arguments, render(page), encode_document(document_of(jobs)))
    return jobs


def _title(found: Found) -> str:
    results = found.results
    if found.workspace is not None:
        return Path(found.workspace).absolute().name
    return results[0].job.jobspec.name if len(results) == 1 else f"{len(results)} jobs"


def _pictures(examiner: Examiner, jobs: Sequence[ExaminedJob], *, whole: bool) -> "dict[tuple[int, int], list[ShownFrame]]":
    """The images of all tasks; in a page on a whole workspace those of failed and of the worst ones, as far as space allows."""
    from proxx_worker.report.page import PICTURE_BYTES_PER_TASK

    places = [(number, place) for number, job in enumerate(jobs) for place in range(len(job.tasks))]
    if whole:
        places = sorted(places, key=lambda where: _badness(jobs[where[0]].tasks[where[1]]))
        bad = [where for where in places if jobs[where[0]].tasks[where[1]].findings]
        places = bad + [where for where in places if where not in set(bad)][:_WORST_TASKS]
    pictures = {}
    room = _PAGE_PICTURES
    for where in places:
        if whole and room < PICTURE_BYTES_PER_TASK:
            break
        shown = frame_images(examiner, jobs[where[0]].tasks[where[1]], PICTURE_BYTES_PER_TASK)
        room -= sum(len(frame.source) + len(frame.proxy) + len(frame.difference) for frame in shown)
        pictures[where] = shown
    return pictures


def _badness(examined: ExaminedTask) -> tuple[int, float]:
    order = (Verdict.FAIL, Verdict.SUSPICIOUS, Verdict.PASS, Verdict.NOT_COMPARED)
    least = None if examined.summary is None else examined.summary.ssim_min
    return order.index(examined.verdict), 1.0 if least is None else least


def _write(arguments: argparse.Namespace, page: bytes, document: bytes) -> None:
    """Write both files, or report which one was written."""
    written: list[str] = []
    for path, data in ((arguments.json, document), (arguments.html, page)):
        if path is None:
            continue
        try:
            write_output(path, data)
        except OSError as error:
            told = f"; already written: {', '.join(written)}" if written else ""
            fault = classify_os_error(error, "write the report to", path)
            raise ProxxError(fault.code, f"{fault.error.message}{told}", **fault.error.details) from error
        written.append(path)


def _tell(job: ExaminedJob, examined: ExaminedTask) -> None:
    task = examined.task
    say(f"{examined.verdict.value:<12}  {job.job.jobspec.name} task {task.index + 1}: {task.source}")
    for finding in examined.findings:
        say(f"              {finding.kind.value}: {finding.message}")
    if not examined.findings and examined.reason is not None:
        say(f"              {examined.reason}")
