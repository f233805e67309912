"""One start of a child, for real."""

import platform
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.process import trial
from proxx_worker.process.sandbox import Sandbox
from proxx_worker.process.spawn import SETPRIV_PLACES
from proxx_worker.process.stop import StopFlag, StopRequestedError, StopSignal
from proxx_worker.process.syscalls import ALLOWED


@pytest.fixture
def stop() -> Iterator[StopFlag]:
    with closing(StopFlag()) as flag:
        yield flag


def test_here_children_can_be_started(stop: StopFlag) -> None:
    assert trial.try_start(stop) in SETPRIV_PLACES


def test_where_there_is_no_guard_there_is_nothing_to_try(stop: StopFlag, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxx_worker.process.spawn.sys.platform", "darwin")
    assert trial.try_start(stop) is None


@pytest.mark.parametrize(("program", "cause"), [("/usr/bin/false", "ended with 1"), ("/nowhere/setpriv", "No such file")])
def test_the_cause_is_named(stop: StopFlag, monkeypatch: pytest.MonkeyPatch, program: str, cause: str) -> None:
    monkeypatch.setattr(trial, "locate_setpriv", lambda: program)
    with pytest.raises(ProxxError, match=cause) as caught:
        trial.try_start(stop)
    assert caught.value.code is ErrorCode.IO_ERROR
    assert program in str(caught.value)


class Soon(StopSignal):
    """A stop that is requested once it has been asked for ten times."""

    def __init__(self, flag: StopFlag) -> None:
        self._flag = flag
        self._asked = 0

    def requested(self) -> bool:
        self._asked += 1
        return self._asked > 10

    def fileno(self) -> int:
        return self._flag.fileno()


@pytest.mark.skipif(sys.platform != "linux" or platform.machine() not in ALLOWED, reason="the sandbox is Linux's")
def test_a_tool_that_hangs_is_told_and_not_waited_for(stop: StopFlag, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "ffmpeg"
    tool.write_text("#!/bin/sh\nwhile :; do :; done\n")
    tool.chmod(0o755)
    with closing(Sandbox()) as sandbox:
        monkeypatch.setattr(trial, "_STALL_SECONDS", 0.4)
        with pytest.raises(ProxxError, match=r"hung for 0 s") as caught:
            trial.try_confined(sandbox, str(tool), None, stop)
        assert caught.value.code is ErrorCode.IO_ERROR
        assert "sandbox_read" not in str(caught.value)
        monkeypatch.setattr(trial, "_STALL_SECONDS", 60.0)
        with pytest.raises(StopRequestedError):
            trial.try_confined(sandbox, str(tool), None, Soon(stop))
