"""The systemd unit: systemd itself finds nothing to complain about, and the decisions its comments explain are in it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = "/opt/proxx-worker/bin/proxx-worker"


@pytest.fixture
def unit(project_root: Path) -> Path:
    return project_root / "systemd" / "proxx-worker@.service"


def directives(unit: Path) -> list[tuple[str, str]]:
    """Every `Key=value` of the unit, in order."""
    lines = [line for line in unit.read_text().splitlines() if line and line[0] not in "#["]
    return [(key, value) for key, _, value in (line.partition("=") for line in lines)]


def test_systemd_verifies_it(tmp_path: Path, unit: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze here (Debian: systemd)")
    # `verify` wants the program to exist. An instance name with an escaped dash shows that %f and %i are taken apart rightly.
    copy = tmp_path / r"proxx-worker@srv-proxx\x2da.service"
    copy.write_text(unit.read_text().replace(PROGRAM, sys.executable))
    done = subprocess.run(
        [analyze, "verify", "--recursive-errors=no", "--man=no", str(copy)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_its_exposure_is_small(tmp_path: Path, unit: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze here (Debian: systemd)")
    copy = tmp_path / "proxx-worker.service"
    copy.write_text(unit.read_text().replace("%f", "/srv").replace("%i", "srv"))
    # `--threshold` is in tenths, and the exit code says whether it is kept.
    command = [analyze, "security", "--offline=yes", "--threshold=16", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["proxx-worker@.timer", "output-folders.conf", "once.conf"])
def test_systemd_verifies_what_goes_with_it(tmp_path: Path, unit: Path, name: str) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze here (Debian: systemd)")
    service = tmp_path / "proxx-worker@srv.service"
    service.write_text(unit.read_text().replace(PROGRAM, sys.executable))
    text = (unit.parent / name).read_text().replace(PROGRAM, sys.executable)
    verified = service
    if name.endswith(".timer"):
        verified = tmp_path / "proxx-worker@srv.timer"
        verified.write_text(text)
    else:
        (tmp_path / "proxx-worker@srv.service.d").mkdir()
        (tmp_path / "proxx-worker@srv.service.d" / name).write_text(text)
    done = subprocess.run(
        [analyze, "verify", "--recursive-errors=no", "--man=no", str(verified)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_accounts_and_folders_are_what_systemd_s_own_programs_take(tmp_path: Path, unit: Path) -> None:
    sysusers, tmpfiles = shutil.which("systemd-sysusers"), shutil.which("systemd-tmpfiles")
    if sysusers is None or tmpfiles is None:
        pytest.skip("no systemd-sysusers and systemd-tmpfiles here (Debian: systemd)")
    (tmp_path / "etc").mkdir()
    for command in (
        [sysusers, f"--root={tmp_path}", str(unit.parent / "sysusers.conf")],
        [tmpfiles, f"--root={tmp_path}", "--create", str(unit.parent / "tmpfiles.conf")],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    (account,) = [line for line in (tmp_path / "etc" / "passwd").read_text().splitlines() if line.startswith("proxx:")]
    assert account.endswith(":/nonexistent:/usr/sbin/nologin")
    assert (tmp_path / "srv/proxx/main/inbox").stat().st_mode & 0o7777 == 0o2775
    assert (tmp_path / "etc/proxx-worker").is_dir()


def test_each_directive_is_there_once(unit: Path) -> None:
    keys = [key for key, _ in directives(unit) if key != "SystemCallFilter"]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Type", "notify"),
        ("NotifyAccess", "main"),
        ("WatchdogSec", "60"),
        ("UMask", "0027"),
        ("ReadWritePaths", "%f"),
        ("ExecStart", f"{PROGRAM} watch --config /etc/proxx-worker/%i.toml %f"),
        ("RequiresMountsFor", "%f"),
        ("User", "proxx"),
        ("KillMode", "mixed"),
        ("KillSignal", "SIGTERM"),
        ("TimeoutStopSec", "15"),
        ("OOMPolicy", "continue"),
        ("Restart", "on-failure"),
        ("RestartSec", "30"),
        ("RestartPreventExitStatus", "64"),
    ],
)
def test_its_decisions(unit: Path, key: str, value: str) -> None:
    assert (key, value) in directives(unit)
