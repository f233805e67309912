"""A worker stopped right before one of its calls, so that somebody can do something just then; then it goes on, or dies."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.faults.laboratory import Bench, Call, Ended

_STOPPED = "--- stopped by SIGSTOP ---"
_DEADLINE_SECONDS = 120.0


@dataclass(frozen=True)
class Paused:
    """How a paused run ended. `reached`: whether it came to the call at all."""

    ended: Ended
    reached: bool


def pause_before(call: Call) -> tuple[str, ...]:
    """What `strace` is told to stop the worker right before `call`."""
    return ("-e", f"trace={call.name}", "-e", f"inject={call.name}:signal=SIGSTOP:when={call.number}")


def watch_paused(bench: Bench, call: Call, act: Callable[[], object], *, kill: bool) -> Paused:
    """Run `watch --once`, stop it before `call`, `act`, and let it go on, or kill it."""
    trace = bench.root.with_name(f"{bench.root.name}.paused")
    trace.unlink(missing_ok=True)
    words = bench.words
    words.unlink(missing_ok=True)
    process = bench.start("watch", str(bench.workspace), "--once", strace=("-o", str(trace), *pause_before(call)))
    try:
        reached = _until_stopped(process, trace)
        if reached:
            act()
            (worker,) = psutil.Process(process.pid).children()
            worker.send_signal(signal.SIGKILL if kill else signal.SIGCONT)
        code = process.wait(timeout=_DEADLINE_SECONDS)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return Paused(Ended(code if code < 128 else 128 - code, words.read_text(errors="replace")), reached)


def _until_stopped(process: subprocess.Popen[bytes], trace: Path) -> bool:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if trace.exists() and _STOPPED in trace.read_text(errors="replace"):
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.005)  # the pause between two looks from outside
    raise AssertionError(f"neither stopped nor ended: pid {process.pid}, {os.fspath(trace)}")
