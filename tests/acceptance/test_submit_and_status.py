"""`submit`, `status`, `check`: what surrounds a worker."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.acceptance.command import Command, wait_until
from tests.acceptance.results import snapshot
from tests.acceptance.specs import Workspace, jobspec
from tests.acceptance.stand_ins import Gate

STATUS_FIELDS = {"state", "pid", "host", "started_at", "heartbeat_at", "inbox", "job", "exit_code", "alive", "not_jobspecs"}


def test_submit_prints_the_path_it_made(proxx: Command, workspace: Workspace, tmp_path: Path) -> None:
    spec = tmp_path / "clip.json"
    spec.write_bytes(b'{"any": "bytes, not validated"}')
    ended = proxx("submit", workspace, spec)
    assert ended.exit_code == 0
    assert ended.stdout.decode() == f"{workspace.inbox / 'clip.json'}\n"
    assert snapshot(workspace.inbox).keys() == {".", "clip.json"}
    assert (workspace.inbox / "clip.json").read_bytes() == spec.read_bytes()


def test_submit_never_overwrites(proxx: Command, workspace: Workspace, tmp_path: Path) -> None:
    printed = []
    for number in range(4):
        spec = tmp_path / str(number) / "clip.json"
        spec.parent.mkdir()
        spec.write_bytes(str(number).encode())
        printed.append(proxx("submit", workspace, spec).stdout.decode().strip())
    expected = [workspace.inbox / name for name in ("clip.json", "clip~2.json", "clip~3.json", "clip~4.json")]
    assert printed == [str(path) for path in expected]
    assert [path.read_bytes() for path in expected] == [b"0", b"1", b"2", b"3"]


def test_submit_takes_several(proxx: Command, workspace: Workspace, tmp_path: Path) -> None:
    specs = [tmp_path / "b.json", tmp_path / "a.json"]
    for spec in specs:
        spec.write_bytes(spec.name.encode())
    ended = proxx("submit", workspace, *specs)
    assert ended.stdout.decode().splitlines() == [str(workspace.inbox / "b.json"), str(workspace.inbox / "a.json")]


@pytest.mark.parametrize("name", ["clip.txt", "clip.JSON", ".clip.json", "clip.result.json", ".json", "x" * 236 + ".json"])
def test_submit_refuses_a_name_that_is_no_candidates(proxx: Command, workspace: Workspace, tmp_path: Path, name: str) -> None:
    spec = tmp_path / name
    spec.write_bytes(b"{}")
    before = snapshot(workspace.root)
    ended = proxx("submit", workspace, spec)
    assert ended.exit_code == 64
    assert ended.stdout == b""
    assert ".json" in ended.stderr
    assert snapshot(workspace.root) == before


def test_submit_takes_the_longest_name(proxx: Command, workspace: Workspace, tmp_path: Path) -> None:
    spec = tmp_path / ("x" * 235 + ".json")
    spec.write_bytes(b"{}")
    assert proxx("submit", workspace, spec).exit_code == 0
    assert (workspace.inbox / spec.name).exists()


def test_submit_of_a_missing_spec_or_into_no_workspace(proxx: Command, workspace: Workspace, tmp_path: Path) -> None:
    assert proxx("submit", workspace, tmp_path / "missing.json").exit_code == 64
    spec = tmp_path / "clip.json"
    spec.write_bytes(b"{}")
    ended = proxx("submit", tmp_path / "nowhere", spec)
    assert ended.exit_code == 4
    assert "WORKSPACE_INVALID" in ended.stderr
    assert not (tmp_path / "nowhere").exists()


def test_status_where_no_worker_ever_ran(proxx: Command, workspace: Workspace) -> None:
    workspace.drop("waits", b"{}")
    before = snapshot(workspace.root, times=True)
    ended = proxx("status", workspace, "--json")
    assert ended.exit_code == 4, "no worker runs"
    status = json.loads(ended.stdout)
    assert status.keys() >= STATUS_FIELDS
    assert status["alive"] is False
    assert status["job"] is None
    assert status["inbox"] == 1
    shown = proxx("status", workspace)
    assert (shown.exit_code, shown.stdout.decode().splitlines()[0]) == (4, "worker:  not running")
    health = proxx("status", workspace, "--health")
    assert (health.exit_code, health.stdout) == (4, b"unhealthy: no worker is running here\n")
    assert snapshot(workspace.root, times=True) == before, "status touches nothing"


def test_a_hold_is_told_where_no_worker_runs(proxx: Command, workspace: Workspace) -> None:
    assert b"held" not in proxx("status", workspace).stdout
    assert proxx("hold", workspace).exit_code == 0
    assert proxx("status", workspace).stdout.endswith(b"\nheld:    nothing is claimed until it is released\n")


def test_status_of_no_workspace_is_4(proxx: Command, tmp_path: Path) -> None:
    assert proxx("status", tmp_path / "nowhere", "--json").exit_code == 4
    health = proxx("status", tmp_path / "nowhere", "--health")
    assert (health.exit_code, health.stderr) == (4, ""), "a probe's line is on stdout, whatever is wrong"
    assert health.stdout.decode().startswith("unhealthy: WORKSPACE_INVALID: there is no folder ")
    assert health.stdout.count(b"\n") == 1


def test_status_of_a_worker_that_ended_on_another_host_is_4(proxx: Command, workspace: Workspace) -> None:
    """Its process cannot be seen from here, but what it wrote last can."""
    assert proxx("watch", workspace, "--once").exit_code == 0
    lock = workspace.root / ".proxx" / "worker.lock"
    lock.write_text(json.dumps(json.loads(lock.read_text()) | {"host": "render7"}))
    told = proxx("status", workspace, "--json")
    assert (told.exit_code, json.loads(told.stdout)["alive"], json.loads(told.stdout)["state"]) == (4, None, "ended")
    assert proxx("status", workspace).exit_code == 4
    assert proxx("status", workspace, "--health").exit_code == 4


def test_status_follows_a_worker(proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    with proxx.start("watch", workspace, "--ffmpeg", gate.program, "--poll-seconds", "0.1") as worker:
        worker.until(workspace.status, "status.json")
        worker.until(lambda: (workspace.status() or {})["state"] == "idle", "an idle worker")
        idle = json.loads(proxx("status", workspace, "--json").stdout)
        assert (idle["alive"], idle["state"], idle["pid"], idle["job"], idle["inbox"]) == (True, "idle", worker.pid, None, 0)
        assert idle["host"] == os.uname().nodename
        workspace.drop("clip", jobspec(clip, proxies, job_id="JOB-1"))
        worker.until(gate.reached, "the encoder at the gate")
        workspace.drop("later", jobspec(clip, proxies, naming_template="later"))
        worker.until(lambda: ((workspace.status() or {})["job"] or {}).get("stage") == "encoding", "the encode in status.json")
        busy = json.loads(proxx("status", workspace, "--json").stdout)
        assert (busy["alive"], busy["state"], busy["inbox"]) == (True, "running", 1)
        assert busy["job"] | {"name": "clip", "job_id": "JOB-1", "tasks": 1} == busy["job"]
        keys = {"name", "job_id", "stage", "task", "tasks", "source", "position_seconds", "duration_seconds", "frames", "speed"}
        assert busy["job"].keys() == keys
        assert (busy["job"]["task"], busy["job"]["source"]) == (1, str(clip))
        assert f"job:     clip (job_id JOB-1), encoding, task 1 of 1: {clip}\n".encode() in proxx("status", workspace).stdout
        worker.signal(signal.SIGTERM)
        assert worker.wait().exit_code == 0
    last = workspace.status() or {}
    assert (last["state"], last["job"], last["inbox"]) == ("ended", None, 1)
    ended = json.loads(proxx("status", workspace, "--json").stdout)
    assert (ended["alive"], ended["job"], ended["inbox"]) == (False, None, 1)
    shown = proxx("status", workspace).stdout.decode()
    assert f"state:   ended at {ended['heartbeat_at']}, exit 0\n" in shown, "the past is not told as the present"


def test_health_is_a_live_worker_with_a_fresh_heartbeat(proxx: Command, workspace: Workspace) -> None:
    with proxx.start("watch", workspace) as worker:
        worker.until(workspace.status, "status.json")
        well = proxx("status", workspace, "--health")
        assert (well.exit_code, well.stderr) == (0, "")
        assert well.stdout.decode().startswith(f"healthy: idle, pid {worker.pid} on {os.uname().nodename}, heartbeat ")
        assert proxx("status", workspace).exit_code == 0
        assert "at most 0 s are allowed" in str(_unhealthy(proxx, workspace, "--max-age", "0")), (
            "no heartbeat is as fresh as that"
        )
        worker.signal(signal.SIGSTOP)
        stuck = wait_until(lambda: _unhealthy(proxx, workspace, "--max-age", "0.5"), "a heartbeat that is too old")
        assert "at most 0.5 s are allowed" in stuck
        assert proxx("status", workspace, "--health", "--max-age", "1000").exit_code == 0
        worker.signal(signal.SIGCONT)
        worker.signal(signal.SIGTERM)
        assert worker.wait().exit_code == 0
    assert _unhealthy(proxx, workspace) == "unhealthy: no worker is running here\n"
    assert proxx("status", workspace).exit_code == 4


def _unhealthy(proxx: Command, workspace: Workspace, *flags: str) -> str | None:
    """The line that says so; None where the worker is well."""
    ended = proxx("status", workspace, "--health", *flags)
    assert ended.exit_code in (0, 4)
    return None if ended.exit_code == 0 else ended.stdout.decode()


@pytest.mark.parametrize(
    "flags",
    [("--max-age", "5"), ("--health", "--json"), *(("--health", "--max-age", age) for age in ("-1", "nan", "inf", "x"))],
)
def test_what_health_cannot_mean_is_64(proxx: Command, workspace: Workspace, flags: tuple[str, ...]) -> None:
    assert proxx("status", workspace, *flags).exit_code == 64


def test_a_killed_worker_is_not_alive(proxx: Command, workspace: Workspace) -> None:
    with proxx.start("watch", workspace) as worker:
        worker.until(workspace.status, "status.json")
        worker.signal(signal.SIGKILL)
        worker.wait()
    told = json.loads(proxx("status", workspace, "--json").stdout)
    assert (told["alive"], told["state"]) == (False, "idle")
    assert f"state:   was idle at {told['heartbeat_at']}\n" in proxx("status", workspace).stdout.decode()


@pytest.mark.parametrize("written", [b"", b"null", b'{"state": "idle"}', b"\xff", b"[" * 100_000], ids=range(5))
def test_a_status_that_cannot_be_read_is_told_as_such(proxx: Command, workspace: Workspace, written: bytes) -> None:
    (workspace.root / ".proxx").mkdir()
    (workspace.root / ".proxx" / "status.json").write_bytes(written)
    told = proxx("status", workspace, "--json")
    assert told.exit_code == 4
    assert json.loads(told.stdout).keys() == {*STATUS_FIELDS, "left_alone"}
    assert json.loads(told.stdout)["state"] is None
    shown = proxx("status", workspace)
    assert shown.exit_code == 4
    assert b"state:   status.json cannot be read: " in shown.stdout


def test_check_says_one_line_per_assumption(proxx: Command, workspace: Workspace) -> None:
    ended = proxx("check", workspace)
    assert ended.exit_code == 0, ended.stdout
    lines = ended.stdout.decode().splitlines()
    assert len(lines) > 3
    assert any("ffmpeg" in line for line in lines)
    assert any("ffprobe" in line for line in lines)
    assert any(str(workspace.root) in line for line in lines)


def test_check_without_a_workspace(proxx: Command) -> None:
    ended = proxx("check")
    assert ended.exit_code == 0
    assert len(ended.stdout.splitlines()) >= 2


def test_check_finds_what_is_violated(proxx: Command, workspace: Workspace, tmp_path: Path) -> None:
    ended = proxx("check", workspace, "--ffmpeg", tmp_path / "missing")
    assert ended.exit_code == 4
    violated = [line for line in ended.stdout.decode().splitlines() if "FFMPEG_MISSING" in line]
    assert len(violated) == 1
    assert str(tmp_path / "missing") in violated[0]
    assert proxx("check", tmp_path / "nowhere").exit_code == 4


def test_check_changes_nothing(proxx: Command, workspace: Workspace) -> None:
    workspace.drop("clip", b"{}")
    before = snapshot(workspace.root)
    proxx("check", workspace)
    assert snapshot(workspace.root) == before


def test_check_while_a_worker_runs(proxx: Command, workspace: Workspace) -> None:
    with proxx.start("watch", workspace) as worker:
        worker.until(workspace.status, "status.json")
        proxx("check", workspace)
        assert json.loads(proxx("status", workspace, "--json").stdout)["alive"] is True
        worker.signal(signal.SIGTERM)
        assert worker.wait().exit_code == 0
