"""Progress for people: a bar on a terminal, log lines elsewhere. Position, duration, frames, speed; no time left."""

import time
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, TextIO

from proxx_worker.contract.result import JobResult, TaskRecord
from proxx_worker.contract.status import Stage
from proxx_worker.contract.text import visible
from proxx_worker.observe.joblog import JobLog
from proxx_worker.observe.observer import JobInfo, JobObserver, TaskInfo
from proxx_worker.observe.openjd import OpenJdProgress
from proxx_worker.verification.progress import Progress

if TYPE_CHECKING:
    from rich.progress import TaskID

ProgressFormat = Literal["text", "openjd"]

PLAIN_INTERVAL_SECONDS = 5.0
_NARROW = 70  # columns below which a bar would leave no space for the clip's name


def facts_text(task: TaskInfo, progress: Progress | None, *, brief: bool = False) -> str:
    """`0:00:04.2 / 0:00:10.0  105 frames  2.1x`, as far as known. `brief`: without the frames."""
    parts = []
    position = None if progress is None else progress.position
    if position is not None or task.duration is not None:
        parts.append(f"{_clock(position or Fraction(0))} / {_clock(task.duration) if task.duration is not None else '?'}")
    if not brief and progress is not None and progress.frames is not None:
        parts.append(f"{progress.frames} frames")
    if progress is not None and progress.speed is not None:
        parts.append(f"{progress.speed:.1f}x")
    return "  ".join(parts)


def _clock(seconds: Fraction) -> str:
    tenths = max(0, round(float(seconds) * 10))
    minutes, tenths = divmod(tenths, 600)
    return f"{minutes // 60}:{minutes % 60:02d}:{tenths // 10:02d}.{tenths % 10}"


class PlainProgress:
    """Log lines with action `progress`, at most one every few seconds. Satisfies `JobObserver`."""

    def __init__(self, log: JobLog) -> None:
        """Write to `log`."""
        self._log = log
        self._last = 0.0

    def job_entered(self, job: JobInfo, stage: Stage) -> None:
        """See `JobObserver.job_entered`: stages have log events of their own."""

    def task_entered(self, task: TaskInfo, stage: Stage) -> None:
        """See `JobObserver.task_entered`."""
        self._last = time.monotonic()

    def progressed(self, task: TaskInfo, progress: Progress) -> None:
        """See `JobObserver.progressed`."""
        if time.monotonic() - self._last >= PLAIN_INTERVAL_SECONDS:
            self._last = time.monotonic()
            self._log.event("progress", facts_text(task, progress), job=task.job, task=task.number, tasks=task.tasks)

    def task_ended(self, task: TaskInfo, outcome: TaskRecord) -> None:
        """See `JobObserver.task_ended`."""

    def job_ended(self, job: JobInfo, outcome: JobResult) -> None:
        """See `JobObserver.job_ended`."""


class TerminalProgress:
    """One bar at the bottom of a terminal; log lines scroll above it. Satisfies `JobObserver`."""

    def __init__(self, stream: TextIO) -> None:
        """Draw on `stream`, which must be a terminal."""
        # Imported late: rich takes about 0.1 s to import, and only a terminal needs it.
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import BarColumn, TextColumn  # noqa: PLC0415
        from rich.progress import Progress as Bars  # noqa: PLC0415
        from rich.table import Column  # noqa: PLC0415

        # The facts are shown in full; the name and the bar share the remaining width. Without ratios rich shortens all three
        # equally, and a long clip name hides frames and speed. A narrow terminal has no space for a bar.
        console = Console(file=stream, highlight=False, markup=False)
        self._brief = console.width < _NARROW
        name = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, ratio=1))
        bar = BarColumn(bar_width=None, table_column=Column(ratio=1))
        facts = TextColumn("{task.fields[facts]}", markup=False)
        self._bars = Bars(
            *((name, facts) if self._brief else (name, bar, facts)),
            expand=True,
            console=console,
            transient=True,
            refresh_per_second=4,
            auto_refresh=False,
        )
        self._bar: TaskID | None = None

    def write(self, line: str) -> None:
        """Print a log line above the bar."""
        self._bars.console.print(line.rstrip("\n"), soft_wrap=True, markup=False, highlight=False)

    def job_entered(self, job: JobInfo, stage: Stage) -> None:
        """See `JobObserver.job_entered`: only tasks have a bar."""

    def task_entered(self, task: TaskInfo, stage: Stage) -> None:
        """See `JobObserver.task_entered`."""
        if self._bar is not None and stage is not Stage.ENCODING:
            self._bars.update(self._bar, facts=stage.value, refresh=True)
            return
        name = visible(task.source.rsplit("/", 1)[-1])
        total = None if task.duration is None else float(task.duration)
        self._bar = self._bars.add_task(
            f"{task.number}/{task.tasks} {name}", total=total, facts=facts_text(task, None, brief=self._brief)
        )
        self._bars.start()

    def progressed(self, task: TaskInfo, progress: Progress) -> None:
        """See `JobObserver.progressed`."""
        if self._bar is not None:
            completed = None if progress.position is None else float(progress.position)
            self._bars.update(self._bar, completed=completed, facts=facts_text(task, progress, brief=self._brief), refresh=True)

    def task_ended(self, task: TaskInfo, outcome: TaskRecord) -> None:
        """See `JobObserver.task_ended`."""
        if self._bar is not None:
            self._bars.remove_task(self._bar)
            self._bar = None
        self._bars.stop()

    def job_ended(self, job: JobInfo, outcome: JobResult) -> None:
        """See `JobObserver.job_ended`."""


def progress_for(
    stream: TextIO, log: JobLog, form: ProgressFormat = "text", *, dumb: bool = False
) -> tuple[JobObserver, Callable[[str], object]]:
    """An observer that shows progress on `stream`, and a function that writes log lines to it. `dumb`: never draw a bar."""

    def write(line: str) -> None:
        stream.write(line)
        stream.flush()

    if form == "openjd":
        return OpenJdProgress(write), write
    if stream.isatty() and not dumb:
        terminal = TerminalProgress(stream)
        return terminal, terminal.write
    return PlainProgress(log), write
