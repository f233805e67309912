"""Maps an `OSError` to an error code and a remedy for the operator, where it is raised."""

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from proxx_worker.contract.candidates import display_name
from proxx_worker.contract.errors import ErrorCode, ProxxError

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_GONE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ESTALE})
_REFUSED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})

_PERMISSION: Final = "give the user that this runs as permission to read and write there, and to enter the folders above"
"""For a worker and for whoever drops a job: each of them may be the one that lacks it."""

_REMEDIES: Final[Mapping[int, str]] = {
    errno.ENOSPC: "free some space, then start again",
    errno.EDQUOT: "the quota is used up: free some space or raise the quota, then start again",
    errno.EXDEV: "put all of these folders on one filesystem",
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EROFS: "mount the filesystem read-write",
    errno.EMFILE: "raise the limit of open files for the worker's process",
    errno.ENFILE: "raise the system's limit of open files",
    errno.ESTALE: "the share no longer knows this file: remount it, then start again",
    errno.EIO: "the storage failed: check the disk and the system's log before starting again",
    errno.ENOENT: "restore it or correct the path, then start again",
    errno.ENOTDIR: "restore the folder, then start again",
    errno.ENAMETOOLONG: "use a shorter name",
    errno.EAGAIN: "another program holds it: wait until that has finished, then try again",
    errno.EBUSY: "another program holds it: wait until that has finished, then try again",
    errno.ETXTBSY: "another program is writing it: wait until that has finished, then try again",
}

FilePath = str | bytes | os.PathLike[str] | os.PathLike[bytes]
"""A path in any form that the `os` functions accept. Names that are not UTF-8 are bytes."""


def classify_os_error(error: OSError, action: str, path: FilePath, *, state_folder: bool = False) -> ProxxError:
    """Turn an `OSError` into an error with a code, the path, and a remedy.

    `action` completes "cannot ...". NO_SPACE for a full disk or quota, RENAME_NOT_ATOMIC for a rename across filesystems, else
    IO_ERROR. With `state_folder`, missing files and missing permissions are WORKSPACE_INVALID: the workspace is damaged.
    """
    number = error.errno or 0
    if number in _FULL:
        code = ErrorCode.NO_SPACE
    elif number == errno.EXDEV:
        code = ErrorCode.RENAME_NOT_ATOMIC
    elif state_folder and number in _GONE | _REFUSED:
        code = ErrorCode.WORKSPACE_INVALID
    else:
        code = ErrorCode.IO_ERROR
    name = errno.errorcode.get(number, "unknown error")
    shown = display_name(os.fsencode(path))
    remedy = _REMEDIES.get(number, "see the system's log for the cause")
    message = f"cannot {action} {shown}: {error.strerror or error} ({name}); {remedy}"
    return ProxxError(code, message, path=shown, errno=name)


@contextmanager
def translate_os_errors(action: str, path: FilePath, *, state_folder: bool = False) -> Iterator[None]:
    """Raise an `OSError` of the body as a `ProxxError`, see `classify_os_error`."""
    try:
        yield
    except OSError as error:
        raise classify_os_error(error, action, path, state_folder=state_folder) from error
