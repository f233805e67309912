"""The serial loop, with a fake engine: which job comes next, where it goes, and what ends the worker."""

import json
import os
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.result import JobStatus, decode_result
from proxx_worker.contract.status import Stage
from proxx_worker.execution.preflight import Environment
from proxx_worker.observe.observer import JobInfo
from proxx_worker.process.stop import StopFlag
from tests.faults.invariants import Expected, violations
from tests.support.engine import Log
from tests.support.fake_engine import FakeEngine
from tests.support.jobs import Watcher, environment, spec
from tests.support.worker import live


def drop(root: Path, name: str, data: bytes) -> bytes:
    (root / "inbox" / f"{name}.json").write_bytes(data)
    return data


def entries(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def error_of(folder: Path, name: str) -> ErrorCode | None:
    result = decode_result((folder / f"{name}.result.json").read_bytes())
    return None if result.error is None else result.error.code


class Names(Watcher):
    """Notes the names of the jobs, in the order in which they are claimed."""

    def job_entered(self, job: JobInfo, stage: Stage) -> None:
        """See `JobObserver`."""
        if stage is Stage.CLAIMED:
            self.claimed = [*getattr(self, "claimed", []), job.name]


def test_jobs_are_done_in_the_order_of_their_names(root: Path, world: Environment, stop: StopFlag, out: Path, clip: Path) -> None:
    specs = [drop(root, name, spec([clip], out, naming_template=name)) for name in ("b", "a", "c")]
    names, log = Names(), Log()
    assert live(root, world, stop, names, log) == 0
    assert names.claimed == ["a", "b", "c"]
    assert violations(root, Expected(specs, {out: {}}), settled=True) == []
    assert entries(out) == ["a.mov", "b.mov", "c.mov"]
    assert log.actions == ["finished"] * 3


def test_each_job_is_by_itself(root: Path, world: Environment, stop: StopFlag, out: Path, clip: Path) -> None:
    specs = [
        drop(root, "a", b"{}"),
        drop(root, "b", spec([clip], out)),
        drop(root, "c", spec([out / "none.mov"], out)),
        drop(root, "d", b"not a spec"),
    ]
    assert live(root, world, stop) == 1
    assert violations(root, Expected(specs, {out: {}}), settled=True) == []
    assert [error_of(root / "failed", name) for name in ("a", "c", "d")] == [
        ErrorCode.SPEC_VERSION, ErrorCode.SOURCE_MISSING, ErrorCode.SPEC_NOT_JSON,
    ]  # fmt: skip
    assert error_of(root / "done", "b") is None


def test_the_exit_code_is_the_highest_class(root: Path, stop: StopFlag, out: Path, clip: Path) -> None:
    drop(root, "a", b"{}")
    drop(root, "b", spec([clip], out))
    assert live(root, environment(FakeEngine(b"half")), stop) == 2


def test_a_stop_fails_the_running_job_and_leaves_the_others_in_the_inbox(
    root: Path, world: Environment, stop: StopFlag, out: Path, clip: Path
) -> None:
    specs = [drop(root, name, spec([clip], out, naming_template=name)) for name in ("a", "b")]
    assert live(root, world, stop, Watcher({("progressed", 1): stop.request})) == 0
    assert error_of(root / "failed", "a") is ErrorCode.INTERRUPTED
    assert entries(root / "inbox") == ["b.json"]
    assert violations(root, Expected(specs, {out: {}}), settled=True) == []


def test_what_comes_while_a_job_runs_is_done_too(root: Path, world: Environment, stop: StopFlag, out: Path, clip: Path) -> None:
    late = spec([clip], out, naming_template="late")
    watcher = Watcher({(Stage.SEALING, 1): lambda: drop(root, "late", late)})
    first = drop(root, "z", spec([clip], out))
    assert live(root, world, stop, watcher) == 0
    assert violations(root, Expected([first, late], {out: {}}), settled=True) == []
    assert entries(out) == ["clip_000.mov", "late.mov"]


def test_a_workspace_that_is_replaced_is_not_worked_on(
    root: Path, world: Environment, stop: StopFlag, out: Path, clip: Path, tmp_path: Path
) -> None:
    def replace() -> None:
        (root / "running").rename(tmp_path / "elsewhere")
        (root / "running").mkdir()

    for name in ("a", "b"):
        drop(root, name, spec([clip], out, naming_template=name))
    with pytest.raises(ProxxError) as caught:
        live(root, world, stop, Watcher({("progressed", 1): replace}))
    assert caught.value.code in {ErrorCode.WORKSPACE_INVALID, ErrorCode.IO_ERROR}
    assert entries(root / "inbox") == ["b.json"]


def test_a_name_that_is_taken_gets_a_number(root: Path, world: Environment, stop: StopFlag, out: Path, clip: Path) -> None:
    for number in range(3):
        drop(root, "a", spec([clip], out, naming_template=f"{number}"))
        assert live(root, world, stop) == 0
    assert [path.stem for path in sorted((root / "done").glob("*.log"))] == ["a", "a~2", "a~3"]
    assert entries(out) == ["0.mov", "1.mov", "2.mov"]


def test_a_spec_that_cannot_be_read_fails_with_the_reason(
    root: Path, world: Environment, stop: StopFlag, out: Path, clip: Path
) -> None:
    drop(root, "a", b" " * (1 << 20) + spec([clip], out))
    assert live(root, world, stop) == 1
    assert error_of(root / "failed", "a") is ErrorCode.SPEC_TOO_LARGE


def test_the_log_of_a_job_tells_it_from_claim_to_end(
    root: Path, world: Environment, stop: StopFlag, out: Path, clip: Path
) -> None:
    drop(root, "a", spec([clip], out))
    watcher = Watcher()
    live(root, world, stop, watcher)
    lines = (root / "done" / "a.log").read_text().splitlines()
    assert [line.split()[2] for line in lines] == [
        "claimed", "job_started", "job_inspected", "task_started", "verified", "task_completed", "committed", "published",
        "job_completed",
    ]  # fmt: skip
    assert watcher.told[0] == (Stage.CLAIMED, 0)
    assert watcher.told[-1] == (JobStatus.COMPLETED, 0)


def test_the_status_shows_the_last_job_and_what_waits(
    root: Path, world: Environment, stop: StopFlag, out: Path, clip: Path
) -> None:
    seen: list[dict[str, object]] = []

    def look() -> None:
        seen.append(json.loads((root / ".proxx" / "status.json").read_bytes()))

    for name in ("a", "b"):
        drop(root, name, spec([clip], out, naming_template=name))
    live(root, world, stop, Watcher({(Stage.CLAIMED, 0): look}))
    assert (seen[0]["state"], seen[0]["pid"], seen[0]["inbox"]) == ("running", os.getpid(), 1)
