"""Jobs as they end: each told once, in order, across restarts of whoever tells and of whoever works."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.status import RunningJob, Stage, WorkerState, WorkerStatus, encode_status
from proxx_worker.desk.events import Ended, UnknownNameError, running_job
from proxx_worker.workspace.entries import status_of
from proxx_worker.workspace.layout import Workspace
from tests.support.desks import empty_workspace, finished


def at(second: int) -> str:
    return f"2026-01-01T10:{second // 60:02}:{second % 60:02}Z"


def names(ended: Ended) -> list[str]:
    return [job.name for job in ended.take()]


def test_in_the_order_of_their_end(root: Path, workspace: Workspace) -> None:
    finished(root, "b", at=at(1))
    finished(root, "a", ErrorCode.NO_SPACE, at=at(2))
    ended = Ended(workspace)
    assert names(ended) == ["b", "a"]
    finished(root, "0", at=at(3))
    assert names(ended) == ["0"]
    assert names(ended) == []


def test_a_result_whose_spec_has_not_come_is_not_told_yet(root: Path, workspace: Workspace) -> None:
    data = finished(root, "a")
    (root / "done" / "a.json").unlink()
    ended = Ended(workspace)
    assert names(ended) == []
    (root / "done" / "a.json").write_bytes(data)
    assert names(ended) == ["a"]


def test_it_goes_on_after_the_one_that_was_dealt_with_last(root: Path, workspace: Workspace) -> None:
    for second, name in enumerate(("c", "a", "b")):
        finished(root, name, at=at(second))
    ended = Ended(workspace)
    ended.skip_to("a")
    assert names(ended) == ["b"]


def test_one_that_was_told_is_known_until_it_is_removed(root: Path, workspace: Workspace) -> None:
    finished(root, "a")
    ended = Ended(workspace)
    assert not ended.has_told("a")
    assert names(ended) == ["a"]
    assert ended.has_told("a")
    assert not ended.has_told("b")
    (root / "done" / "a.json").unlink()
    assert names(ended) == []
    assert not ended.has_told("a"), "its name may be used again"


def test_a_job_may_be_called_by_its_spec_s_file_name(root: Path, workspace: Workspace) -> None:
    for second, name in enumerate(("a", "a.json", "b")):
        finished(root, name, at=at(second))
    by_its_own, by_its_file = Ended(workspace), Ended(workspace)
    by_its_own.skip_to("a.json")
    assert names(by_its_own) == ["b"]
    by_its_file.skip_to("b.json")
    assert names(by_its_file) == []


def test_one_moment_for_two_jobs_does_not_swallow_the_second(root: Path, workspace: Workspace) -> None:
    finished(root, "b", at=at(0))
    os.utime(root / "done" / "b.json")
    while not later(root / "done" / "b.json", root):
        pass
    finished(root, "a", at=at(0))
    ended = Ended(workspace)
    ended.skip_to("b")
    assert names(ended) == ["a"]


def later(path: Path, root: Path) -> bool:
    """Whether the file system's clock has gone on since `path` was changed."""
    probe = root / "probe"
    probe.touch()
    changed = probe.stat().st_ctime_ns > path.stat().st_ctime_ns
    probe.unlink()
    return changed


def test_a_name_that_is_not_there_is_refused(workspace: Workspace) -> None:
    with pytest.raises(UnknownNameError, match="a is in done/ or failed/"):
        Ended(workspace).skip_to("a")


def test_a_name_may_be_written_as_it_was_shown_or_with_its_bytes(root: Path, workspace: Workspace) -> None:
    finished(root, "ü")
    for suffix in (".json", ".result.json"):
        (root / "done" / f"ü{suffix}").rename(root / "done" / f"\udcfc{suffix}")
    for name in ("\\xfc", "\udcfc"):
        ended = Ended(workspace)
        ended.skip_to(name)
        assert names(ended) == []


def test_a_name_that_is_used_again_is_told_again(root: Path, workspace: Workspace) -> None:
    finished(root, "a")
    ended = Ended(workspace)
    assert names(ended) == ["a"]
    kept = root / "kept.json"  # its inode must not be given to the next
    (root / "done" / "a.json").rename(kept)
    finished(root, "a", at=at(5))
    assert names(ended) == ["a"]


def test_an_outage_is_not_an_empty_outbox(root: Path, workspace: Workspace) -> None:
    finished(root, "a")
    ended = Ended(workspace)
    assert names(ended) == ["a"]
    (root / "done").rename(root / "away")
    with pytest.raises(ProxxError) as caught:
        ended.take()
    assert caught.value.code is ErrorCode.WORKSPACE_INVALID
    (root / "away").rename(root / "done")
    assert names(ended) == []


def test_before_a_worker_has_made_the_folders_nothing_has_ended(tmp_path: Path) -> None:
    assert names(Ended(Workspace(tmp_path))) == []


def test_what_was_taken_away_while_it_was_read_is_passed_over(
    root: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken_away(path: bytes) -> os.stat_result | None:
        for file in (root / "done").iterdir():
            file.unlink()
        return status_of(path)

    finished(root, "a")
    monkeypatch.setattr("proxx_worker.desk.events.status_of", taken_away)
    assert names(Ended(workspace)) == []


def test_a_job_without_its_result_is_told_where_it_ended(root: Path, workspace: Workspace) -> None:
    finished(root, "z", ErrorCode.NO_SPACE, at=at(0))
    finished(root, "y", ErrorCode.NO_SPACE, at=at(1))
    (root / "failed" / "y.result.json").unlink()
    finished(root, "x", at="9999-01-01T00:00:00Z")
    told = Ended(workspace).take()
    assert [(job.name, job.unreadable) for job in told] == [("z", None), ("y", "there is no result beside the spec"), ("x", None)]
    ended = Ended(workspace)
    ended.skip_to("y")
    assert names(ended) == ["x"]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["done", "failed", "look", "restart"]), max_size=40))
def test_none_is_missed_and_none_is_told_twice(tmp_path_factory: pytest.TempPathFactory, steps: list[str]) -> None:
    root = empty_workspace(tmp_path_factory.mktemp("workspace") / "ws")
    workspace, made, told = Workspace(root), list[str](), list[str]()
    ended = Ended(workspace)
    for number, step in enumerate([*steps, "look"]):
        match step:
            case "look":
                told += names(ended)
            case "restart":
                ended = Ended(workspace)
                if told:
                    ended.skip_to(told[-1])
            case _:
                name = f"{number * 7919 % 100:02}-{number}"
                finished(root, name, ErrorCode.NO_SPACE if step == "failed" else None, at=at(number))
                made.append(name)
    assert told == made


def test_the_running_job_is_what_the_worker_said_last(root: Path, workspace: Workspace) -> None:
    assert running_job(workspace) is None
    job = RunningJob("a", "J1", Stage.ENCODING, 1, 1)
    status = WorkerStatus(WorkerState.RUNNING, 1, "host", at(0), at(0), 0, job)
    (root / ".proxx" / "status.json").write_bytes(encode_status(status))
    assert running_job(workspace) == job
    (root / ".proxx" / "status.json").write_bytes(b"{")
    assert running_job(workspace) is None
