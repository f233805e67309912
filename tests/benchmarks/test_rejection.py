"""Rejecting bad specs, durably, beside what the disk's own syncs allow."""

import os
import re
import shutil
import sys
from pathlib import Path

from tests.benchmarks.conftest import WORKER, emptied
from tests.benchmarks.measure import Sample, Spread, in_turns, timed
from tests.benchmarks.report import Report

SPECS = int(os.environ.get("PROXX_BENCH_REJECTS", "2000"))

# The same number of syncs of new small files and of their folder, and nothing else.
SYNCS = """
import os, sys
folder, count = sys.argv[1], int(sys.argv[2])
directory = os.open(folder, os.O_RDONLY)
for number in range(count):
    if number % 2:
        os.fsync(directory)
        continue
    fd = os.open(f"{folder}/{number}", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    os.write(fd, b"x" * 1024)
    os.fsync(fd)
    os.close(fd)
"""


def fill(workspace: Path, count: int) -> None:
    inbox = emptied(workspace) / "inbox"
    inbox.mkdir()
    for number in range(count):
        (inbox / f"{number:05}.json").write_bytes(b'{"jobspec_version": "2.1"}')


def test_rejections(report: Report, tmp_path: Path) -> None:
    section = f"Rejecting {SPECS} bad specs, each with a durable result and log"
    workspace = tmp_path / "ws"
    assert shutil.which("strace")

    def syncs(count: int) -> int:
        fill(workspace, count)
        told = tmp_path / "syncs"
        traced = [
            "strace",
            "-f",
            "-qq",
            "-e",
            "trace=fsync,fdatasync",
            "-o",
            str(told),
            WORKER,
            "watch",
            str(workspace),
            "--once",
        ]
        timed(traced, fails=True)
        return len(re.findall(r"f(?:data)?sync\(", told.read_text()))

    per_job = (syncs(30) - syncs(10)) / 20

    def reject() -> Sample:
        fill(workspace, SPECS)
        sample = timed([WORKER, "watch", str(workspace), "--once"], fails=True)
        assert len(list((workspace / "failed").iterdir())) == 3 * SPECS
        return sample

    def bare() -> Sample:
        return timed([sys.executable, "-c", SYNCS, str(emptied(tmp_path / "bare")), str(round(per_job * SPECS))])

    ours, limit = in_turns(reject, bare)
    share = [other.wall / one.wall for one, other in zip(ours, limit, strict=True)]
    report.row(section, "rate / the rate that the syncs alone allow", Spread.of(share).show(2), ">= 0.50")
    report.row(section, "jobs per second", Spread.of([SPECS / one.wall for one in ours]).show(0))
    report.row(section, "syncs per job", f"{per_job:.1f}")
