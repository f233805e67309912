"""A hundred thousand specs: counted in system calls, which do not depend on the machine's day."""

import os
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest

from proxx_worker.contract.result import JobStatus
from proxx_worker.workspace.inbox import Inbox
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.spool import Spool
from tests.support.results import result_of
from tests.support.stops import NEVER

SPECS = 100_000


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with `SPECS` specs. Hard links of a few files: what is measured does not depend on their content."""
    path = tmp_path_factory.mktemp("scale")
    Workspace(path).prepare()
    inbox = path / "inbox"
    source = inbox / "job-000000.json"
    for number in range(SPECS):
        if number % 50_000 == 0:  # ext4 allows 65,000 names of one file
            source = inbox / f"job-{number:06}.json"
            source.write_bytes(b"{}")
        else:
            (inbox / f"job-{number:06}.json").hardlink_to(source)
    return path


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the functions were called that touch the disk."""
    made: Counter[str] = Counter()
    listdir, stat, open_, fsync = os.listdir, os.stat, os.open, os.fsync

    def count_listdir(path: bytes) -> list[bytes]:
        made["listdir"] += 1
        return listdir(path)

    def count_stat(path: bytes, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> os.stat_result:
        made["stat"] += 1
        return stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)

    def count_open(path: bytes, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        made["open"] += 1
        return open_(path, flags, mode, dir_fd=dir_fd)

    def count_fsync(fd: int) -> None:
        made["fsync"] += 1
        fsync(fd)

    for name, function in (("listdir", count_listdir), ("stat", count_stat), ("open", count_open), ("fsync", count_fsync)):
        monkeypatch.setattr(os, name, function)
    return made


@pytest.mark.slow
def test_a_claim_costs_the_same_first_and_last_and_never_a_listing(root: Path, calls: Counter[str]) -> None:
    workspace = Workspace(root)
    spool = Spool(workspace, NEVER)
    inbox = Inbox(workspace.inbox, settle_seconds=5, poll_seconds=5, events_trusted=True)

    def one_job(number: int) -> Counter[str]:
        calls.clear()
        inbox.refresh(number)
        candidate = inbox.next_candidate(number)
        assert candidate is not None
        assert candidate.name == b"job-%06d.json" % number
        job = spool.claim(candidate.name)
        assert job is not None
        spool.commit(job, result_of(job))
        spool.finish(job, JobStatus.FAILED)
        return Counter(calls)

    first = one_job(0)
    assert first["listdir"] == 1
    second = one_job(1)
    assert second["listdir"] == 0
    for number in range(2, 60):
        assert one_job(number) == second
    assert second["stat"] <= 60
    assert second["fsync"] <= 9


@pytest.mark.slow
def test_the_backlog_costs_about_a_hundred_bytes_a_name(root: Path) -> None:
    inbox = Inbox(os.fsencode(root / "inbox"), settle_seconds=5, poll_seconds=5, events_trusted=True)
    tracemalloc.start()
    inbox.refresh(0)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert inbox.count > SPECS - 1_000
    assert kept < 120 * SPECS
    assert peak < 150 * SPECS
