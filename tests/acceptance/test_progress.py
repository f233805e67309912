"""Progress: facts on a terminal and off it, never an estimate of time left, and never a word on `run`'s stdout."""

import json
import re
import subprocess
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command import Command
from tests.acceptance.results import parse_result
from tests.acceptance.specs import Workspace, encode, explicit, jobspec
from tests.acceptance.terminal import on_a_terminal

TIME_LEFT = re.compile(r"\beta\b|remaining|time left|\bleft\b", re.IGNORECASE)


@pytest.fixture
def spec(long_clip: Path, proxies: Path, tmp_path: Path) -> Path:
    """A job of which several progress reports are made."""
    path = tmp_path / "spec.json"
    source = tmp_path / "minute.mov"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", long_clip, "-t", "120", "-c", "copy", source], check=True, stdin=subprocess.DEVNULL
    )
    path.write_bytes(encode(jobspec(source, proxies, **explicit("prores_proxy", "mov"))))
    return path


def _on_a_terminal(proxx: Command, *arguments: str | Path, rows: int = 25, columns: int = 120) -> tuple[int, bytes, str]:
    """Run with stderr on a terminal. Returns the exit code, stdout, and what the terminal got."""
    shown = on_a_terminal(proxx, *arguments, rows=rows, columns=columns, stdout_too=False)
    return shown.exit_code, shown.stdout, shown.raw


def test_a_bar_with_facts_on_a_terminal(proxx: Command, spec: Path) -> None:
    exit_code, stdout, shown = _on_a_terminal(proxx, "run", spec)
    assert exit_code == 0, shown
    assert parse_result(stdout)["status"] == "COMPLETED"
    assert "\x1b" in shown, "something is drawn, not only written"
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert "minute.mov" in text
    assert "frames" in text
    assert re.search(r"\d+(\.\d+)?x", text), "the speed"
    assert "2:00" in text, "the duration"
    assert not TIME_LEFT.search(text)


def test_a_bar_for_watch_too(proxx: Command, workspace: Workspace, spec: Path) -> None:
    workspace.drop("job", spec.read_bytes())
    exit_code, stdout, shown = _on_a_terminal(proxx, "watch", workspace.root, "--once")
    assert (exit_code, stdout) == (0, b"")
    assert "\x1b" in shown
    assert not TIME_LEFT.search(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown))


def test_plain_lines_elsewhere(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    spec.write_bytes(encode(jobspec(clip, proxies)))
    ended = proxx("run", spec)
    assert ended.exit_code == 0
    assert parse_result(ended.stdout)["status"] == "COMPLETED"
    assert "\x1b" not in ended.stderr
    assert "\r" not in ended.stderr
    assert not TIME_LEFT.search(re.sub(r"encoder .*", "", ended.stderr))


def test_json_lines_where_asked(proxx: Command, workspace: Workspace, clip: Path, proxies: Path) -> None:
    workspace.drop("job", jobspec(clip, proxies))
    ended = proxx("watch", workspace, "--once", "--log-format", "json")
    records = [json.loads(line) for line in ended.stderr.splitlines()]
    actions = {record["action"] for record in records}
    assert {
        "worker_started",
        "claimed",
        "task_started",
        "task_completed",
        "committed",
        "published",
        "finished",
        "worker_ended",
    } <= actions
    assert all({"action", "level"} <= record.keys() for record in records)


def test_the_status_file_is_renewed_at_most_twice_a_second(
    proxx: Command, workspace: Workspace, long_clip: Path, proxies: Path
) -> None:
    workspace.drop("job", jobspec(long_clip, proxies, **explicit("prores_4444", "mov")))
    seen: dict[str, dict[str, Any]] = {}

    def look() -> bool:
        status = workspace.status()
        if status is not None and status["job"] is not None and status["job"]["frames"]:
            seen[status["heartbeat_at"]] = status["job"]
        return len(seen) >= 4

    with proxx.start("watch", workspace) as worker:
        worker.until(look, "four states of the status file")
    moments = [_seconds(heartbeat) for heartbeat in seen]
    assert moments == sorted(moments)
    assert all(later - earlier > 0.45 for earlier, later in pairwise(moments))
    frames = [job["frames"] for job in seen.values()]
    positions = [job["position_seconds"] for job in seen.values()]
    assert frames == sorted(frames)
    assert positions == sorted(positions)
    for job in seen.values():
        assert job["duration_seconds"] == pytest.approx(3600, abs=1)
        assert (job["task"], job["tasks"], job["source"]) == (1, 1, str(long_clip))


def _seconds(heartbeat: str) -> float:
    return datetime.fromisoformat(heartbeat).timestamp()
