"""A source as a file: real files, folders, pipes, links and refusals of the system."""

import errno
import os
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.engines.source_file import (
    OpenSource,
    SourceIdentity,
    check_source_file,
    open_probed,
    open_source,
    require_unchanged,
)
from tests.support.privileges import without_power_over_file_modes


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A source, as far as this package knows one."""
    path = tmp_path / "clip.mov"
    path.write_bytes(b"a clip")
    return path


def refused(path: str) -> ErrorCode:
    with pytest.raises(ProxxError) as caught, open_source(path):
        pass
    assert path in caught.value.error.message
    return caught.value.code


def test_a_source_is_read_through_its_descriptor(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mov"
    clip.write_bytes(b"0123456789")
    with open_source(str(clip)) as source:
        assert source.identity == SourceIdentity.of(clip.stat())
        assert Path(source.descriptor_path).read_bytes() == b"0123456789"
        clip.rename(tmp_path / "elsewhere.mov")
        clip.write_bytes(b"another file under the same name")
        assert source.read(2, 3) == b"234"
        assert source.read(8, 100) == b"89"
        assert source.read(10, 1) == b""
        assert source.read(1 << 70, 8) == b""
        source.require_readable(4, 4)
        source.require_readable(1 << 30, 1 << 30)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(source.descriptor)


@pytest.mark.parametrize(
    "name", ["-y.mov", "%d.png", "a b'c\"d.mov", "new\nline.mov", "\U0001f3ac\u202emov.exe", "x" * 255, "café", "cafe\u0301"]
)
def test_names_are_harmless(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with open_source(f"{tmp_path}/{name}") as source:
        assert source.read(0, 1) == b"x"


def test_a_name_that_is_not_utf_8_is_harmless(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/clip\xff.mov")
    Path(path).write_bytes(b"x")
    with open_source(path) as source:
        assert source.read(0, 1) == b"x"


@pytest.mark.parametrize("name", ["none.mov", "clip.mov/below", "y" * 256])
def test_what_is_not_there_is_missing(tmp_path: Path, name: str) -> None:
    (tmp_path / "clip.mov").write_bytes(b"x")
    assert refused(f"{tmp_path}/{name}") is ErrorCode.SOURCE_MISSING


def test_a_dangling_link_is_missing_and_a_loop_unreadable(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "none")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert refused(f"{tmp_path}/dangling") is ErrorCode.SOURCE_MISSING
    assert refused(f"{tmp_path}/loop") is ErrorCode.SOURCE_UNREADABLE


def test_a_folder_a_pipe_and_a_device_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (str(tmp_path), f"{tmp_path}/pipe", "/dev/null"):
        assert refused(path) is ErrorCode.SOURCE_NOT_A_FILE


def test_a_pipe_put_in_a_file_s_place_does_not_hang_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = tmp_path / "clip.mov"
    clip.write_bytes(b"x")
    real_open = os.open

    def swapped(path: str, flags: int) -> int:
        clip.unlink()
        os.mkfifo(clip)
        return real_open(path, flags)

    monkeypatch.setattr(os, "open", swapped)
    assert refused(str(clip)) is ErrorCode.SOURCE_NOT_A_FILE


def test_a_file_that_the_user_may_not_read_is_unreadable(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mov"
    clip.write_bytes(b"x")
    clip.chmod(0)
    with without_power_over_file_modes():
        assert refused(str(clip)) is ErrorCode.SOURCE_UNREADABLE


def test_the_place_of_a_file_is_its_own_wherever_its_path_leads(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "clip.mov").write_bytes(folder.name.encode())
    (tmp_path / "link").symlink_to(inside)
    with open_source(f"{tmp_path}/link/../inside/clip.mov") as source:
        assert source.real_path() == f"{os.path.realpath(tmp_path)}/inside/clip.mov"
        inside.rename(tmp_path / "moved")
        inside.symlink_to(outside)
        assert source.real_path() == f"{os.path.realpath(tmp_path)}/moved/clip.mov"
        (tmp_path / "moved" / "clip.mov").unlink()
        with pytest.raises(ProxxError, match="it was deleted") as caught:
            source.real_path()
    assert caught.value.code is ErrorCode.SOURCE_CHANGED


def test_a_failing_read_is_unreadable(tmp_path: Path) -> None:
    # The system refuses to read a folder's descriptor as it would a broken disk's.
    folder = os.open(tmp_path, os.O_RDONLY)
    source = OpenSource("/clip.mov", folder, SourceIdentity(100, 0, 0, 0))
    try:
        with pytest.raises(ProxxError, match=r"cannot read /clip\.mov") as caught:
            source.require_readable(10, 10)
    finally:
        os.close(folder)
    assert caught.value.code is ErrorCode.SOURCE_UNREADABLE


def test_a_file_that_shows_no_size_and_refuses_to_be_read_is_unreadable_not_empty(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    source = OpenSource("/clip.mov", folder, SourceIdentity(0, 0, 0, 0))
    try:
        with pytest.raises(ProxxError, match=r"cannot read /clip\.mov") as caught:
            source.read(0, 16)
    finally:
        os.close(folder)
    assert caught.value.code is ErrorCode.SOURCE_UNREADABLE


def test_the_worker_s_own_limits_are_not_the_source_s_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clip.mov").write_bytes(b"x")

    def exhausted(path: str, _flags: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), path)

    monkeypatch.setattr(os, "open", exhausted)
    assert refused(f"{tmp_path}/clip.mov") is ErrorCode.IO_ERROR


def test_check_looks_without_opening(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mov"
    clip.write_bytes(b"x")
    check_source_file(str(clip))
    with pytest.raises(ProxxError) as caught:
        check_source_file(str(tmp_path))
    assert caught.value.code is ErrorCode.SOURCE_NOT_A_FILE


def test_a_source_that_stands_still_is_unchanged(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mov"
    clip.write_bytes(b"x")
    require_unchanged(str(clip), SourceIdentity.of(clip.stat()))


def test_a_source_that_grew_or_was_replaced_has_changed(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mov"
    clip.write_bytes(b"x")
    before = SourceIdentity.of(clip.stat())
    with clip.open("ab") as grown:
        grown.write(b"y")
    with pytest.raises(ProxxError, match=r"size 1 -> 2") as caught:
        require_unchanged(str(clip), before)
    assert caught.value.code is ErrorCode.SOURCE_CHANGED
    clip.rename(tmp_path / "kept")
    clip.write_bytes(b"xy")
    with pytest.raises(ProxxError, match="inode"):
        require_unchanged(str(clip), SourceIdentity.of((tmp_path / "kept").stat()))
    clip.unlink()
    with pytest.raises(ProxxError, match="it is gone") as caught:
        require_unchanged(str(clip), before)
    assert caught.value.code is ErrorCode.SOURCE_CHANGED
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(ProxxError) as caught:
        require_unchanged(f"{tmp_path}/loop", before)
    assert caught.value.code is ErrorCode.SOURCE_UNREADABLE


def anywhere(_: str) -> None:
    """Every place is allowed."""


def test_a_source_that_was_probed_is_held_as_it_was(clip: Path) -> None:
    identity = SourceIdentity.of(clip.stat())
    seen: list[str] = []
    with open_probed(str(clip), identity, seen.append) as source:
        assert source.identity == identity
    assert seen == [os.path.realpath(clip)]


def test_another_file_in_the_place_of_the_probed_one_is_a_change(clip: Path, tmp_path: Path) -> None:
    identity = SourceIdentity.of(clip.stat())
    clip.rename(tmp_path / "kept")
    clip.write_bytes(b"other")
    with pytest.raises(ProxxError) as caught, open_probed(str(clip), identity, anywhere):
        pass
    assert caught.value.code is ErrorCode.SOURCE_CHANGED


def test_a_file_put_in_the_place_after_the_look_at_its_path_is_a_change(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = SourceIdentity.of(clip.stat())
    (tmp_path / "other").write_bytes(b"other")
    real_open = os.open

    def swapped(path: bytes, flags: int) -> int:
        clip.rename(tmp_path / "kept")
        (tmp_path / "other").rename(clip)
        return real_open(path, flags)

    monkeypatch.setattr(os, "open", swapped)
    with pytest.raises(ProxxError) as caught, open_probed(str(clip), identity, anywhere):
        pass
    assert caught.value.code is ErrorCode.SOURCE_CHANGED


@pytest.mark.parametrize("written", [True, False])
def test_a_change_while_it_is_held_is_told_in_the_end(clip: Path, tmp_path: Path, written: bool) -> None:
    def change() -> None:
        if written:
            clip.write_bytes(b"more and more of it")
        else:
            clip.rename(tmp_path / "kept")

    with pytest.raises(ProxxError) as caught, open_probed(str(clip), SourceIdentity.of(clip.stat()), anywhere):
        change()
    assert caught.value.code is ErrorCode.SOURCE_CHANGED


def test_a_place_that_is_refused_is_refused_before_the_body(clip: Path) -> None:
    def refuse(_: str) -> None:
        raise ProxxError(ErrorCode.PATH_NOT_ALLOWED, "not there")

    with pytest.raises(ProxxError, match="not there"), open_probed(str(clip), SourceIdentity.of(clip.stat()), refuse):
        raise AssertionError
