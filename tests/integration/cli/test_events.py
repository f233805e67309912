"""`events --follow`: what is told of a job that ends while its state is looked up."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from proxx_worker.cli import events
from proxx_worker.contract.status import RunningJob, Stage, WorkerState, WorkerStatus, encode_status
from proxx_worker.desk.events import Ended
from proxx_worker.workspace.layout import Workspace
from tests.support.desks import empty_workspace, finished

AT = "2026-01-01T10:00:00.000Z"


class Asked:
    """A stop that is requested after some rounds; `between` is called with the number of each."""

    def __init__(self, rounds: int, between: Callable[[int], None]) -> None:
        self._left = rounds
        self._between = between
        self._reader, self._writer = os.pipe()

    def fileno(self) -> int:
        return self._reader

    def requested(self) -> bool:
        self._left -= 1
        self._between(self._left)
        return self._left < 0


class Signals:
    def __init__(self, stop: Asked) -> None:
        self.stop, self.finish = stop, Asked(1000, lambda _left: None)


@pytest.mark.parametrize("over", [True, False])
def test_a_job_that_is_over_is_not_told_to_have_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, over: bool
) -> None:
    root = empty_workspace(tmp_path / "ws")
    workspace = Workspace(root)
    running = RunningJob("a", "J1", Stage.CLAIMED, 0, 1)
    workspace.status_file.write_bytes(encode_status(WorkerStatus(WorkerState.RUNNING, 7, "h", AT, AT, 0, running)))
    if over:
        finished(root, "a")

    def between(left: int) -> None:
        if left == 0 and not over:
            finished(root, "a")

    monkeypatch.setattr(events, "_POLL_SECONDS", 0.01)
    events._follow(workspace, Ended(workspace), Signals(Asked(2, between)), as_json=False)  # type: ignore[arg-type] # noqa: SLF001
    told = [line.split()[-2:] for line in capsys.readouterr().out.splitlines()]
    assert told == ([["done", "a"]] if over else [["started", "a"], ["done", "a"]])
