"""Time that misbehaves: a wall clock that is set back again and again, and a worker that does not run for a while."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests.faults.laboratory import Bench, Tools

STALL_SECONDS = "5"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    (tmp_path / "tools").mkdir()
    made = Bench(tmp_path / "bench", Tools.make(tmp_path / "tools"))
    made.reset()
    return made


def test_a_wall_clock_that_goes_back_changes_nothing_but_the_times_told(bench: Bench, tmp_path: Path) -> None:
    library = tmp_path / "clock_back.so"
    source = Path(__file__).with_name("clock_back.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    bench.drop("a", bench.spec("a", [0]))
    bench.drop("b", b'{"job_id": "b", ')  # waits until it has settled
    ended = bench.command(
        "watch", str(bench.workspace), "--once", "--settle-seconds", "0.2", environment={"LD_PRELOAD": str(library)}
    )
    assert ended.code == 1, ended.errors
    assert bench.violations(settled=True) == []
    result = json.loads((bench.workspace / "done" / "a.result.json").read_bytes())
    assert datetime.fromisoformat(result["finished_at"]) < datetime.fromisoformat(result["started_at"]), "the clock was set back"
    assert result["duration_seconds"] > 0
    assert result["tasks"][0]["duration_seconds"] > 0


@pytest.mark.heavy
def test_a_worker_that_was_stopped_and_goes_on_ends_its_job(bench: Bench, tmp_path: Path) -> None:
    """Worker and encoder stand still for longer than `stall_seconds`, as under a suspended machine; a second worker stays out."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    bench.before_each_encode(f"echo $$ >'{gate}.pid'; read line <'{gate}'")
    bench.drop("a", bench.spec("a", [0]))
    worker = bench.start("watch", str(bench.workspace), "--once", "--stall-seconds", STALL_SECONDS)
    pid_file = Path(f"{gate}.pid")
    _until(lambda: pid_file.exists() and pid_file.read_text().endswith("\n"))
    stopped = (worker.pid, int(pid_file.read_text()))
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        second = bench.watch()
        assert second.code == 4
        assert "WORKSPACE_BUSY" in second.errors
        begun = time.monotonic()
        _until(lambda: time.monotonic() - begun > float(STALL_SECONDS) + 1)
    finally:
        for pid in reversed(stopped):
            os.kill(pid, signal.SIGCONT)
    gate.write_text("\n")
    assert worker.wait(timeout=30) == 0
    assert bench.violations(settled=True) == []
    assert (bench.workspace / "done" / "a.json").exists()


def _until(seen: Callable[[], bool]) -> None:
    while not seen():
        time.sleep(0.01)  # a look from outside, as an operator would
