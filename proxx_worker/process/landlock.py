"""Landlock: the kernel's way for a process to give up its access to files, sockets and other processes (landlock(7)).

No library is used: Python's are young, and only three system calls are needed.
"""

import ctypes
import errno
import fcntl
import os
from typing import Final

O_PATH: Final = 0o1000_0000
"""For a descriptor that stands for a file without opening it; `os` has it on Linux only."""

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE, MAKE_DIR, MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
REFER, TRUNCATE = 1 << 13, 1 << 14
"""REFER: to rename and link between folders. From ABI 2 on; before, that is refused to whoever is confined."""

ABSTRACT_SOCKETS, SIGNALS = 1 << 0, 1 << 1
"""Scopes: what is refused unless the other process is confined alike."""

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every machine
_ASK_VERSION: Final = 1
_PATH_BENEATH: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38
_OF_FILES: Final = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE
_ABSENT: Final = frozenset({errno.ENOSYS, errno.EOPNOTSUPP})

_FIRST_ABI_RIGHTS: Final = (1 << 13) - 1
_ADDED: Final = {2: REFER, 3: TRUNCATE, 5: 1 << 15}
"""ABI -> the right to files that it added; 5: to control devices."""
_NET_ABI, _SCOPE_ABI = 4, 6
_NET: Final = 0b11
"""To bind and to connect TCP."""


def abi() -> int:
    """The version of Landlock in the kernel; 0: it is too old, built or started without. Linux only. Raises `OSError`."""
    try:
        return _call(_CREATE_RULESET, None, 0, _ASK_VERSION)
    except OSError as error:
        if error.errno in _ABSENT:
            return 0
        raise


class Ruleset:
    """What a process will still be able to reach. What is not allowed here is refused, as far as the ABI knows of it."""

    def __init__(self, version: int, scopes: int = ABSTRACT_SOCKETS | SIGNALS) -> None:
        """An empty set of rules for ABI `version`, 1 or more. Raises `OSError`."""
        self._files = _FIRST_ABI_RIGHTS
        for since, right in _ADDED.items():
            self._files |= right if version >= since else 0
        fields = [self._files]
        fields += [_NET] if version >= _NET_ABI else []
        fields += [scopes] if version >= _SCOPE_ABI else []
        attributes = (ctypes.c_uint64 * len(fields))(*fields)
        self._fd = _call(_CREATE_RULESET, ctypes.byref(attributes), ctypes.sizeof(attributes), 0)

    def allow(self, descriptor: int, rights: int) -> None:
        """Allow `rights` on the file open as `descriptor` (O_PATH does), or on all beneath the folder. Raises `OSError`."""
        rule = _PathBeneath(rights & self._files, descriptor)
        _call(_ADD_RULE, self._fd, _PATH_BENEATH, ctypes.byref(rule), 0)

    def allow_path(self, path: bytes | str, rights: int) -> None:
        """Allow `rights` on what lies at `path`, links followed; a folder's on all beneath it. Raises `OSError`."""
        descriptor = os.open(path, O_PATH | os.O_CLOEXEC)
        try:
            folder = os.path.isdir(descriptor)  # noqa: PTH112 - a descriptor
            self.allow(descriptor, rights if folder else rights & _OF_FILES)
        finally:
            os.close(descriptor)

    def move(self, least: int) -> None:
        """Give the rules' own descriptor a number from `least` on, out of the way of others. Raises `OSError`."""
        moved = fcntl.fcntl(self._fd, fcntl.F_DUPFD_CLOEXEC, least)
        os.close(self._fd)
        self._fd = moved

    def restrict(self) -> None:
        """Hold this thread, and all that it starts and becomes, to the rules, with no new privileges. Raises `OSError`."""
        no_new_privileges()
        _call(_RESTRICT_SELF, self._fd, 0)
        os.close(self._fd)


def no_new_privileges() -> None:
    """No program that is started from here on gains a right by its file's mode or attributes. Raises `OSError`."""
    if _libc.prctl(ctypes.c_int(_PR_SET_NO_NEW_PRIVS), *(ctypes.c_ulong(value) for value in (1, 0, 0, 0))) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


class _PathBeneath(ctypes.Structure):
    """`struct landlock_path_beneath_attr`."""

    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def _call(number: int, *arguments: object) -> int:
    given = [ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments]
    result = int(_libc.syscall(ctypes.c_long(number), *given))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
