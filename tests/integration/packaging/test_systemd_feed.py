"""The feeder's timer: systemd itself finds nothing to complain about, and it runs what the pages say."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = "/opt/proxx-worker/bin/proxx-worker"


def test_systemd_verifies_service_and_timer(tmp_path: Path, project_root: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze here (Debian: systemd)")
    copies = []
    for kind in ("service", "timer"):
        copies.append(tmp_path / rf"proxx-feed@srv-proxx\x2da.{kind}")
        copies[-1].write_text((project_root / "systemd" / f"proxx-feed@.{kind}").read_text().replace(PROGRAM, sys.executable))
    done = subprocess.run(
        [analyze, "verify", "--recursive-errors=no", "--man=no", *copies], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_service_looks_once_with_the_rules_of_its_instance(project_root: Path) -> None:
    unit = (project_root / "systemd" / "proxx-feed@.service").read_text().splitlines()
    assert f"ExecStart={PROGRAM} feed %f --rules /etc/proxx-worker/%i.rules.toml --once" in unit
    assert "Type=oneshot" in unit
