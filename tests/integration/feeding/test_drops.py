"""Specs written into a folder: all or none."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.feeding.drops import drop, make_directories, require_directories, sweep
from proxx_worker.feeding.orders import PlannedSpec
from proxx_worker.workspace.submit import place
from tests.support.privileges import without_power_over_file_modes


def planned(*stems: str) -> list[PlannedSpec]:
    return [PlannedSpec(stem, f'{{"{stem}": 1}}'.encode(), (), "/out", ()) for stem in stems]


def fail_at(number: int, real: Callable[..., object], code: int) -> Callable[..., object]:
    """`real`, but for its call `number`, counted from 1, which fails."""
    calls = iter(range(1, 1000))

    def call(*arguments: object, **more: object) -> object:
        if next(calls) == number:
            raise OSError(code, os.strerror(code))
        return real(*arguments, **more)

    return call


def test_each_gets_its_name_and_no_other_is_touched(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_bytes(b"others'")
    made = drop(os.fsencode(tmp_path), planned("a", "b"))
    assert [Path(os.fsdecode(path)).name for path in made] == ["a.json", "b~2.json"]
    assert (tmp_path / "b~2.json").read_bytes() == b'{"b": 1}'
    assert (tmp_path / "b.json").read_bytes() == b"others'"
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_disk_that_is_full_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(os, "fsync", fail_at(number, os.fsync, errno.ENOSPC))
    with pytest.raises(ProxxError) as caught:
        drop(os.fsencode(tmp_path), planned("a", "b"))
    assert caught.value.code is ErrorCode.NO_SPACE
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_synced_gets_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir(mode=0o300)
    with without_power_over_file_modes(), pytest.raises(ProxxError, match="cannot open the folder"):
        drop(os.fsencode(folder), planned("a"))
    folder.chmod(0o700)
    assert list(folder.iterdir()) == []


def test_an_impatient_person_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(folder: bytes, temporary: bytes, wanted: bytes) -> bytes:
        if wanted == b"b":
            raise KeyboardInterrupt
        return place(folder, temporary, wanted)

    monkeypatch.setattr("proxx_worker.feeding.drops.place", interrupted)
    with pytest.raises(KeyboardInterrupt):
        drop(os.fsencode(tmp_path), planned("a", "b"))
    assert list(tmp_path.iterdir()) == []


def test_no_name_is_given_before_all_specs_are_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync, seen = os.fsync, []

    def note(descriptor: int) -> None:
        seen.append(sorted(name for name in os.listdir(tmp_path) if not name.startswith(".")))  # noqa: PTH208
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    drop(os.fsencode(tmp_path), planned("a", "b"))
    assert seen == [[], [], ["a.json", "b.json"]]


def test_one_that_a_worker_took_before_the_failure_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def place_and_claim(folder: bytes, temporary: bytes, wanted: bytes) -> bytes:
        if wanted == b"b":
            (tmp_path / "a.json").rename(tmp_path / "claimed")
            raise ProxxError(ErrorCode.IO_ERROR, "the storage failed")
        return place(folder, temporary, wanted)

    monkeypatch.setattr("proxx_worker.feeding.drops.place", place_and_claim)
    with pytest.raises(ProxxError) as caught:
        drop(os.fsencode(tmp_path), planned("a", "b", "c"))
    assert caught.value.error.message == "the storage failed; already claimed by a worker: a.json"
    assert [path.name for path in tmp_path.iterdir()] == ["claimed"]


def test_what_a_killed_feeder_left_is_swept_and_a_living_one_s_is_not(tmp_path: Path) -> None:
    for name in (".feed-old", ".feed-new", ".other"):
        (tmp_path / name).write_bytes(b"")
    os.utime(tmp_path / ".feed-old", (1_000_000, 1_000_000))
    os.utime(tmp_path / ".other", (1_000_000, 1_000_000))
    sweep(os.fsencode(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == [".feed-new", ".other"]


def test_folders_are_made_with_those_above_them(tmp_path: Path) -> None:
    paths = [str(tmp_path / "a" / "b" / "c"), str(tmp_path / "a")]
    assert make_directories(paths) == paths[:1]
    assert make_directories(paths) == []
    require_directories(paths)


def test_a_file_in_a_folder_s_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(ProxxError) as caught:
        make_directories([str(tmp_path / "a" / "b")])
    assert caught.value.code is ErrorCode.OUTPUT_DIRECTORY_MISSING
    with pytest.raises(ProxxError) as caught:
        require_directories([str(tmp_path / "a"), str(tmp_path / "b")])
    assert caught.value.code is ErrorCode.OUTPUT_DIRECTORY_MISSING
    assert f"must be folders, but {tmp_path}/a is not: remove it, or choose another folder" in caught.value.error.message


def test_missing_folders_are_told_with_their_number(tmp_path: Path) -> None:
    with pytest.raises(ProxxError) as caught:
        require_directories([str(tmp_path), str(tmp_path / "x"), str(tmp_path / "y")])
    assert caught.value.code is ErrorCode.OUTPUT_DIRECTORY_MISSING
    assert f"{tmp_path}/x and 1 more do not: create them" in caught.value.error.message
    assert "--create-directories" in caught.value.error.message
