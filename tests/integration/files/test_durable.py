"""Writes: what is synced, in which order, and what a failure leaves."""

import errno
import os
from pathlib import Path

import pytest

from proxx_worker.files import allocate
from proxx_worker.files.allocate import preallocate, preallocate_or_fill, release_unused
from proxx_worker.files.durable import create_file, write_durable
from proxx_worker.files.syncing import sync_directory


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was synced, in order. The real sync is made all the same."""
    names: list[str] = []
    fsync = os.fsync

    def note(fd: int) -> None:
        names.append(Path(f"/proc/self/fd/{fd}").readlink().name)
        fsync(fd)

    monkeypatch.setattr(os, "fsync", note)
    return names


class TestWriteDurable:
    def test_replaces_what_was_there(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        path.write_bytes(b"old and longer")
        write_durable(path, b"new")
        assert path.read_bytes() == b"new"
        assert [entry.name for entry in tmp_path.iterdir()] == ["file"]

    def test_syncs_the_file_before_the_rename_and_the_folder_after(self, tmp_path: Path, synced: list[str]) -> None:
        write_durable(tmp_path / "file", b"data")
        assert len(synced) == 2
        assert synced[0].startswith(".tmp-")
        assert synced[1] == tmp_path.name

    def test_a_failed_sync_leaves_the_old_content_and_no_temporary(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "file"
        path.write_bytes(b"old")

        def fail(_fd: int) -> None:
            raise OSError(errno.EIO, "bad disk")

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="bad disk"):
            write_durable(path, b"new")
        assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"file": b"old"}

    @pytest.mark.parametrize("happened", [True, False])
    def test_a_lost_reply_counts_only_if_it_happened(
        self, tmp_path: Path, *, happened: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        replace = os.replace

        def lose(src: bytes, dst: bytes) -> None:
            if happened:
                replace(src, dst)
            raise FileNotFoundError(errno.ENOENT, "lost reply")

        monkeypatch.setattr(os, "replace", lose)
        if happened:
            write_durable(tmp_path / "file", b"data")
            assert (tmp_path / "file").read_bytes() == b"data"
        else:
            with pytest.raises(FileNotFoundError):
                write_durable(tmp_path / "file", b"data")
            assert list(tmp_path.iterdir()) == []

    def test_the_longest_name_fits(self, tmp_path: Path) -> None:
        write_durable(tmp_path / ("x" * 255), b"")
        assert len(list(tmp_path.iterdir())) == 1

    def test_others_may_read_but_not_write(self, tmp_path: Path) -> None:
        write_durable(tmp_path / "file", b"")
        assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


class TestSyncDirectory:
    def test_a_filesystem_that_cannot_is_told_apart_from_one_that_failed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        numbers = [errno.EINVAL, errno.ENOTSUP, errno.EIO]

        def fail(_fd: int) -> None:
            raise OSError(numbers.pop(0), "no")

        assert sync_directory(tmp_path)
        monkeypatch.setattr(os, "fsync", fail)
        assert not sync_directory(tmp_path)
        assert not sync_directory(tmp_path)
        with pytest.raises(OSError, match="no"):
            sync_directory(tmp_path)

    def test_a_file_is_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(NotADirectoryError):
            sync_directory(tmp_path / "file")


def test_create_file_opens_nothing_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "new")
    for name in ("file", "link"):
        with pytest.raises(FileExistsError):
            create_file(tmp_path / name)
    assert not (tmp_path / "new").exists()


class TestSetAside:
    @pytest.fixture
    def fd(self, tmp_path: Path) -> int:
        return create_file(tmp_path / "file")

    def test_takes_blocks_and_keeps_the_length(self, fd: int) -> None:
        assert preallocate(fd, 1 << 20)
        assert os.fstat(fd).st_size == 0
        assert os.fstat(fd).st_blocks * 512 >= 1 << 20

    def test_gives_back_what_was_not_used(self, fd: int) -> None:
        preallocate(fd, 1 << 20)
        os.write(fd, b"used")
        release_unused(fd)
        assert os.fstat(fd).st_size == 4
        assert os.fstat(fd).st_blocks * 512 <= 1 << 16

    def test_where_the_filesystem_cannot_zeros_are_written(self, fd: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(allocate, "_fallocate", None)
        assert not preallocate(fd, 100_000)
        assert os.fstat(fd).st_size == 0
        preallocate_or_fill(fd, 100_000)
        assert os.fstat(fd).st_size == 100_000

    def test_a_full_disk_is_told(self, fd: int) -> None:
        with pytest.raises(OSError, match=r"No space left|too large"):
            preallocate_or_fill(fd, 1 << 60)
