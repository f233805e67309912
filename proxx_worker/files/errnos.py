"""An errno becomes an error code where it is raised: one table, and the operator's next step beside it."""

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

_REMEDIES: Final[Mapping[int, str]] = {
    errno.ENOSPC: "free some space, then start again",
    errno.EDQUOT: "the quota is used up: free some space or raise the quota, then start again",
    errno.EXDEV: "put all of these folders on one filesystem",
    errno.EACCES: "give the worker's user permission to read and write there",
    errno.EPERM: "give the worker's user permission to read and write there",
    errno.EROFS: "mount the filesystem read-write",
    errno.EMFILE: "raise the limit of open files for the worker's process",
    errno.ENFILE: "raise the system's limit of open files",
    errno.ESTALE: "the share has lost this file: mount it again, then start again",
    errno.EIO: "the storage failed: check the disk and the system's log before starting again",
    errno.ENOENT: "restore it or correct the path, then start again",
    errno.ENOTDIR: "restore the folder, then start again",
}

FilePath = str | bytes | os.PathLike[str] | os.PathLike[bytes]
"""A path in any of the forms that the `os` functions take. Names that are not UTF-8 come as bytes."""


def classify_os_error(error: OSError, doing: str, path: FilePath, *, state_folder: bool = False) -> ProxxError:
    """Turn the operating system's refusal into an error with a code, the path, and what to do about it.

    `doing` completes "cannot ...". NO_SPACE for a full disk or quota, RENAME_NOT_ATOMIC where a rename would cross
    filesystems, else IO_ERROR; with `state_folder`, what is missing or not permitted is WORKSPACE_INVALID, because it is the
    workspace itself that is no longer what the worker was given.
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
    message = f"cannot {doing} {shown}: {error.strerror or error} ({name}); {remedy}"
    return ProxxError(code, message, path=shown, errno=name)


@contextmanager
def translate_os_errors(doing: str, path: FilePath, *, state_folder: bool = False) -> Iterator[None]:
    """Let an `OSError` of the body leave as the `ProxxError` that `classify_os_error` makes of it."""
    try:
        yield
    except OSError as error:
        raise classify_os_error(error, doing, path, state_folder=state_folder) from error
