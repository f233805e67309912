"""Tests that renames between the workspace's folders are atomic and never overwrite."""

import os
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Final

from proxx_worker.contract.candidates import display_name
from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.files.durable import create_file
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.files.rename import rename_no_clobber

PROBE: Final = b".proxx-probe"
"""A hidden, empty file: not a candidate, and removed when the probe ends."""


def require_one_device(folders: Sequence[bytes]) -> None:
    """Raise RENAME_NOT_ATOMIC unless all folders are on one device, WORKSPACE_INVALID if one is missing."""
    devices: dict[int, bytes] = {}
    for folder in folders:
        with translate_os_errors("inspect the folder", folder, state_folder=True):
            devices.setdefault(os.stat(folder).st_dev, folder)
    if len(devices) > 1:
        first, second, *_ = (display_name(folder) for folder in devices.values())
        raise ProxxError(
            ErrorCode.RENAME_NOT_ATOMIC,
            f"{first} and {second} are on different filesystems, so a job cannot move atomically from one to the other; "
            "put all folders of the workspace on one filesystem",
            path=first,
            other=second,
        )


def probe_renames(folders: Sequence[bytes]) -> None:
    """Move an empty hidden file through all folders in order, and check that an existing name is never overwritten.

    Two mounts of one device have the same device number, so only a rename tells them apart. Nothing is synced: the files are
    removed again, here or, after a crash, by the next probe.

    Raises:
        ProxxError: RENAME_NOT_ATOMIC, WORKSPACE_INVALID, NO_SPACE or IO_ERROR.

    """
    probes = [os.path.join(folder, PROBE) for folder in folders]
    _remove(probes)
    try:
        _create(probes[0])
        for src, dst in pairwise(probes):
            with translate_os_errors(f"rename a file of {display_name(os.path.dirname(src))} to", dst, state_folder=True):
                rename_no_clobber(src, dst)
        _create(probes[0])
        _require_refused(probes[-1], probes[0])
    finally:
        with suppress(ProxxError):  # the probe's own error matters more
            _remove(probes)


def _create(path: bytes) -> None:
    with translate_os_errors("create a file in", os.path.dirname(path), state_folder=True):
        os.close(create_file(path))


def _remove(probes: Sequence[bytes]) -> None:
    for path in probes:
        with translate_os_errors("remove", path, state_folder=True), suppress(FileNotFoundError):
            os.unlink(path)


def _require_refused(src: bytes, taken: bytes) -> None:
    folder = os.path.dirname(taken)
    with translate_os_errors("rename a file to", folder, state_folder=True):
        try:
            rename_no_clobber(src, taken)
        except FileExistsError:
            return
    shown = display_name(folder)
    raise ProxxError(
        ErrorCode.RENAME_NOT_ATOMIC,
        f"the filesystem of {shown} overwrote a file in a rename that must not overwrite; "
        "keep the workspace on a local disk, NFS or SMB",
        path=shown,
    )
