"""The system call filter of a confined child: assembled here, applied by the child before it becomes FFmpeg.

What Landlock can restrict depends on the kernel's version; what a filter refuses is refused by every kernel that has
filters. It sees numbers and arguments, never what a pointer points to (seccomp(2)).
"""

import ctypes
import errno
import os
import struct
from functools import cache
from typing import Final

from proxx_worker.process.syscalls import ALLOWED, AUDIT_ARCHITECTURES, SECCOMP

HELD: Final = 16
"""How many descriptors a child may hold without using them."""

_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06  # linux/bpf_common.h
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in `struct seccomp_data`
_ALLOW: Final = 0x7FFF_0000
_KILL: Final = 0x8000_0000
_FAIL: Final = 0x0005_0000
_SET_MODE_FILTER: Final = 1
_KEEP_SPECULATION: Final = 4
"""SECCOMP_FILTER_FLAG_SPEC_ALLOW: before Linux 5.16 a filter made the processor slower, for the sake of browsers."""

_PROT_WRITE, _PROT_EXEC = 2, 4
_MAP_SHARED, _MAP_ANONYMOUS, _MAP_GROWSDOWN = 1, 0x20, 0x100
_CLONE_THREAD: Final = 0x0001_0000
_CLONE_NEW: Final = 0x7E02_0080
"""Every flag that asks for a namespace."""
_FCNTL: Final = (0, 1, 2, 3, 4, 1030, 1031, 1032)
"""F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_SETPIPE_SZ, F_GETPIPE_SZ: no lock, no owner, no signal."""
_IOCTL: Final = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451, 0x802C_542A)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX, TCGETS2: is it a terminal, how much is there."""
_PRCTL: Final = (3, 15, 16, 21, 23, 30, 39, 0x5356_4D41)
"""Names of threads and memory, and questions about itself. Not the death signal, which must stay, nor who may trace it."""

_OWN: Final = 0x7FFF_FFF7
"""Stands for the child's own number, which no process has: they end at 2^22."""

_libc = ctypes.CDLL(None, use_errno=True)

_Code = tuple[int, int, int, int]
_REFUSE: Final[_Code] = (_RETURN, 0, 0, _FAIL | errno.EPERM)


@cache
def filter_template(machine: str, held: int) -> bytes:
    """The filter for a process on `machine` (as `uname -m` says it), as `struct sock_filter[]`; `for_process` says which process.

    The child may hold the descriptors from `held` on (`HELD` of them), but not use them: locks that live as long as it does.

    Raises `KeyError` for a machine whose numbers are not known here.
    """
    checks = _checks(_OWN, held)
    code: list[_Code] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, AUDIT_ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _KILL),  # 32-bit calls have other numbers
        (_LOAD, 0, 0, _NUMBER),
    ]
    for name, number in ALLOWED[machine].items():
        block = [*checks.get(name, ()), (_RETURN, 0, 0, _ALLOW)]
        code += [(_EQUAL, 0, len(block), number), *block]
    code.append((_RETURN, 0, 0, _FAIL | errno.ENOSYS))
    return b"".join(struct.pack("=HBBI", *step) for step in code)


def for_process(template: bytes, pid: int) -> bytes:
    """The filter of `filter_template` for the process `pid`, which is the one that it may signal and ask about."""
    return template.replace(struct.pack("=I", _OWN), struct.pack("=I", pid))


def install(machine: str, program: bytes) -> None:
    """Put this thread, and what it becomes, under the filter for good. Takes `no_new_privs`. Raises `OSError`."""
    described = _Program(len(program) // 8, program)
    if _libc.syscall(
        ctypes.c_long(SECCOMP[machine]),
        ctypes.c_ulong(_SET_MODE_FILTER),
        ctypes.c_ulong(_KEEP_SPECULATION),
        ctypes.byref(described),
    ):
        raise OSError(ctypes.get_errno(), "seccomp")


class _Program(ctypes.Structure):
    """`struct sock_fprog`: how many instructions, and where they are."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def _checks(pid: int, held: int) -> dict[str, list[_Code]]:
    """What the arguments of some calls must be. Each check falls through, or refuses with EPERM."""
    use = [*_outside(0, held)]
    checks: dict[str, list[_Code]] = {
        "clone": [*_masked(0, _CLONE_THREAD | _CLONE_NEW, _CLONE_THREAD)],
        "fcntl": [*use, *_among(1, _FCNTL)],
        "ioctl": [*use, *_among(1, _IOCTL)],
        "kill": _among(0, (pid,)),
        "tgkill": _among(0, (pid,)),
        "prctl": _among(0, _PRCTL),
        # Read only: a limit that could be raised again, or another process's, is none.
        "prlimit64": [*_among(0, (0, pid)), *_zero(2)],
        "sched_setaffinity": _among(0, (0, pid)),
        "setpriority": [*_among(0, (0,)), *_among(1, (0, pid))],
        "mprotect": _masked(2, _PROT_EXEC, 0),
        "mmap": [
            *_outside(4, held),
            *_not(2, _PROT_WRITE | _PROT_EXEC, _PROT_WRITE | _PROT_EXEC),
            # Both would hold memory that RLIMIT_DATA does not count.
            *_not(3, _MAP_SHARED | _MAP_ANONYMOUS, _MAP_SHARED | _MAP_ANONYMOUS),
            *_masked(3, _MAP_GROWSDOWN, 0),
        ],
    }
    for name, flags in (("open", 1), ("openat", 2)):
        checks[name] = [
            # Landlock before ABI 3 knows no right to truncate: without write access it is only this way of opening that does.
            *_not(flags, os.O_ACCMODE | os.O_TRUNC, os.O_RDONLY | os.O_TRUNC),
            # Mode 3, for device controls alone: Landlock asks for no right at all, so any file opens, and O_TRUNC empties it.
            *_not(flags, os.O_ACCMODE, os.O_ACCMODE),
        ]
    writing = ("write", "writev", "pwrite64", "pwritev", "pwritev2", "ftruncate", "fallocate", "getdents64")
    for name in (*writing, "dup", "dup2", "dup3", "read", "readv", "pread64", "preadv", "preadv2"):
        checks[name] = use
    return checks


def _load(argument: int, *, high: bool = False) -> _Code:
    """Half an argument; the kernel looks at the low half of all that is checked here, pointers apart. Little-endian machines."""
    return _LOAD, 0, 0, _ARGUMENTS + 8 * argument + 4 * high


def _among(argument: int, values: tuple[int, ...]) -> list[_Code]:
    return [_load(argument), *((_EQUAL, len(values) - at, 0, value) for at, value in enumerate(values)), _REFUSE]


def _masked(argument: int, mask: int, value: int) -> list[_Code]:
    return [_load(argument), (_AND, 0, 0, mask), (_EQUAL, 1, 0, value), _REFUSE]


def _not(argument: int, mask: int, value: int) -> list[_Code]:
    return [_load(argument), (_AND, 0, 0, mask), (_EQUAL, 0, 1, value), _REFUSE]


def _outside(argument: int, first: int) -> list[_Code]:
    return [_load(argument), (_AT_LEAST, 0, 2, first), (_AT_LEAST, 1, 0, first + HELD), _REFUSE]


def _zero(argument: int) -> list[_Code]:
    return [_load(argument), (_EQUAL, 1, 0, 0), _REFUSE, _load(argument, high=True), (_EQUAL, 1, 0, 0), _REFUSE]
