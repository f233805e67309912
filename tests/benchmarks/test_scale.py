"""A million specs in the inbox, a million files in `done/`: start, claim, finish, memory."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks.conftest import emptied
from tests.benchmarks.measure import timed
from tests.benchmarks.report import Report

SPECS = int(os.environ.get("PROXX_BENCH_SPECS", "1000000"))

# The worker's own inbox and spool on a workspace that is owned by nobody else; prints what the claims cost.
CLAIMS = """
import json, os, resource, statistics, sys, time
begun = time.monotonic()
from pathlib import Path
from proxx_worker.process.stop import StopFlag
from proxx_worker.workspace.inbox import Inbox
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.spool import Spool
root, total, step = sys.argv[1], int(sys.argv[2]), 100
workspace = Workspace(Path(root))
workspace.prepare()
spool = Spool(workspace, StopFlag())
inbox = Inbox(workspace.inbox, settle_seconds=5.0, poll_seconds=2.0, events_trusted=True)
times, first = [], None
for number in range(total):
    before = time.perf_counter()
    inbox.refresh(time.monotonic())
    candidate = inbox.next_candidate(time.monotonic())
    claimed = spool.claim(candidate.name)
    if first is None:
        first = time.monotonic() - begun
    elif number % (total // 10) < step:
        times.append((number, time.perf_counter() - before))
    os.unlink(workspace.running + b"/" + claimed.stem + b".json")
    os.unlink(workspace.running + b"/" + claimed.stem + b".log")
early = statistics.median(t for n, t in times if n <= step)
late = statistics.median(t for n, t in times if total * 9 // 10 <= n < total * 9 // 10 + step)
print(json.dumps({"first": first, "early": early, "late": late, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
"""

MAKE = """
import os, sys
folder, count, prefix = sys.argv[1], int(sys.argv[2]), sys.argv[3]
os.makedirs(folder, exist_ok=True)
for number in range(count):
    fd = os.open(f"{folder}/{prefix}{number:07}.json", os.O_WRONLY | os.O_CREAT)
    os.write(fd, b"{}")
    os.close(fd)
"""


@pytest.fixture
def memory_folder(tmp_path: Path) -> Iterator[Path]:
    """A filesystem in memory: a million small files there cost memory, not an hour of disk."""
    folder = emptied(tmp_path / "memory")
    if os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12g,nr_inodes=6m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_million_specs(report: Report, memory_folder: Path) -> None:
    section = f"{SPECS:,} specs in the inbox, {SPECS:,} files in done/"
    workspace = memory_folder / "ws"
    for folder, prefix in (("inbox", "clip"), ("done", "old")):
        subprocess.run([sys.executable, "-c", MAKE, str(workspace / folder), str(SPECS), prefix], check=True)
    sample = timed([sys.executable, "-c", CLAIMS, str(workspace), str(SPECS)])
    found = json.loads(sample.stdout)
    report.row(section, "first claim after start, imports included", f"{found['first']:.2f} s", "<= 4 s")
    report.row(section, "claims in the tenth tenth / claims 1-100, median", f"{found['late'] / found['early']:.2f}", "<= 1.2")
    report.row(section, "a claim", f"{1e6 * found['early']:.0f} us early, {1e6 * found['late']:.0f} us late")
    report.row(section, "peak memory", f"{found['peak'] / 1024:.0f} MB", "<= 300 MB")
    report.note(section, "In memory (tmpfs), so that the disk's syncs do not hide the cost of finding the next job.")
