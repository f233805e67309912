"""The Open Job Description bundle, checked and run by its own programs, and a session as a farm's agent has it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command import COMMAND, Command
from tests.acceptance.results import names, parse_result
from tests.acceptance.specs import encode, jobspec
from tests.farm.venvs import make_venv

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_venv(tmp_path_factory.mktemp("openjd") / "venv", "openjd")


@pytest.fixture
def template(project_root: Path) -> Path:
    return project_root / "deploy" / "openjd" / "template.yaml"


@pytest.fixture
def folder(tmp_path: Path, clips: Path) -> Path:
    """Clips, a list of them, and an empty folder for proxies."""
    for name in ("clips", "out", "sessions"):
        (tmp_path / name).mkdir()
    for name in ("a", "b"):
        (tmp_path / "clips" / f"{name}.mov").symlink_to(clips / "A001C001.mov")
    (tmp_path / "clips.txt").write_text("a.mov\nb.mov\n")
    return tmp_path


def run(tools: Path, *argv: str | Path) -> subprocess.CompletedProcess[str]:
    path = f"{tools}:{COMMAND.parent}:{os.environ['PATH']}"
    # `openjd` leaves a folder of its own where temporary files go: let that be one which goes, too.
    environment = {"PATH": path, "HOME": os.environ.get("HOME", "/"), "USER": "root", "TMPDIR": str(tools)}
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def parameters(folder: Path, count: int) -> list[str]:
    values = {
        "ClipFolder": folder / "clips",
        "ClipList": folder / "clips.txt",
        "ClipCount": count,
        "OutputFolder": folder / "out",
    }
    return [argument for name, value in values.items() for argument in ("-p", f"{name}={value}")]


def session(tools: Path, template: Path, folder: Path, *more: str) -> list[dict[str, Any]]:
    program = Path(__file__).parent / "openjd_session.py"
    done = run(tools, tools / "python", program, template, folder, *more)
    assert done.returncode == 0, done.stdout + done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_the_template_is_valid(tools: Path, template: Path) -> None:
    done = run(tools, "openjd", "check", template)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passes validation" in done.stdout


def test_all_tasks_and_the_gathering(tools: Path, template: Path, folder: Path, proxx: Command) -> None:
    done = run(tools, "openjd", "run", template, "--step", "Gather", "--run-dependencies", *parameters(folder, 2))
    assert done.returncode == 0, done.stdout + done.stderr
    assert [name for name in names(folder / "out") if name.endswith(".mp4")] == ["a.mp4", "b.mp4"]
    local = folder / "local"
    local.mkdir()
    document = jobspec(folder / "clips" / "a.mov", local, proxy_profile="proxy_h264_low", naming_template="{source_name}")
    (folder / "spec.json").write_bytes(encode(document))
    assert proxx("run", folder / "spec.json").exit_code == 0
    assert (local / "a.mp4").read_bytes() == (folder / "out" / "a.mp4").read_bytes()


def test_an_agent_hears_progress_status_and_the_exit_code(tools: Path, template: Path, folder: Path) -> None:
    told = session(tools, template, folder)
    assert told[-1]["state"] == "success"
    assert told[-1]["exit_code"] == 0
    assert max(one["progress"] or 0 for one in told) == 100
    assert any("encoding task 1 of 1" in (one["status"] or "") for one in told)
    assert names(folder / "out" / "tasks" / "1") == ["a.mp4"]


def test_an_agent_hears_why_a_task_failed(tools: Path, template: Path, folder: Path) -> None:
    (folder / "clips" / "a.mov").unlink()
    (folder / "clips" / "a.mov").write_text("no movie\n" * 50)
    told = session(tools, template, folder)
    assert told[-1]["state"] == "failed"
    assert told[-1]["exit_code"] == 1
    assert any((one["fail"] or "").startswith("SOURCE_UNSUPPORTED: ") for one in told)
    assert parse_result((folder / "out" / "tasks" / "1.result.json").read_bytes())["error"]["code"] == "SOURCE_UNSUPPORTED"


def test_a_cancel_is_clean(tools: Path, template: Path, folder: Path, clips: Path) -> None:
    (folder / "clips" / "a.mov").unlink()
    (folder / "clips" / "a.mov").symlink_to(clips / "A001C004.mov")
    told = session(tools, template, folder, "cancel")
    assert told[-1]["state"] == "canceled"
    assert told[-1]["exit_code"] == 143
    assert parse_result((folder / "out" / "tasks" / "1.result.json").read_bytes())["error"]["code"] == "INTERRUPTED"
    assert names(folder / "out" / "tasks" / "1") == []
    assert subprocess.run(["pgrep", "--full", str(folder)], capture_output=True, text=True, check=False).stdout == ""
