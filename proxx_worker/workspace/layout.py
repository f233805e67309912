"""The folders of a workspace: their paths, and checks that they exist before anything is claimed."""

import os
import re
import secrets
import shlex
import stat
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from proxx_worker.contract.candidates import display_name
from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.files.durable import write_durable
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.files.filesystems import FilesystemKind, Mount, filesystem_of, kind_of, refuse_object_store
from proxx_worker.files.syncing import require_syncable, sync_directory
from proxx_worker.workspace.entries import exists
from proxx_worker.workspace.rename_probe import probe_renames, require_one_device

FOLDER_MODE: Final = 0o755
_IDENTITY: Final = re.compile(rb"[0-9a-f]{16}\n")


@dataclass(frozen=True)
class Workspace:
    """The paths of one workspace. Creating the object touches no file."""

    root: Path
    path: bytes = field(init=False)
    """The workspace's own folder, absolute."""
    inbox: bytes = field(init=False)
    running: bytes = field(init=False)
    done: bytes = field(init=False)
    failed: bytes = field(init=False)
    private: bytes = field(init=False)
    """The worker's own folder, `.proxx/`."""

    def __post_init__(self) -> None:
        path = os.path.abspath(os.fsencode(self.root))
        object.__setattr__(self, "path", path)
        for attribute in ("inbox", "running", "done", "failed"):
            object.__setattr__(self, attribute, os.path.join(path, attribute.encode()))
        object.__setattr__(self, "private", os.path.join(path, b".proxx"))

    @property
    def folders(self) -> tuple[bytes, ...]:
        """The four folders that a spec moves through, in order, and the worker's own."""
        return self.inbox, self.running, self.done, self.failed, self.private

    @property
    def lock_file(self) -> bytes:
        """The file whose kernel lock means ownership of the workspace."""
        return os.path.join(self.private, b"worker.lock")

    @property
    def status_file(self) -> Path:
        """The running worker's status file."""
        return Path(os.fsdecode(self.private), "status.json")

    @property
    def name(self) -> str:
        """The workspace's path for messages."""
        return display_name(self.path)

    @cached_property
    def mount(self) -> Mount | None:
        """The mount that the workspace is on; None if the system has no mount table."""
        return filesystem_of(self.path)

    @property
    def filesystem_kind(self) -> FilesystemKind:
        """The kind of the workspace's filesystem."""
        return kind_of(self.mount)

    def require(self) -> None:
        """Check, without a lock or changes, that the workspace is a folder on a supported filesystem.

        Raises WORKSPACE_INVALID or UNSUPPORTED_FILESYSTEM.
        """
        self.require_folder()
        refuse_object_store(self.mount, self.name)

    def require_folder(self) -> None:
        """Raise WORKSPACE_INVALID unless the workspace is a folder, or a symlink to one."""
        with translate_os_errors("inspect the folder", self.path, state_folder=True):
            try:
                there = exists(self.path)
            except NotADirectoryError:
                there = False
        if not there:
            raise ProxxError(
                ErrorCode.WORKSPACE_INVALID,
                f"there is no folder {self.name}: create it with `mkdir -p {shlex.quote(self.name)}`, or correct the path",
                path=self.name,
            )
        require_directory(self.path, follow_symlinks=True)

    def require_folders(self) -> None:
        """Raise WORKSPACE_INVALID unless every folder still exists: a missing folder is an outage, never an empty one."""
        for folder in self.folders:
            require_directory(folder)

    def prepare(self) -> str:
        """Create missing folders and test what claims rely on. Only for the holder of the workspace's lock.

        Returns the workspace's identity: 16 hex digits, created once, which name its staging in output directories.

        Raises:
            ProxxError: WORKSPACE_INVALID, RENAME_NOT_ATOMIC (folders on several filesystems), NO_SPACE or IO_ERROR.

        """
        self.require()
        for folder in self.folders:
            make_folder(folder)
        self._sync_folders()
        require_one_device(self.folders)
        probe_renames(self.folders)
        return self.identity()

    def make_inbox(self) -> None:
        """Create the inbox if it is missing, for submitters. Raises WORKSPACE_INVALID, NO_SPACE or IO_ERROR."""
        make_folder(self.inbox)
        self._sync_folders()

    def require_inbox(self) -> None:
        """Raise WORKSPACE_INVALID or IO_ERROR if what this user drops into the inbox cannot be synced: for before the drop.

        Opening a folder for a sync needs read permission on it, which a drop alone does not.
        """
        with translate_os_errors("open the folder", self.inbox, state_folder=True):
            require_syncable(self.inbox)

    def _sync_folders(self) -> None:
        """Sync existing folders as well: the process that created them may have been killed before the sync."""
        with translate_os_errors("sync the folder", self.path, state_folder=True):
            sync_directory(self.path)

    def identity(self) -> str:
        """The workspace's id, durably created at the first call. Raises WORKSPACE_INVALID if its file is invalid."""
        path = os.path.join(self.private, b"workspace-id")
        with translate_os_errors("read", path, state_folder=True):
            try:
                content = Path(os.fsdecode(path)).read_bytes()
            except FileNotFoundError:
                content = secrets.token_hex(8).encode() + b"\n"
                write_durable(path, content)
                return content.decode("ascii").strip()
        if not _IDENTITY.fullmatch(content):
            shown = display_name(path)
            raise ProxxError(
                ErrorCode.WORKSPACE_INVALID,
                f"{shown} does not contain a workspace id (16 hex digits); restore the file from a copy, or remove it after "
                "removing any hidden .proxx-* folder that the last job left in its output directory",
                path=shown,
            )
        with translate_os_errors("sync the folder", self.private, state_folder=True):
            sync_directory(self.private)  # whoever created the file may have been killed before the sync
        return content.decode("ascii").strip()


def require_directory(path: bytes, *, follow_symlinks: bool = False) -> None:
    """Raise WORKSPACE_INVALID unless `path` is a folder. A symlink to one counts only with `follow_symlinks`.

    A folder of the workspace may not be a symlink: it could be redirected while jobs are in it.
    """
    with translate_os_errors("inspect the folder", path, state_folder=True):
        status = os.stat(path, follow_symlinks=follow_symlinks)
    if not stat.S_ISDIR(status.st_mode):
        shown = display_name(path)
        kind = "a symlink" if stat.S_ISLNK(status.st_mode) else "not a folder"
        raise ProxxError(ErrorCode.WORKSPACE_INVALID, f"{shown} is {kind}; put a real folder in its place", path=shown)


def make_folder(path: bytes) -> None:
    """Durably create a folder of the workspace if it is missing. Raises WORKSPACE_INVALID, NO_SPACE or IO_ERROR."""
    with translate_os_errors("create the folder", path, state_folder=True):
        try:
            os.mkdir(path, FOLDER_MODE)
        except FileExistsError:
            pass
        else:
            sync_directory(os.path.dirname(path))
    require_directory(path)
