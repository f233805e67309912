"""fsync as macOS has it: the whole way to the medium where the filesystem can, plain fsync where it says that it cannot."""

import errno
import fcntl
import os
import sys
from pathlib import Path

import pytest

from proxx_worker.files.syncing import sync_directory, sync_file

F_FULLFSYNC = 51  # macOS sys/fcntl.h


class Kernel:
    """What a macOS kernel is asked, in order. `full` and `plain`: the errno that each kind of sync fails with, 0 for none."""

    def __init__(self) -> None:
        self.full = self.plain = 0
        self.asked: list[str] = []

    def fcntl(self, _fd: int, command: int) -> int:
        assert command == F_FULLFSYNC
        return self._answer("full", self.full)

    def fsync(self, _fd: int) -> None:
        self._answer("plain", self.plain)

    def _answer(self, kind: str, number: int) -> int:
        self.asked.append(kind)
        if number:
            raise OSError(number, os.strerror(number))
        return 0


@pytest.fixture
def macos(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel()
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", F_FULLFSYNC, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", kernel.fcntl)
    monkeypatch.setattr(os, "fsync", kernel.fsync)
    return kernel


def test_a_file_is_synced_all_the_way(macos: Kernel) -> None:
    sync_file(0)
    assert macos.asked == ["full"]


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY])
def test_a_filesystem_without_the_full_sync_gets_a_plain_one(macos: Kernel, number: int) -> None:
    macos.full = number
    sync_file(0)
    assert macos.asked == ["full", "plain"]


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EINVAL])
def test_a_full_sync_that_failed_is_not_made_up_for(macos: Kernel, number: int) -> None:
    macos.full = number
    with pytest.raises(OSError, match=os.strerror(number)):
        sync_file(0)
    assert macos.asked == ["full"]


def test_a_plain_sync_that_failed_is_a_failure(macos: Kernel) -> None:
    macos.full, macos.plain = errno.ENOTSUP, errno.EIO
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        sync_file(0)


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.ENOTTY, errno.EINVAL])
def test_folders_that_cannot_be_synced_are_told_apart(macos: Kernel, number: int, tmp_path: Path) -> None:
    assert sync_directory(tmp_path)
    macos.full, macos.plain = errno.ENOTSUP, number
    assert not sync_directory(tmp_path)
    macos.plain = errno.EIO
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        sync_directory(tmp_path)
