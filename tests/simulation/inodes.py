"""What a simulated disk is made of: inodes, what their entries stood for, and what `stat` tells of them."""

import os
from dataclasses import dataclass
from stat import S_IFDIR, S_IFREG

_BLOCK = 512


class Inode:
    """A file or a folder. `entries` is None for a file."""

    __slots__ = ("data", "durable", "entries", "links", "mtime_ns", "number", "pending", "rewritten", "trusted", "where")

    def __init__(self, number: int, *, folder: bool) -> None:
        self.number = number
        self.entries: dict[bytes, Inode] | None = {} if folder else None
        self.data = bytearray()
        self.durable = b""
        self.links = 0
        self.mtime_ns = 0
        self.where: tuple[Inode, bytes] | None = None
        """The folder that it is in, and its latest name there."""
        self.pending: dict[bytes, History] = {}
        """Of a folder: the entries that changed since it was synced."""
        self.trusted = True
        """False after a failed sync: what it lost is not written by the next one, which succeeds all the same."""
        self.rewritten = 0
        """How much of the beginning was written anew since then."""

    @property
    def is_folder(self) -> bool:
        return self.entries is not None

    @property
    def is_dirty(self) -> bool:
        """Whether a power cut may change its data."""
        return self.entries is None and (not self.trusted or self.data != self.durable)


@dataclass(slots=True)
class History:
    """What an entry stood for: first what is durable, then each change with its place in the order of all changes."""

    meanings: list[tuple[int, Inode | None]]
    picked: int = 0


@dataclass(slots=True)
class Order:
    """`first` is gone only if `then` has come: two changes, each as folder, name and place among all, made `by` whom."""

    first: tuple[Inode, bytes, int]
    then: tuple[Inode, bytes, int]
    by: object


class Status:
    """What `stat` tells."""

    __slots__ = ("st_blocks", "st_dev", "st_gid", "st_ino", "st_mode", "st_mtime_ns", "st_nlink", "st_size", "st_uid")

    def __init__(self, inode: Inode) -> None:
        folder = inode.entries is not None
        self.st_mode = (S_IFDIR | 0o755) if folder else (S_IFREG | 0o644)
        self.st_ino = inode.number
        self.st_dev = 1
        self.st_nlink = inode.links
        self.st_uid = os.geteuid()
        self.st_gid = 0
        self.st_size = len(inode.data)
        self.st_blocks = -(-len(inode.data) // _BLOCK)
        self.st_mtime_ns = inode.mtime_ns


def refused(number: int, path: object = None) -> OSError:
    """The system's refusal."""
    return OSError(number, os.strerror(number), path)
