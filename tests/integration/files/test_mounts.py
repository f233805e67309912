"""Linux reads proc(5), every other system asks psutil: both must tell the same of the same mounts."""

import sys
from pathlib import Path

import psutil
import pytest

from proxx_worker.files import filesystems
from proxx_worker.files.filesystems import FilesystemKind, Mount, filesystem_of, mounts_from_proc, mounts_from_psutil


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_both_ways_tell_the_same() -> None:
    def told(mounts: tuple[Mount, ...]) -> list[tuple[bytes, str]]:
        return [(mount.mount_point, mount.fs_type) for mount in mounts]

    assert told(mounts_from_psutil()) == told(mounts_from_proc())


def test_other_systems_are_asked_by_psutil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = type("Part", (), {"mountpoint": str(tmp_path), "fstype": "smbfs", "device": "//nas/share"})
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(psutil, "disk_partitions", lambda *, all: [part] if all else [])  # noqa: A006 - psutil's name
    mount = filesystem_of(tmp_path / "jobs")
    assert mount is not None
    assert mount.kind is FilesystemKind.NETWORK


def test_a_system_that_does_not_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_arguments: bool) -> list[object]:
        raise PermissionError

    monkeypatch.setattr(psutil, "disk_partitions", refuse)
    assert mounts_from_psutil() == ()
    monkeypatch.setattr(filesystems, "MOUNT_TABLE", str(tmp_path / "nothing"))
    assert mounts_from_proc() == ()
