"""Where events go: the worker's log, and the log file of the job they belong to."""

import json
import os
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.observe.logs import EventLog, JobLogFile, start_worker_log


def open_log(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def test_the_worker_log_is_text_or_json_lines() -> None:
    lines: list[str] = []
    start_worker_log(lines.append, "text", encoder_lines=False)
    EventLog("clip").event("claimed", "hello", size=3)
    start_worker_log(lines.append, "json", encoder_lines=False)
    EventLog().event("worker_started", level="WARNING")
    assert lines[0].split(" ", 1)[1] == "INFO    claimed hello job=clip size=3\n"
    document = json.loads(lines[1])
    assert {key: document[key] for key in ("level", "action", "message")} == {
        "level": "WARNING",
        "action": "worker_started",
        "message": "",
    }


@pytest.mark.parametrize(("wanted", "count"), [(True, 1), (False, 0)])
def test_the_encoder_speaks_on_stderr_only_where_it_is_wanted(*, wanted: bool, count: int) -> None:
    lines: list[str] = []
    start_worker_log(lines.append, "text", encoder_lines=wanted)
    EventLog("clip").encoder_lines(["frame= 1"])
    EventLog("clip").event("details", level="DEBUG")
    assert len(lines) == count


def test_a_job_log_file_holds_its_own_job_alone(tmp_path: Path) -> None:
    start_worker_log(lambda _line: None, "text", encoder_lines=False)
    with JobLogFile("one", open_log(tmp_path / "one.log")) as one, JobLogFile("two", open_log(tmp_path / "two.log")) as two:
        one.event("first", level="DEBUG")
        two.event("second")
        one.encoder_lines(["[error] x\x1b", "[info] y"])
    assert [line.split()[2] for line in (tmp_path / "one.log").read_text().splitlines()] == ["first", "encoder", "encoder"]
    assert "\\x1b" in (tmp_path / "one.log").read_text()
    assert [line.split()[2] for line in (tmp_path / "two.log").read_text().splitlines()] == ["second"]


def test_a_log_that_cannot_be_written_says_so_at_its_end_and_not_before() -> None:
    start_worker_log(lambda _line: None, "text", encoder_lines=False)
    descriptor = os.open("/dev/full", os.O_WRONLY)
    log = JobLogFile("full", descriptor)
    log.event("first")
    log.event("second")
    with pytest.raises(ProxxError) as caught:
        log.close()
    assert caught.value.code is ErrorCode.NO_SPACE


def test_a_worker_log_that_fails_costs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def broken(_line: str) -> None:
        raise OSError("stderr is gone")

    start_worker_log(broken, "text", encoder_lines=False)
    EventLog().event("still_alive")
    capsys.readouterr()
