"""The worker killed mid-encode: nothing survives it, nothing is lost, and the next start says what happened."""

import json
import signal
from pathlib import Path

import psutil

from tests.acceptance.command import Command, is_running, wait_until
from tests.acceptance.results import audit, names, read_result, snapshot, statuses, stems
from tests.acceptance.specs import Workspace, explicit, jobspec


def _kill_in_mid_encode(proxx: Command, workspace: Workspace, proxies: Path) -> list[psutil.Process]:
    """Start, wait for the encoder to write, kill the worker. Returns what were its children."""
    with proxx.start("watch", workspace) as worker:
        worker.until(
            lambda: [path for path in proxies.glob(".proxx-*/*A001C004*") if path.stat().st_size > 0], "an output that grows"
        )
        children = worker.children()
        assert any("ffmpeg" in child.name() for child in children)
        worker.signal(signal.SIGKILL)
        assert worker.wait().exit_code == -signal.SIGKILL
    return children


def test_killed_in_mid_encode(proxx: Command, workspace: Workspace, clip: Path, long_clip: Path, proxies: Path) -> None:
    specs = [
        workspace.drop("a", jobspec([clip, long_clip], proxies, **explicit("prores_4444", "mov"))).read_bytes(),
        workspace.drop("b", jobspec(clip, proxies, naming_template="b")).read_bytes(),
    ]
    children = _kill_in_mid_encode(proxx, workspace, proxies)
    wait_until(lambda: not any(is_running(child) for child in children), "the end of every child")
    assert stems(workspace.running) == ["a"]
    assert stems(workspace.inbox) == ["b"]
    ended = proxx("watch", workspace, "--once")
    assert ended.exit_code == 2, "what recovery finished counts, too"
    result = read_result(workspace.failed, "a")
    assert result["error"]["code"] == "INTERRUPTED"
    assert statuses(result) == ["NOT_RUN", "NOT_RUN"]
    assert [task["source"] for task in result["tasks"]] == [str(clip), str(long_clip)]
    assert (result["jobspec"]["version"], result["job_id"]) == ("2.1", result["jobspec"]["sha256"][:12])
    read_result(workspace.done, "b")
    assert names(proxies) == ["b.mp4"], "no staging is left"
    audit(workspace.root, specs, [proxies])


def test_nothing_is_retried_at_the_third_start(proxx: Command, workspace: Workspace, long_clip: Path, proxies: Path) -> None:
    workspace.drop("a", jobspec(long_clip, proxies, **explicit("prores_4444", "mov")))
    _kill_in_mid_encode(proxx, workspace, proxies)
    proxx("watch", workspace, "--once")
    before = snapshot(workspace.failed)
    ended = proxx("watch", workspace, "--once")
    assert ended.exit_code == 0
    assert snapshot(workspace.failed) == before
    assert names(proxies) == []


def test_the_next_start_waits_for_nobody(proxx: Command, workspace: Workspace, long_clip: Path, proxies: Path) -> None:
    """The dead worker's encoder may still be dying with the lock: the next start, right behind, gets it all the same."""
    workspace.drop("a", jobspec(long_clip, proxies, **explicit("prores_4444", "mov")))
    _kill_in_mid_encode(proxx, workspace, proxies)
    assert proxx("watch", workspace, "--once").exit_code == 2
    assert stems(workspace.failed) == ["a"]


def test_a_killed_watch_s_staging_is_its_own_workspace_s(
    proxx: Command, workspace: Workspace, clip: Path, long_clip: Path, proxies: Path, tmp_path: Path
) -> None:
    workspace.drop("a", jobspec(long_clip, proxies, **explicit("prores_4444", "mov")))
    _kill_in_mid_encode(proxx, workspace, proxies)
    left = names(proxies)
    assert [name for name in left if not name.startswith(".proxx-")] == []
    another = Workspace(tmp_path / "another")
    another.drop("b", jobspec(clip, proxies, naming_template="b"))
    assert proxx("watch", another, "--once").exit_code == 0
    assert names(proxies) == sorted([*left, "b.mp4"])
    assert proxx("watch", workspace, "--once").exit_code == 2
    assert names(proxies) == ["b.mp4"]


def test_killed_with_a_spec_that_was_refused(proxx: Command, workspace: Workspace) -> None:
    """A claim that got no further: as a crash right after it leaves things."""
    data = json.dumps({"jobspec_version": "2.1"}).encode()
    (workspace.running / "clip.json").write_bytes(data)
    assert proxx("watch", workspace, "--once").exit_code == 2
    result = read_result(workspace.failed, "clip")
    assert result["error"]["code"] == "INTERRUPTED"
    assert result["tasks"] == []
    audit(workspace.root, [data])
