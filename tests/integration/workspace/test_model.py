"""Any sequence of drops, claims, commits, finishes, crashes and other people's deeds keeps every spec in exactly one folder."""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from proxx_worker.contract.result import JobStatus
from proxx_worker.workspace.claimed import ClaimedJob
from proxx_worker.workspace.inbox import Inbox
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.recovery import recover
from proxx_worker.workspace.spool import Spool
from tests.faults.invariants import Expected, violations
from tests.support.results import result_of
from tests.support.stops import NEVER

SETTLE, POLL = 5.0, 10.0
STEMS = st.sampled_from([b"a", b"a~2", b"b", b"B", b"\xff", "ü".encode(), b"a.log", b"x" * 235])
STATUSES = st.sampled_from(JobStatus)


class WorkspaceMachine(RuleBasedStateMachine):
    """A worker's spool and inbox against a model: what was dropped, and what is claimed."""

    @initialize()
    def begin(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="proxx-model-"))
        self.workspace = Workspace(self.root)
        self.workspace.prepare()
        self.dropped: list[bytes] = []
        self.drops = 0
        self.inside: dict[bytes, bool] = {}  # name in the inbox -> whether it is whole
        self.now = 0.0
        self.job: ClaimedJob | None = None
        self.committed: JobStatus | None = None
        self._start()

    def _start(self) -> None:
        """A new process: nothing is remembered."""
        self.spool = Spool(self.workspace, NEVER)
        self.inbox = Inbox(self.workspace.inbox, settle_seconds=SETTLE, poll_seconds=POLL, events_trusted=True)
        self.inbox.rescan(self.now)
        self.known = set(self.inside)  # what a listing or a hint has told

    def teardown(self) -> None:
        if hasattr(self, "root"):
            shutil.rmtree(self.root)

    @rule(stem=STEMS, whole=st.booleans(), told=st.booleans())
    def drop(self, stem: bytes, *, whole: bool, told: bool) -> None:
        name = stem + b".json"
        if name in self.inside:
            return
        self.drops += 1
        data = b'{"n": %d}' % self.drops if whole else b'{"n": %d' % self.drops
        (self.root / "inbox" / os.fsdecode(name)).write_bytes(data)
        self.dropped.append(data)
        self.inside[name] = whole
        if told:
            self.inbox.arrived([name])
            self.known.add(name)

    @rule()
    def scan(self) -> None:
        self.inbox.rescan(self.now)
        self.known = set(self.inside)

    @rule(seconds=st.sampled_from([0.01, 1.0, SETTLE, POLL]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.job is None)
    @rule()
    def claim(self) -> None:
        candidate = self.inbox.next_candidate(self.now)
        claimable = sorted(name for name in self.known if self.inside.get(name))
        if candidate is None:
            assert claimable == []
            return
        assert candidate.name in self.known
        assert candidate.name <= min(claimable, default=candidate.name)
        assert candidate.whole is self.inside.pop(candidate.name)
        job = self.spool.claim(candidate.name)
        assert job is not None
        assert job.data in self.dropped
        self.job, self.committed = job, None

    @precondition(lambda self: self.job is not None)
    @rule(status=STATUSES)
    def commit(self, status: JobStatus) -> None:
        assert self.job is not None
        self.spool.commit(self.job, result_of(self.job, status))
        self.committed = status

    @precondition(lambda self: self.committed is not None)
    @rule()
    def finish(self) -> None:
        assert self.job is not None
        assert self.committed is not None
        self.spool.finish(self.job, self.committed)
        self.job = self.committed = None

    @rule()
    def crash_and_recover(self) -> None:
        self._start()
        items = recover(self.spool).items
        assert [item.job for item in items] == ([] if self.job is None else [self.job])
        for item in items:
            assert (item.record is None) == (self.committed is None)
            record = item.record or result_of(item.job)
            if item.record is None:
                self.spool.commit(item.job, record)
            self.spool.finish(item.job, record.status)
        self.job = self.committed = None

    @precondition(lambda self: self.inside)
    @rule(data=st.data())
    def somebody_takes_a_spec_back(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.inside)))
        path = self.root / "inbox" / os.fsdecode(name)
        self.dropped.remove(path.read_bytes())
        path.unlink()
        del self.inside[name]

    @invariant()
    def every_spec_is_in_one_folder(self) -> None:
        if hasattr(self, "root"):
            assert violations(self.root, Expected(self.dropped), settled=self.job is None) == []

    @invariant()
    def nothing_else_is_ever_in_running(self) -> None:
        if hasattr(self, "root") and self.job is None:
            assert list((self.root / "running").iterdir()) == []


TestModel = WorkspaceMachine.TestCase
TestModel.settings = settings(
    max_examples=120, stateful_step_count=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
