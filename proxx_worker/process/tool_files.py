"""What a program needs to start, and what its libraries read: every confined process may read these files (decision 0021)."""

import errno
import os
from typing import Final

from proxx_worker.process import landlock

NOT_THERE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EACCES})
"""A path that does not exist is not needed, and one that this user cannot look up is useless to the child as well."""

CACHE_OF_LIBRARIES: Final = "/etc/ld.so.cache"
RUN: Final = landlock.READ_FILE | landlock.EXECUTE

_LONGEST_FIRST_LINE: Final = 256  # the kernel's BINPRM_BUF_SIZE
_LIBRARIES: Final = ("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/usr/libexec")

ALWAYS: Final = {
    **dict.fromkeys(_LIBRARIES, RUN),
    "/dev/null": landlock.READ_FILE | landlock.WRITE_FILE,
    "/dev/urandom": landlock.READ_FILE,
    "/sys/devices/system/cpu": landlock.READ_FILE | landlock.READ_DIR,
    "/sys/devices/system/node": landlock.READ_FILE | landlock.READ_DIR,
}
"""What every child may access: where the loader looks, and what libraries read about the machine (decision 0021)."""


def allow_existing(rules: landlock.Ruleset, path: str, rights: int) -> None:
    """`Ruleset.allow_path` for a path that may not be there. Raises `OSError`."""
    try:
        rules.allow_path(os.fsencode(path), rights)
    except OSError as error:
        if error.errno not in NOT_THERE:
            raise


def needed_to_run(*programs: str) -> list[str]:
    """The programs (absolute paths) and their own libraries; for a script also its interpreter, which may be a script again."""
    found: list[str] = []
    for program in programs:
        path = program
        while path and path not in found:
            found.append(path)
            try:
                descriptor = os.open(os.fsencode(path), os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                break  # a program may be executable but unreadable; exec reports a missing one
            head = os.read(descriptor, _LONGEST_FIRST_LINE)
            os.close(descriptor)
            found += _own_libraries(path)
            words = head[2:].split(b"\n", 1)[0].split() if head.startswith(b"#!") else []
            path = os.fsdecode(words[0]) if words else ""
    return found


def _own_libraries(program: str) -> list[str]:
    """`PREFIX/lib` of a `PREFIX/bin/TOOL`: what is installed in one piece (conda, /opt) has its libraries there."""
    prefix, slash, _ = os.path.realpath(program).rpartition("/bin/")
    return [f"{prefix}/lib", f"{prefix}/lib64"] if slash else []
