"""Where a file that a user names is written: through symlinks, and never over what is no regular file."""

import os
import socket
from pathlib import Path

import pytest

from proxx_worker.files.places import NoPlaceError, place_of, require_place, write_output
from tests.support.privileges import without_power_over_file_modes


def refusal(path: Path) -> str:
    with pytest.raises(NoPlaceError) as caught:
        require_place(path)
    return str(caught.value)


def test_a_name_that_is_free_or_a_file_s_is_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "there").touch()
    for name in ("there", "new"):
        assert require_place(tmp_path / name) == os.fsencode(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert require_place("new") == b"new"


@pytest.mark.parametrize("there", [True, False])
def test_a_symlink_stays_and_what_it_leads_to_is_written(tmp_path: Path, *, there: bool) -> None:
    (tmp_path / "other").mkdir()
    target = tmp_path / "other" / "file"
    if there:
        target.write_bytes(b"old")
    (tmp_path / "further").symlink_to(target)
    (tmp_path / "link").symlink_to("further")
    write_output(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "further").is_symlink()
    assert target.read_bytes() == b"new"


def test_a_symlink_is_judged_by_the_folder_that_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere" / "file")
    (tmp_path / "round").symlink_to("round")
    assert refusal(tmp_path / "link") == "its folder must exist and be writable"
    assert "symbolic links" in refusal(tmp_path / "round")


def test_what_is_no_file_is_never_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("pipe")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "socket"))
    for name, kind in (("pipe", "a pipe"), ("folder", "a folder"), ("link", "a pipe"), ("socket", "a socket")):
        before = (tmp_path / name).lstat()
        assert refusal(tmp_path / name) == f"it is {kind}, which a file must not replace"
        with pytest.raises(OSError, match="must not replace"):
            write_output(tmp_path / name, b"data")
        assert (tmp_path / name).lstat() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_device_is_never_replaced(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "device", 0o020666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("this root may not make devices")
    assert refusal(tmp_path / "device") == "it is a device, which a file must not replace"


def test_a_folder_that_is_missing_closed_or_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "locked").mkdir(mode=0)
    assert refusal(tmp_path / "nowhere" / "x") == "its folder must exist and be writable"
    assert refusal(tmp_path / "file" / "x") == "Not a directory"
    assert refusal(tmp_path / ("x" * 300)) == "File name too long"
    assert "embedded null" in refusal(tmp_path / "a\0b")
    with without_power_over_file_modes():
        assert refusal(tmp_path / "locked" / "x") == "Permission denied"


def test_a_place_is_found_without_its_folder(tmp_path: Path) -> None:
    assert place_of(tmp_path / "nowhere" / "x") == os.fsencode(tmp_path / "nowhere" / "x")
