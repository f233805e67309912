"""`report` on real files: each seeded fault is named, good proxies of every codec are not, and nothing is left half done."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from signal import SIGINT
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.acceptance.clips import make_clip
from tests.acceptance.command import Command
from tests.acceptance.results import names
from tests.acceptance.seeded_faults import FAULTS, finished_job, make_source, spoil, vouch
from tests.acceptance.specs import CONTAINERS, Workspace, explicit, jobspec

MOST_BYTES_PER_TASK = 400_000
"""Of the page, for one task with its images."""

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "schema" / "report.schema.json"
CODECS = [(codec, containers[0]) for codec, containers in CONTAINERS.items() if codec != "dnxhd"] + [("dnxhr", "mxf")]


def first_light(cases: Iterable[str | tuple[str, str]]) -> list[object]:
    """The first case as it is, the others as heavy: each costs seconds, and the comparison itself is tested by value."""
    first, *others = cases
    return [first, *(pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.heavy) for case in others)]


@pytest.fixture(scope="session")
def sources(clips: Path) -> dict[bool, Path]:
    """The progressive and the interlaced source."""
    return {interlaced: make_source(clips / f"report-{interlaced}.mov", interlaced=interlaced) for interlaced in (False, True)}


def reported(proxx: Command, result: Path, *flags: str, exit_code: int = 0) -> dict[str, Any]:
    """The figures, held to their schema; the page is beside them, small enough for its tasks."""
    folder = result.parent
    ended = proxx("report", result, "--html", folder / "r.html", "--json", folder / "r.json", *flags)
    assert ended.exit_code == exit_code, ended.stderr
    document: dict[str, Any] = json.loads((folder / "r.json").read_bytes())
    Draft202012Validator(json.loads(SCHEMA.read_bytes())).validate(document)
    tasks = sum(len(job["tasks"]) for job in document["jobs"])
    assert (folder / "r.html").stat().st_size < MOST_BYTES_PER_TASK * max(1, tasks)
    return document


def task_of(document: dict[str, Any]) -> dict[str, Any]:
    [job] = document["jobs"]
    [task] = job["tasks"]
    assert isinstance(task, dict)
    return task


@pytest.mark.parametrize("name", first_light(FAULTS))
def test_a_seeded_fault_is_named(proxx: Command, sources: dict[bool, Path], tmp_path: Path, name: str) -> None:
    fault = FAULTS[name]
    source = sources[fault.interlaced]
    result = finished_job(proxx, tmp_path, source)
    spoil(result, source, fault)
    document = reported(proxx, result, exit_code=2 if fault.certain else 0)
    task = task_of(document)
    assert task["verdict"] == ("fail" if fault.certain else "suspicious")
    assert {finding["kind"] for finding in task["findings"]} == {fault.kind}
    if fault.frame is not None:
        assert abs(task["findings"][0]["frame"] - fault.frame) <= 1


@pytest.mark.parametrize(("codec", "container"), first_light(CODECS))
def test_a_good_proxy_of_every_codec_passes(
    proxx: Command, sources: dict[bool, Path], tmp_path: Path, codec: str, container: str
) -> None:
    task = task_of(reported(proxx, finished_job(proxx, tmp_path, sources[False], codec, container)))
    assert (task["verdict"], task["findings"]) == ("pass", [])
    assert task["frames_compared"] == 50
    assert task["ssim"]["mean"] > 0.9
    assert [abs(sound["lag_seconds"]) <= 0.01 for sound in task["audio"]] == [True]
    assert abs(task["audio"][0]["lufs_source"] - task["audio"][0]["lufs_proxy"]) < 1


def test_a_good_interlaced_proxy_passes(proxx: Command, sources: dict[bool, Path], tmp_path: Path) -> None:
    task = task_of(reported(proxx, finished_job(proxx, tmp_path, sources[True], "prores_lt", "mov")))
    assert (task["verdict"], task["findings"]) == ("pass", [])


def test_a_converted_rate_is_compared_frame_by_frame(proxx: Command, sources: dict[bool, Path], tmp_path: Path) -> None:
    spec, result = tmp_path / "job.json", tmp_path / "job.result.json"
    fields = explicit("h264", "mp4", fps_mode="explicit", fps_explicit=30, naming_template="p")
    spec.write_text(json.dumps(jobspec(sources[False], tmp_path, **fields)))
    assert proxx("run", spec, "--result", result).exit_code == 0
    task = task_of(reported(proxx, result))
    assert (task["verdict"], task["frames_compared"]) == ("pass", 60)


def test_a_proxy_that_is_not_the_results_is_not_compared(proxx: Command, sources: dict[bool, Path], tmp_path: Path) -> None:
    result = finished_job(proxx, tmp_path, sources[False])
    proxy = Path(json.loads(result.read_bytes())["tasks"][0]["output"])
    proxy.write_bytes(proxy.read_bytes() + b"\0")
    task = task_of(reported(proxx, result, exit_code=2))
    assert (task["verdict"], task["frames_compared"]) == ("fail", 0)
    assert task["findings"][0]["kind"] == "file_changed"
    assert "is not the file that this result names" in task["findings"][0]["message"]
    proxy.unlink()
    assert task_of(reported(proxx, result, exit_code=2))["findings"][0]["kind"] == "file_changed"


def test_a_source_that_is_gone_or_another_is_said(proxx: Command, sources: dict[bool, Path], tmp_path: Path) -> None:
    source = tmp_path / "clip.mov"
    source.write_bytes(sources[False].read_bytes())
    result = finished_job(proxx, tmp_path / "out", source)
    source.unlink()
    task = task_of(reported(proxx, result))
    assert (task["verdict"], [finding["kind"] for finding in task["findings"]]) == ("not_compared", ["file_changed"])
    # A gate must not open for what nobody could look at.
    reported(proxx, result, "--fail-below", "0.5", exit_code=2)
    make_clip(source, rate="30", frames=50)
    task = task_of(reported(proxx, result))
    assert (task["verdict"], task["findings"][0]["kind"]) == ("suspicious", "file_changed")
    assert "rate was 25/1, is 30/1" in task["findings"][0]["message"]


def test_the_gate(proxx: Command, sources: dict[bool, Path], tmp_path: Path) -> None:
    result = finished_job(proxx, tmp_path, sources[False])
    least = task_of(reported(proxx, result))["ssim"]["min"]
    reported(proxx, result, "--fail-below", f"{least - 0.001:.4f}")
    reported(proxx, result, "--fail-below", f"{least + 0.001:.4f}", exit_code=2)


def test_a_workspace_is_a_table_with_failed_jobs_in_it(
    proxx: Command, workspace: Workspace, sources: dict[bool, Path], proxies: Path, tmp_path: Path
) -> None:
    workspace.drop("good", jobspec(sources[False], proxies))
    workspace.drop("missing", jobspec(["/nowhere/clip.mov"], proxies))
    assert proxx("watch", workspace, "--once").exit_code == 1
    page, figures = tmp_path / "all.html", tmp_path / "all.json"
    assert proxx("report", workspace, "--html", page, "--json", figures).exit_code == 0
    document = json.loads(figures.read_bytes())
    assert [(job["name"], job["status"]) for job in document["jobs"]] == [("good", "COMPLETED"), ("missing", "FAILED")]
    assert [job["tasks"][0]["verdict"] for job in document["jobs"]] == ["pass", "not_compared"]
    text = page.read_text()
    assert 'data-code="SOURCE_MISSING"' in text
    assert "data:image/jpeg" in text


def test_the_job_does_not_depend_on_the_report(proxx: Command, sources: dict[bool, Path], tmp_path: Path) -> None:
    result = finished_job(proxx, tmp_path, sources[False])
    before = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    first = reported(proxx, result)
    page = (tmp_path / "r.html").read_bytes()
    assert reported(proxx, result) == first
    assert (tmp_path / "r.html").read_bytes() == page, "the same files give the same page"
    assert {name: before[name] for name in before} == {
        name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in before
    }


def test_a_stop_leaves_nothing(proxx: Command, long_clip: Path, tmp_path: Path) -> None:
    # The encode would take as long as the comparison: a copy of the source serves as its proxy.
    source = tmp_path / "short.mov"
    make_clip(source)
    result = finished_job(proxx, tmp_path, source)
    document = json.loads(result.read_bytes())
    Path(document["tasks"][0]["output"]).unlink()
    Path(document["tasks"][0]["output"]).symlink_to(long_clip)
    document["tasks"][0]["source"] = str(long_clip)
    vouch(result, document)
    before = names(tmp_path)
    with proxx.start("report", result, "--html", tmp_path / "r.html", "--json", tmp_path / "r.json") as started:
        started.until(lambda: started.children("ffmpeg"), "FFmpeg compares")
        started.signal(SIGINT)
        ended = started.wait()
        assert started.children() == []
    assert ended.exit_code == 130
    assert names(tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.json", "--html", "r.html"], "cannot be read"),
        (["spec.json", "--html", "r.html"], "is not a result of this worker"),
        ([".", "--html", "r.html"], "is not a workspace"),
        (["spec.json", ".", "--html", "r.html"], "name one workspace alone"),
        (["spec.json"], "--html"),
        (["spec.json", "--html", "nowhere/r.html"], "--html nowhere/r.html cannot be written"),
        (["spec.json", "--html", "r.html", "--worst", "99"], "0 to 9"),
        (["spec.json", "--html", "r.html", "--fail-below", "2"], "0 to 1"),
    ],
)
def test_wrong_use(proxx: Command, tmp_path: Path, arguments: list[str], says: str) -> None:
    (tmp_path / "spec.json").write_text("{}")
    ended = proxx("report", *arguments, cwd=tmp_path)
    assert ended.exit_code == 64
    assert says in ended.stderr
    assert names(tmp_path) == ["spec.json"]


def test_without_the_extra_the_command_says_which(proxx: Command, tmp_path: Path) -> None:
    (tmp_path / "jinja2.py").write_text("raise ModuleNotFoundError('no', name='jinja2')")
    ended = proxx("report", "x.json", "--html", tmp_path / "r.html", environment={"PYTHONPATH": str(tmp_path)})
    assert ended.exit_code == 64
    assert "proxx-worker[report]" in ended.stderr
