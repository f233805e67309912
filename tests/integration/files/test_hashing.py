"""SHA-256 of a file, MiB by MiB."""

import hashlib
import os
from pathlib import Path

import pytest

from proxx_worker.files.hashing import CHUNK_BYTES, sha256_of
from tests.support.stops import Checkpoint, EnoughError


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES - 1])
def test_the_digest_of_any_length(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)
    checkpoint = Checkpoint()
    with (tmp_path / "file").open("rb") as file:
        file.seek(size // 2)
        assert sha256_of(file.fileno(), checkpoint) == hashlib.sha256(data).hexdigest()
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == size // 2, "the position is the caller's"
    assert checkpoint.passed == -(-size // CHUNK_BYTES) + 1


def test_what_the_checkpoint_raises_ends_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(2 * CHUNK_BYTES))
    with (tmp_path / "file").open("rb") as file, pytest.raises(EnoughError):
        sha256_of(file.fileno(), Checkpoint(2))
