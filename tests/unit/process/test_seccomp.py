"""The filter of system calls, run here instruction by instruction as the kernel runs it."""

import errno
import re
import struct
from pathlib import Path

import pytest

from proxx_worker.process.seccomp import HELD, filter_template, for_process
from proxx_worker.process.syscalls import ALLOWED, AUDIT_ARCHITECTURES, CLONE, SECCOMP

PID, FIRST_HELD = 4711, 64
ALLOWED_CALL, KILLED = "allowed", "killed"
FORK = 17  # SIGCHLD alone
THREAD = 0x3D0F00  # what pthread_create asks for


def run(code: bytes, number: int, arguments: tuple[int, ...], architecture: int) -> str:
    """The verdict on one call: `struct seccomp_data` in, an action out."""
    data = struct.pack("=IIQ6Q", number, architecture, 0, *(it & (1 << 64) - 1 for it in (*arguments, *[0] * 6)[:6]))
    steps = [struct.unpack_from("=HBBI", code, at) for at in range(0, len(code), 8)]
    at, accumulator = 0, 0
    while True:
        operation, if_true, if_false, value = steps[at]
        at += 1
        match operation:
            case 0x20:
                (accumulator,) = struct.unpack_from("=I", data, value)
            case 0x54:
                accumulator &= value
            case 0x15:
                at += if_true if accumulator == value else if_false
            case 0x35:
                at += if_true if accumulator >= value else if_false
            case 0x06:
                actions = {0x7FFF_0000: ALLOWED_CALL, 0x8000_0000: KILLED}
                return actions.get(value) or errno.errorcode[value & 0xFFFF]
            case _:
                raise AssertionError(f"no such operation: {operation:#x}")


def verdict(name: str, *arguments: int, machine: str = "x86_64") -> str:
    code = for_process(filter_template(machine, FIRST_HELD), PID)
    return run(code, ALLOWED[machine][name], arguments, AUDIT_ARCHITECTURES[machine])


@pytest.mark.parametrize("machine", ALLOWED)
def test_what_is_not_listed_does_not_exist(machine: str) -> None:
    code = filter_template(machine, FIRST_HELD)
    known = set(ALLOWED[machine].values())
    for number in range(600):
        if number not in known:
            assert run(code, number, (), AUDIT_ARCHITECTURES[machine]) == "ENOSYS"
    assert run(code, 0, (), 0x4000_0003) == KILLED, "the 32-bit calls of x86 have other numbers"


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("read", (0,), ALLOWED_CALL),
        ("write", (1,), ALLOWED_CALL),
        ("write", (FIRST_HELD,), "EPERM"),
        ("pwrite64", (FIRST_HELD + HELD - 1,), "EPERM"),
        ("write", (FIRST_HELD + HELD,), ALLOWED_CALL),
        ("dup", (FIRST_HELD,), "EPERM"),
        ("getdents64", (FIRST_HELD,), "EPERM"),
        ("close", (FIRST_HELD,), ALLOWED_CALL),
        ("clone", (THREAD,), ALLOWED_CALL),
        ("clone", (FORK,), "EPERM"),
        ("clone", (THREAD | 0x1000_0000,), "EPERM"),
        ("kill", (PID, 15), ALLOWED_CALL),
        ("kill", (PID + 1, 15), "EPERM"),
        ("kill", (0, 15), "EPERM"),
        ("kill", (-1, 9), "EPERM"),
        ("tgkill", (PID, PID, 6), ALLOWED_CALL),
        ("tgkill", (1, 1, 9), "EPERM"),
        ("prctl", (15,), ALLOWED_CALL),
        ("prctl", (1, 0), "EPERM"),
        ("prctl", (4, 1), "EPERM"),
        ("prlimit64", (0, 3, 0, 4096), ALLOWED_CALL),
        ("prlimit64", (PID, 3, 0, 4096), ALLOWED_CALL),
        ("prlimit64", (0, 4, 4096, 0), "EPERM"),
        ("prlimit64", (0, 4, 1 << 40, 0), "EPERM"),
        ("prlimit64", (1, 3, 0, 4096), "EPERM"),
        ("sched_setaffinity", (0,), ALLOWED_CALL),
        ("sched_setaffinity", (1,), "EPERM"),
        ("setpriority", (0, 0, 20), ALLOWED_CALL),
        ("setpriority", (2, 0, 20), "EPERM"),
        ("fcntl", (3, 3), ALLOWED_CALL),
        ("fcntl", (3, 8, 1), "EPERM"),
        ("fcntl", (3, 10, 9), "EPERM"),
        ("fcntl", (FIRST_HELD, 0), "EPERM"),
        ("ioctl", (2, 0x5401), ALLOWED_CALL),
        ("ioctl", (0, 0x5412), "EPERM"),
        ("mmap", (0, 4096, 5, 2, 3), ALLOWED_CALL),
        ("mmap", (0, 4096, 7, 2, 3), "EPERM"),
        ("mmap", (0, 4096, 3, 0x22, -1), ALLOWED_CALL),
        ("mmap", (0, 4096, 3, 0x21, -1), "EPERM"),
        ("mmap", (0, 4096, 3, 0x23, -1), "EPERM"),
        ("mmap", (0, 4096, 3, 0x122, -1), "EPERM"),
        ("mmap", (0, 4096, 3, 1, FIRST_HELD), "EPERM"),
        ("mprotect", (0, 4096, 3), ALLOWED_CALL),
        ("mprotect", (0, 4096, 5), "EPERM"),
        ("openat", (-100, 0, 0o1101), ALLOWED_CALL),
        ("openat", (-100, 0, 0o1000), "EPERM"),
        ("open", (0, 0o1000), "EPERM"),
        ("open", (0, 0o3), "EPERM"),
        ("open", (0, 0o1003), "EPERM"),
        ("openat", (-100, 0, 0o3), "EPERM"),
        ("openat", (-100, 0, 0o1003), "EPERM"),
        ("openat", (-100, 0, 0o2104003), "EPERM"),
        ("openat", (-100, 0, 0o2104001), ALLOWED_CALL),
        ("openat", (-100, 0, 0o2104002), ALLOWED_CALL),
        ("open", (0, 0), ALLOWED_CALL),
    ],
)
def test_arguments(name: str, arguments: tuple[int, ...], expected: str) -> None:
    assert verdict(name, *arguments) == expected


@pytest.mark.parametrize("machine", ALLOWED)
def test_what_must_never_be_listed(machine: str) -> None:
    forbidden = re.compile(
        r"socket|connect|^bind|send|accept|ptrace|process_vm|fork|clone3|execveat|unshare|setns|mount|chmod|chown|utime|xattr|"
        r"module|io_uring|keyctl|add_key|bpf|perf|userfaultfd|memfd|shm|flock|rename|unlink|link$|mkdir|mknod|setrlimit|pidfd|"
        r"^truncate|inotify|fanotify|handle_at|^set(?:uid|gid|re|group|sid|pgid)|scheduler$"
    )
    names = {name for name in ALLOWED[machine] if forbidden.search(name)} - {"readlink", "sched_getscheduler"}
    assert names == set()
    assert SECCOMP[machine] not in ALLOWED[machine].values()
    assert CLONE[machine] == ALLOWED[machine]["clone"]


@pytest.mark.parametrize(
    ("machine", "header"),
    [("x86_64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), ("aarch64", "/usr/include/asm-generic/unistd.h")],
)
def test_the_numbers_are_the_kernels(machine: str, header: str) -> None:
    """By the kernel's headers, which a C compiler brings; the generic ones, which are arm64's, are there on every machine."""
    path = Path(header)
    if not path.is_file():
        pytest.skip(f"no {header} (Debian: linux-libc-dev)")
    numbers: dict[str, int] = {}
    for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)\s*$", path.read_text(), re.MULTILINE):
        numbers.setdefault({"fstatat": "newfstatat"}.get(name, name), int(number))
    assert {name: numbers.get(name) for name in ALLOWED[machine]} == ALLOWED[machine]
    assert numbers["seccomp"] == SECCOMP[machine]
