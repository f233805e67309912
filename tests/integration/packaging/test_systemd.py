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
        [analyze, "verify", "--recursive-errors=no", "--man=no", copy], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_each_directive_is_there_once(unit: Path) -> None:
    keys = [key for key, _ in directives(unit) if key != "RestartPreventExitStatus"]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Type", "exec"),
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
