"""A child that leads a process group of its own: SIGTERM is for it alone, and nothing in its group outlives it."""

import os
import sys

import pytest

from proxx_worker.process.child import run_child
from proxx_worker.process.child_exit import ChildExit
from proxx_worker.process.stop import StopFlag
from tests.support.processes import await_end


class Told:
    """The numbers that a child prints: its group, and a process that it started."""

    def __init__(self, stop: StopFlag | None = None) -> None:
        self.text = b""
        self._stop = stop

    def take(self, chunk: bytes) -> None:
        self.text += chunk
        if self._stop is not None and self.text.endswith(b"\n"):
            self._stop.request()

    @property
    def numbers(self) -> list[int]:
        return [int(word) for word in self.text.split()]


def run(script: str, stop: StopFlag, told: Told, **more: float) -> ChildExit:
    argv = ["/bin/sh", "-c", script]
    return run_child(argv, stop=stop, on_stdout=told.take, on_stderr=lambda _: None, own_group=True, **more)  # type: ignore[arg-type]


# What it starts lets go of the pipes, so that nothing but the group tells whose it is.
STARTS = "sleep 1000 >/dev/null 2>&1 & "


def test_it_leads_a_group_of_its_own(stop: StopFlag) -> None:
    told = Told()
    assert run(f"exec '{sys.executable}' -c 'import os; print(os.getpgid(0), os.getpid())'", stop, told).exit_code == 0
    group, child = told.numbers
    assert group == child != os.getpgid(0)


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS tells of a child's end no earlier than it is reaped")
@pytest.mark.parametrize("end", ["exit 3", "kill -9 $$"])
def test_what_it_leaves_in_the_group_ends_with_it(stop: StopFlag, end: str) -> None:
    told = Told()
    ended = run(f"{STARTS}echo $!; {end}", stop, told)
    assert ended.exit_code == (3 if end == "exit 3" else -9)
    (left,) = told.numbers
    assert await_end(left, seconds=10)


def test_a_stop_asks_the_child_alone_and_then_kills_all(stop: StopFlag) -> None:
    told = Told(stop)
    script = f"{STARTS}other=$!; trap 'kill -0 $other && exit 7' TERM; echo $other; while :; do sleep 0.05; done"
    assert run(script, stop, told).exit_code == 7, "what it had started still ran when it was asked to end"
    assert await_end(told.numbers[0], seconds=10)


def test_one_that_is_deaf_is_killed_with_its_group(stop: StopFlag) -> None:
    told = Told(stop)
    script = f"trap '' TERM; {STARTS}echo $!; while :; do sleep 0.05; done"
    ended = run(script, stop, told, grace_seconds=0.2)
    assert (ended.exit_code, ended.stopped) == (-9, True)
    assert await_end(told.numbers[0], seconds=10)
