"""Finds the filesystem of a path in the system's mount table, and classifies it."""

import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from proxx_worker.contract.errors import ErrorCode, ProxxError

MOUNT_TABLE: Final = "/proc/self/mountinfo"


class FilesystemKind(StrEnum):
    """What the worker may rely on."""

    LOCAL = "local"
    """Renames are atomic, and every change raises a file event on this host."""
    NETWORK = "network"
    """Allowed. Changes made by other hosts raise no event here, so the folder is polled."""
    OBJECT_STORE = "object-store"
    """Refused: a rename copies and deletes."""
    UNKNOWN = "unknown"
    """Allowed, and tested at start. Events wake the worker, polling finds what they miss."""


_LOCAL_NAMES: Final = """ext2 ext3 ext4 xfs btrfs zfs f2fs bcachefs jfs reiserfs nilfs2 tmpfs ramfs overlay ntfs3
    exfat vfat apfs hfs msdos lifs"""
_NETWORK_NAMES: Final = """nfs nfs4 cifs smb3 smbfs smb2 ncpfs afs ceph 9p virtiofs lustre gpfs beegfs gfs2 ocfs2 orangefs
    pvfs2 glusterfs panfs stornext cvfs vmhgfs prl_fs vboxsf acfs quobyte wekafs afpfs"""
_OBJECT_STORE_NAMES: Final = """s3fs goofys geesefs gcsfuse rclone mountpoint-s3 mount-s3 blobfuse blobfuse2 cloudfuse
    riofs yas3fs s3ql tigrisfs ossfs ossfs2 cosfs obsfs hubicfuse svfs cunofs davfs davfs2 google-drive-ocamlfuse onedriver"""
_OBJECT_STORE_SOURCES: Final = re.compile(
    r"^(s3|s3a|gs|gcs|az|abfs|abfss|wasb|wasbs|oss|cos|obs|swift|b2|https?)://", re.IGNORECASE
)
_LOCAL: Final = frozenset(_LOCAL_NAMES.split())
_NETWORK: Final = frozenset(_NETWORK_NAMES.split())
_FUSE_OBJECT_STORES: Final = frozenset(_OBJECT_STORE_NAMES.split())
_FUSE: Final = frozenset({"fuse", "fuseblk", "macfuse", "osxfuse"})
_OCTAL: Final = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """One entry of the mount table."""

    mount_point: bytes
    fs_type: str
    source: str

    @property
    def kind(self) -> FilesystemKind:
        """Its kind, according to its names only."""
        fs_type = self.fs_type.lower()
        base, _, subtype = fs_type.partition(".")
        if base in _FUSE:
            # goofys calls its source `goofys#bucket`, macFUSE that of any program `program@macfuse0`.
            names = {subtype, self.source.lower(), *re.split("[#@]", self.source.lower())[:1]}
            if names & _FUSE_OBJECT_STORES or _OBJECT_STORE_SOURCES.match(self.source):
                return FilesystemKind.OBJECT_STORE
            return FilesystemKind.LOCAL if base == "fuseblk" else FilesystemKind.NETWORK
        if fs_type in _FUSE_OBJECT_STORES:
            return FilesystemKind.OBJECT_STORE
        if fs_type in _NETWORK:
            return FilesystemKind.NETWORK
        return FilesystemKind.LOCAL if fs_type in _LOCAL else FilesystemKind.UNKNOWN


@lru_cache(maxsize=1)  # the table is read twice per job, and rarely changes
def parse_mounts(table: bytes) -> tuple[Mount, ...]:
    """The mounts in a `/proc/PID/mountinfo` (proc(5)), in order. Malformed lines are ignored."""
    mounts: list[Mount] = []
    for line in table.decode("utf-8", "surrogateescape").split("\n"):
        before, separator, after = line.partition(" - ")
        fields, tail = before.split(" "), after.split(" ")
        if separator and len(fields) > 4 and len(tail) > 1:  # noqa: PLR2004 - the fifth field is the mount point
            mounts.append(Mount(os.fsencode(_unescape(fields[4])), tail[0], _unescape(tail[1])))
    return tuple(mounts)


def mount_of(mounts: Iterable[Mount], path: bytes) -> Mount | None:
    """The mount of `path` (absolute, without symlinks): the deepest mount point; of two at one point, the later."""
    found: Mount | None = None
    for mount in mounts:
        inside = mount.mount_point in {b"/", path} or path.startswith(mount.mount_point + b"/")
        if inside and (found is None or len(mount.mount_point) >= len(found.mount_point)):
            found = mount
    return found


def filesystem_of(path: str | bytes | os.PathLike[str]) -> Mount | None:
    """The mount of the real location of `path`; None if unknown."""
    mounts = mounts_from_proc() if sys.platform == "linux" else mounts_from_psutil()
    return mount_of(mounts, os.path.realpath(os.fsencode(path)))


def mounts_from_proc() -> tuple[Mount, ...]:
    """The mounts listed in proc(5); empty if it is not mounted."""
    try:
        with open(MOUNT_TABLE, "rb") as stream:
            return parse_mounts(stream.read())
    except OSError:
        return ()


def mounts_from_psutil() -> tuple[Mount, ...]:
    """The mounts that psutil lists, on every other system; empty if the system refuses."""
    import psutil  # noqa: PLC0415 - takes 0.1 s to import, and Linux does not need it

    with suppress(OSError, psutil.Error):
        parts = psutil.disk_partitions(all=True)
        return tuple(Mount(os.fsencode(part.mountpoint), part.fstype, part.device) for part in parts)
    return ()


def kind_of(mount: Mount | None) -> FilesystemKind:
    """The mount's kind; UNKNOWN for None."""
    return FilesystemKind.UNKNOWN if mount is None else mount.kind


def refuse_object_store(mount: Mount | None, path: str) -> None:
    """Raise UNSUPPORTED_FILESYSTEM if `mount` is an object store behind FUSE. `path` is for the message."""
    if mount is not None and mount.kind is FilesystemKind.OBJECT_STORE:
        raise ProxxError(
            ErrorCode.UNSUPPORTED_FILESYSTEM,
            f"{path} is on {mount.fs_type} ({mount.source}), an object store behind FUSE, where renames are not atomic; "
            "use a local disk, NFS or SMB",
            path=path,
            filesystem=mount.fs_type,
            source=mount.source,
        )


def _unescape(field: str) -> str:
    """Undo the table's octal escapes of space, tab, newline and backslash."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), field)
