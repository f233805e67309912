"""`path_map`: a spec of another machine, with paths that this one does not have."""

import json
import shutil
import signal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.acceptance.command import Argument, Command
from tests.acceptance.results import audit, names, parse_result, read_result, stems
from tests.acceptance.specs import Workspace, encode, explicit, jobspec

THEIRS = "/Volumes/SAN"


@pytest.fixture
def san(tmp_path: Path, clip: Path) -> Path:
    """What the other machine knows as /Volumes/SAN: a clip, and a folder for proxies."""
    folder = tmp_path / "san"
    (folder / "proxies").mkdir(parents=True)
    shutil.copy(clip, folder / "A001C001.mov")
    return folder


def spec_of_theirs(folder: Path, name: str = "A001C001.mov", **fields: object) -> Path:
    path = folder / "spec.json"
    path.write_bytes(encode(jobspec([f"{THEIRS}/{name}"], f"{THEIRS}/proxies", **fields)))
    return path


def mapped(folder: Path) -> list[Argument]:
    return ["--path-map", f"{THEIRS}={folder}"]


def test_both_forms_are_in_the_result(proxx: Command, san: Path, tmp_path: Path) -> None:
    ended = proxx("run", spec_of_theirs(tmp_path), *mapped(san))
    assert ended.exit_code == 0, ended.stderr
    [task] = parse_result(ended.stdout)["tasks"]
    assert (task["source"], task["source_path"]) == (f"{THEIRS}/A001C001.mov", f"{san}/A001C001.mov")
    proxy = "proxies/A001C001_proxy.mp4"
    assert (task["output"], task["output_path"]) == (f"{THEIRS}/{proxy}", f"{san}/{proxy}")
    assert names(san / "proxies") == ["A001C001_proxy.mp4"]


def test_the_output_is_the_same_as_by_its_own_path(proxx: Command, san: Path, tmp_path: Path) -> None:
    theirs = parse_result(proxx("run", spec_of_theirs(tmp_path), *mapped(san)).stdout)
    ours = tmp_path / "ours.json"
    ours.write_bytes(encode(jobspec(san / "A001C001.mov", san / "proxies", naming_template="ours")))
    result = parse_result(proxx("run", ours, *mapped(san)).stdout)
    assert result["tasks"][0]["output_sha256"] == theirs["tasks"][0]["output_sha256"]
    assert (result["tasks"][0]["source_path"], result["tasks"][0]["output_path"]) == (None, None)


def test_a_task_that_did_not_run_says_where_it_would_have_been_read(proxx: Command, san: Path, tmp_path: Path) -> None:
    ended = proxx("run", spec_of_theirs(tmp_path, "missing.mov"), *mapped(san))
    assert ended.exit_code == 1
    result = parse_result(ended.stdout)
    assert result["error"]["code"] == "SOURCE_MISSING"
    assert f"{THEIRS}/missing.mov" in result["error"]["message"]
    assert f"{san}/missing.mov" in result["error"]["message"]
    [task] = result["tasks"]
    assert (task["source_path"], task["output_path"]) == (f"{san}/missing.mov", None)


def test_the_configuration_maps_for_validate_and_for_a_worker(
    proxx: Command, workspace: Workspace, san: Path, tmp_path: Path
) -> None:
    config = tmp_path / "worker.toml"
    config.write_text(f'path_map = [{{ from = "{THEIRS}", to = "{san}" }}]\n')
    spec = spec_of_theirs(tmp_path)
    assert proxx("validate", spec, "--config", config).exit_code == 0
    assert proxx("validate", spec).exit_code == 1
    dropped = workspace.drop("job", spec.read_bytes()).read_bytes()
    assert proxx("watch", workspace, "--once", "--config", config).exit_code == 0
    assert read_result(workspace.done, "job")["tasks"][0]["output_path"] == f"{san}/proxies/A001C001_proxy.mp4"
    audit(workspace.root, [dropped], [san / "proxies"])


@pytest.mark.parametrize(("roots", "allowed"), [("source", True), ("output", True), ("source", False), ("output", False)])
def test_the_roots_judge_the_mapped_path(proxx: Command, san: Path, tmp_path: Path, roots: str, allowed: bool) -> None:
    (tmp_path / "elsewhere").mkdir()
    root = san if allowed else tmp_path / "elsewhere"
    ended = proxx("validate", spec_of_theirs(tmp_path), *mapped(san), f"--{roots}-roots", root)
    assert ended.exit_code == (0 if allowed else 1)
    assert (b"PATH_NOT_ALLOWED" in ended.stdout) is not allowed


def test_a_target_that_is_not_mounted_is_found_before_any_job(
    proxx: Command, workspace: Workspace, san: Path, tmp_path: Path
) -> None:
    workspace.drop("job", spec_of_theirs(tmp_path).read_bytes())
    san.rename(tmp_path / "unmounted")
    ended = proxx("watch", workspace, "--once", *mapped(san))
    assert ended.exit_code == 4
    assert f"{san} is not a folder" in ended.stderr
    assert stems(workspace.inbox) == ["job"]
    checked = proxx("check", *mapped(san))
    assert checked.exit_code == 4
    assert b"VIOLATED  path_map" in checked.stdout


@pytest.mark.parametrize("flag", ["/Volumes/SAN", "=/mnt", "Volumes=/mnt", "/Volumes=mnt"])
def test_a_mapping_that_cannot_be_used_is_64(proxx: Command, tmp_path: Path, flag: str) -> None:
    ended = proxx("validate", tmp_path / "spec.json", "--path-map", flag)
    assert ended.exit_code == 64
    assert "path" in ended.stderr


def test_after_a_kill_the_mapped_directory_is_cleaned(
    proxx: Command, workspace: Workspace, san: Path, long_clip: Path, tmp_path: Path
) -> None:
    (san / "long.mov").symlink_to(long_clip)
    spec = spec_of_theirs(tmp_path, "long.mov", **explicit("prores_4444", "mov"))
    workspace.drop("job", spec.read_bytes())
    with proxx.start("watch", workspace, *mapped(san)) as worker:
        worker.until(lambda: list((san / "proxies").glob(".proxx-*/*.mov")), "staging in the mapped directory")
        worker.signal(signal.SIGKILL)
        worker.wait()
    assert proxx("watch", workspace, "--once", *mapped(san)).exit_code == 2
    result = read_result(workspace.failed, "job")
    assert result["error"]["code"] == "INTERRUPTED"
    assert result["tasks"][0]["source_path"] == f"{san}/long.mov"
    assert names(san / "proxies") == []


def test_report_and_relink_read_the_files_of_this_machine(proxx: Command, san: Path, tmp_path: Path) -> None:
    result = tmp_path / "job.result.json"
    assert proxx("run", spec_of_theirs(tmp_path), *mapped(san), "--result", result).exit_code == 0
    figures = tmp_path / "report.json"
    assert proxx("report", result, "--html", tmp_path / "report.html", "--json", figures).exit_code == 0
    [task] = json.loads(figures.read_bytes())["jobs"][0]["tasks"]
    assert (task["verdict"], task["source"]) == ("pass", f"{THEIRS}/A001C001.mov")
    assert proxx("relink", result, "--mhl", san / "proxies").exit_code == 0
    assert proxx("relink", result, "--fcpxml", tmp_path / "clips.fcpxml").exit_code == 0
    urls = [rep.attrib["src"] for rep in ET.parse(tmp_path / "clips.fcpxml").iter("media-rep")]  # noqa: S314 - our own file
    assert urls == [f"file://{THEIRS}/A001C001.mov", f"file://{THEIRS}/proxies/A001C001_proxy.mp4"]
