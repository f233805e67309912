"""An idle worker on a clock that only its own waits move: days of idling in seconds, and every wake counted."""

import json
import subprocess
import sys
from pathlib import Path

POLL_SECONDS = 2

# The worker, really, but for its waits, each of which moves the clock by as long as it would have taken.
DAYS = """
import gc, os, sys, time
import proxx_worker.worker
from proxx_worker.cli import main

now, waits, listings, sizes = 1000.0, [], 0, []
listdir = os.listdir

def wait(descriptors, seconds):
    global now
    now += seconds
    waits.append(seconds)
    if len(waits) % (int(sys.argv[2]) // 4) == 0:
        gc.collect()
        sizes.append(sys.getallocatedblocks())
    if len(waits) == int(sys.argv[2]):
        print({"waits": sorted(set(waits[1:])), "listings": listings, "sizes": sizes})
        raise SystemExit

def count(folder):
    global listings
    listings += os.fsencode(folder).endswith(b"/inbox")
    return listdir(folder)

time.monotonic = lambda: now
proxx_worker.worker.wait_readable = wait
os.listdir = count
main(["watch", sys.argv[1], "--poll-seconds", "2"])
"""


def idled(workspace: Path, waits: int, *files: str) -> dict[str, list[float] | int]:
    (workspace / "inbox").mkdir(parents=True)
    for name in files:
        (workspace / "inbox" / name).write_text("{}")
    done = subprocess.run([sys.executable, "-c", DAYS, str(workspace), str(waits)], capture_output=True, check=True, timeout=300)
    found: dict[str, list[float] | int] = json.loads(done.stdout.replace(b"'", b'"'))
    return found


def test_nothing_happens_between_two_polls(tmp_path: Path) -> None:
    found = idled(tmp_path / "ws", 400)
    assert found["waits"] == [POLL_SECONDS]
    assert found["listings"] == 400


def test_days_without_work_cost_no_memory(tmp_path: Path) -> None:
    """Ten thousand polls are five and a half hours; what grows by one small object a poll grows by thousands of blocks."""
    found = idled(tmp_path / "ws", 10_000)
    _, early, _, late = found["sizes"] if isinstance(found["sizes"], list) else []
    # The list of waits that the test itself keeps holds as many floats as there were polls.
    assert late - early - 5_000 < 200


def test_a_held_worker_waits_as_an_idle_one_does_whatever_waits_with_it(tmp_path: Path) -> None:
    found = idled(tmp_path / "ws", 400, ".hold", "a.json", "a.cancel")
    assert found["waits"] == [POLL_SECONDS]
    assert found["listings"] == 1, "the queue is complete, and nothing is taken from it"
