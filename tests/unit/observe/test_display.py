"""Progress: facts only, and never a word about time left."""

import fcntl
import io
import os
import pty
import struct
import termios
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from proxx_worker.contract.errors import JsonValue
from proxx_worker.observe.display import PlainProgress, TerminalProgress, facts_text, progress_for
from proxx_worker.observe.joblog import Level
from proxx_worker.observe.observer import Observers, TaskInfo
from proxx_worker.verification.progress import Progress

TASK = TaskInfo("clip", "id", 1, 2, "/media/A\x1b001.mov", Fraction(3725, 2))
PROGRESS = Progress(frames=105, position=Fraction(21, 5), speed=2.14)


class Recorder:
    def __init__(self) -> None:
        self.events: list[tuple[str, str, dict[str, JsonValue]]] = []

    def event(self, action: str, message: str = "", *, level: Level = "INFO", **fields: JsonValue) -> None:
        assert level == "INFO"
        self.events.append((action, message, fields))

    def encoder_lines(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.event("encoder", line)


@pytest.mark.parametrize(
    ("task", "progress", "text"),
    [
        (TASK, PROGRESS, "0:00:04.2 / 0:31:02.5  105 frames  2.1x"),
        (TASK, None, "0:00:00.0 / 0:31:02.5"),
        (TaskInfo("c", "i", 1, 1, "/s", None), Progress(frames=3), "3 frames"),
        (TaskInfo("c", "i", 1, 1, "/s", None), Progress(frames=3, position=Fraction(1, 10)), "0:00:00.1 / ?  3 frames"),
        (TaskInfo("c", "i", 1, 1, "/s", None), None, ""),
        (TaskInfo("c", "i", 1, 1, "/s", Fraction(3_599_999, 1000)), None, "0:00:00.0 / 1:00:00.0"),
    ],
)
def test_the_facts(task: TaskInfo, progress: Progress | None, text: str) -> None:
    assert facts_text(task, progress) == text


def test_plain_progress_says_something_only_every_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("proxx_worker.observe.display.time.monotonic", lambda: now[0])
    log = Recorder()
    plain = PlainProgress(log)
    plain.task_started(TASK)
    for now[0] in (101.0, 104.9, 105.0, 106.0, 110.0):
        plain.progressed(TASK, PROGRESS)
    plain.task_finished(TASK)
    said = ("progress", "0:00:04.2 / 0:31:02.5  105 frames  2.1x", {"job": "clip", "task": 1, "tasks": 2})
    assert log.events == [said, said]


def _all_of(controller: int) -> str:
    """What the terminal got, read to its end: one read may return less."""
    got = b""
    with os.fdopen(controller, "rb", buffering=0) as stream, suppress(OSError):
        while part := stream.read(1 << 16):
            got += part
    return got.decode()


def test_a_terminal_gets_a_bar_and_lines_above_it() -> None:
    controller, terminal = pty.openpty()
    with os.fdopen(terminal, "w", buffering=1) as stream:
        shown, write = progress_for(stream, Recorder())
        assert isinstance(shown, TerminalProgress)
        everyone = Observers([shown])
        everyone.progressed(TASK, PROGRESS)  # before any start: nothing to draw on
        everyone.task_started(TASK)
        everyone.progressed(TASK, PROGRESS)
        write("a log line\n")
        everyone.task_finished(TASK)
        everyone.task_finished(TASK)
    text = _all_of(controller)
    assert "a log line" in text
    assert "1/2" in text
    assert "105 frames" in text
    assert r"A\x1b001.mov" in text
    assert "eta" not in text.lower()
    assert "remaining" not in text.lower()


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_a_long_name_leaves_room_for_the_facts(columns: int) -> None:
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
    with os.fdopen(terminal, "w", buffering=1) as stream:
        shown = TerminalProgress(stream)
        task = replace(TASK, source=f"/media/{'A long name ' * 20}.mov")
        shown.task_started(task)
        shown.progressed(task, PROGRESS)
        shown.task_finished(task)
    text = _all_of(controller)
    assert "1/2 A" in text
    assert "0:00:04.2 / 0:31:02.5  105 frames  2.1x" in text


def test_elsewhere_there_are_plain_lines() -> None:
    stream = io.StringIO()
    shown, write = progress_for(stream, Recorder())
    assert isinstance(shown, PlainProgress)
    write("line\n")
    assert stream.getvalue() == "line\n"


def test_observers_hear_everything_in_order() -> None:
    heard: list[Any] = []

    class Listener:
        def __init__(self, name: str) -> None:
            self.name = name

        def task_started(self, task: TaskInfo) -> None:
            heard.append((self.name, "started", task.number))

        def progressed(self, task: TaskInfo, progress: Progress) -> None:
            heard.append((self.name, progress.frames, task.number))

        def task_finished(self, task: TaskInfo) -> None:
            heard.append((self.name, "finished", task.number))

    both = Observers([Listener("a"), Listener("b")])
    both.task_started(TASK)
    both.progressed(TASK, PROGRESS)
    both.task_finished(TASK)
    assert heard == [(n, what, 1) for what in ("started", 105, "finished") for n in ("a", "b")]
