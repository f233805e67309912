"""What the worker's modules see instead of `os`, `fcntl`, `select`, `time` and the like: the same names, on a simulated machine.

Only what they use is here. A name that is not fails loudly, so that no call can slip past the simulation to the real system.
"""

import ctypes
import errno
import fcntl
import io
import os
import posixpath
import select
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

from tests.simulation.inodes import Inode, Status, refused
from tests.simulation.kernel import Kernel
from tests.simulation.paths import AnyPath, datetime_class, path_class

_MOUNTS = b"20 1 0:1 / / rw - %s none rw\n"
_NO_REPLACE = 1


class Poll:
    """What `select.poll` gives."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._descriptors: list[int] = []

    def register(self, descriptor: int, _events: int) -> None:
        self._descriptors.append(descriptor)

    def poll(self, milliseconds: int) -> list[tuple[int, int]]:
        self._kernel.wait(milliseconds / 1000, self._descriptors)
        return []


@dataclass(frozen=True, slots=True)
class Entry:
    """What `scandir` gives."""

    name: bytes
    _inode: Inode

    def is_file(self, *, follow_symlinks: bool) -> bool:
        return not self._inode.is_folder


class System:
    """The calls, on `kernel`."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._tokens = 0
        self.os = self._os()
        self.fcntl = SimpleNamespace(flock=self.flock, LOCK_EX=fcntl.LOCK_EX, LOCK_NB=fcntl.LOCK_NB, F_GETFD=fcntl.F_GETFD)
        self.select = SimpleNamespace(poll=partial(Poll, kernel), POLLIN=select.POLLIN)
        self.time = SimpleNamespace(monotonic=self.monotonic, sleep=kernel.wait)
        self.socket = SimpleNamespace(gethostname=lambda: "machine")
        self.secrets = SimpleNamespace(token_hex=self.token_hex)
        self.path = path_class(self)
        self.datetime = datetime_class(kernel)

    def _os(self) -> SimpleNamespace:
        constants = {
            name: getattr(os, name)
            for name in dir(os)
            if name.startswith(("O_", "SEEK_")) or name in {"R_OK", "W_OK", "X_OK", "F_OK"}
        }
        pure = {name: getattr(os, name) for name in ("PathLike", "fsdecode", "fsencode", "stat_result", "strerror")}
        calls = (
            "access close fstat fsync ftruncate link listdir lseek mkdir open pread preadv pwrite read readlink replace rmdir "
            "scandir stat unlink write"
        )
        paths = {name: getattr(posixpath, name) for name in ("basename", "dirname", "join", "normpath", "abspath")}
        return SimpleNamespace(
            **constants,
            **pure,
            **{name: getattr(self, f"{name}_" if name == "open" else name) for name in calls.split()},
            geteuid=os.geteuid,
            getpid=lambda: self.kernel.me().pid,
            kill=self.signal,
            path=SimpleNamespace(**paths, realpath=posixpath.normpath, lexists=self.lexists, samestat=posixpath.samestat),
        )

    def open_(self, path: AnyPath, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        kernel, raw = self.kernel, os.fsencode(path)
        kernel.enter("open", raw, reads=not flags & os.O_CREAT)
        folder, name = kernel.disk.place(raw, self._start(dir_fd))
        inode = kernel.disk.find(name, folder) if name in (folder.entries or {}) or name in {b"", b"."} else None
        made = inode is None
        if inode is None:
            if not flags & os.O_CREAT:
                raise refused(errno.ENOENT, path)
            inode = kernel.disk.make(folder, name, is_folder=False, now_ns=kernel.now_ns)
        elif flags & os.O_CREAT and flags & os.O_EXCL:
            raise refused(errno.EEXIST, path)
        writable = bool(flags & (os.O_WRONLY | os.O_RDWR))
        if inode.is_folder and writable:
            raise refused(errno.EISDIR, path)
        if flags & os.O_DIRECTORY and not inode.is_folder:
            raise refused(errno.ENOTDIR, path)
        if flags & os.O_TRUNC and inode.data:
            kernel.disk.truncate(inode, 0, kernel.now_ns)
        if made:
            kernel.leave(path)
        return kernel.open(inode, writable=writable, appends=bool(flags & os.O_APPEND))

    def close(self, descriptor: int) -> None:
        description = self.kernel.description(descriptor)
        del self.kernel.me().descriptors[descriptor]
        self.kernel.let_go(description)
        if description.written and description.inode.where is not None:
            self.kernel.disk.changed(*description.inode.where)

    def read(self, descriptor: int, size: int) -> bytes:
        self.kernel.enter("read", reads=True)
        description = self.kernel.description(descriptor)
        data = bytes(description.inode.data[description.position : description.position + size])
        description.position += len(data)
        return data

    def pread(self, descriptor: int, size: int, offset: int) -> bytes:
        self.kernel.enter("pread", reads=True)
        return bytes(self.kernel.description(descriptor).inode.data[offset : offset + size])

    def preadv(self, descriptor: int, buffers: Sequence[bytearray], offset: int) -> int:
        self.kernel.enter("preadv", reads=True)
        (buffer,) = buffers
        data = self.kernel.description(descriptor).inode.data[offset : offset + len(buffer)]
        memoryview(buffer)[: len(data)] = data
        return len(data)

    def write(self, descriptor: int, data: bytes) -> int:
        description = self.kernel.description(descriptor)
        self.kernel.enter("write", self.kernel.disk.path_of(description.inode), reads=True)
        inode = description.inode
        offset = len(inode.data) if description.appends else description.position
        # A short write now and then: it is no error, and must be continued.
        size = len(data) if self.kernel.rng.random() < 0.9 else max(1, len(data) // 2)
        self.kernel.disk.write(inode, offset, bytes(data[:size]), self.kernel.now_ns)
        description.position, description.written = offset + size, True
        return size

    def pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
        description = self.kernel.description(descriptor)
        self.kernel.enter("pwrite", self.kernel.disk.path_of(description.inode), reads=True)
        self.kernel.disk.write(description.inode, offset, bytes(data), self.kernel.now_ns)
        description.written = True
        return len(data)

    def lseek(self, descriptor: int, offset: int, whence: int) -> int:
        assert whence == os.SEEK_SET
        self.kernel.description(descriptor).position = offset
        return offset

    def ftruncate(self, descriptor: int, size: int) -> None:
        inode = self.kernel.description(descriptor).inode
        self.kernel.enter("ftruncate", self.kernel.disk.path_of(inode), reads=True)
        self.kernel.disk.truncate(inode, size, self.kernel.now_ns)

    def fsync(self, descriptor: int) -> None:
        inode = self.kernel.description(descriptor).inode
        try:
            self.kernel.enter("fsync", self.kernel.disk.path_of(inode), reads=True)
        except OSError:
            self.kernel.disk.fail_sync(inode)
            raise
        self.kernel.disk.sync(inode)

    def fstat(self, descriptor: int) -> Status:
        self.kernel.enter("fstat", reads=True)
        return Status(self.kernel.description(descriptor).inode)

    def stat(self, path: AnyPath, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> Status:
        raw = os.fsencode(path)
        self.kernel.enter("stat", raw, reads=True)
        return Status(self.kernel.disk.find(raw, self._start(dir_fd)))

    def lexists(self, path: AnyPath) -> bool:
        try:
            self.stat(path)
        except OSError:
            return False
        return True

    def access(self, path: AnyPath, mode: int, *, dir_fd: int | None = None, effective_ids: bool = False) -> bool:
        raw = os.fsencode(path)
        try:
            self.kernel.enter("access", raw, reads=True)
            self.kernel.disk.find(raw, self._start(dir_fd))
        except OSError:
            return False
        return True

    def listdir(self, path: "int | AnyPath") -> list[bytes] | list[str]:
        self.kernel.enter("listdir", path, reads=True)
        if isinstance(path, int):
            return [os.fsdecode(name) for name in self._entries(self.kernel.description(path).inode)]
        names = list(self._entries(self.kernel.disk.find(os.fsencode(path))))
        return names if isinstance(path, bytes) else [os.fsdecode(name) for name in names]

    def scandir(self, path: bytes) -> AbstractContextManager[Iterator[Entry]]:
        self.kernel.enter("scandir", path, reads=True)
        entries = self._entries(self.kernel.disk.find(path))
        return nullcontext(iter([Entry(name, inode) for name, inode in entries.items()]))

    def readlink(self, path: bytes) -> bytes:
        prefix = b"/proc/self/fd/"
        assert path.startswith(prefix), path
        return self.kernel.disk.path_of(self.kernel.description(int(path.removeprefix(prefix))).inode)

    def mkdir(self, path: AnyPath, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        kernel, raw = self.kernel, os.fsencode(path)
        kernel.enter("mkdir", raw)
        folder, name = kernel.disk.place(raw, self._start(dir_fd))
        if name in self._entries(folder):
            raise refused(errno.EEXIST, path)
        kernel.disk.make(folder, name, is_folder=True, now_ns=kernel.now_ns)
        kernel.leave(path)

    def rmdir(self, path: AnyPath, *, dir_fd: int | None = None) -> None:
        kernel, raw = self.kernel, os.fsencode(path)
        kernel.enter("rmdir", raw)
        folder, name = kernel.disk.place(raw, self._start(dir_fd))
        inode = kernel.disk.find(name, folder)
        if self._entries(inode):
            raise refused(errno.ENOTEMPTY, path)
        kernel.disk.unlink(folder, name)
        kernel.leave(path)

    def unlink(self, path: AnyPath, *, dir_fd: int | None = None) -> None:
        kernel, raw = self.kernel, os.fsencode(path)
        kernel.enter("unlink", raw)
        folder, name = kernel.disk.place(raw, self._start(dir_fd))
        if kernel.disk.find(name, folder).is_folder:
            raise refused(errno.EISDIR, path)
        kernel.disk.unlink(folder, name)
        kernel.leave(path)

    def link(self, src: AnyPath, dst: AnyPath, *, src_dir_fd: int | None, dst_dir_fd: int | None, follow_symlinks: bool) -> None:
        kernel, raw = self.kernel, os.fsencode(dst)
        kernel.enter("link", raw)
        inode = kernel.disk.find(os.fsencode(src), self._start(src_dir_fd))
        folder, name = kernel.disk.place(raw, self._start(dst_dir_fd))
        if name in self._entries(folder):
            raise refused(errno.EEXIST, dst)
        kernel.disk.link(inode, folder, name)
        kernel.leave(dst)

    def replace(self, src: AnyPath, dst: AnyPath) -> None:
        kernel, raw = self.kernel, os.fsencode(src)
        kernel.enter("rename", raw)
        source, target = kernel.disk.place(raw), kernel.disk.place(os.fsencode(dst))
        kernel.disk.find(source[1], source[0])
        kernel.disk.rename(source, target)
        kernel.leave(dst)

    def renameat2(self, src_at: int, src: bytes, dst_at: int, dst: bytes, flags: int) -> int:
        """The C library's function."""
        assert flags == _NO_REPLACE
        kernel = self.kernel

        def rename() -> None:
            kernel.enter("renameat2", dst)
            source, target = kernel.disk.place(src, self._start(src_at)), kernel.disk.place(dst, self._start(dst_at))
            kernel.disk.find(source[1], source[0])
            if target[1] in self._entries(target[0]):
                raise refused(errno.EEXIST, dst)
            kernel.disk.rename(source, target)
            kernel.leave(dst)

        return _answered(errno.EINVAL) if kernel.network else _as_c(rename)

    def fallocate(self, descriptor: int, mode: int, offset: object, size: object) -> int:
        """The C library's function."""
        return _answered(errno.EOPNOTSUPP) if self.kernel.network else _as_c(lambda: self.kernel.enter("fallocate", reads=True))

    def flock(self, descriptor: int, operation: int) -> None:
        assert operation == fcntl.LOCK_EX | fcntl.LOCK_NB
        description = self.kernel.description(descriptor)
        self.kernel.enter("flock", self.kernel.disk.path_of(description.inode), reads=True)
        if self.kernel.network and description.inode.is_folder:
            raise refused(errno.EBADF)
        self.kernel.lock(description)

    def signal(self, pid: int, number: int) -> None:
        assert number == 0
        if self.kernel.process(pid) is None:
            raise refused(errno.ESRCH)

    def monotonic(self) -> float:
        return self.kernel.clock

    def token_hex(self, size: int) -> str:
        self._tokens += 1
        return f"{self._tokens:0{2 * size}x}"

    def open_file(self, path: AnyPath, mode: str = "rb") -> io.BytesIO:
        """The built-in `open`, for whole files that are read."""
        assert mode == "rb"
        return io.BytesIO(self.read_file(os.fsencode(path)))

    def read_file(self, path: bytes) -> bytes:
        """All of a file, also of the few in `/proc` that the worker reads."""
        self.kernel.enter("open", path, reads=True)
        if path.startswith(b"/proc/"):
            return self._proc(path)
        inode = self.kernel.disk.find(path)
        if inode.is_folder:
            raise refused(errno.EISDIR, path)
        return bytes(inode.data)

    def _proc(self, path: bytes) -> bytes:
        if path == b"/proc/self/mountinfo":
            return _MOUNTS % (b"nfs4" if self.kernel.network else b"ext4")
        if path == b"/proc/sys/kernel/random/boot_id":
            return b"boot-%d\n" % self.kernel.boot
        pid = int(path.split(b"/")[2])
        assert path == b"/proc/%d/stat" % pid
        if self.kernel.process(pid) is None:
            raise refused(errno.ENOENT, path)
        return b"%d (worker) S " % pid + b" ".join([b"0"] * 18 + [b"%d" % pid] * 30)

    def _start(self, dir_fd: int | None) -> Inode | None:
        return None if dir_fd is None or dir_fd < 0 else self.kernel.description(dir_fd).inode

    @staticmethod
    def _entries(inode: Inode) -> dict[bytes, Inode]:
        if inode.entries is None:
            raise refused(errno.ENOTDIR)
        return inode.entries


def _answered(number: int) -> int:
    ctypes.set_errno(number)
    return -1


def _as_c(call: Callable[[], object]) -> int:
    try:
        call()
    except OSError as error:
        return _answered(error.errno or errno.EIO)
    return 0
