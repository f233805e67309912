"""The unit under a real systemd: it starts when it is ready, drains, stops, is watched, recovers, reaches what it needs."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.command import Command
from tests.acceptance.results import names, read_result, stems
from tests.acceptance.specs import FFMPEG_PROFILES, encode, explicit, jobspec
from tests.acceptance.stand_ins import program
from tests.farm.systemd import Systemd, Unit, systemd_in

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0 or shutil.which("systemd-sysusers") is None,
        reason="takes root, Linux and systemd's programs (Debian: systemd)",
    ),
]


@pytest.fixture(scope="module")
def systemd(tmp_path_factory: pytest.TempPathFactory, clips: Path, project_root: Path) -> Iterator[Systemd]:
    with systemd_in(tmp_path_factory.mktemp("systemd"), project_root) as started:
        shutil.copytree(clips, started.share / "clips").chmod(0o755)
        yield started


def spec(unit: Unit, clip: str = "A001C001.mov", **fields: object) -> dict[str, object]:
    """A spec with paths as the unit sees them."""
    return jobspec([f"/share/clips/{clip}"], f"/share/{unit.outputs.parent.name}/out", **fields)


ENDLESS = {"clip": "A001C004.mov", **explicit("prores_4444", "mov")}


def encoding(unit: Unit) -> bool:
    """Whether frames are counted."""
    return bool(((unit.workspace.status() or {}).get("job") or {}).get("frames"))


def test_it_starts_when_it_is_ready_and_fails_without_its_ffmpeg(systemd: Systemd) -> None:
    unit = Unit.make(systemd, "start")
    unit.start()
    assert (unit.show("ActiveState"), unit.show("StatusText")) == ("active", "idle")
    unit.stop()
    assert unit.show("Result") == "success"
    broken = Unit.make(systemd, "broken", "Restart=no", ffmpeg="/nowhere/ffmpeg")
    broken.workspace.drop("a", spec(broken))
    assert systemd.ctl("start", broken.name, check=False).returncode != 0
    assert broken.show("ExecMainStatus") == "4"
    assert broken.show("StatusText").startswith("FFMPEG_MISSING: ")
    assert stems(broken.workspace.inbox) == ["a"]


def test_a_stop_in_mid_encode(systemd: Systemd) -> None:
    unit = Unit.make(systemd, "stop")
    unit.workspace.drop("a", spec(unit, **ENDLESS))
    unit.start()
    unit.until(lambda: encoding(unit), "frames")
    unit.until(lambda: "encoding task 1 of 1" in unit.show("StatusText"), "the stage and position in the unit's status")
    unit.stop()
    assert unit.show("Result") == "success", "not killed after the stop time"
    assert read_result(unit.workspace.failed, "a")["error"]["code"] == "INTERRUPTED"
    assert unit.processes("ffmpeg") == []
    assert names(unit.outputs) == []


def test_a_drain_of_the_whole_unit_finishes_the_job(systemd: Systemd) -> None:
    unit = Unit.make(systemd, "drain", ffmpeg="/share/drain/ffmpeg", sandbox="off")
    gate = systemd.share / "drain" / "gate"
    os.mkfifo(gate)
    gate.chmod(0o666)
    real = shutil.which("ffmpeg")
    program(systemd.share / "drain" / "ffmpeg", f'read -r _ <{"/share/drain/gate"}\nexec {real} "$@"')
    unit.workspace.drop("a", spec(unit))
    unit.workspace.drop("b", spec(unit, naming_template="b"))
    unit.start()
    with gate.open("w"):  # which waits for the encoder
        unit.kill(signal.SIGUSR1, "all")
        unit.until(lambda: (unit.workspace.status() or {}).get("state") == "stopping", "the drain in status.json")
        assert unit.show("ActiveState") == "active", "the time to stop is not counted yet"
    unit.until(lambda: unit.show("ActiveState") == "inactive", "its end")
    assert unit.show("Result") == "success"
    assert (stems(unit.workspace.done), stems(unit.workspace.inbox)) == (["a"], ["b"])


def test_a_kill_restarts_it_and_it_recovers(systemd: Systemd) -> None:
    unit = Unit.make(systemd, "kill")
    unit.workspace.drop("a", spec(unit, **ENDLESS))
    unit.start()
    unit.until(lambda: encoding(unit), "frames")
    unit.kill(signal.SIGKILL)
    unit.until(lambda: stems(unit.workspace.failed) == ["a"], "the recovery by the next start")
    assert read_result(unit.workspace.failed, "a")["error"]["code"] == "INTERRUPTED"
    unit.until(lambda: unit.show("ActiveState") == "active", "the next worker, ready")
    assert unit.processes("ffmpeg") == []
    assert unit.show("NRestarts") == "1"
    unit.stop()


def test_the_watchdog_restarts_one_that_is_stopped_or_stuck(systemd: Systemd) -> None:
    unit = Unit.make(systemd, "stuck", "WatchdogSec=4")
    unit.start()
    unit.kill(signal.SIGSTOP)
    unit.until(lambda: unit.show("NRestarts") == "1" and unit.show("ActiveState") == "active", "a restart after SIGSTOP")
    # A pipe in the place of a file: whoever opens it to write waits for a reader, for ever. The process is well, its loop is not.
    pipe = unit.workspace.root / ".proxx" / "status.json.new"
    os.mkfifo(pipe)
    systemd.inside("chown", "proxx:proxx", "/share/stuck/ws/.proxx/status.json.new")
    unit.until(lambda: unit.show("NRestarts") == "2", "a restart of one that is stuck")
    pipe.unlink()
    unit.until(lambda: unit.show("ActiveState") == "active", "the next worker, ready")
    assert sum("Watchdog timeout" in line for line in systemd.journal(unit.name)) == 2, "both were the watchdog's"
    unit.stop()


def test_the_watchdog_leaves_slow_looks_and_checks_alone(systemd: Systemd) -> None:
    """The look at the source and the check of the proxy take half a minute each; the watchdog bears four seconds of silence."""
    unit = Unit.make(systemd, "slow", "WatchdogSec=4", ffprobe="/share/slow/ffprobe", sandbox="off")
    calls = systemd.share / "slow" / "out" / ".calls"
    program(
        systemd.share / "slow" / "ffprobe",
        f'for last; do :; done; echo "$last" >>/share/slow/out/.calls\nsleep 30\nexec {shutil.which("ffprobe")} "$@"',
    )
    unit.workspace.drop("a", spec(unit))
    unit.start()
    unit.until(lambda: stems(unit.workspace.done) + stems(unit.workspace.failed), "the end of the job")
    assert stems(unit.workspace.done) == ["a"]
    assert unit.show("NRestarts") == "0"
    assert len(calls.read_text().splitlines()) == 2, "source and proxy"
    unit.stop()


def test_the_journal_shows_warnings_as_warnings(systemd: Systemd) -> None:
    unit = Unit.make(systemd, "journal")
    unit.workspace.drop("x" * 236, b"{}")
    unit.workspace.drop("bad", b"[]")
    unit.start()
    unit.until(lambda: stems(unit.workspace.failed) == ["bad"], "the refusal")
    unit.stop()
    shown = systemd.journal(unit.name, "--priority=warning")
    assert [line.split()[:2] for line in shown] == [["WARNING", "name_too_long"], ["ERROR", "job_failed"]]
    own = systemd.journal(unit.name, "--priority=info..info", "_COMM=proxx-worker")
    assert own[0].startswith("INFO    worker_started ")
    assert len(own) >= 4


def test_a_filter_without_capset_ends_it_before_any_claim(systemd: Systemd) -> None:
    lines = ("Restart=no", "SystemCallFilter=", "SystemCallFilter=~@privileged", "SystemCallErrorNumber=")
    unit = Unit.make(systemd, "filtered", *lines, sandbox="off")
    unit.workspace.drop("a", spec(unit))
    assert systemd.ctl("start", unit.name, check=False).returncode != 0
    assert unit.show("ExecMainStatus") == "4"
    (said,) = [line for line in systemd.journal(unit.name, "--priority=err") if "worker_stopped" in line]
    assert "setpriv" in said
    assert "capset" in said
    assert stems(unit.workspace.inbox) == ["a"]


def test_outputs_are_those_of_a_local_run(systemd: Systemd, proxx: Command, tmp_path: Path) -> None:
    unit = Unit.make(systemd, "outputs")
    for profile in FFMPEG_PROFILES:
        unit.workspace.drop(profile, spec(unit, proxy_profile=profile, naming_template=profile))
    unit.start()
    unit.until(lambda: len(stems(unit.workspace.done) + stems(unit.workspace.failed)) == len(FFMPEG_PROFILES), "all jobs")
    unit.stop()
    assert stems(unit.workspace.done) == sorted(FFMPEG_PROFILES)
    local = tmp_path / "out"
    local.mkdir()
    (tmp_path / "clips").symlink_to(systemd.share / "clips")
    for profile in FFMPEG_PROFILES:
        document = jobspec([str(systemd.share / "clips" / "A001C001.mov")], local, proxy_profile=profile, naming_template=profile)
        (tmp_path / "spec.json").write_bytes(encode(document))
        assert proxx("run", tmp_path / "spec.json").exit_code == 0
    assert names(unit.outputs) == names(local)
    for name in names(local):
        assert (unit.outputs / name).read_bytes() == (local / name).read_bytes(), name
