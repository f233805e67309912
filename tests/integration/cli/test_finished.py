"""The results that `report` and `relink` work on, and where `gather` has put their outputs."""

import json
from pathlib import Path
from typing import Any

import pytest

from proxx_worker.cli.console import UsageError
from proxx_worker.cli.finished import require_not_read, results_of
from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.relink.clips import RelinkClip, clips_of
from proxx_worker.relink.presence import require_proxies
from tests.support.privileges import without_power_over_file_modes
from tests.unit.contract.test_finished import RESULT, TASK
from tests.unit.report.facts import media, record_of


def written(path: Path, output: Path | str, *, sha256: str = "ab", **more: Any) -> Path:  # noqa: ANN401 - any JSON value
    path.parent.mkdir(exist_ok=True, parents=True)
    task = TASK | {"output": str(output), "output_sha256": sha256, "source_media": record_of(media())} | more
    path.write_text(json.dumps(RESULT | {"tasks": [task]}))
    return path


def gathered(folder: Path, *moves: tuple[Path | str, str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    outputs = [{"from": str(source), "to": str(folder / name), "sha256": sha256} for source, name, sha256 in moves]
    (folder / "gathered.json").write_text(json.dumps({"gathered_version": "1.0", "outputs": outputs}))
    return folder / "gathered.json"


def clip_of(*arguments: Path) -> RelinkClip:
    (clip,) = clips_of([result.job for result in results_of([str(it) for it in arguments]).results])
    return clip


def refusal(*arguments: Path) -> str:
    with pytest.raises(UsageError) as caught:
        results_of([str(it) for it in arguments])
    return str(caught.value)


def test_outputs_are_where_gather_has_put_them(tmp_path: Path) -> None:
    result = written(tmp_path / "r.result.json", "/farm/000/A.mov")
    listed = gathered(tmp_path / "all", ("/farm/000/A.mov", "A.mov", "ab"), ("/farm/001/B.mov", "B.mov", "cd"))
    for arguments in ((result, listed), (listed, result)):
        clip = clip_of(*arguments)
        assert clip.proxy == clip.proxy_file == str(tmp_path / "all" / "A.mov")
    assert clip_of(result).proxy == "/farm/000/A.mov"


def test_a_mapped_output_is_known_by_where_it_was_written(tmp_path: Path) -> None:
    result = written(tmp_path / "r.result.json", "/Volumes/A.mov", output_path="/farm/A.mov")
    clip = clip_of(result, gathered(tmp_path / "all", ("/farm/A.mov", "A.mov", "ab")))
    assert clip.proxy == clip.proxy_file == str(tmp_path / "all" / "A.mov")


def test_another_file_of_that_name_is_not_taken_for_it(tmp_path: Path) -> None:
    result = written(tmp_path / "r.result.json", "/farm/A.mov")
    assert clip_of(result, gathered(tmp_path / "all", ("/farm/A.mov", "A.mov", "cd"))).proxy == "/farm/A.mov"


def test_a_workspace_s_outputs_may_have_been_gathered(tmp_path: Path) -> None:
    (tmp_path / "ws" / "failed").mkdir(parents=True)
    written(tmp_path / "ws" / "done" / "r.result.json", "/farm/A.mov")
    listed = gathered(tmp_path / "all", ("/farm/A.mov", "A.mov", "ab"))
    found = results_of([str(listed), str(tmp_path / "ws")])
    assert found.workspace == str(tmp_path / "ws")
    assert found.results[0].job.tasks[0].output_file == str(tmp_path / "all" / "A.mov")
    for file in (listed, tmp_path / "ws" / "done" / "r.result.json"):
        with pytest.raises(UsageError, match="one of the results being read"):
            require_not_read("--ale", str(file), found.files)


def test_a_list_that_says_nothing_is_told(tmp_path: Path) -> None:
    result = written(tmp_path / "r.result.json", "/farm/A.mov")
    listed = gathered(tmp_path / "all")
    assert "name their results, too" in refusal(listed)
    listed.write_text("[]")
    assert "name what `gather` wrote" in refusal(result, listed)
    assert "No such file" in refusal(result, tmp_path / "gathered.json")


def test_every_result_of_a_workspace_that_cannot_be_read_is_named_at_once(tmp_path: Path) -> None:
    written(tmp_path / "done" / "a.result.json", "/A.mov")
    for folder, name in (("done", "b"), ("failed", "c")):
        written(tmp_path / folder / f"{name}.result.json", "/A.mov").write_text("{}")
    said = refusal(tmp_path)
    assert "done/b.result.json is not a result of this worker" in said
    assert "failed/c.result.json is not a result of this worker" in said
    assert "a.result.json" not in said
    assert said.endswith("move it out of the workspace, or name the other results (NAME.result.json) instead of the workspace")
    for number in range(10):
        (tmp_path / "done" / f"x{number}.result.json").touch()
    assert "; and 2 more; " in refusal(tmp_path)


def test_specs_without_a_result_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path / "done" / "a.result.json", "/A.mov")
    (tmp_path / "failed").mkdir()
    for name in ("done/a.json", "failed/b\n.json", "failed/.c.json", "failed/d.log"):
        (tmp_path / name).touch()
    found = results_of([str(tmp_path)])
    assert [result.path.name for result in found.results] == ["a.result.json"]
    found.tell_left_out()
    assert capsys.readouterr().err == f"left out: there is no result beside {tmp_path}/failed/b\\x0a.json\n"
    results_of([str(tmp_path / "done" / "a.result.json")]).tell_left_out()
    assert capsys.readouterr().err == ""


def test_what_may_not_be_seen_is_told(tmp_path: Path) -> None:
    result = written(tmp_path / "locked" / "r.result.json", "/A.mov")
    result.parent.chmod(0)
    with without_power_over_file_modes():
        assert f"{result} cannot be read: Permission denied; name a NAME.result.json" in refusal(result)
    result.parent.chmod(0o700)


class TestProxies:
    def test_one_that_is_there_or_cannot_be_seen_is_no_fault(self, tmp_path: Path) -> None:
        (tmp_path / "A.mov").touch()
        there = clip_of(written(tmp_path / "r.result.json", tmp_path / "A.mov"))
        elsewhere = clip_of(written(tmp_path / "r.result.json", tmp_path / "nowhere" / "A.mov"))
        assert require_proxies([]) is None
        assert require_proxies([there]) is None
        assert require_proxies([there, elsewhere]) == (
            f"not checked, because this machine cannot see it: {tmp_path}/nowhere/A.mov; the paths are those of the results"
        )
        assert "A.mov and 1 more;" in str(require_proxies([elsewhere, elsewhere]))

    def test_one_behind_a_closed_door_may_be_there(self, tmp_path: Path) -> None:
        clip = clip_of(written(tmp_path / "r.result.json", tmp_path / "locked" / "A.mov"))
        (tmp_path / "locked").mkdir(mode=0)
        with without_power_over_file_modes():
            assert "cannot see it" in str(require_proxies([clip]))

    def test_one_that_is_gone_is_refused_with_gather_s_name(self, tmp_path: Path) -> None:
        clip = clip_of(written(tmp_path / "r.result.json", tmp_path / "A.mov"))
        with pytest.raises(ProxxError, match=r"A\.mov is not where its result says.* name the gathered\.json") as caught:
            require_proxies([clip])
        assert caught.value.code is ErrorCode.IO_ERROR
