"""The progress of a report: a bar on a terminal, a line per task elsewhere."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from proxx_worker.contract.finished import FinishedTask
from proxx_worker.contract.text import visible

_INTERVAL_SECONDS = 0.25
_COLUMNS = 80
"""Where the terminal does not know."""


class ReportProgress:
    """No progress display: for output that nobody watches."""

    def begin(self, task: FinishedTask) -> None:
        """Begin with this task."""

    def frames(self, task: FinishedTask, frames: int) -> None:
        """Show how many of its frames were compared."""


class _Bar(ReportProgress):
    """One line that is overwritten, at most four times a second. Facts only: frames done and in total, no time left."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last = 0.0

    def begin(self, task: FinishedTask) -> None:
        self._last = 0.0
        self.frames(task, 0)

    def frames(self, task: FinishedTask, frames: int) -> None:
        now = time.monotonic()
        if now - self._last < _INTERVAL_SECONDS:
            return
        self._last = now
        total = task.counted_frames()
        name = visible(task.source.rsplit("/", 1)[-1])[:40]
        done = "" if not total else "#" * min(20, 20 * frames // total)
        line = f"{name}  [{done:<20}]  {frames} / {total if total is not None else '?'} frames"
        columns = os.get_terminal_size(self._stream.fileno()).columns or _COLUMNS
        self._stream.write(f"\r\x1b[K{line[: max(1, columns - 1)]}")
        self._stream.flush()

    def end(self) -> None:
        """Clear the line."""
        self._stream.write("\r\x1b[K")
        self._stream.flush()


@contextmanager
def progress_on(stream: TextIO, *, dumb: bool = False) -> Iterator[ReportProgress]:
    """Who shows progress on `stream`, in the body. `dumb`: never draw a bar."""
    if not stream.isatty() or dumb:
        yield ReportProgress()
        return
    bar = _Bar(stream)
    try:
        yield bar
    finally:
        bar.end()
