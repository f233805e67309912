"""The report's bar: on a terminal that can overwrite a line, in one line of it, and nowhere else."""

import fcntl
import io
import os
import pty
import struct
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

import pytest

from proxx_worker.cli.console import terminal_is_dumb
from proxx_worker.contract.finished import FinishedTask
from proxx_worker.report.progress import progress_on
from tests.unit.contract.test_finished import TASK


@dataclass(frozen=True)
class Screen:
    """A terminal: the side that is written to, and what arrived at the other."""

    stream: TextIO
    master: int

    def resize(self, columns: int) -> None:
        """Set its width; 0: it does not know."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def seen(self) -> str:
        """What was written; empty if nothing was."""
        os.set_blocking(self.master, False)
        try:
            return os.read(self.master, 1 << 16).decode()
        except BlockingIOError:
            return ""


@pytest.fixture
def screen() -> Iterator[Screen]:
    master, slave = pty.openpty()
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        yield Screen(stream, master)
    os.close(master)


TASK_SHOWN = FinishedTask.model_validate(TASK | {"source": "/card/" + "A" * 40 + ".mov"})


@pytest.mark.parametrize(("columns", "width"), [(50, 49), (60, 59), (0, 79), (1, 1)])
def test_the_bar_is_one_line_of_its_terminal(screen: Screen, columns: int, width: int) -> None:
    screen.resize(columns)
    with progress_on(screen.stream) as progress:
        progress.begin(TASK_SHOWN)
        shown = screen.seen()
    assert shown.startswith("\r\x1b[KA")
    assert len(shown.removeprefix("\r\x1b[K")) == width
    assert screen.seen() == "\r\x1b[K"


def test_no_bar_on_a_dumb_terminal(screen: Screen) -> None:
    with progress_on(screen.stream, dumb=True) as progress:
        progress.begin(TASK_SHOWN)
        progress.frames(TASK_SHOWN, 5)
    assert screen.seen() == ""


def test_no_bar_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    with progress_on(stream) as progress:
        progress.begin(TASK_SHOWN)
        progress.frames(TASK_SHOWN, 5)
    assert stream.getvalue() == ""


@pytest.mark.parametrize(("term", "dumb"), [("dumb", True), ("", True), (None, True), ("xterm", False), ("linux", False)])
def test_a_terminal_that_takes_lines_only_is_known(monkeypatch: pytest.MonkeyPatch, term: str | None, *, dumb: bool) -> None:
    monkeypatch.delenv("TERM", raising=False)
    if term is not None:
        monkeypatch.setenv("TERM", term)
    assert terminal_is_dumb() is dumb
