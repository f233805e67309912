"""The facility's checklist, run on the stand-in: one report, whatever hangs or crashes, and nothing left in Resolve."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.resolve.world import API, FILM, PRESET, StandIn

ROOT = Path(__file__).resolve().parents[4]
CHECKLIST = ROOT / "deploy" / "resolve" / "checklist.py"
EXEMPT = {
    "Resolve.GetVersionString": "a facility's report names the version; the worker, which it runs too, has no other call to it"
}
WORKER = Path(sys.executable).with_name("proxx-worker")


def report_of(standin: StandIn, tmp_path: Path, *clips: Path) -> Any:  # noqa: ANN401 - a report is JSON
    """The report."""
    out, report = tmp_path / "out", tmp_path / "report.json"
    out.mkdir()
    places = ["--api", API, "--lib", standin.folder / "fusionscript.so", "--worker", WORKER]
    command = [sys.executable, CHECKLIST, "--report", report, "--output-directory", out, "--preset", PRESET, *places, *clips]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    return json.loads(report.read_text())


def test_a_whole_report(clips: dict[str, Path], tmp_path: Path) -> None:
    with StandIn.made(tmp_path / "standin", exempt=EXEMPT, client={"chatter": True, "teardown": "crashes"}) as standin:
        standin.start()
        report = report_of(standin, tmp_path, clips["plain"])
        assert standin.projects() == [FILM]
    assert (report["set_up"]["product"], report["set_up"]["open_project"]) == ("DaVinci Resolve Studio", "Untitled Project")
    assert report["settings"]["missing"] == {"mov": [], "mp4": [], "mxf_op1a": []}
    assert report["settings"]["rate_read_back"] == [True, 23.976]
    (clip,) = report["clips"].values()
    assert clip["items_of_a_second_import"] == 0
    assert (clip["items"], clip["properties"]["Frames"], clip["head"][:11]) == (1, "10", "00 00 00 44")
    assert [render["exit_code"] for render in report["renders"]] == [0, 0, 0, 0]
    assert {render["result"]["status"] for render in report["renders"]} == {"COMPLETED"}
    assert report["same_bytes_twice"] == [True]
    assert all(item["answer"] is None for item in report["by_hand"])


@pytest.mark.parametrize("fault", ["crashes", "raises"])
def test_what_cannot_be_asked_is_in_the_report_too(tmp_path: Path, fault: str) -> None:
    with StandIn.made(tmp_path / "standin", client={"import": fault}) as standin:
        standin.start()
        report = report_of(standin, tmp_path)
    ended = "it ended with SIGSEGV" if fault == "crashes" else "it ended with 1"
    assert [report[step]["fault"] for step in ("set_up", "settings", "clips")] == [ended] * 3


@pytest.mark.parametrize("missing", ["output", "clip"])
def test_what_is_not_there_is_told_before_anything_runs(clips: dict[str, Path], tmp_path: Path, missing: str) -> None:
    paths = {"output": tmp_path, "clip": clips["plain"], missing: tmp_path / "missing"}
    command = [sys.executable, CHECKLIST, "--report", tmp_path / "report.json", "--preset", PRESET]
    command += ["--output-directory", paths["output"], paths["clip"]]
    ended = subprocess.run(list(map(str, command)), check=False, capture_output=True)
    assert (ended.returncode, ended.stderr.endswith(f"{tmp_path / 'missing'} does not exist\n".encode())) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_is_broken_off_leaves_none(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"no folder")
    command = [sys.executable, CHECKLIST, "--report", tmp_path / "report.json", "--preset", PRESET]
    command += ["--output-directory", tmp_path / "out"]
    assert subprocess.run(list(map(str, command)), check=False, capture_output=True).returncode == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]
