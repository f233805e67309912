"""One worker per workspace, held by the kernel: the second ends at once, and no spec is ever executed twice."""

import os
import shlex
import signal
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.acceptance.command import Command, Started
from tests.acceptance.results import audit, read_result, snapshot, stems
from tests.acceptance.specs import Workspace, jobspec
from tests.acceptance.stand_ins import Gate, around_ffmpeg


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "in mid-job"])
def test_the_second_names_the_first_and_touches_nothing(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path, busy: bool
) -> None:
    gate = Gate(tmp_path / "gate")
    with proxx.start("watch", workspace, "--ffmpeg", gate.program, "--poll-seconds", "86400") as first:
        if busy:
            workspace.drop("a", jobspec(clip, proxies))
            first.until(gate.reached, "the encoder")
        else:
            first.until(lambda: (workspace.status() or {}).get("state") == "idle", "an idle worker")
        watched = (workspace.inbox, workspace.running, workspace.done, workspace.failed, proxies)
        before = [snapshot(folder, times=True) for folder in watched]
        for arguments in ((), ("--once",)):
            second = proxx("watch", workspace, *arguments)
            assert second.exit_code == 4
            assert "WORKSPACE_BUSY" in second.stderr
            assert str(first.pid) in second.stderr
            assert os.uname().nodename in second.stderr
        assert [snapshot(folder, times=True) for folder in watched] == before
        first.signal(signal.SIGTERM)
        assert first.wait().exit_code == 0


def test_the_lock_ends_with_the_worker(proxx: Command, workspace: Workspace) -> None:
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        with proxx.start("watch", workspace) as worker:
            worker.until(partial(_is_the_status_of, workspace, worker), "the worker's status")
            worker.signal(number)
            worker.wait()
    assert proxx("watch", workspace, "--once").exit_code == 0


def _is_the_status_of(workspace: Workspace, worker: Started) -> bool:
    return (workspace.status() or {}).get("pid") == worker.pid


@pytest.mark.parametrize("rounds", [3, pytest.param(40, marks=pytest.mark.heavy)])
def test_three_at_once_execute_one_spec_once(proxx: Command, clip: Path, tmp_path: Path, rounds: int) -> None:
    """In each round three workers start together on one spec. Every start of the encoder is recorded."""
    calls = tmp_path / "calls"
    counting = around_ffmpeg(tmp_path / "ffmpeg", before=f"echo called >>{shlex.quote(str(calls))}")
    losers = 0
    for number in range(rounds):
        workspace, proxies = Workspace(tmp_path / f"workspace-{number}"), tmp_path / f"proxies-{number}"
        proxies.mkdir()
        spec = workspace.drop("clip", jobspec(clip, proxies)).read_bytes()
        with ExitStack() as stack:
            workers = [stack.enter_context(proxx.start("watch", workspace, "--once", "--ffmpeg", counting)) for _ in range(3)]
            ended = [worker.wait() for worker in workers]
        assert stems(workspace.done) == ["clip"], ended
        read_result(workspace.done, "clip")
        audit(workspace.root, [spec], [proxies])
        refused = [worker for worker in ended if worker.exit_code == 4]
        assert all("WORKSPACE_BUSY" in worker.stderr and "claimed" not in worker.stderr for worker in refused)
        assert sum("claimed" in worker.stderr for worker in ended) == 1
        assert {worker.exit_code for worker in ended} <= {0, 4}
        losers += len(refused)
    assert len(calls.read_bytes().splitlines()) == rounds
    assert losers > 0, "they never met: the test shows nothing"
