"""A claimed job: its name, and the content of its spec in `running/`."""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from proxx_worker.contract.candidates import display_name
from proxx_worker.contract.strict_json import MAX_SPEC_BYTES
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.files.hashing import sha256_of
from proxx_worker.files.syncing import sync_file
from proxx_worker.process.stop import StopRequestedError, StopSignal, raise_if_stopped

HASHED_AT_MOST: Final = 256 << 20
"""A larger file is not a spec, and is not hashed, because reading all of it would delay the queue."""

_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # NONBLOCK: a FIFO must not hang the worker
_NOT_PERMITTED: Final = frozenset({errno.EACCES, errno.EPERM})
_HELD: Final = frozenset({errno.EAGAIN, errno.EBUSY, errno.ETXTBSY})
"""Another program has the file for itself: a lease (fcntl(2), F_SETLEASE), or an open on a share that lets no one else read."""

_NOT_A_FILE: Final = frozenset({errno.ELOOP, errno.ENXIO, errno.EMLINK})


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job whose spec is in `running/`.

    `data`: the spec's bytes; None if it is larger than 1 MiB or unreadable (`unreadable` then says why). `sha256`: of the whole
    file; None if it was not read to the end, because it is too large or a stop was requested.
    """

    stem: bytes
    data: bytes | None
    size: int
    sha256: str | None
    unreadable: str | None = None

    @property
    def name(self) -> str:
        """The stem as text, for display and the result."""
        return display_name(self.stem)


def read_claimed(stem: bytes, path: bytes, stop: StopSignal, *, sync: bool) -> ClaimedJob | None:
    """Read the spec at `path`; None if it is not a regular file.

    `sync` makes its contents durable: the submitter may not have synced it, and a result must not outlive its spec.

    A job is `unreadable` if the file's permissions do not allow it, or another program holds the file. Raises `ProxxError`
    (IO_ERROR, WORKSPACE_INVALID) for all other errors.
    """
    with translate_os_errors("read", path, state_folder=True):
        status = os.stat(path, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            return None
        try:
            fd = os.open(path, _READ)
        except OSError as error:
            if error.errno in _NOT_A_FILE:
                return None
            if error.errno in _NOT_PERMITTED | _HELD:
                return ClaimedJob(stem, None, status.st_size, None, unreadable=error.strerror)
            raise
        try:
            size = os.fstat(fd).st_size
            data = None if size > MAX_SPEC_BYTES else _read_at_most(fd, MAX_SPEC_BYTES + 1)
            if data is not None and len(data) > MAX_SPEC_BYTES:  # it grew while it was read
                data, size = None, os.fstat(fd).st_size
            digest = _digest_of_file(fd, size, stop) if data is None else hashlib.sha256(data).hexdigest()
            if sync:
                sync_file(fd)
        finally:
            os.close(fd)
    return ClaimedJob(stem, data, size if data is None else len(data), digest)


def read_if_regular(path: bytes, limit: int) -> bytes | None:
    """Up to `limit` bytes of a regular file; None if `path` is anything else, does not exist, or is not readable at the moment.

    Raises `OSError` for all other errors.
    """
    try:
        with _open_if_regular(path) as fd:
            return None if fd is None else _read_at_most(fd, limit)
    except OSError as error:
        if is_held(error):
            return None
        raise


def is_held(error: OSError) -> bool:
    """Whether a file could not be opened because another program holds it. That passes."""
    return error.errno in _HELD


def sha256_if_regular(path: bytes, stop_requested: Callable[[], bool] = lambda: False) -> str | None:
    """The SHA-256 (hex) of a regular file of at most `HASHED_AT_MOST` bytes.

    None for a larger one, once `stop_requested`, and if it is no regular file or may not be read. Raises `OSError` for all other
    errors, also for a file that another program holds.
    """

    def checkpoint() -> None:
        if stop_requested():
            raise StopRequestedError

    with _open_if_regular(path) as fd:
        if fd is None or os.fstat(fd).st_size > HASHED_AT_MOST:
            return None
        with suppress(StopRequestedError):
            return sha256_of(fd, checkpoint)
    return None


@contextmanager
def _open_if_regular(path: bytes) -> Iterator[int | None]:
    """A descriptor of a regular file during the body; None if `path` is anything else, does not exist, or is not readable."""
    fd = None
    try:
        fd = os.open(path, _READ)
    except OSError as error:
        if error.errno not in _NOT_A_FILE | _NOT_PERMITTED | {errno.ENOENT}:
            raise
    if fd is None:
        yield None
        return
    try:
        yield fd if stat.S_ISREG(os.fstat(fd).st_mode) else None
    finally:
        os.close(fd)


def _read_at_most(fd: int, limit: int) -> bytes:
    parts: list[bytes] = []
    while limit > 0 and (part := os.read(fd, limit)):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)


def _digest_of_file(fd: int, size: int, stop: StopSignal) -> str | None:
    if size > HASHED_AT_MOST:
        return None
    try:
        return sha256_of(fd, partial(raise_if_stopped, stop, StopRequestedError()))
    except StopRequestedError:
        return None
