"""What the desk costs on a workspace with 10,000 finished jobs: lists, events, and the console's first look and memory."""

import sys
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode
from tests.benchmarks.conftest import WORKER
from tests.benchmarks.measure import RUNS, Spread, cpu, timed
from tests.benchmarks.report import Report
from tests.support.desks import empty_workspace, finished

SECTION = "The desk on 10,000 finished jobs"
JOBS = 10_000

# The console, without a terminal: it is read and drawn as in one. Times of its own thread, so that other programs do not count.
_CONSOLE = """
import asyncio, resource, sys, time
from pathlib import Path
from proxx_worker.desk.console.app import Console
from proxx_worker.desk.jobs import JobState
from proxx_worker.workspace.layout import Workspace

class Forms:
    profiles = ()

async def main():
    app = Console(Workspace(Path(sys.argv[1])), Forms())
    worst = {"wall": 0.0, "cpu": 0.0}
    async def tick():
        last, spent = time.monotonic(), time.thread_time()
        while True:
            await asyncio.sleep(0.002)
            now, used = time.monotonic(), time.thread_time()
            worst["wall"], worst["cpu"] = max(worst["wall"], now - last), max(worst["cpu"], used - spent)
            last, spent = now, used
    began = time.monotonic()
    async with app.run_test(size=(80, 24)) as pilot:
        ticking = asyncio.create_task(tick())
        while not app.board.jobs[JobState.DONE]:
            await asyncio.sleep(0.002)
        listed = time.monotonic() - began
        while app.board.unread:
            await asyncio.sleep(0.002)
        read = time.monotonic() - began
        for key in ("3", "4", "end", "home", "s", "s", "s", "3", "g", "slash", *"job0042", "escape", "4", "pagedown"):
            await pilot.press(key)
        await asyncio.sleep(2.5)
        ticking.cancel()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(listed, read, worst["wall"], worst["cpu"], peak)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = empty_workspace(tmp_path_factory.mktemp("desk") / "workspace")
    command = ["ffmpeg", "x" * 8000]  # so that a result is as long as one with its checks is
    for number in range(JOBS):
        code = ErrorCode.NO_SPACE if number % 10 == 0 else None
        at = f"2026-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z"
        finished(root, f"job{number:05}", code, at=at, command=command)
    return root


@pytest.mark.parametrize("command", [("list",), ("list", "--failed"), ("list", "--json"), ("events",)], ids=" ".join)
def test_commands(report: Report, workspace: Path, command: tuple[str, ...]) -> None:
    samples = [timed([WORKER, command[0], str(workspace), *command[1:]]) for _ in range(RUNS)]
    what = f"`{' '.join(command)}`"
    report.row(SECTION, f"{what}, wall", Spread.of([sample.wall for sample in samples]).show(2, " s"), "< 2 s")
    report.row(SECTION, f"{what}, CPU", Spread.of([cpu(sample) for sample in samples]).show(2, " s"))


def test_console(report: Report, workspace: Path) -> None:
    told = timed([sys.executable, "-c", _CONSOLE, str(workspace)]).stdout.split()
    listed, read, hitch, busy, peak = map(float, told)
    report.row(SECTION, "console: from its start to the list, wall", f"{listed:.2f} s", "< 2 s")
    report.row(SECTION, "console: from its start until all results are read, wall", f"{read:.2f} s", "")
    report.row(SECTION, "console: the longest time without reacting, wall", f"{hitch * 1e3:.0f} ms", "< 100 ms")
    report.row(SECTION, "console: the longest of them in its own CPU time", f"{busy * 1e3:.0f} ms", "")
    report.row(SECTION, "console: peak memory", f"{peak:.0f} MB", "< 150 MB")
