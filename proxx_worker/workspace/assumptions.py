"""Checks, one by one, what the worker assumes about a workspace. Changes nothing."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from proxx_worker.contract.candidates import display_name
from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.files.filesystems import FilesystemKind, refuse_object_store
from proxx_worker.files.syncing import sync_directory
from proxx_worker.workspace.layout import Workspace, require_directory
from proxx_worker.workspace.rename_probe import require_one_device


@dataclass(frozen=True, slots=True)
class Assumption:
    """One assumption. `held` states it; if it is violated, `error` says what is wrong and what to do."""

    name: str
    held: str
    error: JobError | None = None

    @property
    def ok(self) -> bool:
        """Whether it holds."""
        return self.error is None


def evaluate(name: str, prove: Callable[[], str | None], held: str = "") -> Assumption:
    """Evaluate the assumption `name`: `prove` raises `ProxxError` if it is violated, else returns its statement or None."""
    try:
        return Assumption(name, prove() or held)
    except ProxxError as violated:
        return Assumption(name, held, violated.error)


def assumptions_of(workspace: Workspace) -> Iterator[Assumption]:
    """The assumptions about `workspace`, ordered so that the first violated one explains the rest; only one if it is no folder.

    A worker may be running meanwhile.
    """
    mount = workspace.mount
    kinds = {
        FilesystemKind.LOCAL: "a local filesystem: file events are trusted",
        FilesystemKind.NETWORK: "a network filesystem: allowed; other hosts' files are found by polling",
        FilesystemKind.UNKNOWN: "an unknown filesystem: allowed; polling finds what events miss",
        FilesystemKind.OBJECT_STORE: "an object store",
    }
    fs_type = "filesystem type unknown" if mount is None else mount.fs_type
    root = evaluate("workspace", workspace.require_folder, f"{workspace.name} is a folder")
    yield root
    if not root.ok:
        return  # its contents cannot be checked
    yield evaluate(
        "filesystem", lambda: refuse_object_store(mount, workspace.name), f"{fs_type}, {kinds[workspace.filesystem_kind]}"
    )
    existing = [folder for folder in workspace.folders if os.path.lexists(folder)]
    for folder in workspace.folders:
        name = f"{display_name(os.path.basename(folder))}/"
        if folder in existing:
            yield evaluate(name, partial(_require_usable, folder), f"{name} can be read and written")
        else:
            yield evaluate(name, partial(_require_access, workspace.path), f"{name} does not exist yet and can be created")
    yield evaluate("one filesystem", lambda: require_one_device(existing), "all folders are on one filesystem")
    yield evaluate("folder syncs", lambda: _require_sync(workspace.path), "a rename can be made durable")


def _require_usable(folder: bytes, *, follow_symlinks: bool = False) -> None:
    require_directory(folder, follow_symlinks=follow_symlinks)
    _require_access(folder)


def _require_access(folder: bytes) -> None:
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        shown = display_name(folder)
        raise ProxxError(
            ErrorCode.WORKSPACE_INVALID,
            f"this user cannot read and write {shown}, or its filesystem is mounted read-only; "
            "give the worker's user permission to read, write and enter it",
            path=shown,
        )


def _require_sync(folder: bytes) -> None:
    with translate_os_errors("sync the folder", folder, state_folder=True):
        synced = sync_directory(folder)
    if not synced:
        shown = display_name(folder)
        raise ProxxError(
            ErrorCode.IO_ERROR,
            f"the filesystem of {shown} cannot sync folders, so a power cut on its server may undo a claim; "
            "keep the workspace on a local disk or NFS, or use a newer SMB client",
            path=shown,
        )
