"""What a service manager hears, on a real datagram socket as systemd binds it."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from proxx_worker.contract.status import RunningJob, Stage, WorkerState, WorkerStatus
from proxx_worker.observe.supervisor import Supervisor, status_text

JOB = RunningJob("clip", "J1", Stage.ENCODING, 1, 2, "/a.mov", position_seconds=12.0, duration_seconds=60.0)
STATUS = WorkerStatus(WorkerState.RUNNING, 7, "h", "2026-05-01T12:00:00.000Z", "2026-05-01T12:00:00.000Z", 3, JOB)


class Manager:
    """A socket that is bound; `heard` takes all that has come."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)

    def heard(self) -> list[str]:
        words = []
        while True:
            try:
                words.append(self.socket.recv(4096, socket.MSG_DONTWAIT).decode())
            except BlockingIOError:
                return words


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    bound = Manager(str(tmp_path / "notify"))
    yield bound
    bound.socket.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the monotonic time that the supervisor sees."""
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def set_to(seconds: float) -> None:
        now[0] = 1000.0 + seconds

    return set_to


def test_from_start_to_end(manager: Manager, tmp_path: Path, clock: Callable[[float], None]) -> None:
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "8000000", "WATCHDOG_PID": "7"}
    told = Supervisor.of(environment, 7)
    told.beat()
    told.beat()
    assert manager.heard() == ["EXTEND_TIMEOUT_USEC=60000000"], "a long recovery is no failed start"
    told.ready()
    for seconds in (0.5, 2.0, 2.5, 4.0):
        clock(seconds)
        told.beat()
    assert manager.heard() == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]
    told.update(STATUS)
    told.update(STATUS)
    told.update(replace(STATUS, state=WorkerState.IDLE, job=None, inbox=0))
    told.set_status("IO_ERROR: x\ny")
    told.stopping()
    assert manager.heard() == [
        "STATUS=running: clip, encoding task 1 of 2, 12.0 of 60.0 s; 3 waiting",
        "STATUS=idle",
        "STATUS=IO_ERROR: x\\x0ay",
        "STOPPING=1",
    ]


@pytest.mark.parametrize(
    "watchdog",
    [{}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "8000000", "WATCHDOG_PID": "8"}],
    ids=["none", "no number", "another process's"],
)
def test_without_a_watchdog_nothing_pings(
    manager: Manager, tmp_path: Path, clock: Callable[[float], None], watchdog: dict[str, str]
) -> None:
    told = Supervisor.of({"NOTIFY_SOCKET": str(tmp_path / "notify"), **watchdog}, 7)
    told.ready()
    for seconds in range(0, 100, 5):
        clock(seconds)
        told.beat()
    assert manager.heard() == ["READY=1"]


def test_an_abstract_address() -> None:
    manager = Manager("\0proxx-worker-test-notify")
    Supervisor.of({"NOTIFY_SOCKET": "@proxx-worker-test-notify"}, 7).ready()
    assert manager.heard() == ["READY=1"]
    manager.socket.close()


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/nowhere/notify"}])
def test_nobody_there_costs_nothing(environment: dict[str, str]) -> None:
    told = Supervisor.of(environment, 7)
    told.ready()
    told.beat()
    told.set_status("x")
    told.stopping()


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (replace(STATUS, job=None, inbox=0, state=WorkerState.IDLE), "idle"),
        (replace(STATUS, job=None, state=WorkerState.HELD), "held; 3 waiting"),
        (replace(STATUS, inbox=0, job=RunningJob("clip", "J1", Stage.PROBING, 0, 2)), "running: clip, probing"),
        (
            replace(STATUS, state=WorkerState.STOPPING, job=replace(JOB, duration_seconds=None)),
            "stopping after this job: clip, encoding task 1 of 2, 12.0 s; 3 waiting",
        ),
    ],
)
def test_the_line_that_a_person_reads(status: WorkerStatus, text: str) -> None:
    assert status_text(status) == text
