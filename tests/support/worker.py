"""A worker's life in this process, from one start to its end or to a crash."""

from pathlib import Path

from proxx_worker.execution.executor import Executor
from proxx_worker.execution.preflight import Environment
from proxx_worker.observe.observer import JobObserver
from proxx_worker.observe.status import StatusFile
from proxx_worker.process.stop import StopFlag
from proxx_worker.recovery import Recoverer
from proxx_worker.worker import Stops, Worker
from proxx_worker.workspace.inbox import Inbox
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.lock import WorkspaceLock
from proxx_worker.workspace.requests import Requests
from proxx_worker.workspace.spool import Spool
from proxx_worker.workspace.watcher import NoEvents
from tests.support.engine import Log
from tests.support.jobs import RECORD, Watcher


class CrashError(BaseException):
    """The end of a worker that nothing in it may stop."""


def crash() -> None:
    """Raise `CrashError`."""
    raise CrashError


def live(root: Path, world: Environment, stop: StopFlag, observer: JobObserver | None = None, log: Log | None = None) -> int:
    """Own the workspace at `root`, recover, and work until its inbox is empty. Returns the exit code."""
    workspace = Workspace(root)
    log, observer = log or Log(), observer or Watcher()
    with WorkspaceLock.acquire(workspace, since="2026-01-01T00:00:00Z") as lock:
        owner = workspace.prepare()
        spool = Spool(workspace, stop)
        requests = Requests(workspace.inbox, settle_seconds=0, check_seconds=0)
        worker = Worker(
            spool=spool,
            inbox=Inbox(workspace.inbox, settle_seconds=0, poll_seconds=0.1, events_trusted=False),
            requests=requests,
            watcher=NoEvents("a test"),
            lock=lock,
            executor=Executor(world, RECORD, observer, lock.filenos()),
            status=StatusFile(workspace.status_file),
            observer=observer,
            log=log,
            stops=Stops(stop, stop),
            require_tools=lambda: None,
            require_start=lambda: None,
            owner=owner,
        )
        Recoverer(spool, requests, owner, None, world.paths, RECORD, log, (worker.count,), stop).finish_jobs()
        return worker.work(once=True)
