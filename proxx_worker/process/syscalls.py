"""The system calls that a confined child may make, by name and number.

Found by tracing FFmpeg 5.1, 7.1, 8.0 and 9.0 with every codec of the contract (decision 0021), with what the C libraries use in
other versions, but nothing that reaches outside the process, starts another one, or changes a file's name, owner or permissions.
The numbers are the kernel's (`asm/unistd_64.h`, `asm-generic/unistd.h`); they never change.
"""

from typing import Final

AUDIT_ARCHITECTURES: Final = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
"""What a filter sees of the machine (`linux/audit.h`), by the name that `uname -m` gives it."""

SECCOMP: Final = {"x86_64": 317, "aarch64": 277}
"""seccomp(2) itself."""

CLONE: Final = {"x86_64": 56, "aarch64": 220}
"""clone(2)."""

# fmt: off
_X86_64: Final = {
    "access": 21, "alarm": 37, "arch_prctl": 158, "brk": 12, "capget": 125, "clock_getres": 229, "clock_gettime": 228,
    "clock_nanosleep": 230, "clone": 56, "close": 3, "close_range": 436, "dup": 32, "dup2": 33, "dup3": 292,
    "epoll_create1": 291, "epoll_ctl": 233, "epoll_pwait": 281, "epoll_wait": 232, "eventfd2": 290, "execve": 59, "exit": 60,
    "exit_group": 231, "faccessat": 269, "faccessat2": 439, "fadvise64": 221, "fallocate": 285, "fcntl": 72, "fdatasync": 75,
    "fstat": 5, "fstatfs": 138, "fsync": 74, "ftruncate": 77, "futex": 202, "futex_waitv": 449, "get_mempolicy": 239,
    "get_robust_list": 274, "getcpu": 309, "getcwd": 79, "getdents64": 217, "getegid": 108, "geteuid": 107, "getgid": 104,
    "getgroups": 115, "getitimer": 36, "getpgid": 121, "getpgrp": 111, "getpid": 39, "getppid": 110, "getpriority": 140,
    "getrandom": 318, "getresgid": 120, "getresuid": 118, "getrlimit": 97, "getrusage": 98, "getsid": 124, "gettid": 186,
    "gettimeofday": 96, "getuid": 102, "ioctl": 16, "kill": 62, "lseek": 8, "lstat": 6, "madvise": 28, "mbind": 237,
    "membarrier": 324, "mincore": 27, "mlock": 149, "mlock2": 325, "mmap": 9, "mprotect": 10, "mremap": 25, "msync": 26,
    "munlock": 150, "munmap": 11, "nanosleep": 35, "newfstatat": 262, "open": 2, "openat": 257, "pause": 34, "pipe": 22,
    "pipe2": 293, "poll": 7, "ppoll": 271, "prctl": 157, "pread64": 17, "preadv": 295, "preadv2": 327, "prlimit64": 302,
    "pselect6": 270, "pwrite64": 18, "pwritev": 296, "pwritev2": 328, "read": 0, "readlink": 89, "readlinkat": 267, "readv": 19,
    "restart_syscall": 219, "rseq": 334, "rt_sigaction": 13, "rt_sigpending": 127, "rt_sigprocmask": 14, "rt_sigreturn": 15,
    "rt_sigsuspend": 130, "rt_sigtimedwait": 128, "sched_get_priority_max": 146, "sched_get_priority_min": 147,
    "sched_getaffinity": 204, "sched_getparam": 143, "sched_getscheduler": 145, "sched_setaffinity": 203, "sched_yield": 24,
    "select": 23, "set_mempolicy": 238, "set_robust_list": 273, "set_tid_address": 218, "setitimer": 38, "setpriority": 141,
    "sigaltstack": 131, "stat": 4, "statfs": 137, "statx": 332, "sync_file_range": 277, "sysinfo": 99, "tgkill": 234,
    "time": 201, "times": 100, "umask": 95, "uname": 63, "wait4": 61, "waitid": 247, "write": 1, "writev": 20,
}
_AARCH64: Final = {
    "brk": 214, "capget": 90, "clock_getres": 114, "clock_gettime": 113, "clock_nanosleep": 115, "clone": 220, "close": 57,
    "close_range": 436, "dup": 23, "dup3": 24, "epoll_create1": 20, "epoll_ctl": 21, "epoll_pwait": 22, "eventfd2": 19,
    "execve": 221, "exit": 93, "exit_group": 94, "faccessat": 48, "faccessat2": 439, "fadvise64": 223, "fallocate": 47,
    "fcntl": 25, "fdatasync": 83, "fstat": 80, "fstatfs": 44, "fsync": 82, "ftruncate": 46, "futex": 98, "futex_waitv": 449,
    "get_mempolicy": 236, "get_robust_list": 100, "getcpu": 168, "getcwd": 17, "getdents64": 61, "getegid": 177, "geteuid": 175,
    "getgid": 176, "getgroups": 158, "getitimer": 102, "getpgid": 155, "getpid": 172, "getppid": 173, "getpriority": 141,
    "getrandom": 278, "getresgid": 150, "getresuid": 148, "getrlimit": 163, "getrusage": 165, "getsid": 156, "gettid": 178,
    "gettimeofday": 169, "getuid": 174, "ioctl": 29, "kill": 129, "lseek": 62, "madvise": 233, "mbind": 235, "membarrier": 283,
    "mincore": 232, "mlock": 228, "mlock2": 284, "mmap": 222, "mprotect": 226, "mremap": 216, "msync": 227, "munlock": 229,
    "munmap": 215, "nanosleep": 101, "newfstatat": 79, "openat": 56, "pipe2": 59, "ppoll": 73, "prctl": 167, "pread64": 67,
    "preadv": 69, "preadv2": 286, "prlimit64": 261, "pselect6": 72, "pwrite64": 68, "pwritev": 70, "pwritev2": 287, "read": 63,
    "readlinkat": 78, "readv": 65, "restart_syscall": 128, "rseq": 293, "rt_sigaction": 134, "rt_sigpending": 136,
    "rt_sigprocmask": 135, "rt_sigreturn": 139, "rt_sigsuspend": 133, "rt_sigtimedwait": 137, "sched_get_priority_max": 125,
    "sched_get_priority_min": 126, "sched_getaffinity": 123, "sched_getparam": 121, "sched_getscheduler": 120,
    "sched_setaffinity": 122, "sched_yield": 124, "set_mempolicy": 237, "set_robust_list": 99, "set_tid_address": 96,
    "setitimer": 103, "setpriority": 140, "sigaltstack": 132, "statfs": 43, "statx": 291, "sync_file_range": 84, "sysinfo": 179,
    "tgkill": 131, "times": 153, "umask": 166, "uname": 160, "wait4": 260, "waitid": 95, "write": 64, "writev": 66,
}
# fmt: on

ALLOWED: Final = {"x86_64": _X86_64, "aarch64": _AARCH64}
"""By machine. Everything else does not exist for a confined child (ENOSYS), so that a library that can do without does."""
