"""Durable writes."""

import os
import secrets
from contextlib import suppress
from typing import Final

from proxx_worker.files.errnos import FilePath
from proxx_worker.files.rename import replace_from_open
from proxx_worker.files.syncing import sync_directory, sync_file

FILE_MODE: Final = 0o644
_CREATE: Final = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def create_file(path: FilePath, *, mode: int = FILE_MODE) -> int:
    """Create a new file; never open an existing one or follow a symlink. Returns a descriptor for reading and writing."""
    return os.open(path, os.O_RDWR | _CREATE, mode)


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data` at the descriptor's position, continuing after short writes."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def write_durable(path: FilePath, data: bytes, *, mode: int = FILE_MODE) -> None:
    """Atomically replace the file at `path` with `data`: readers see all of it or the old file, even after a power cut.

    It is written under a hidden name in the same folder, synced, renamed, and the folder synced. Raises `OSError`; then the
    hidden file is removed and `path` is unchanged.
    """
    target = os.fsencode(path)
    folder = os.path.dirname(target) or b"."
    temporary = os.path.join(folder, b".tmp-" + secrets.token_hex(8).encode())
    fd = create_file(temporary, mode=mode)
    try:
        write_all(fd, data)
        sync_file(fd)
        replace_from_open(fd, temporary, target)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    finally:
        os.close(fd)
    sync_directory(folder)
