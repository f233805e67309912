"""One worker per Resolve on a host: a kernel lock on the scripting library.

Every Resolve has that file, it is the same for all users and paths, and nobody cleans it up. `flock` needs no write permission.
The lock is held from the first job until the process ends, and every child inherits it.
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
"""How long to wait for a lock whose holder is dead or unknown: a child that inherited it may still be exiting."""

_POLL_SECONDS = 0.02
_HELD_BY_ANOTHER = frozenset({errno.EAGAIN, errno.EACCES})
_FLOCK = re.compile(r"FLOCK +ADVISORY +WRITE +(\d+) +[0-9a-f]+:[0-9a-f]+:(\d+) ")


class ResolveLock:
    """The lock on the library at `path`. It is acquired once and released by `close` or when the process ends."""

    def __init__(self, path: str) -> None:
        """Locks nothing yet."""
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> int:
        """Acquire the lock. Returns a descriptor for children to inherit. Raises RESOLVE_UNAVAILABLE, naming the holder."""
        if self._descriptor is None:
            self._descriptor = self._acquire()
        return self._descriptor

    def close(self) -> None:
        """Release the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _acquire(self) -> int:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise _lock_error(self._path, error) from error
        deadline = time.monotonic() + DYING_CHILD_SECONDS
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError as error:
                    if error.errno not in _HELD_BY_ANOTHER:
                        raise _lock_error(self._path, error) from error
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
    """The PID that the kernel lists as holder of a lock on the file with this inode number; None if it lists none."""
    with suppress(OSError):
        for line in locks.read_text(encoding="ascii", errors="replace").splitlines():
            found = _FLOCK.search(line + " ")
            if found is not None and int(found[2]) == inode and int(found[1]) > 0:
                return int(found[1])
    return None


def _busy(path: str, holder: int | None) -> ProxxError:
    name = "an unknown process" if holder is None else f"process {holder}{_command_of(holder)}"
    return ProxxError(
        ErrorCode.RESOLVE_UNAVAILABLE,
        f"only one worker at a time may use DaVinci Resolve on a host, and {name} is using it. Wait for it, or stop it.",
        path=path,
        pid=holder,
    )


def _command_of(pid: int) -> str:
    with suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        words = [os.fsdecode(word).rsplit("/", 1)[-1] for word in command if word][:3]
        return f" ({' '.join(words)})" if words else ""
    return ""


def _lock_error(path: str, error: OSError) -> ProxxError:
    return ProxxError(
        ErrorCode.RESOLVE_UNAVAILABLE,
        f"the worker must lock {path}, so that no other worker uses this Resolve, but the system refuses: {error.strerror}. "
        "Let the worker's user read it, and keep it on a local disk.",
        path=path,
        errno=errno.errorcode.get(error.errno or 0),
    )
