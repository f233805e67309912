"""Opens an output directory and finds its real location."""

import errno
import os
from typing import Final

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.files.errnos import classify_os_error
from proxx_worker.files.locations import location_of, path_bytes

_NO_DIRECTORY: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG})
_REFUSED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def open_directory(path: str) -> int:
    """Open the folder at `path`. Only this call follows symlinks. The caller closes the descriptor.

    Raises OUTPUT_DIRECTORY_MISSING (also for a file), OUTPUT_DIRECTORY_NOT_WRITABLE if permission is denied.
    """
    try:
        return os.open(path_bytes(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise directory_error(error, path) from error


def require_writable(directory: int, path: str) -> None:
    """Raise OUTPUT_DIRECTORY_NOT_WRITABLE if the system says that no file can be created in `directory`. Changes nothing."""
    if not os.access(b".", os.R_OK | os.W_OK | os.X_OK, dir_fd=directory, effective_ids=True):
        raise not_writable(path, "permission denied, or mounted read-only")


def real_location(directory: int, path: str) -> str:
    """The path, without symlinks, of the open folder `directory`, which was opened at `path`.

    Raises OUTPUT_DIRECTORY_MISSING if it was deleted, IO_ERROR if the system cannot tell.
    """
    try:
        location = location_of(directory)
        links = os.fstat(directory).st_nlink
    except OSError as error:
        raise directory_error(error, path) from error  # a share may answer ESTALE even for an open folder
    if links == 0:
        raise missing(location, "it was deleted")
    return location


def directory_error(error: OSError | ValueError, path: str) -> ProxxError:
    """The `ProxxError` for a failed operation on the output directory at `path`."""
    if isinstance(error, ValueError):
        return missing(path, "it contains a null character")
    if error.errno in _NO_DIRECTORY:
        return missing(path, "it is not a folder" if error.errno == errno.ENOTDIR else str(error.strerror))
    if error.errno in _REFUSED:
        return not_writable(path, str(error.strerror))
    return classify_os_error(error, "use the output directory", path_bytes(path))


def missing(path: str, reason: str) -> ProxxError:
    """OUTPUT_DIRECTORY_MISSING for `path`."""
    return ProxxError(
        ErrorCode.OUTPUT_DIRECTORY_MISSING,
        f"the output directory must exist and is never created: {path} ({reason}). Create it, or mount its volume.",
        path=path,
        reason=reason,
    )


def not_writable(path: str, reason: str) -> ProxxError:
    """OUTPUT_DIRECTORY_NOT_WRITABLE for `path`."""
    return ProxxError(
        ErrorCode.OUTPUT_DIRECTORY_NOT_WRITABLE,
        f"the output directory must be readable and writable: {path} ({reason}). Give the worker's user permission there.",
        path=path,
        reason=reason,
    )
