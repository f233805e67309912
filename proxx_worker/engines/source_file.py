"""A source file: opened once, read through its descriptor, and recognized by its identity."""

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.hints import missing_path_hint
from proxx_worker.files.errnos import classify_os_error
from proxx_worker.files.locations import location_of, path_bytes, real_path_of

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})
_CHUNK = 1 << 20
_PAGE = 4096
_OWN_LIMITS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


@dataclass(frozen=True, slots=True)
class SourceIdentity:
    """What changes when a file changes: size in bytes, mtime in nanoseconds, inode and device numbers."""

    size: int
    mtime_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, status: os.stat_result) -> "SourceIdentity":
        """The identity from a `stat`."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev)


@dataclass(frozen=True, slots=True)
class OpenSource:
    """An open source. `descriptor_path` names it for a child that inherits `descriptor`.

    A child that opens that name reads this very file, whatever its path refers to by then, and does not see the file's name:
    FFmpeg's probing considers extensions, and treats `%d` or `*` in a still's name as a pattern.
    """

    path: str
    descriptor: int
    identity: SourceIdentity

    @property
    def descriptor_path(self) -> str:
        """`/dev/fd/N`, on both Linux and macOS."""
        return f"/dev/fd/{self.descriptor}"

    def require_unchanged(self) -> None:
        """Raise SOURCE_CHANGED if this file changed since it was opened; SOURCE_UNREADABLE."""
        with _source_errors(self.path):
            _require_same(self.path, self.identity, SourceIdentity.of(os.fstat(self.descriptor)))

    def real_path(self) -> str:
        """The real location of this very file, whatever its path refers to by now.

        Raises SOURCE_CHANGED if it was deleted.
        """
        with _source_errors(self.path):
            if os.fstat(self.descriptor).st_nlink == 0:
                raise _changed(self.path, ["it was deleted"])
            return location_of(self.descriptor)

    def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`; fewer only at the end. Raises SOURCE_UNREADABLE."""
        data = b""
        with _source_errors(self.path):
            # Never read past the end: an offset from a hostile header may exceed what `pread` accepts. Always read the start: a
            # file of size 0 may still be unreadable rather than empty (/proc/self/mem: EIO).
            while (
                len(data) < size
                and (offset == 0 or offset + len(data) < self.identity.size)
                and (chunk := os.pread(self.descriptor, size - len(data), offset + len(data)))
            ):
                data += chunk
        return data

    def require_readable(self, head: int, tail: int) -> None:
        """Read the first `head` and the last `tail` bytes. Raises SOURCE_UNREADABLE."""
        for start, end in ((0, min(head, self.identity.size)), (max(0, self.identity.size - tail), self.identity.size)):
            for offset in range(start, end, _CHUNK):
                self.read(offset, min(_CHUNK, end - offset))


class Window:
    """Reads small pieces of a file from a cached page.

    A movie's header has hundreds of boxes, and the first 16 bytes of each are read. Reading a page costs no more than that, even
    if a hostile file has thousands of boxes far apart.
    """

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        """`read(offset, size)` returns up to `size` bytes."""
        self._read = read
        self._offset = 0
        self._page = b""

    def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`; fewer only at the end."""
        start = offset - self._offset
        if not 0 <= start <= start + size <= len(self._page):
            self._offset, start = offset, 0
            self._page = self._read(offset, max(size, _PAGE))
        return self._page[start : start + size]


@contextmanager
def open_source(path: str, check_place: Callable[[str], None] | None = None) -> Iterator[OpenSource]:
    """Keep the regular file at `path` open for reading during the body.

    `check_place`: as in `probe_source`; asked here only why the system refuses the file. A confined worker may open nothing
    outside its roots, to which the path may have been led meanwhile.

    Raises SOURCE_MISSING, SOURCE_NOT_A_FILE or SOURCE_UNREADABLE, IO_ERROR for the worker's own limits.
    """
    check_source_file(path)
    with _source_errors(path):
        # A FIFO put in the file's place must not hang the worker: open without blocking, then check the type again.
        try:
            descriptor = os.open(path_bytes(path), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        except PermissionError:
            if check_place is not None:
                check_place(real_path_of(path))
            raise
    try:
        with _source_errors(path):
            status = os.fstat(descriptor)
        _require_regular(path, status)
        yield OpenSource(path, descriptor, SourceIdentity.of(status))
    finally:
        os.close(descriptor)


def check_source_file(path: str) -> None:
    """Raise SOURCE_MISSING, SOURCE_NOT_A_FILE or SOURCE_UNREADABLE for what `stat` shows."""
    with _source_errors(path):
        _require_regular(path, _status_of(path))


def require_unchanged(path: str, identity: SourceIdentity) -> None:
    """Raise SOURCE_CHANGED if the file at `path` was removed or changed since it was probed."""
    try:
        with _source_errors(path):
            now = SourceIdentity.of(_status_of(path))
    except ProxxError as refusal:
        if refusal.code is not ErrorCode.SOURCE_MISSING:
            raise
        raise _changed(path, ["it is gone"]) from refusal
    _require_same(path, identity, now)


@contextmanager
def open_probed(path: str, identity: SourceIdentity, check_place: Callable[[str], None]) -> Iterator[OpenSource]:
    """Keep the source that was probed as `identity` open during the body.

    `check_place`: as in `probe_source`. Raises SOURCE_CHANGED if it was removed, replaced or changed, before or during the body.
    """
    require_unchanged(path, identity)
    with open_source(path, check_place) as source:
        check_place(source.real_path())
        _require_same(path, identity, source.identity)
        yield source
        source.require_unchanged()
        require_unchanged(path, identity)


def _require_same(path: str, identity: SourceIdentity, now: SourceIdentity) -> None:
    if now != identity:
        states = (
            ("size", identity.size, now.size),
            ("mtime_ns", identity.mtime_ns, now.mtime_ns),
            ("inode", identity.inode, now.inode),
            ("device", identity.device, now.device),
        )
        raise _changed(path, [f"{name} {before} -> {after}" for name, before, after in states if before != after])


def _changed(path: str, changes: Sequence[str]) -> ProxxError:
    return ProxxError(
        ErrorCode.SOURCE_CHANGED,
        f"sources must not change while they are probed and encoded, but {path} did ({', '.join(changes)}). "
        "Submit the job again once the file is complete.",
        path=path,
        changes=list(changes),
    )


def _status_of(path: str) -> os.stat_result:
    return os.stat(path_bytes(path))  # noqa: PTH116 - a path in any encoding, as the spec has it


def _require_regular(path: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device, pipe or socket"
        raise ProxxError(
            ErrorCode.SOURCE_NOT_A_FILE, f"a source must be a file: {path} is {kind}. Name the clip itself.", path=path
        )


@contextmanager
def _source_errors(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "unknown error")
        if error.errno in _OWN_LIMITS:
            raise classify_os_error(error, "open", path) from error
        if error.errno in _ABSENT:
            hint = missing_path_hint(path) or "Check the path, and that its storage is mounted."
            code, message = ErrorCode.SOURCE_MISSING, f"there is no file {path}. {hint}"
        else:
            code = ErrorCode.SOURCE_UNREADABLE
            message = f"the system cannot read {path}: {error.strerror} ({name}). Check its permissions and its storage."
        raise ProxxError(code, message, path=path, errno=name) from error
