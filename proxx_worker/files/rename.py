"""A rename that never overwrites, in one system call if the filesystem supports it.

Linux: `renameat2(RENAME_NOREPLACE)`; macOS: `renameatx_np(RENAME_EXCL)`. Filesystems without the flag (NFS, some FUSE) return an
error; there it is `link`, fsync of the target folder, `unlink`: the file always has a name, and no other file is replaced.
"""

import ctypes
import errno
import os
import sys
from typing import Final

from proxx_worker.files.errnos import FilePath
from proxx_worker.files.syncing import sync_directory

AT_FDCWD: Final = -2 if sys.platform == "darwin" else -100
_RENAME_NOREPLACE: Final = 1  # linux/fs.h
_RENAME_EXCL: Final = 4  # macOS sys/stdio.h
_FLAG_UNSUPPORTED: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
_MAYBE_DONE: Final = frozenset({errno.ENOENT, errno.EEXIST})

_libc = ctypes.CDLL(None, use_errno=True)
_function = getattr(_libc, "renameatx_np" if sys.platform == "darwin" else "renameat2", None)
_flag: Final = _RENAME_EXCL if sys.platform == "darwin" else _RENAME_NOREPLACE


def rename_no_clobber(src: FilePath, dst: FilePath, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None) -> None:
    """Rename `src` to `dst` if `dst` does not exist. Not durable by itself: the caller syncs the folders.

    After ENOENT or EEXIST it is checked whether the rename took effect anyway: over NFS, a retry after a lost reply finds its own
    work done.

    Raises:
        FileExistsError: `dst` exists, as this very file or another.
        FileNotFoundError: there is no `src`, or no folder for `dst`.
        OSError: any other error.

    """
    source, target = os.fsencode(src), os.fsencode(dst)
    inode = _inode(source, src_dir_fd)
    number = _rename_at(source, target, src_dir_fd, dst_dir_fd)
    if number in _FLAG_UNSUPPORTED:
        _link_and_unlink(source, target, inode, src_dir_fd, dst_dir_fd)
        return
    if number in _MAYBE_DONE and inode is not None and _is_done(source, target, inode, src_dir_fd, dst_dir_fd):
        return
    if number:
        raise OSError(number, os.strerror(number), src, None, dst)


def replace_from_open(fd: int, src: FilePath, dst: FilePath) -> None:
    """Rename `src`, the file open as `fd`, to `dst`, replacing what is there. Not durable by itself.

    ENOENT and EEXIST are ignored if `dst` is the open file, see `rename_no_clobber`. Raises `OSError`.
    """
    try:
        os.replace(src, dst)
    except (FileNotFoundError, FileExistsError):
        held = os.fstat(fd)
        if _inode(os.fsencode(dst), None) != (held.st_dev, held.st_ino):
            raise


def _rename_at(source: bytes, target: bytes, src_dir_fd: int | None, dst_dir_fd: int | None) -> int:
    """Make the system call. Returns 0 or its errno (ENOSYS if the C library lacks the call)."""
    if _function is None:
        return errno.ENOSYS
    src_at = AT_FDCWD if src_dir_fd is None else src_dir_fd
    dst_at = AT_FDCWD if dst_dir_fd is None else dst_dir_fd
    while True:
        ctypes.set_errno(0)
        if int(_function(src_at, source, dst_at, target, _flag)) == 0:
            return 0
        number = ctypes.get_errno()
        if number != errno.EINTR:
            return number


def _link_and_unlink(
    source: bytes, target: bytes, inode: tuple[int, int] | None, src_dir_fd: int | None, dst_dir_fd: int | None
) -> None:
    try:
        os.link(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd, follow_symlinks=False)
    except FileExistsError:
        # The same file under both names: our own link, whose reply was lost, or a rename that a crash interrupted.
        if inode is None or _inode(target, dst_dir_fd) != inode:
            raise
    # The new name must be on disk before the old one is removed, or a power cut could lose the file.
    sync_directory(os.path.dirname(target) or b".", dir_fd=dst_dir_fd)
    try:
        os.unlink(source, dir_fd=src_dir_fd)
    except FileNotFoundError:
        if inode is None or not _is_done(source, target, inode, src_dir_fd, dst_dir_fd):
            raise


def _is_done(source: bytes, target: bytes, inode: tuple[int, int], src_dir_fd: int | None, dst_dir_fd: int | None) -> bool:
    return _inode(source, src_dir_fd) is None and _inode(target, dst_dir_fd) == inode


def _inode(path: bytes, dir_fd: int | None) -> tuple[int, int] | None:
    """Device and inode of `path`, without following a symlink; None if it does not exist."""
    try:
        status = os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
