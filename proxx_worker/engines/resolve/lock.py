"""One worker per Resolve on a host: a kernel lock on the scripting library itself.

The file is there wherever there is a Resolve, one for all users and paths to it, and nobody clears it away. `flock` needs no
right to write. The lock is held from the first job on for the life of the process, and every child inherits it.
"""

import errno
import fcntl
import os
import re
import time
from contextlib import suppress
from pathlib import Path

from proxx_worker.contract.errors import ErrorCode, ProxxError

DYING_CHILD_SECONDS = 2.0
"""How long a lock whose holder is dead, or not told, is waited for: its child inherited the lock and may still be dying."""

_POLL_SECONDS = 0.02
_HELD_BY_ANOTHER = frozenset({errno.EAGAIN, errno.EACCES})
_FLOCK = re.compile(r"FLOCK +ADVISORY +WRITE +(\d+) +[0-9a-f]+:[0-9a-f]+:(\d+) ")


class ResolveLock:
    """The lock on the library at `path`. It is taken once and given up with the process, or by `close`."""

    def __init__(self, path: str) -> None:
        """Nothing is locked yet."""
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> int:
        """Hold the lock from now on, as a descriptor for children to inherit. Raises RESOLVE_UNAVAILABLE with the holder."""
        if self._descriptor is None:
            self._descriptor = self._take()
        return self._descriptor

    def close(self) -> None:
        """Give the lock up."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _take(self) -> int:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise _unlockable(self._path, error) from error
        deadline = time.monotonic() + DYING_CHILD_SECONDS
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError as error:
                    if error.errno not in _HELD_BY_ANOTHER:
                        raise _unlockable(self._path, error) from error
                    holder = holder_of(os.fstat(descriptor).st_ino)
                    if time.monotonic() >= deadline or (holder is not None and Path(f"/proc/{holder}").exists()):
                        raise _busy(self._path, holder) from None
                else:
                    return descriptor
                time.sleep(_POLL_SECONDS)
        except BaseException:
            os.close(descriptor)
            raise


def holder_of(inode: int, locks: Path = Path("/proc/locks")) -> int | None:
    """The process that locked the file with this inode number, as the kernel lists it; None where it does not tell."""
    with suppress(OSError):
        for line in locks.read_text(encoding="ascii", errors="replace").splitlines():
            found = _FLOCK.search(line + " ")
            if found is not None and int(found[2]) == inode and int(found[1]) > 0:
                return int(found[1])
    return None


def _busy(path: str, holder: int | None) -> ProxxError:
    name = "a process that this system does not name" if holder is None else f"process {holder}{_named(holder)}"
    return ProxxError(
        ErrorCode.RESOLVE_UNAVAILABLE,
        f"one worker at a time may use DaVinci Resolve on a host, and {name} does. Wait for it, or stop it.",
        path=path,
        pid=holder,
    )


def _named(pid: int) -> str:
    with suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        words = [os.fsdecode(word).rsplit("/", 1)[-1] for word in command if word][:3]
        return f" ({' '.join(words)})" if words else ""
    return ""


def _unlockable(path: str, error: OSError) -> ProxxError:
    return ProxxError(
        ErrorCode.RESOLVE_UNAVAILABLE,
        f"the worker must lock {path}, so that it alone uses this Resolve, but the system refuses: {error.strerror}. Let the "
        "worker's user read it, and keep it on a local disk.",
        path=path,
        errno=errno.errorcode.get(error.errno or 0),
    )
