"""A host on which no child can be started: found before any claim, and never at the cost of the inbox."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from proxx_worker.process.spawn import SETPRIV_PLACES
from tests.acceptance.command import COMMAND, DEADLINE_SECONDS, Argument, Command, wait_until
from tests.acceptance.results import names, parse_result, read_result, stems
from tests.acceptance.specs import Workspace, encode, jobspec
from tests.acceptance.stand_ins import program

WITHOUT_CALL = Path(__file__).parents[1] / "support" / "without_call.py"
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="setpriv and seccomp are Linux's")


def filtered(proxx: Command, action: str, call: str, *arguments: Argument) -> tuple[int, str]:
    """Exit code and all output of the command under a filter of system calls."""
    done = subprocess.run(
        [sys.executable, WITHOUT_CALL, action, call, COMMAND, *arguments],
        env=proxx.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


@linux_only
@pytest.mark.parametrize(("action", "cause"), [("refuse", "Operation not permitted"), ("kill", "SIGSYS")])
def test_watch_and_check_under_a_filter_that_setpriv_does_not_survive(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, action: str, cause: str
) -> None:
    for name in ("a", "b"):
        workspace.drop(name, jobspec(clip, proxies, naming_template=name))
    code, said = filtered(proxx, action, "capset", "watch", "--once", "--sandbox", "off", workspace.root)
    assert code == 4
    for words in ("IO_ERROR", "setpriv", cause, "capset"):
        assert words in said
    assert stems(workspace.inbox) == ["a", "b"]
    assert (names(workspace.running), names(workspace.failed)) == ([], [])
    code, said = filtered(proxx, action, "capset", "check", "--sandbox", "off", workspace.root)
    assert code == 4
    (line,) = [line for line in said.splitlines() if line.startswith("VIOLATED")]
    assert "setpriv" in line
    assert cause in line


@pytest.mark.one_in(2)
@linux_only
@pytest.mark.parametrize("call", ["landlock_create_ruleset", "seccomp"])
@pytest.mark.parametrize("action", ["absent", "refuse"])
def test_a_kernel_that_cannot_confine(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path, action: str, call: str
) -> None:
    workspace.drop("a", jobspec(clip, proxies))
    code, said = filtered(proxx, action, call, "watch", "--once", workspace.root)
    assert code == 4
    assert "SANDBOX_UNAVAILABLE" in said
    assert 'write `sandbox = "off"`' in said
    assert stems(workspace.inbox) == ["a"]
    code, said = filtered(proxx, action, call, "check", workspace.root)
    assert (code, [line.split(":")[0] for line in said.splitlines() if "VIOLATED" in line]) == (4, ["VIOLATED  sandbox"])
    spec, result = tmp_path / "a.json", tmp_path / "a.result.json"
    spec.write_bytes(encode(jobspec(clip, proxies)))
    code, said = filtered(proxx, action, call, "run", spec, "--result", result)
    assert (code, parse_result(result.read_bytes())["error"]["code"]) == (4, "SANDBOX_UNAVAILABLE")
    assert names(proxies) == []


@linux_only
def test_without_the_sandbox_such_a_kernel_serves_and_the_result_says_so(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path
) -> None:
    workspace.drop("a", jobspec(clip, proxies))
    code, said = filtered(proxx, "absent", "landlock_create_ruleset", "watch", "--once", "--sandbox", "off", workspace.root)
    assert code == 0, said
    assert read_result(workspace.done, "a")["worker"]["sandbox"] == "off"


@linux_only
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting over setpriv takes root")
def test_a_guard_that_fails_in_mid_life_costs_one_job(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path
) -> None:
    """In a mount namespace of the worker's own, something that speaks as setpriv does under a filter takes its place."""
    broken = program(tmp_path / "broken", "echo 'setpriv: activate capabilities: Operation not permitted' >&2; exit 1")
    said = tmp_path / "stderr"
    with said.open("wb") as stderr:
        worker = subprocess.Popen(
            ["unshare", "--mount", COMMAND, "watch", workspace.root, "--poll-seconds", "0.1", "--sandbox", "off"],
            env=proxx.environment, stdin=subprocess.DEVNULL, stderr=stderr,
        )  # fmt: skip
    try:
        wait_until(lambda: (workspace.status() or {}).get("state") == "idle", "an idle worker")
        enter = ["nsenter", "--target", str(worker.pid), "--mount"]
        subprocess.run([*enter, "mount", "--bind", broken, SETPRIV_PLACES[0]], check=True)
        for name in ("b", "a"):  # so that the first to be claimed is there last
            workspace.drop(name, jobspec(clip, proxies, naming_template=name))
        assert worker.wait(DEADLINE_SECONDS) == 4
    finally:
        worker.kill()
        worker.wait()
    failed, waiting = stems(workspace.failed), stems(workspace.inbox)
    assert (len(failed), sorted(failed + waiting)) == (1, ["a", "b"]), "one job was spent, the other waits"
    assert read_result(workspace.failed, failed[0])["error"]["code"] == "IO_ERROR"
    assert "worker_stopped" in said.read_text().splitlines()[-1]


def test_a_tool_that_cannot_be_run_costs_one_job(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path
) -> None:
    """It is there and may be run, as far as its mode says; what it needs to run is not."""
    broken = tmp_path / "ffmpeg"
    broken.write_text("#!/nowhere/interpreter\n")
    broken.chmod(0o755)
    for name in ("a", "b"):
        workspace.drop(name, jobspec(clip, proxies, naming_template=name))
    ended = proxx("watch", "--once", workspace, "--ffmpeg", broken)
    assert ended.exit_code == 4
    assert stems(workspace.inbox) == ["b"]
    assert read_result(workspace.failed, "a")["error"]["code"] == "FFMPEG_MISSING"
    assert "worker_stopped" in ended.stderr.splitlines()[-1]
    assert "FFMPEG_MISSING" in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_while_a_tool_hangs_at_the_start(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path, number: signal.Signals
) -> None:
    workspace.drop("a", jobspec(clip, proxies))
    hanging = program(tmp_path / "ffmpeg", "while :; do :; done")
    with proxx.start("watch", workspace, "--ffmpeg", hanging, "--sandbox", "on") as worker:
        worker.until(lambda: worker.children(str(hanging)), "a tool that hangs")
        begun = time.monotonic()
        worker.signal(number)
        ended = worker.wait()
    assert (ended.exit_code, time.monotonic() - begun < 3) == (0, True)
    assert "worker_ended" in ended.stderr
    assert stems(workspace.inbox) == ["a"]


AS_LEFT = "import os, signal, sys; exec(sys.argv[1]); os.execv(sys.argv[2], sys.argv[2:])"


def test_signals_as_another_program_left_them(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path
) -> None:
    """Ignored and blocked ones are inherited: a batch system or a shell's trap leaves them so."""

    def command(setting: str, *arguments: Argument) -> list[Argument]:
        return [sys.executable, "-c", AS_LEFT, setting, COMMAND, *arguments]

    spec = tmp_path / "a.json"
    spec.write_bytes(encode(jobspec(clip, proxies)))
    ignored = "signal.signal(signal.SIGCHLD, signal.SIG_IGN)"
    for arguments in (("check", workspace.root), ("run", spec)):
        done = subprocess.run(command(ignored, *arguments), env=proxx.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    blocked = "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})"
    for number in (signal.SIGTERM, signal.SIGINT):
        with (tmp_path / "stderr").open("wb") as said:
            worker = subprocess.Popen(command(blocked, "watch", workspace.root), env=proxx.environment, stderr=said)
        try:
            wait_until(lambda: (workspace.status() or {}).get("state") == "idle", "an idle worker")
            worker.send_signal(number)
            assert worker.wait(DEADLINE_SECONDS) == 0
        finally:
            worker.kill()
            worker.wait()
