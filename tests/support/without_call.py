"""`without_call.py refuse|kill|absent CALL PROGRAM ARGUMENT ...`: the program under a filter of system calls that lacks one.

It is what a unit with `SystemCallFilter=~@privileged` does to a worker, with and without `SystemCallErrorNumber=EPERM`. Takes no
root (seccomp(2), with no_new_privs). Linux on x86-64 and arm64.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

CALLS = {  # the kernel's tables of system calls
    "capset": {"x86_64": 126, "aarch64": 91},
    "landlock_create_ruleset": {"x86_64": 444, "aarch64": 444},
    "seccomp": {"x86_64": 317, "aarch64": 277},
}
ACTIONS = {
    "refuse": 0x0005_0000 | errno.EPERM,
    "absent": 0x0005_0000 | errno.ENOSYS,
    "kill": 0x8000_0000,
}  # SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_PROCESS
ALLOW = 0x7FFF_0000
LOAD_NUMBER, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h
PR_SET_SECCOMP, SECCOMP_MODE_FILTER, PR_SET_NO_NEW_PRIVS = 22, 2, 38


class _Program(ctypes.Structure):
    """`struct sock_fprog`: how many instructions, and where they are."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def main() -> None:
    """Install the filter, become the program."""
    instructions = (
        (LOAD_NUMBER, 0, 0, 0),
        (JUMP_IF_EQUAL, 0, 1, CALLS[sys.argv[2]][platform.machine()]),
        (RETURN, 0, 0, ACTIONS[sys.argv[1]]),
        (RETURN, 0, 0, ALLOW),
    )
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, _program(code))):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
    os.execv(sys.argv[3], sys.argv[3:])  # noqa: S606 - it is to become the program


def _program(code: bytes) -> object:
    return ctypes.byref(_Program(len(code) // 8, code))


if __name__ == "__main__":
    main()
