"""What the filesystem refuses is told by what it was for, and in a folder of the workspace it is the workspace's fault."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.result import JobStatus
from proxx_worker.workspace.claimed import ClaimedJob
from proxx_worker.workspace.inbox import Inbox
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.recovery import recover
from proxx_worker.workspace.requests import Requests
from proxx_worker.workspace.spool import Spool
from tests.support.results import result_of
from tests.support.stops import NEVER

SPEC = b'{"n": 1}'
JOB = ClaimedJob(b"a", SPEC, len(SPEC), "0" * 64)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with one job that was claimed, one that waits, and a cancel for each."""
    Workspace(tmp_path).prepare()
    (tmp_path / "running" / "a.json").write_bytes(SPEC)
    (tmp_path / "inbox" / "b.json").write_bytes(SPEC)
    for name in ("a", "b"):
        (tmp_path / "inbox" / f"{name}.cancel").write_text("0" * 64)
    return tmp_path


def requests(root: Path) -> Requests:
    return Requests(os.fsencode(root / "inbox"), settle_seconds=5, check_seconds=0)


def evaluate(root: Path) -> None:
    pending = requests(root)
    pending.arrived([b"b.cancel"])
    (root / "inbox" / "b.json").unlink()
    pending.next_cancelled(0)


def inbox(root: Path) -> Inbox:
    """An inbox to which one name has arrived."""
    found = Inbox(os.fsencode(root / "inbox"), poll_seconds=1, settle_seconds=1, events_trusted=True)
    found.arrived([b"b.json"])
    return found


CALLS: dict[str, tuple[Callable[[Path], object], str, str, str, str]] = {
    "hold": (lambda root: requests(root).held(), "stat", "inbox/.hold", "inspect", "inbox/.hold"),
    "a cancel that arrives": (
        lambda root: requests(root).arrived([b"b.cancel"]), "stat", "inbox/b.cancel", "inspect the request", "inbox/b.cancel",
    ),
    "a cancel that has no spec": (evaluate, "unlink", "inbox/b.cancel", "inspect the request", "inbox/b.cancel"),
    "a cancel of a running job": (
        lambda root: requests(root).is_cancelled(JOB), "open", "inbox/a.cancel", "check for a cancel of", "a",
    ),
    "a cancel that is done": (
        lambda root: requests(root).settle(JOB, result_of(JOB, JobStatus.COMPLETED)),
        "unlink", "inbox/a.cancel", "remove the cancel of", "a",
    ),
    "a spec that waits": (lambda root: inbox(root).next_candidate(0), "stat", "inbox/b.json", "inspect", "inbox/b.json"),
    "the inbox itself": (lambda root: inbox(root).rescan(0), "stat", "inbox", "read the inbox", "inbox"),
    "a list of what waits": (lambda root: inbox(root).rescan(0), "listdir", "inbox", "list the inbox", "inbox"),
    "the count of what waits": (lambda root: inbox(root).count_files(), "stat", "inbox/b.json", "read the inbox", "inbox"),
    **{
        f"a sync of {folder}": (
            lambda root: recover(Spool(Workspace(root), NEVER)), "open", folder, "sync the folder", folder,
        )
        for folder in ("done", "failed", "running", "inbox")
    },
    "the list of running jobs": (
        lambda root: recover(Spool(Workspace(root), NEVER)), "listdir", "running", "read the folder", "running",
    ),
    "a running job's result": (
        lambda root: recover(Spool(Workspace(root), NEVER)), "stat", "running/a.result.json", "find the result of", "a",
    ),
}  # fmt: skip
"""A call of the worker, the system call that is refused and its path, and what the error says: what for, and where."""


@pytest.mark.parametrize(("call", "function", "path", "action", "shown"), CALLS.values(), ids=CALLS)
def test_it_is_told_by_what_it_was_for(
    call: Callable[[Path], object], function: str, path: str, action: str, shown: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = getattr(os, function)

    def refuse(where: bytes | str | int, *rest: object, **named: object) -> object:
        if not isinstance(where, int) and os.fsencode(where) == os.fsencode(root / path):
            raise OSError(errno.EROFS, "Read-only file system")
        return real(where, *rest, **named)

    monkeypatch.setattr(os, function, refuse)
    with pytest.raises(ProxxError) as caught:
        call(root)
    place = shown if shown == "a" else root / shown
    error = caught.value.error
    assert error.code is ErrorCode.WORKSPACE_INVALID
    assert error.message == f"cannot {action} {place}: Read-only file system (EROFS); mount the filesystem read-write"
