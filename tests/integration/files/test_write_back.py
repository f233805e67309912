"""Handing a large file to its storage in pieces, before the fsync that cannot be interrupted."""

import ctypes
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxx_worker.files import syncing
from proxx_worker.files.syncing import write_back
from tests.support.stops import Checkpoint, EnoughError

MIB = 1 << 20

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has sync_file_range")


@pytest.fixture
def large(tmp_path: Path) -> Iterator[int]:
    """17 MiB of what is not on the disk yet: two whole pieces and a part."""
    fd = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    os.write(fd, bytes(17 * MIB))
    yield fd
    os.close(fd)


def refusing(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_: object) -> int:
        ctypes.set_errno(number)
        return -1

    monkeypatch.setattr(syncing, "_sync_file_range", refuse)


def test_a_checkpoint_is_passed_before_each_piece(large: int) -> None:
    checkpoint = Checkpoint()
    write_back(large, checkpoint)
    assert checkpoint.passed == 3


def test_what_the_checkpoint_raises_ends_it(large: int) -> None:
    with pytest.raises(EnoughError):
        write_back(large, Checkpoint(2))


@pytest.mark.parametrize(("size", "pieces"), [(0, 0), (8 * MIB, 0), (8 * MIB + 1, 2)])
def test_a_small_file_is_left_to_the_fsync(large: int, size: int, pieces: int) -> None:
    os.truncate(large, size)
    checkpoint = Checkpoint()
    write_back(large, checkpoint)
    assert checkpoint.passed == pieces


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_refuses_a_piece_is_told(large: int, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    refusing(monkeypatch, number)
    with pytest.raises(OSError, match=r".") as caught:
        write_back(large, Checkpoint())
    assert caught.value.errno == number


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EPERM])
def test_where_the_call_is_not_to_be_had_all_is_left_to_the_fsync(
    large: int, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    refusing(monkeypatch, number)
    checkpoint = Checkpoint()
    write_back(large, checkpoint)
    assert checkpoint.passed == 1


def test_a_system_without_the_call(large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syncing, "_sync_file_range", None)
    write_back(large, Checkpoint(1))
