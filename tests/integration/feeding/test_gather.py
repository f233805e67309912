"""Outputs moved for real."""

import errno
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.feeding.gather import gather
from proxx_worker.feeding.gathering import Output
from proxx_worker.files.rename import rename_no_clobber
from proxx_worker.workspace.entries import status_of
from tests.support.privileges import without_power_over_file_modes

Put = Callable[..., Path]


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "all"
    folder.mkdir()
    return folder


@pytest.fixture
def outputs(put: Put) -> list[Output]:
    """Two chunks' outputs."""
    return [output(put(f"farm/{name}", name.encode())) for name in ("000/A.mov", "001/B.mov", "001/C.mov")]


def output(path: Path) -> Output:
    return Output(str(path), hashlib.sha256(path.read_bytes()).hexdigest())


def state(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file: inode, when it was changed, bytes."""
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_ctime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def refusal(outputs: list[Output], into: Path) -> ProxxError:
    with pytest.raises(ProxxError) as caught:
        gather(outputs, str(into))
    return caught.value


def test_all_move_and_the_list_says_from_where(outputs: list[Output], into: Path) -> None:
    gathered = gather(outputs, str(into))
    assert (len(gathered.moved), gathered.in_place) == (3, 0)
    assert sorted(path.name for path in into.iterdir()) == ["A.mov", "B.mov", "C.mov", "gathered.json"]
    assert not Path(outputs[0].path).exists()
    assert json.loads((into / "gathered.json").read_bytes())["outputs"] == [
        {"from": one.path, "to": str(into / Path(one.path).name), "sha256": one.sha256} for one in outputs
    ]


def test_what_was_moved_before_ctrl_c_is_listed(outputs: list[Output], into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(source: bytes, target: bytes) -> None:
        if target.endswith(b"B.mov"):
            raise KeyboardInterrupt
        rename_no_clobber(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("proxx_worker.feeding.gather.rename_no_clobber", interrupted)
        with pytest.raises(KeyboardInterrupt):
            gather(outputs, str(into))
    assert [one["to"] for one in json.loads((into / "gathered.json").read_bytes())["outputs"]] == [str(into / "A.mov")]
    assert (len(gather(outputs, str(into)).moved), len(list(into.iterdir()))) == (2, 4)


def test_a_second_call_changes_nothing(outputs: list[Output], into: Path) -> None:
    gather(outputs, str(into))
    before = state(into)
    gathered = gather(outputs[::-1], str(into))
    assert (gathered.moved, gathered.in_place) == ((), 3)
    assert state(into) == before


def test_the_folder_s_other_names_list_nothing_twice(outputs: list[Output], into: Path, tmp_path: Path) -> None:
    gather(outputs, str(into))
    before = state(into)
    (tmp_path / "link").symlink_to(into)
    assert gather(outputs, str(tmp_path / "link")).in_place == 3
    assert state(into) == before
    moved = into.rename(tmp_path / "moved")
    into.touch()
    assert gather(outputs, str(moved)).in_place == 3
    listed = json.loads((moved / "gathered.json").read_bytes())["outputs"]
    assert [one["to"] for one in listed] == [str(moved / f"{name}.mov") for name in "ABC"]


def test_a_name_that_was_gathered_and_taken_away_may_come_again(outputs: list[Output], into: Path, put: Put) -> None:
    gather(outputs[:1], str(into))
    (into / "A.mov").unlink()
    again = output(put("again/A.mov", b"another"))
    gather([again], str(into))
    (listed,) = json.loads((into / "gathered.json").read_bytes())["outputs"]
    assert (listed["from"], listed["sha256"]) == (again.path, again.sha256)


def test_a_folder_that_is_none_or_closed_is_not_called_missing(outputs: list[Output], into: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (into / "in").mkdir()
    for path, said, code in (
        (tmp_path / "file", "is not one", ErrorCode.OUTPUT_DIRECTORY_MISSING),
        (tmp_path / "file" / "in", "does not exist", ErrorCode.OUTPUT_DIRECTORY_MISSING),
        (into / "in", "cannot inspect the folder", ErrorCode.IO_ERROR),
    ):
        into.chmod(0 if path.parent == into else 0o700)
        with without_power_over_file_modes(), pytest.raises(ProxxError, match=said) as caught:
            gather(outputs, str(path))
        assert caught.value.code is code
    into.chmod(0o700)


def test_later_results_are_added_to_the_list(outputs: list[Output], into: Path) -> None:
    gather(outputs[:1], str(into))
    gather(outputs[1:], str(into))
    assert len(json.loads((into / "gathered.json").read_bytes())["outputs"]) == 3


def test_an_output_that_lies_there_already_stays(into: Path, put: Put) -> None:
    one = output(put("all/A.mov"))
    assert gather([one], str(into)).in_place == 1
    assert [path.name for path in into.iterdir()] == ["A.mov"]


def test_nothing_to_gather_is_no_fault(into: Path) -> None:
    assert gather([], str(into)).moved == ()
    assert list(into.iterdir()) == []


def test_a_call_that_was_cut_off_is_taken_up(outputs: list[Output], into: Path) -> None:
    Path(outputs[0].path).rename(into / "A.mov")
    gathered = gather(outputs, str(into))
    assert (len(gathered.moved), gathered.in_place) == (2, 1)
    assert len(json.loads((into / "gathered.json").read_bytes())["outputs"]) == 3


def _taken(outputs: list[Output], into: Path) -> list[Output]:
    (into / "C.mov").write_bytes(b"somebody's")
    return outputs


def _same_name(outputs: list[Output], _into: Path) -> list[Output]:
    path = Path(outputs[0].path).with_name("c.MOV")
    path.write_bytes(b"another")
    return [*outputs, output(path)]


def _changed(outputs: list[Output], _into: Path) -> list[Output]:
    Path(outputs[2].path).write_bytes(b"changed")
    return outputs


def _gone(outputs: list[Output], _into: Path) -> list[Output]:
    Path(outputs[2].path).unlink()
    return outputs


def _other_there(outputs: list[Output], into: Path) -> list[Output]:
    Path(outputs[2].path).unlink()
    (into / "C.mov").write_bytes(b"somebody's")
    return outputs


def _folder(outputs: list[Output], _into: Path) -> list[Output]:
    Path(outputs[2].path).unlink()
    Path(outputs[2].path).mkdir()
    return outputs


def _list_of_others(outputs: list[Output], into: Path) -> list[Output]:
    (into / "gathered.json").write_bytes(b"{}")
    return outputs


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_taken, ErrorCode.OUTPUT_EXISTS),
        (_same_name, ErrorCode.OUTPUT_NAME_COLLISION),
        (_changed, ErrorCode.OUTPUT_INVALID),
        (_gone, ErrorCode.IO_ERROR),
        (_other_there, ErrorCode.OUTPUT_INVALID),
        (_folder, ErrorCode.OUTPUT_INVALID),
        (_list_of_others, ErrorCode.OUTPUT_EXISTS),
    ],
)
def test_whatever_stands_in_the_way_of_one_moves_nothing(
    outputs: list[Output], into: Path, tmp_path: Path, spoil: Callable[[list[Output], Path], list[Output]], code: ErrorCode
) -> None:
    wanted = spoil(outputs, into)
    before = state(tmp_path)
    fault = refusal(wanted, into)
    assert fault.code is code
    assert state(tmp_path) == before


def test_a_folder_that_is_not_there_is_not_made(outputs: list[Output], tmp_path: Path) -> None:
    assert refusal(outputs, tmp_path / "nothing").code is ErrorCode.OUTPUT_DIRECTORY_MISSING
    assert not (tmp_path / "nothing").exists()


def test_another_filesystem_is_seen_before_anything_moves(
    outputs: list[Output], into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(path: bytes) -> os.stat_result | None:
        found = status_of(path)
        if found is None or not path.endswith(b"C.mov"):
            return found
        return os.stat_result([*found[:2], found.st_dev + 1, *found[3:]])

    monkeypatch.setattr("proxx_worker.feeding.gather.status_of", elsewhere)
    assert refusal(outputs, into).code is ErrorCode.RENAME_NOT_ATOMIC
    assert list(into.iterdir()) == []


def test_a_disk_that_fills_up_in_the_middle_leaves_what_another_call_finishes(
    outputs: list[Output], into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: object, _data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("proxx_worker.feeding.gather.write_durable", full)
        assert refusal(outputs, into).code is ErrorCode.NO_SPACE
    assert gather(outputs, str(into)).in_place == 3
    assert len(json.loads((into / "gathered.json").read_bytes())["outputs"]) == 3


def test_a_name_taken_in_the_last_moment_is_not_written_over(
    outputs: list[Output], into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_first(source: bytes, target: bytes) -> None:
        if target.endswith(b"B.mov"):
            Path(os.fsdecode(target)).write_bytes(b"somebody's")
        rename_no_clobber(source, target)

    monkeypatch.setattr("proxx_worker.feeding.gather.rename_no_clobber", take_first)
    fault = refusal(outputs, into)
    assert (fault.code, "B.mov" in fault.error.message) == (ErrorCode.IO_ERROR, True)
    assert (into / "B.mov").read_bytes() == b"somebody's"
    assert Path(outputs[1].path).exists()
    # What had been moved before is named, and listed for those who look for it.
    listed = [entry["to"] for entry in json.loads((into / "gathered.json").read_bytes())["outputs"]]
    assert listed == fault.error.details["moved"] == [str(into / "A.mov")]
    assert "1 of 3 outputs had already been moved" in fault.error.message
