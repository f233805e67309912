"""Signals to `spec` at every step of writing: all of its specs or none. Each command is a process of its own."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

STOPS = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGTERM: 143}

COMMAND = """
import os, signal, sys
from proxx_worker.cli import main
from proxx_worker.feeding import drops

def then_signal(name, number, calls):
    real, count = getattr(drops, name), iter(range(1, 100))
    def call(*arguments):
        value = real(*arguments)
        if next(count) == calls:
            os.kill(os.getpid(), number)
        return value
    setattr(drops, name, call)

{before}
sys.exit(main(sys.argv[1:]))
"""


def spec(folder: Path, before: str) -> tuple[int, bytes, list[str]]:
    """The exit code, stderr and files of a `spec` for three clips in which `before` has been run."""
    clips = [f"/mnt/{name}.mov" for name in "abc"]
    made = ("spec", "--profile", "proxy_h264_low", "--output-directory", "/mnt/out", "--per-clip", str(folder), *clips)
    ended = subprocess.run([sys.executable, "-c", COMMAND.format(before=before), *made], capture_output=True, check=False)
    return ended.returncode, ended.stderr, sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("number", STOPS)
@pytest.mark.parametrize(("step", "calls"), [("_write", 1), ("_write", 3), ("place", 1), ("place", 3), ("sync_directory", 1)])
def test_a_stop_at_any_step_leaves_nothing(tmp_path: Path, number: signal.Signals, step: str, calls: int) -> None:
    assert spec(tmp_path, f"then_signal({step!r}, {int(number)}, {calls})") == (STOPS[number], b"", [])


def test_a_second_stop_does_not_interrupt_the_undoing(tmp_path: Path) -> None:
    before = f"then_signal('place', {int(signal.SIGINT)}, 2); then_signal('_remove', {int(signal.SIGTERM)}, 1)"
    assert spec(tmp_path, before) == (130, b"", [])


def test_a_signal_that_is_ignored_stays_so(tmp_path: Path) -> None:
    before = f"signal.signal(signal.SIGHUP, signal.SIG_IGN); then_signal('place', {int(signal.SIGHUP)}, 2)"
    assert spec(tmp_path, before) == (0, b"", ["a.json", "b.json", "c.json"])


def test_submit_leaves_no_unfinished_copy(tmp_path: Path) -> None:
    (tmp_path / "ws" / "inbox").mkdir(parents=True)
    (tmp_path / "a.json").write_bytes(b"{}")
    before = f"from proxx_worker.workspace import submit as drops; then_signal('_copy', {int(signal.SIGTERM)}, 1)"
    command = [sys.executable, "-c", COMMAND.format(before=before), "submit", str(tmp_path / "ws"), str(tmp_path / "a.json")]
    ended = subprocess.run(command, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr, list((tmp_path / "ws" / "inbox").iterdir())) == (143, b"", [])
