"""deploy/setup asks each system's package manager for exactly what is missing. The managers here are stand-ins."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest


class Machine:
    """A PATH of its own: `sh` and `env`, and whatever else a test puts there."""

    def __init__(self, folder: Path, *, uid: int) -> None:
        self.bin = folder / "bin"
        self.log = folder / "log"
        self.bin.mkdir()
        self.log.touch()
        for name in ("sh", "env", "dirname"):
            real = shutil.which(name)
            assert real is not None
            (self.bin / name).symlink_to(real)
        self.program("id", f"echo {uid}")

    def program(self, name: str, body: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def note(self, *names: str) -> None:
        """Make stand-ins that write down how they were called."""
        for name in names:
            self.program(name, f'echo "{name} $*" >> "{self.log}"')

    def run(self, script: Path, tools: Iterable[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([script, *tools], env={"PATH": str(self.bin)}, capture_output=True, text=True, check=False)

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def script(project_root: Path) -> Path:
    return project_root / "deploy" / "setup" / "install-tools"


def test_where_all_is_there_nothing_is_installed(tmp_path: Path, script: Path) -> None:
    machine = Machine(tmp_path, uid=0)
    machine.note("apt-get", "ffmpeg", "ffprobe")
    assert machine.run(script, ["ffmpeg", "ffprobe"]).returncode == 0
    assert machine.calls() == []


def test_debian_as_root(tmp_path: Path, script: Path) -> None:
    machine = Machine(tmp_path, uid=0)
    machine.note("apt-get", "ffmpeg")
    done = machine.run(script, ["ffmpeg", "ffprobe", "strace", "setpriv", "cc"])
    assert done.returncode == 0, done.stderr
    assert machine.calls() == [
        "apt-get update -qq",
        "apt-get install -qq -y --no-install-recommends ffmpeg strace util-linux build-essential",
    ]


def test_ubuntu_with_sudo(tmp_path: Path, script: Path) -> None:
    machine = Machine(tmp_path, uid=1000)
    machine.note("apt-get")
    machine.program("sudo", f'echo "sudo" >> "{machine.log}"\nexec "$@"')
    done = machine.run(script, ["ffmpeg", "ffprobe"])
    assert done.returncode == 0, done.stderr
    assert machine.calls() == [
        "sudo",
        "apt-get update -qq",
        "sudo",
        "apt-get install -qq -y --no-install-recommends ffmpeg",
    ]


def test_neither_root_nor_sudo_is_told_what_to_do(tmp_path: Path, script: Path) -> None:
    machine = Machine(tmp_path, uid=1000)
    machine.note("apt-get")
    done = machine.run(script, ["ffmpeg"])
    assert done.returncode == 1
    assert "As root: apt-get install ffmpeg" in done.stderr
    assert machine.calls() == []


def test_macos_with_homebrew_skips_what_is_for_linux_only(tmp_path: Path, script: Path) -> None:
    machine = Machine(tmp_path, uid=501)
    machine.note("brew")
    done = machine.run(script, ["ffmpeg", "ffprobe", "strace", "setpriv", "cc"])
    assert done.returncode == 0, done.stderr
    assert machine.calls() == ["brew install ffmpeg"]


def test_no_known_package_manager_is_told_what_is_missing(tmp_path: Path, script: Path) -> None:
    done = Machine(tmp_path, uid=0).run(script, ["ffmpeg", "ffprobe"])
    assert done.returncode == 1
    assert "Not on PATH: ffmpeg ffprobe." in done.stderr


def test_a_failed_install_fails(tmp_path: Path, script: Path) -> None:
    machine = Machine(tmp_path, uid=0)
    machine.program("apt-get", '[ "$1" = update ]')
    assert machine.run(script, ["ffmpeg"]).returncode != 0


@pytest.mark.parametrize("version_check", ["exit 0", "exit 1"])
def test_find_python_takes_the_first_that_is_new_enough(tmp_path: Path, project_root: Path, version_check: str) -> None:
    machine = Machine(tmp_path, uid=0)
    machine.program("python3", version_check)
    machine.program("python3.12", "exit 0")
    done = machine.run(project_root / "deploy" / "setup" / "find-python", [])
    expected = "python3" if version_check == "exit 0" else "python3.12"
    assert done.stdout == f"{machine.bin / expected}\n"


def test_find_python_without_one_says_what_to_install(tmp_path: Path, project_root: Path) -> None:
    machine = Machine(tmp_path, uid=0)
    machine.program("python3", "exit 1")
    done = machine.run(project_root / "deploy" / "setup" / "find-python", [])
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Python 3.11 or later" in done.stderr


# A Python that tells its version, and has `ensurepip` once the file `with-venv` is there; `-m venv` is noted.
DEBIANS_PYTHON = """
case "$2" in
    *ensurepip*) [ -e "{folder}/with-venv" ] ;;
    *'print('*) echo 3.11 ;;
    venv) echo "venv $3 $4" >> "{folder}/log" ;;
esac
"""


def make_venv(machine: Machine, project_root: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    machine.program("python3", DEBIANS_PYTHON.format(folder=folder))
    return machine.run(
        project_root / "deploy" / "setup" / "make-venv", [os.fspath(machine.bin / "python3"), os.fspath(folder / "venv")]
    )


def test_make_venv_installs_debians_package_where_it_is_missing(tmp_path: Path, project_root: Path) -> None:
    machine = Machine(tmp_path, uid=0)
    machine.program("apt-get", f'echo "apt-get $*" >> "{machine.log}"\n: > "{tmp_path}/with-venv"')
    done = make_venv(machine, project_root, tmp_path)
    assert done.returncode == 0, done.stderr
    assert machine.calls() == [
        "apt-get update -qq",
        "apt-get install -qq -y --no-install-recommends python3.11-venv",
        f"venv --clear {tmp_path / 'venv'}",
    ]


def test_make_venv_installs_nothing_where_venv_is_there(tmp_path: Path, project_root: Path) -> None:
    machine = Machine(tmp_path, uid=0)
    machine.note("apt-get")
    (tmp_path / "with-venv").touch()
    assert make_venv(machine, project_root, tmp_path).returncode == 0
    assert machine.calls() == [f"venv --clear {tmp_path / 'venv'}"]


def test_make_venv_without_any_way_to_get_it_says_what_is_missing(tmp_path: Path, project_root: Path) -> None:
    machine = Machine(tmp_path, uid=0)
    machine.note("brew")
    done = make_venv(machine, project_root, tmp_path)
    assert done.returncode == 1
    assert "has no venv module with pip" in done.stderr
    assert machine.calls() == []
