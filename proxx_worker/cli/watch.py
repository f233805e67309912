"""`watch`: a workspace's worker, in the foreground, until a signal ends it or, with `--once`, until nothing is left to do."""

import argparse
import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from proxx_worker import __version__
from proxx_worker.assumptions import all_assumptions, require_all
from proxx_worker.cli.console import UsageError, fail, stderr_is_journal, terminal_is_dumb
from proxx_worker.cli.signals import Signals
from proxx_worker.cli.wiring import environment_of, sandbox_of, settings_from, tools_of, worker_record
from proxx_worker.contract.errors import EXIT_OK, ErrorClass, ProxxError
from proxx_worker.contract.values import timestamp
from proxx_worker.delivery.publishing import PublishingStuckError
from proxx_worker.engines.tools import Tools, locate_tools
from proxx_worker.execution.executor import Executor
from proxx_worker.files.filesystems import FilesystemKind
from proxx_worker.observe.clock import now
from proxx_worker.observe.display import progress_for
from proxx_worker.observe.logs import EventLog, start_worker_log
from proxx_worker.observe.no_metrics import NoMetrics
from proxx_worker.observe.observer import JobObserver, Observers
from proxx_worker.observe.status import StatusFile
from proxx_worker.observe.supervisor import Supervisor
from proxx_worker.process.self_confinement import Confined
from proxx_worker.process.stop import BeatingStop, StopRequestedError
from proxx_worker.process.trial import try_start
from proxx_worker.recovery import Recoverer
from proxx_worker.rights import give_up_rights
from proxx_worker.settings import Settings
from proxx_worker.worker import Stops, Worker
from proxx_worker.workspace.inbox import Inbox
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.lock import WorkspaceLock
from proxx_worker.workspace.requests import Requests
from proxx_worker.workspace.spool import Spool
from proxx_worker.workspace.watcher import watch_inbox

if TYPE_CHECKING:
    from proxx_worker.observe.metrics import MetricsFile


def watch(arguments: argparse.Namespace) -> int:
    """Run the worker. Exit codes: 0 after a clean stop, 4 when it must not go on, with `--once` the highest failed class."""
    signals = Signals()
    signals.install()
    try:
        settings = settings_from(arguments)
    except UsageError as error:
        return fail(str(error))
    log = EventLog()
    progress, write = progress_for(sys.stderr, log, settings.progress_format, dumb=terminal_is_dumb())
    start_worker_log(write, settings.log_format, encoder_lines=False, journal=stderr_is_journal())
    supervisor = Supervisor.of(os.environ, os.getpid())
    workspace = Workspace(Path(arguments.workspace))
    try:
        workspace.require()
        with WorkspaceLock.acquire(workspace, since=timestamp(now().wall)) as lock:
            return _own(workspace, lock, settings, signals, Observing(log, progress, supervisor), once=arguments.once)
    except StopRequestedError:  # while its tools were tried
        log.event("worker_ended", exit_code=EXIT_OK)
        return EXIT_OK
    except (ProxxError, PublishingStuckError) as fault:
        log.event("worker_stopped", fault.error.message, level="ERROR", code=fault.error.code, **fault.error.details)
        supervisor.set_status(f"{fault.error.code}: {fault.error.message}")
        return int(ErrorClass.ENVIRONMENT)  # whatever the code: the worker must not go on


def _own(
    workspace: Workspace, lock: WorkspaceLock, settings: Settings, signals: Signals, observing: "Observing", *, once: bool
) -> int:
    """The worker of an owned workspace: see that everything assumed holds, prepare, recover, work."""
    sandbox = sandbox_of(settings)
    require_all(all_assumptions(settings, os.environ.get("PATH"), workspace, sandbox, signals.stop))
    tools = tools_of(settings, sandbox)
    confined = give_up_rights(settings, tools(), [Path(os.fsdecode(workspace.path))])
    if confined is not None:  # again, with the rights that are left
        require_all(all_assumptions(settings, os.environ.get("PATH"), workspace, sandbox, signals.stop))
    owner = workspace.prepare()
    log, supervisor = observing.log, observing.supervisor
    watcher = watch_inbox(workspace.inbox, workspace.filesystem_kind)
    if watcher.reason is not None:
        log.event("polling_only", watcher.reason, poll_seconds=settings.poll_seconds)
    inbox = Inbox(
        workspace.inbox,
        settle_seconds=settings.settle_seconds,
        poll_seconds=settings.poll_seconds,
        events_trusted=watcher.reason is None and workspace.filesystem_kind is FilesystemKind.LOCAL,
    )
    requests = Requests(workspace.inbox, settle_seconds=settings.settle_seconds)
    metrics = _metrics(settings, workspace, inbox, log)
    requested = Stops(signals.stop, signals.finish).requested
    status = StatusFile(workspace.status_file, is_stopping=requested, listeners=(supervisor.update, metrics.update))
    stop = BeatingStop(signals.stop, supervisor.beat, status.beat, metrics.beat)
    observer = Observers((status, observing.progress, metrics))
    record = worker_record(settings, tools)
    spool = Spool(workspace, stop)
    worker = Worker(
        spool=spool,
        inbox=inbox,
        requests=requests,
        watcher=watcher,
        lock=lock,
        executor=Executor(environment_of(settings, tools), record, observer, lock.filenos()),
        status=status,
        observer=observer,
        log=log,
        stops=Stops(stop, signals.finish),
        require_tools=lambda: _require_tools(tools(), confined),
        require_start=partial(try_start if sandbox is None else sandbox.require_again, stop),
        owner=owner,
    )
    status.idle(0)
    log.event(
        "worker_started", workspace.name, pid=os.getpid(), version=__version__, ffmpeg=record.ffmpeg, ffprobe=record.ffprobe
    )
    exit_code = int(ErrorClass.ENVIRONMENT)  # unless it gets to an end of its own
    try:
        counts = (worker.count, metrics.count)
        Recoverer(spool, requests, owner, settings.output_roots, settings.paths, record, log, counts, stop).finish_jobs()
        supervisor.ready()
        exit_code = worker.work(once=once)
    finally:
        supervisor.stopping()
        status.end(worker.waiting(), exit_code)
        metrics.end()
        watcher.close()
    if once:
        worker.tally.report(log)
    log.event("worker_ended", exit_code=exit_code)
    return exit_code


def _require_tools(tools: Tools, confined: Confined | None) -> None:
    """Raise unless a job can be claimed: the tools are there, and the confined worker still reaches what it was left."""
    if confined is not None:
        confined.require_reach()
    locate_tools(tools.ffmpeg, tools.ffprobe, None)


def _metrics(settings: Settings, workspace: Workspace, inbox: Inbox, log: EventLog) -> "MetricsFile | NoMetrics":
    """The metrics file, where one is wanted."""
    if settings.metrics_file is None:
        return NoMetrics()
    from proxx_worker.observe.metrics import MetricsFile

    return MetricsFile(Path(settings.metrics_file), str(Path(workspace.name).absolute()), lambda: inbox.scanned_at, log)


@dataclass(frozen=True, slots=True)
class Observing:
    """Where the worker reports what it does: its log, the progress display, and its supervisor."""

    log: EventLog
    progress: JobObserver
    supervisor: Supervisor
