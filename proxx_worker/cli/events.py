"""`events`: a line for each job that ends, read from the folders, for scripts and webhooks."""

import argparse
import sys
import time
from pathlib import Path
from typing import Final

from proxx_worker.cli.console import fail, say
from proxx_worker.cli.signals import Signals
from proxx_worker.cli.streams import discard_stdout
from proxx_worker.contract.errors import EXIT_OK, ProxxError
from proxx_worker.contract.status import RunningJob
from proxx_worker.desk.documents import ended_line, started_line
from proxx_worker.desk.events import Ended, UnknownNameError, running_job
from proxx_worker.desk.jobs import JobState, JobSummary
from proxx_worker.process.waiting import wait_readable
from proxx_worker.workspace.layout import Workspace

_POLL_SECONDS: Final = 1.0
_SHARE_OF_TIME: Final = 20
"""Reading takes at most a twentieth of the time, however many jobs are in the folders."""


def events(arguments: argparse.Namespace) -> int:
    """Print the jobs that have ended, and with `--follow` those that end. Exit code 0 after a signal, or once nobody reads."""
    signals = Signals()
    signals.install()
    workspace = Workspace(Path(arguments.workspace))
    ended = Ended(workspace)
    try:
        workspace.require()
        if arguments.since_name is not None:
            ended.skip_to(arguments.since_name)
        _tell(ended.take(), as_json=arguments.json)
        if arguments.follow:
            _follow(workspace, ended, signals, as_json=arguments.json)
    except UnknownNameError as error:
        return fail(str(error))
    except ProxxError as fault:
        return fail(fault.error.message, fault.code)
    except BrokenPipeError:
        # The reader is gone. What Python still buffers for it is discarded, without a second error at exit.
        discard_stdout()
    return EXIT_OK


def _follow(workspace: Workspace, ended: Ended, signals: Signals, *, as_json: bool) -> None:
    shown: RunningJob | None = None
    pause = _POLL_SECONDS
    while True:
        wait_readable([signals.stop.fileno(), signals.finish.fileno()], pause)
        if signals.stop.requested() or signals.finish.requested():
            return
        began = time.monotonic()
        running = running_job(workspace)
        _tell(ended.take(), as_json=as_json)
        is_news = running is not None and (shown is None or (running.name, running.job_id) != (shown.name, shown.job_id))
        if running is not None and is_news and not ended.has_told(running.name):  # it may have ended since its status was read
            _write(started_line(running.name, running.job_id) if as_json else f"started {running.name}")
        shown = running
        pause = max(_POLL_SECONDS, (time.monotonic() - began) * _SHARE_OF_TIME)


def _tell(jobs: list[JobSummary], *, as_json: bool) -> None:
    for job in jobs:
        _write(ended_line(job) if as_json else _line(job))


def _line(job: JobSummary) -> str:
    if job.unreadable is not None:
        return f"{job.state.value} {job.name}: its result cannot be read: {job.unreadable}"
    if job.state is JobState.DONE:
        return f"{job.finished_at} done {job.name}"
    return f"{job.finished_at} failed {job.name} {job.code}: {job.message}"


def _write(line: bytes | str) -> None:
    """At once, whole lines only: a reader that acts on a line has it before the next job ends."""
    if isinstance(line, str):
        say(line)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(line)
    sys.stdout.flush()
