"""The rename that never overwrites, on a real filesystem, with and without the kernel's flag, and with lost replies."""

import ctypes
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from proxx_worker.files import rename
from proxx_worker.files.rename import AT_FDCWD, rename_no_clobber

Call = Callable[[int, bytes, int, bytes, int], int]


def _answers(number: int, *, after: Callable[[bytes, bytes], object] | None = None) -> Call:
    """A `renameat2` that does `after` and then fails with `number`."""

    def call(_src_fd: int, src: bytes, _dst_fd: int, dst: bytes, _flags: int) -> int:
        if after is not None:
            after(src, dst)
        ctypes.set_errno(number)
        return -1

    return call


@pytest.fixture(params=["flag", "link"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A filesystem with the no-clobber flag, and one without."""
    if request.param == "link":
        monkeypatch.setattr(rename, "_function", _answers(errno.EINVAL))
    return str(request.param)


@pytest.fixture
def src(tmp_path: Path) -> Path:
    path = tmp_path / "a" / "src"
    path.parent.mkdir()
    (tmp_path / "b").mkdir()
    path.write_bytes(b"source")
    return path


@pytest.fixture
def dst(tmp_path: Path) -> Path:
    return tmp_path / "b" / "dst"


@pytest.mark.usefixtures("kernel")
class TestRename:
    def test_moves_the_inode(self, src: Path, dst: Path) -> None:
        inode = src.stat().st_ino
        rename_no_clobber(src, dst)
        assert dst.stat().st_ino == inode
        assert dst.stat().st_nlink == 1
        assert not src.exists()

    def test_never_overwrites(self, src: Path, dst: Path) -> None:
        dst.write_bytes(b"taken")
        with pytest.raises(FileExistsError):
            rename_no_clobber(src, dst)
        assert (src.read_bytes(), dst.read_bytes()) == (b"source", b"taken")

    def test_never_overwrites_a_dangling_symlink(self, src: Path, dst: Path) -> None:
        dst.symlink_to("nowhere")
        with pytest.raises(FileExistsError):
            rename_no_clobber(src, dst)
        assert src.exists()
        assert dst.is_symlink()

    def test_a_missing_source_is_missing(self, tmp_path: Path, dst: Path) -> None:
        (tmp_path / "b").mkdir()
        with pytest.raises(FileNotFoundError):
            rename_no_clobber(tmp_path / "nothing", dst)

    def test_a_missing_folder_is_missing(self, src: Path, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            rename_no_clobber(src, tmp_path / "c" / "dst")
        assert src.exists()

    def test_names_need_not_be_utf8(self, src: Path, dst: Path) -> None:
        target = os.fsencode(dst.parent) + b"/\xff\n%"
        rename_no_clobber(os.fsencode(src), target)
        assert os.path.lexists(target)

    def test_relative_to_held_folders(self, src: Path, dst: Path) -> None:
        from_fd = os.open(src.parent, os.O_RDONLY)
        to_fd = os.open(dst.parent, os.O_RDONLY)
        try:
            rename_no_clobber("src", "dst", src_dir_fd=from_fd, dst_dir_fd=to_fd)
            with pytest.raises(FileNotFoundError):
                rename_no_clobber("src", "dst", src_dir_fd=from_fd, dst_dir_fd=to_fd)
        finally:
            os.close(from_fd)
            os.close(to_fd)
        assert dst.read_bytes() == b"source"


class TestLostReplies:
    @pytest.mark.parametrize("number", [errno.ENOENT, errno.EEXIST])
    def test_a_rename_that_happened_is_done(self, number: int, src: Path, dst: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rename, "_function", _answers(number, after=os.rename))
        rename_no_clobber(src, dst)
        assert dst.read_bytes() == b"source"

    def test_a_rename_that_did_not_happen_is_not(self, src: Path, dst: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        dst.write_bytes(b"taken")
        monkeypatch.setattr(rename, "_function", _answers(errno.EEXIST))
        with pytest.raises(FileExistsError):
            rename_no_clobber(src, dst)

    def test_someone_elses_rename_is_not_ours(self, src: Path, dst: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def other(source: bytes, target: bytes) -> None:
            src.rename(os.fsdecode(source + b"-elsewhere"))
            Path(os.fsdecode(target)).write_bytes(b"another")

        monkeypatch.setattr(rename, "_function", _answers(errno.ENOENT, after=other))
        with pytest.raises(FileNotFoundError):
            rename_no_clobber(src, dst)

    def test_two_names_of_one_file_are_not_a_rename(self, src: Path, dst: Path) -> None:
        os.link(src, dst)
        with pytest.raises(FileExistsError):
            rename_no_clobber(src, dst)
        assert src.exists()

    def test_a_link_that_happened_is_done(self, src: Path, dst: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        link = os.link

        def lost(source: bytes, target: bytes, **_options: bool | int | None) -> None:
            link(source, target)
            raise FileExistsError(errno.EEXIST, "lost reply")

        monkeypatch.setattr(rename, "_function", _answers(errno.ENOSYS))
        monkeypatch.setattr(os, "link", lost)
        rename_no_clobber(src, dst)
        assert dst.read_bytes() == b"source"
        assert not src.exists()

    def test_an_unlink_that_happened_is_done(self, src: Path, dst: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        unlink = os.unlink

        def lost(path: bytes, **_options: int | None) -> None:
            unlink(path)
            raise FileNotFoundError(errno.ENOENT, "lost reply")

        monkeypatch.setattr(rename, "_function", _answers(errno.ENOSYS))
        monkeypatch.setattr(os, "unlink", lost)
        rename_no_clobber(src, dst)
        assert dst.read_bytes() == b"source"

    def test_the_half_of_a_move_is_completed(self, src: Path, dst: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the filesystem has no flag, a crash between link and unlink leaves both names."""
        os.link(src, dst)
        monkeypatch.setattr(rename, "_function", _answers(errno.ENOSYS))
        rename_no_clobber(src, dst)
        assert not src.exists()
        assert dst.read_bytes() == b"source"

    def test_an_unlink_that_found_nothing_of_ours_is_told(self, src: Path, dst: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def swap(_path: bytes, **_options: int | None) -> None:
            dst.rename(dst.with_name("elsewhere"))
            src.rename(src.with_name("elsewhere"))
            raise FileNotFoundError(errno.ENOENT, "gone")

        monkeypatch.setattr(rename, "_function", _answers(errno.ENOSYS))
        monkeypatch.setattr(os, "unlink", swap)
        with pytest.raises(FileNotFoundError):
            rename_no_clobber(src, dst)


def test_an_interrupted_call_is_made_again(src: Path, dst: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = rename._function  # noqa: SLF001 - the C library's own
    assert real is not None
    answers = [errno.EINTR, errno.EINTR]

    def interrupted(*arguments: bytes | int) -> int:
        if answers:
            ctypes.set_errno(answers.pop())
            return -1
        return int(real(*arguments))

    monkeypatch.setattr(rename, "_function", interrupted)
    rename_no_clobber(src, dst)
    assert dst.exists()
    assert answers == []


def test_without_the_call_in_the_c_library_links_serve(src: Path, dst: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rename, "_function", None)
    rename_no_clobber(src, dst)
    assert dst.exists()
    assert not src.exists()


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EXDEV, errno.EACCES])
def test_any_other_answer_is_an_error(number: int, src: Path, dst: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rename, "_function", _answers(number))
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        rename_no_clobber(src, dst)
    assert caught.value.errno == number
    assert caught.value.filename2 == dst


def test_the_current_folder_is_where_the_kernel_says() -> None:
    assert AT_FDCWD == -100
