"""Progress: facts only, and never a word about time left."""

import io
import os
import pty
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction

import pytest

from proxx_worker.contract.errors import JsonValue
from proxx_worker.contract.result import JobResult, JobStatus, SpecRecord, TaskRecord, TaskStatus, WorkerRecord
from proxx_worker.contract.status import Stage
from proxx_worker.observe.display import PlainProgress, TerminalProgress, facts_text, progress_for
from proxx_worker.observe.joblog import Level
from proxx_worker.observe.observer import JobInfo, Observers, TaskInfo
from proxx_worker.verification.progress import Progress

JOB = JobInfo("clip", "id", 2)
RECORD = TaskRecord(index=0, source="/media/A001.mov", status=TaskStatus.COMPLETED)
RESULT = JobResult(
    job_id="id",
    status=JobStatus.COMPLETED,
    error=None,
    jobspec=SpecRecord(name="clip", sha256=None, version="2.1"),
    engine="ffmpeg",
    proxy_profile=None,
    settings=None,
    tasks=[RECORD],
    worker=WorkerRecord(version="2.0.0", ffmpeg=None, ffprobe=None, declared_versions={}),
    started_at="2026-03-01T12:00:00.000Z",
    finished_at="2026-03-01T12:00:01.000Z",
    duration_seconds=1,
)
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
    plain.job_entered(JOB, Stage.PROBING)
    plain.task_entered(TASK, Stage.ENCODING)
    for now[0] in (101.0, 104.9, 105.0, 106.0, 110.0):
        plain.progressed(TASK, PROGRESS)
    plain.task_ended(TASK, RECORD)
    plain.job_ended(JOB, RESULT)
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
        everyone.job_entered(JOB, Stage.PROBING)
        everyone.task_entered(TASK, Stage.ENCODING)
        everyone.progressed(TASK, PROGRESS)
        write("a log line\n")
        everyone.task_entered(TASK, Stage.VERIFYING)
        everyone.task_ended(TASK, RECORD)
        everyone.task_ended(TASK, RECORD)
        everyone.job_ended(JOB, RESULT)
    text = _all_of(controller)
    assert "a log line" in text
    assert "1/2" in text
    assert "105 frames" in text
    assert text.count("1/2") == text.count("frames") + text.count("verifying") + 1, "one bar, whatever the stage"
    assert r"A\x1b001.mov" in text
    assert "eta" not in text.lower()
    assert "remaining" not in text.lower()


@pytest.mark.parametrize(
    ("columns", "facts"),
    [
        (50, "0:00:04.2 / 0:31:02.5  2.1x"),
        (69, "0:00:04.2 / 0:31:02.5  2.1x"),
        (70, "0:00:04.2 / 0:31:02.5  105 frames  2.1x"),
        (80, "0:00:04.2 / 0:31:02.5  105 frames  2.1x"),
        (200, "0:00:04.2 / 0:31:02.5  105 frames  2.1x"),
    ],
)
def test_a_long_name_leaves_room_for_the_facts(columns: int, facts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))  # rich asks the standard streams for their width, and they are pytest's here
    controller, terminal = pty.openpty()
    with os.fdopen(terminal, "w", buffering=1) as stream:
        shown = TerminalProgress(stream)
        task = replace(TASK, source=f"/media/{'A long name ' * 20}.mov")
        shown.task_entered(task, Stage.ENCODING)
        shown.progressed(task, PROGRESS)
        shown.task_ended(task, RECORD)
    text = _all_of(controller)
    assert "1/2 A" in text
    assert facts in text


def test_on_fifty_columns_the_clip_keeps_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    controller, terminal = pty.openpty()
    with os.fdopen(terminal, "w", buffering=1) as stream:
        shown = TerminalProgress(stream)
        task = replace(TASK, source="/media/A001C001_240301.mov")
        shown.task_entered(task, Stage.ENCODING)
        shown.progressed(task, PROGRESS)
        shown.task_ended(task, RECORD)
    assert "1/2 A001C001_240301.m" in _all_of(controller), "at most the end of its extension is cut"


def test_a_dumb_terminal_gets_plain_lines() -> None:
    controller, terminal = pty.openpty()
    with os.fdopen(terminal, "w", buffering=1) as stream:
        shown, write = progress_for(stream, Recorder(), dumb=True)
        assert isinstance(shown, PlainProgress)
        write("a log line\n")
    assert "\x1b" not in _all_of(controller)


def test_elsewhere_there_are_plain_lines() -> None:
    stream = io.StringIO()
    shown, write = progress_for(stream, Recorder())
    assert isinstance(shown, PlainProgress)
    write("line\n")
    assert stream.getvalue() == "line\n"


def test_observers_hear_everything_in_order() -> None:
    heard: list[tuple[str, object, object]] = []

    class Listener:
        def __init__(self, name: str) -> None:
            self.name = name

        def job_entered(self, job: JobInfo, stage: Stage) -> None:
            heard.append((self.name, job, stage))

        def task_entered(self, task: TaskInfo, stage: Stage) -> None:
            heard.append((self.name, task, stage))

        def progressed(self, task: TaskInfo, progress: Progress) -> None:
            heard.append((self.name, task, progress))

        def task_ended(self, task: TaskInfo, outcome: TaskRecord) -> None:
            heard.append((self.name, task, outcome))

        def job_ended(self, job: JobInfo, outcome: JobResult) -> None:
            heard.append((self.name, job, outcome))

    both = Observers([Listener("a"), Listener("b")])
    both.job_entered(JOB, Stage.PROBING)
    both.task_entered(TASK, Stage.ENCODING)
    both.progressed(TASK, PROGRESS)
    both.task_ended(TASK, RECORD)
    both.job_ended(JOB, RESULT)
    said = [(JOB, Stage.PROBING), (TASK, Stage.ENCODING), (TASK, PROGRESS), (TASK, RECORD), (JOB, RESULT)]
    assert heard == [(name, *what) for what in said for name in ("a", "b")]
