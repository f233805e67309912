"""Lines as journald takes them."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxx_worker.observe.journal import is_journal, prefix
from proxx_worker.observe.logs import EventLog, LogFormat, start_worker_log


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    opened = os.open(tmp_path / "stream", os.O_WRONLY | os.O_CREAT)
    yield opened
    os.close(opened)


def test_the_descriptor_itself_must_be_the_journal_s(descriptor: int, tmp_path: Path) -> None:
    found = (tmp_path / "stream").stat()
    assert is_journal(descriptor, f"{found.st_dev}:{found.st_ino}")
    assert not is_journal(descriptor, f"{found.st_dev}:{found.st_ino + 1}")
    assert not is_journal(descriptor, "")
    assert not is_journal(descriptor, None)
    os.close(descriptor)
    assert not is_journal(descriptor, f"{found.st_dev}:{found.st_ino}")
    os.open(tmp_path / "stream", os.O_RDONLY)


@pytest.mark.parametrize(("level", "number"), [("CRITICAL", 2), ("ERROR", 3), ("WARNING", 4), ("INFO", 6), ("DEBUG", 7)])
def test_priorities_are_syslog_s(level: str, number: int) -> None:
    assert prefix(level) == f"<{number}>"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_line_has_its_priority_in_front(log_format: LogFormat) -> None:
    lines: list[str] = []
    start_worker_log(lines.append, log_format, encoder_lines=False, journal=True)
    EventLog("clip").event("name_too_long", "hello\nyou", level="WARNING", size=3)
    EventLog().event("worker_ended")
    assert [line[:3] for line in lines] == ["<4>", "<6>"]
    if log_format == "text":
        assert lines == ["<4>WARNING name_too_long hello\\x0ayou job=clip size=3\n", "<6>INFO    worker_ended\n"]
    else:
        document = json.loads(lines[0][3:])
        assert document.keys() == {"time", "level", "action", "message", "job", "size"}
