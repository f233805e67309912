"""The mount table, by value."""

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.files.filesystems import FilesystemKind, Mount, kind_of, mount_of, parse_mounts, refuse_object_store

TABLE = rb"""22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
40 27 0:35 / /mnt/nas rw,relatime shared:2 master:1 - nfs4 nas:/export rw,vers=4.2
41 40 0:36 / /mnt/nas/deep rw - cifs //server/share rw
42 27 0:37 / /mnt/with\040space rw - xfs /dev/vdb rw
43 27 0:38 / /mnt/nas rw - ext4 /dev/vdc rw
44 27 0:39 / /mnt/bucket rw - fuse.s3fs s3fs rw
not a mount line
"""


def test_reads_every_line_of_the_right_shape() -> None:
    assert [(mount.mount_point, mount.fs_type) for mount in parse_mounts(TABLE)] == [
        (b"/proc", "proc"),
        (b"/", "ext4"),
        (b"/mnt/nas", "nfs4"),
        (b"/mnt/nas/deep", "cifs"),
        (b"/mnt/with space", "xfs"),
        (b"/mnt/nas", "ext4"),
        (b"/mnt/bucket", "fuse.s3fs"),
    ]


@pytest.mark.parametrize(
    ("path", "fs_type"),
    [
        (b"/", "ext4"),
        (b"/srv/jobs", "ext4"),
        (b"/mnt/nasty", "ext4"),
        (b"/mnt/nas/deep/jobs", "cifs"),
        (b"/mnt/with space/jobs", "xfs"),
        (b"/mnt/bucket", "fuse.s3fs"),
    ],
)
def test_finds_the_deepest_mount(path: bytes, fs_type: str) -> None:
    mount = mount_of(parse_mounts(TABLE), path)
    assert mount is not None
    assert mount.fs_type == fs_type


def test_of_two_mounts_at_one_point_the_later_counts() -> None:
    mount = mount_of(parse_mounts(TABLE), b"/mnt/nas/jobs")
    assert mount is not None
    assert mount.source == "/dev/vdc"


def test_an_empty_table_tells_nothing() -> None:
    assert mount_of((), b"/srv") is None
    assert kind_of(None) is FilesystemKind.UNKNOWN


@pytest.mark.parametrize(
    ("fs_type", "source", "kind"),
    [
        ("ext4", "/dev/vda", FilesystemKind.LOCAL),
        ("tmpfs", "tmpfs", FilesystemKind.LOCAL),
        ("fuseblk", "/dev/sdb1", FilesystemKind.LOCAL),
        ("nfs", "nas:/x", FilesystemKind.NETWORK),
        ("nfs4", "nas:/x", FilesystemKind.NETWORK),
        ("cifs", "//nas/x", FilesystemKind.NETWORK),
        ("smb3", "//nas/x", FilesystemKind.NETWORK),
        ("fuse.sshfs", "host:/x", FilesystemKind.NETWORK),
        ("fuse", "lucidlink", FilesystemKind.NETWORK),
        ("newfs", "/dev/vda", FilesystemKind.UNKNOWN),
        ("fuse.s3fs", "s3fs", FilesystemKind.OBJECT_STORE),
        ("fuse", "goofys", FilesystemKind.OBJECT_STORE),
        ("fuse", "goofys#bucket", FilesystemKind.OBJECT_STORE),
        ("fuse.gcsfuse", "bucket", FilesystemKind.OBJECT_STORE),
        ("fuse.rclone", "remote:bucket", FilesystemKind.OBJECT_STORE),
        ("fuse", "mountpoint-s3", FilesystemKind.OBJECT_STORE),
        ("fuse", "blobfuse2", FilesystemKind.OBJECT_STORE),
        ("fuse.geesefs", "bucket", FilesystemKind.OBJECT_STORE),
        ("fuse", "s3://bucket", FilesystemKind.OBJECT_STORE),
        ("rclone", "remote:", FilesystemKind.OBJECT_STORE),
        ("apfs", "/dev/disk3s5", FilesystemKind.LOCAL),
        ("smbfs", "//editor@nas/x", FilesystemKind.NETWORK),
        ("acfs", "/dev/disk4", FilesystemKind.NETWORK),
        ("macfuse", "sshfs@macfuse0", FilesystemKind.NETWORK),
        ("macfuse", "s3fs@macfuse0", FilesystemKind.OBJECT_STORE),
        ("osxfuse", "rclone@osxfuse1", FilesystemKind.OBJECT_STORE),
    ],
)
def test_kinds_by_the_names_in_the_table(fs_type: str, source: str, kind: FilesystemKind) -> None:
    assert kind_of(Mount(b"/mnt", fs_type, source)) is kind


def test_an_object_store_is_refused_by_name() -> None:
    with pytest.raises(ProxxError) as caught:
        refuse_object_store(mount_of(parse_mounts(TABLE), b"/mnt/bucket/jobs"), "/mnt/bucket/jobs")
    assert caught.value.code is ErrorCode.UNSUPPORTED_FILESYSTEM
    assert "fuse.s3fs" in str(caught.value)


@pytest.mark.parametrize("path", [b"/", b"/mnt/nas/deep", b"/mnt/nas"])
def test_disks_and_shares_are_allowed(path: bytes) -> None:
    refuse_object_store(mount_of(parse_mounts(TABLE), path), path.decode())


@pytest.mark.parametrize("odd", ["\u2028", "\x85", "\r", "\x0c", "\x1c"])
def test_a_line_ends_with_a_newline_alone(odd: str) -> None:
    table = f"22 1 8:1 / / rw - ext4 /dev/sda rw\n30 22 0:50 / /mnt/s{odd}an rw - fuse.s3fs s3fs rw\n".encode()
    mount = mount_of(parse_mounts(table), f"/mnt/s{odd}an/ws".encode())
    assert mount is not None
    assert mount.fs_type == "fuse.s3fs"
