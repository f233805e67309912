"""The only files that the desk writes: specs and requests, in the inbox, each complete and durable before it gets its name."""

import os
import secrets
from contextlib import suppress

from proxx_worker.contract.candidates import CANCEL_SUFFIX, HOLD_NAME, display_name
from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.files.durable import create_file, write_all
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.files.rename import rename_no_clobber
from proxx_worker.files.syncing import sync_directory, sync_file
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.submit import place, sync_drop


def drop_spec(workspace: Workspace, stem: bytes, data: bytes) -> bytes:
    """Put a spec into the inbox as `STEM.json`, or `STEM~2.json`, ... if that is taken. Returns its path.

    Raises `ProxxError`: SPEC_INVALID for a name that no worker accepts; WORKSPACE_INVALID, NO_SPACE or IO_ERROR.
    """
    workspace.require_inbox()
    temporary = _write_hidden(workspace, data)
    try:
        path = place(workspace.inbox, temporary, stem)
    except ProxxError:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    sync_drop(workspace.inbox, path)
    return path


def drop_cancel(workspace: Workspace, stem: bytes, sha256: str) -> bytes | None:
    """Put a cancel of the job `stem` into the inbox. Returns its path; None if one exists already, whatever it contains.

    Raises `ProxxError`: WORKSPACE_INVALID, NO_SPACE or IO_ERROR.
    """
    workspace.require_inbox()
    path = os.path.join(workspace.inbox, stem + CANCEL_SUFFIX)
    temporary = _write_hidden(workspace, sha256.encode() + b"\n")
    with translate_os_errors("make", path, state_folder=True):
        try:
            rename_no_clobber(temporary, path)
        except OSError as error:
            with suppress(OSError):
                os.unlink(temporary)
            if not isinstance(error, FileExistsError):
                raise
            return None
    sync_drop(workspace.inbox, path)
    return path


def hold(workspace: Workspace) -> bool:
    """Hold the workspace, durably. False if it is held already. Raises WORKSPACE_INVALID, NO_SPACE or IO_ERROR.

    The inbox is created if missing: a hold is most useful before the first worker starts.
    """
    workspace.make_inbox()
    workspace.require_inbox()
    path = os.path.join(workspace.inbox, HOLD_NAME)
    with translate_os_errors("make", path, state_folder=True):
        try:
            os.close(create_file(path))
        except FileExistsError:
            return False
    sync_drop(workspace.inbox, path)
    return True


def release(workspace: Workspace) -> bool:
    """Release the workspace, durably. False if it is not held. Raises WORKSPACE_INVALID or IO_ERROR."""
    workspace.require_inbox()
    path = os.path.join(workspace.inbox, HOLD_NAME)
    with translate_os_errors("remove", path, state_folder=True):
        try:
            os.unlink(path)
        except FileNotFoundError:
            return False
        except IsADirectoryError as error:  # it holds as well as a file; what may be in it is not ours to remove
            shown = display_name(path)
            raise ProxxError(
                ErrorCode.IO_ERROR, f"{shown} is a folder: remove it yourself to release the workspace", path=shown
            ) from error
    try:
        with translate_os_errors("sync the folder", workspace.inbox, state_folder=True):
            sync_directory(workspace.inbox)
    except ProxxError as fault:
        message = f"{fault.error.message}. The hold is gone, but a power cut may bring it back"
        raise ProxxError(fault.code, message, **fault.error.details) from fault
    return True


def _write_hidden(workspace: Workspace, data: bytes) -> bytes:
    """A complete, durable file in the inbox under a name that no worker claims."""
    path = os.path.join(workspace.inbox, b".desk-" + secrets.token_hex(8).encode())
    with translate_os_errors("write", path, state_folder=True):
        descriptor = create_file(path)
        try:
            write_all(descriptor, data)
            sync_file(descriptor)
        except OSError:
            with suppress(OSError):
                os.unlink(path)
            raise
        finally:
            os.close(descriptor)
    return path
