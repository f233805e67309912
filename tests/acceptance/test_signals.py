"""Signals to `watch`, at every phase: it stops at once, or after the job, and every spec is where it belongs."""

import signal
from pathlib import Path

import pytest

from tests.acceptance.command import Command, is_running
from tests.acceptance.results import audit, names, parse_result, read_result, statuses, stems
from tests.acceptance.specs import Workspace, encode, explicit, jobspec
from tests.acceptance.stand_ins import Gate, program

STOPS = [signal.SIGTERM, signal.SIGINT]
NEVER_POLLS = ("--poll-seconds", "86400")
"""So that a worker which sees a signal only when it wakes up for a poll would not end."""


def _frames_are_counted(workspace: Workspace) -> bool:
    job = (workspace.status() or {}).get("job") or {}
    return bool(job.get("frames"))


@pytest.mark.parametrize("number", STOPS)
def test_in_mid_encode(
    proxx: Command, workspace: Workspace, clip: Path, long_clip: Path, proxies: Path, tmp_path: Path, number: signal.Signals
) -> None:
    third = tmp_path / "third.mov"
    third.symlink_to(clip)
    running = workspace.drop("a", jobspec([clip, long_clip, third], proxies, **explicit("prores_4444", "mov"))).read_bytes()
    waiting = workspace.drop("b", jobspec(clip, proxies, naming_template="b")).read_bytes()
    with proxx.start("watch", workspace, *NEVER_POLLS) as worker:
        worker.until(
            lambda: (((workspace.status() or {}).get("job") or {}).get("task") == 2) and _frames_are_counted(workspace),
            "frames of the second task",
        )
        encoders = worker.children("A001C004")
        assert encoders
        worker.signal(number)
        assert worker.wait().exit_code == 0
    assert not any(is_running(encoder) for encoder in encoders)
    result = read_result(workspace.failed, "a")
    assert result["error"]["code"] == "INTERRUPTED"
    assert statuses(result) == ["DISCARDED", "FAILED", "NOT_RUN"]
    assert result["tasks"][1]["error"]["code"] == "INTERRUPTED"
    assert names(proxies) == []
    assert stems(workspace.inbox) == ["b"], "no job was begun after the signal"
    audit(workspace.root, [running, waiting], [proxies])
    status = workspace.status()
    assert status is not None
    assert status["job"] is None


@pytest.mark.one_in(2)
@pytest.mark.parametrize("number", STOPS)
def test_to_the_whole_process_group(
    proxx: Command, workspace: Workspace, long_clip: Path, proxies: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """The encoder gets the signal, too, and ends by itself: that is the interruption still, and no failed encode."""
    document = jobspec(long_clip, proxies, **explicit("prores_4444", "mov"))
    workspace.drop("a", document)
    with proxx.start("watch", workspace, *NEVER_POLLS) as worker:
        worker.until(lambda: _frames_are_counted(workspace), "frames")
        worker.signal_group(number)
        assert worker.wait().exit_code == 0
    assert read_result(workspace.failed, "a")["error"]["code"] == "INTERRUPTED"
    spec = tmp_path / "spec.json"
    spec.write_bytes(encode(document))
    with proxx.start("run", spec) as job:
        job.until(lambda: list(proxies.glob(".proxx-*/*.mov")), "a file in staging")
        job.signal_group(number)
        ended = job.wait()
    assert ended.exit_code == 128 + number
    assert parse_result(ended.stdout)["error"]["code"] == "INTERRUPTED"
    assert names(proxies) == []


@pytest.mark.parametrize("arguments", [("--once",), ()], ids=["once", "for ever"])
def test_finish_the_job_then_end(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    gate = Gate(tmp_path / "gate")
    workspace.drop("a", jobspec(clip, proxies))
    workspace.drop("b", jobspec(clip, proxies, naming_template="b"))
    with proxx.start("watch", workspace, *arguments, *NEVER_POLLS, "--ffmpeg", gate.program) as worker:
        worker.until(gate.reached, "the encoder")
        worker.signal(signal.SIGUSR1)
        worker.until(lambda: (workspace.status() or {}).get("state") == "stopping", "the stop in status.json")
        assert (workspace.status() or {})["job"]["name"] == "a"
        gate.open()
        assert worker.wait().exit_code == 0
    assert stems(workspace.done) == ["a"]
    assert stems(workspace.inbox) == ["b"]
    read_result(workspace.done, "a")


@pytest.mark.parametrize("command", ["watch", "run"])
def test_a_drain_of_the_whole_group_finishes_the_job(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path, command: str
) -> None:
    """`systemctl kill -s USR1 UNIT` and `scancel --full` signal every process: what stands in for the encoder, and it."""
    gate = Gate(tmp_path / "gate")
    arguments: tuple[Path, ...] = (workspace.root,)
    if command == "run":
        arguments = (tmp_path / "spec.json",)
        arguments[0].write_bytes(encode(jobspec(clip, proxies)))
    else:
        workspace.drop("a", jobspec(clip, proxies))
        workspace.drop("b", jobspec(clip, proxies, naming_template="b"))
    with proxx.start(command, *arguments, "--ffmpeg", gate.program) as worker:
        worker.until(gate.reached, "the encoder")
        worker.signal_group(signal.SIGUSR1)
        gate.open()
        ended = worker.wait()
    assert ended.exit_code == 0, ended.stderr
    assert len(names(proxies)) == 1
    if command == "watch":
        assert (stems(workspace.done), stems(workspace.inbox)) == (["a"], ["b"])


def test_stop_at_once_after_having_been_told_to_finish(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path
) -> None:
    gate = Gate(tmp_path / "gate")
    workspace.drop("a", jobspec(clip, proxies))
    with proxx.start("watch", workspace, "--ffmpeg", gate.program) as worker:
        worker.until(gate.reached, "the encoder")
        worker.signal(signal.SIGUSR1)
        worker.signal(signal.SIGTERM)
        assert worker.wait().exit_code == 0
    assert read_result(workspace.failed, "a")["error"]["code"] == "INTERRUPTED"


@pytest.mark.parametrize("number", [*STOPS, signal.SIGUSR1])
def test_while_idle(proxx: Command, workspace: Workspace, number: signal.Signals) -> None:
    with proxx.start("watch", workspace, *NEVER_POLLS) as worker:
        worker.until(lambda: (workspace.status() or {}).get("state") == "idle", "an idle worker")
        worker.signal(number)
        assert worker.wait().exit_code == 0


@pytest.mark.parametrize("number", [*STOPS, signal.SIGUSR1])
def test_while_waiting_for_a_spec_to_settle(proxx: Command, workspace: Workspace, number: signal.Signals) -> None:
    broken = workspace.drop("a", b"{").read_bytes()
    with proxx.start("watch", workspace, "--once", *NEVER_POLLS, "--settle-seconds", "86400") as worker:
        worker.until(workspace.status, "status.json")
        worker.signal(number)
        assert worker.wait().exit_code == 0
    assert names(workspace.inbox) == ["a.json"]
    audit(workspace.root, [broken])


@pytest.mark.parametrize("attempt", range(3))
def test_as_soon_as_the_status_file_is_there(proxx: Command, workspace: Workspace, attempt: int) -> None:
    """It first appears when signals are handled: whoever saw it may send one."""
    with proxx.start("watch", workspace, *NEVER_POLLS) as worker:
        worker.until(workspace.status, "status.json")
        worker.signal(STOPS[attempt % 2])
        assert worker.wait().exit_code == 0


def test_twice(proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path) -> None:
    stubborn, reached = _stubborn(tmp_path)
    workspace.drop("a", jobspec(clip, proxies))
    with proxx.start("watch", workspace, "--ffmpeg", stubborn) as worker:
        worker.until(reached.exists, "the encoder")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            worker.signal(number)
        assert worker.wait().exit_code == 0
    assert read_result(workspace.failed, "a")["error"]["code"] == "INTERRUPTED"


def test_an_encoder_that_ignores_the_request_is_killed(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path
) -> None:
    stubborn, reached = _stubborn(tmp_path)
    workspace.drop("a", jobspec(clip, proxies))
    with proxx.start("watch", workspace, "--ffmpeg", stubborn) as worker:
        worker.until(reached.exists, "the encoder")
        encoders = worker.children()
        worker.signal(signal.SIGTERM)
        assert worker.wait().exit_code == 0
    assert not any(is_running(encoder) for encoder in encoders)
    assert read_result(workspace.failed, "a")["error"]["code"] == "INTERRUPTED"
    assert names(proxies) == []


def _stubborn(folder: Path) -> tuple[Path, Path]:
    """An encoder that ignores SIGTERM, and the file that it makes when it does."""
    reached = folder / "reached"
    return program(folder / "stubborn", f"trap '' TERM INT\n>'{reached}'\nwhile :; do sleep 60; done"), reached
