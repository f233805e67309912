"""An idle worker: nothing to do must cost nothing."""

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil

from tests.benchmarks.conftest import WORKER, emptied
from tests.benchmarks.report import Report

SECONDS = float(os.environ.get("PROXX_BENCH_IDLE", "60"))


def test_idle(report: Report, tmp_path: Path) -> None:
    workspace = emptied(tmp_path / "ws")
    worker = subprocess.Popen([WORKER, "watch", str(workspace)], stderr=subprocess.DEVNULL)
    try:
        while not (workspace / ".proxx" / "status.json").exists():
            assert worker.poll() is None
            time.sleep(0.01)
        process = psutil.Process(worker.pid)
        time.sleep(2)
        before = process.cpu_times()
        memory = process.memory_info().rss
        time.sleep(SECONDS)
        after = process.cpu_times()
        grown = process.memory_info().rss - memory
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait()
    used = after.user + after.system - before.user - before.system
    section = f"Idle for {SECONDS:.0f} s, events on"
    report.row(section, "CPU", f"{100 * used / SECONDS:.3f} %", "<= 0.1 %")
    report.row(section, "memory", f"{memory / 2**20:.0f} MB, grown by {grown / 2**10:.0f} KB", "<= 60 MB")
