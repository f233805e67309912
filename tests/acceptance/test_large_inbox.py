"""A hundred thousand specs: the inbox is listed at the start, and a claim costs no listing.

What is counted are the system's own calls for reading folders, not seconds; the seconds are printed.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest

from tests.acceptance.clips import tool
from tests.acceptance.command import COMMAND, Argument, Command, wait_until
from tests.acceptance.specs import Workspace, encode

SPECS = 100_000
CLAIMS = 200

pytestmark = pytest.mark.heavy


@dataclass(frozen=True, slots=True)
class Cost:
    """`listings`: getdents64 calls of the whole run. `first`: seconds to the first claim. `rate`: seconds per claim after it."""

    listings: int
    first: float
    rate: float


def _fill(workspace: Workspace, count: int) -> None:
    data = encode({"jobspec_version": "0"})
    for number in range(count):
        descriptor = os.open(workspace.inbox / f"{number:06d}.json", os.O_WRONLY | os.O_CREAT, 0o644)
        os.write(descriptor, data)
        os.close(descriptor)


def _cost(proxx: Command, workspace: Workspace, counts: Path) -> Cost:
    """Let a worker make at least `CLAIMS` claims, then stop it."""
    command: list[Argument] = [
        tool("strace"),
        "-f",
        "-c",
        "-e",
        "trace=getdents64",
        "-o",
        counts,
        COMMAND,
        "watch",
        workspace.root,
        "--poll-seconds",
        "86400",
    ]
    started = time.monotonic()
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=proxx.environment
    ) as traced:
        assert traced.stderr is not None
        lines = (line for line in traced.stderr if b" claimed " in line)
        assert next(lines, None) is not None
        first = time.monotonic()
        assert len(list(islice(lines, CLAIMS))) == CLAIMS
        last = time.monotonic()
        status = wait_until(workspace.status, "the status file")
        os.kill(status["pid"], signal.SIGTERM)
        for _ in traced.stderr:
            pass
    found = re.search(r"^\s*\S+\s+\S+\s+\S+\s+(\d+).*getdents64$", counts.read_text(), re.MULTILINE)
    return Cost(int(found[1]) if found else 0, first - started, (last - first) / CLAIMS)


def test_a_claim_costs_no_listing(proxx: Command, tmp_path: Path) -> None:
    costs = {}
    for count in (CLAIMS + 50, SPECS):
        workspace = Workspace(tmp_path / f"workspace-{count}")
        _fill(workspace, count)
        costs[count] = _cost(proxx, workspace, tmp_path / f"counts-{count}")
        finished = len(list(workspace.failed.glob("*.result.json")))
        left = sum(1 for _ in os.scandir(workspace.inbox))
        assert finished + left == count
        shutil.rmtree(workspace.root)
    few, many = costs.values()
    sys.stdout.write(
        f"{SPECS} specs: first claim after {many.first:.2f} s ({few.first:.2f} s with few), "
        f"{many.rate * 1e3:.2f} ms per claim (ratio to few {many.rate / few.rate:.2f}), {many.listings} getdents64 calls\n"
    )
    listing = _calls_of_one_listing(tmp_path, SPECS)
    assert listing / 2 < many.listings - few.listings < 3 * listing, "listed at the start, and not for every claim"


def _calls_of_one_listing(folder: Path, count: int) -> int:
    """How many getdents64 calls list `count` such names here, by the same count of them."""
    listed = folder / "listed"
    listed.mkdir()
    for number in range(count):
        os.close(os.open(listed / f"{number:06d}.json", os.O_WRONLY | os.O_CREAT, 0o644))
    counts = folder / "counts-of-one"
    subprocess.run(
        [tool("strace"), "-c", "-e", "trace=getdents64", "-o", counts, "ls", "-f", listed], check=True, stdout=subprocess.DEVNULL
    )
    found = re.search(r"^\s*\S+\s+\S+\s+\S+\s+(\d+).*getdents64$", counts.read_text(), re.MULTILINE)
    shutil.rmtree(listed)
    assert found is not None
    return int(found[1])
