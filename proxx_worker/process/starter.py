"""The starter: a small process beside the worker that starts confined children and does nothing else.

What confines a child must happen in the child, between fork and exec. In the worker that would be Python code after a fork of a
process with threads, which can deadlock. Here it is safe: one thread, few modules, no state. The child is made as the worker's
own (CLONE_PARENT): the worker waits for it, and it is killed when the worker ends, even by SIGKILL.

Run as `python -I -S -c ... SOCKET WORKER`; it reads requests from the socket until the worker has closed it.
"""

import array
import ctypes
import errno
import fcntl
import gc
import marshal
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from functools import cache
from typing import Final, TypedDict

from proxx_worker.process import landlock, seccomp
from proxx_worker.process.syscalls import CLONE

MESSAGE_BYTES: Final = 1 << 17
"""The longest request. A command has 2 to 4 KB."""

MOST_DESCRIPTORS: Final = 64

_PR_SET_PDEATHSIG: Final = 1
_CLONE_PARENT: Final = 0x0000_8000
_FIRST_HELD: Final = 64
_IGNORED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_PYTHONS_OWN: Final = (signal.SIGPIPE, signal.SIGXFSZ)
"""What Python ignores and a child must not."""
_ROOTS_RIGHTS: Final = 0b110
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: a worker of root's reads sources of all users."""
_CAPABILITY_VERSION: Final = 0x2008_0522

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

MACHINE: Final = os.uname().machine
_LONGEST_FIRST_LINE: Final = 256  # the kernel's BINPRM_BUF_SIZE

_LIBRARIES: Final = ("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/usr/libexec")
_CLOSE_ON_EXEC: Final = 0x4000_0000  # MSG_CMSG_CLOEXEC, which `socket` has on Linux only

_NOT_THERE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EACCES})
"""What is not there cannot be needed, and what this user may not even look up is of no use to the child either."""

_CACHE_OF_LIBRARIES: Final = "/etc/ld.so.cache"
_RUN: Final = landlock.READ_FILE | landlock.EXECUTE
_ALWAYS: Final = {
    **dict.fromkeys(_LIBRARIES, _RUN),
    "/dev/null": landlock.READ_FILE | landlock.WRITE_FILE,
    "/dev/urandom": landlock.READ_FILE,
    "/sys/devices/system/cpu": landlock.READ_FILE | landlock.READ_DIR,
    "/sys/devices/system/node": landlock.READ_FILE | landlock.READ_DIR,
}
"""What every child may reach: where the loader looks, and what libraries ask of the machine (decision 0021)."""


class Request(TypedDict):
    """One child. Descriptors come beside it: for its report, its working directory, those of `numbers`, and any others.

    `argv`: the program first, an absolute path; empty for a trial, which starts nothing. `numbers`: what the child is to call
    each descriptor from the third on; None: it holds it and cannot use it. `reads`, `writes`: places of descriptors whose
    files it may open again. `tool_reads`: paths that the tool needs.
    """

    argv: list[str]
    environment: dict[str, str]
    numbers: list[int | None]
    reads: list[int]
    writes: list[int]
    tool_reads: list[str]
    memory_bytes: int | None


def main() -> None:
    """Serve until the worker is gone."""
    gc.disable()  # a collection in a child would copy all that it looks at
    requests = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(requests.fileno(), False)  # noqa: FBT003 - a child that had it could have others started
    worker = int(sys.argv[2])
    _die_with(worker)
    defaults = [stop for stop in _IGNORED if signal.getsignal(stop) is not signal.SIG_IGN]
    for stop in _IGNORED:
        signal.signal(stop, signal.SIG_IGN)  # a stop is the worker's to hear; this process ends with it
    serve(requests, worker, [*defaults, *_PYTHONS_OWN])
    os._exit(0)


def serve(requests: socket.socket, worker: int, defaults: list[signal.Signals]) -> None:
    """Answer each request with the child's process number, or with the negative number of the error."""
    room = socket.CMSG_SPACE(MOST_DESCRIPTORS * array.array("i").itemsize)
    while True:
        message, ancillary, _, _ = requests.recvmsg(MESSAGE_BYTES, room, _CLOSE_ON_EXEC)
        if not message:
            return
        descriptors = array.array("i")
        for _, _, data in ancillary:
            descriptors.frombytes(data)
        request: Request = marshal.loads(message)  # noqa: S302 - from the worker itself
        held = max([_first_held(), *(number + 1 for number in request["numbers"] if number is not None)])
        _always(), seccomp.filter_template(MACHINE, held)  # kept here, so that only the first child pays for them
        pid = _fork()
        if pid == 0:
            _become(request, list(descriptors), held, worker, defaults)
        for descriptor in descriptors:
            os.close(descriptor)
        requests.send(struct.pack("=q", pid))


def _first_held() -> int:
    """From where on a child holds what it may not use: beyond what it opens itself, and within a low limit on open files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _FIRST_HELD if soft == resource.RLIM_INFINITY else max(0, min(_FIRST_HELD, soft - 2 * seccomp.HELD))


def _fork() -> int:
    """A copy of this process, as the worker's child. Returns 0 in it; here its number, or the negative number of the error."""
    zero = ctypes.c_long(0)
    flags = ctypes.c_ulong(_CLONE_PARENT | signal.SIGCHLD)
    pid = int(_libc.syscall(ctypes.c_long(CLONE[MACHINE]), flags, zero, zero, zero, zero))
    return pid if pid >= 0 else -ctypes.get_errno()


def _become(request: Request, descriptors: list[int], held: int, worker: int, defaults: list[signal.Signals]) -> None:
    """In the child: set it up, confine it, become the program. What fails goes into the report, which exec else closes."""
    report = descriptors[0]
    step = "start"
    try:
        _die_with(worker)
        for ignored in defaults:
            signal.signal(ignored, signal.SIG_DFL)
        os.fchdir(descriptors[1])
        step = "confine"
        rules = _rules(request, descriptors)
        report = _arrange(request["numbers"], descriptors, held)
        _confine(rules, request["memory_bytes"], held)
        if not request["argv"]:
            os.write(report, _try().encode())
            os._exit(0)
        step = "exec"
        program, *_ = argv = [os.fsencode(word) for word in request["argv"]]
        os.execve(program, argv, request["environment"])  # noqa: S606 - it is to become the program
    except BaseException as error:  # noqa: BLE001 - nothing may return from here: it would be a second starter
        number = error.errno if isinstance(error, OSError) and error.errno is not None else 0
        os.write(report, f"{step} {number} {error}".encode("utf-8", "backslashreplace")[:2048])
    os._exit(127)


def _die_with(worker: int) -> None:
    """Be killed when the worker ends; end now where it has ended already."""
    if _libc.prctl(ctypes.c_int(_PR_SET_PDEATHSIG), ctypes.c_ulong(signal.SIGKILL)) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != worker:
        os._exit(127)


def _arrange(numbers: list[int | None], descriptors: list[int], held: int) -> int:
    """Give the descriptors their numbers, from `held` on those that are only held. Returns where the report is now."""
    # Out of the way first: any of them may lie where another one is to go.
    moved = (descriptors[0], *descriptors[2 : 2 + len(numbers)])
    report, *rest = (fcntl.fcntl(it, fcntl.F_DUPFD_CLOEXEC, held + seccomp.HELD) for it in moved)
    next_held = held
    for number, descriptor in zip(numbers, rest, strict=True):
        target = next_held if number is None else number
        next_held += number is None
        os.dup2(descriptor, target)
    return report


def _rules(request: Request, descriptors: list[int]) -> landlock.Ruleset:
    """What the child will be able to reach. The filter lets it use no descriptor that could do more."""
    rules = landlock.Ruleset(landlock.abi())
    for descriptor, rights in _always():
        rules.allow(descriptor, rights)
    for path in request["tool_reads"]:
        _allow_existing(rules, path, _RUN | landlock.READ_DIR)
    for path in (*_programs(request["argv"]), _CACHE_OF_LIBRARIES):
        _allow_existing(rules, path, _RUN)
    for place in request["reads"]:
        rules.allow(descriptors[place], landlock.READ_FILE)
    for place in request["writes"]:
        rules.allow(descriptors[place], landlock.READ_FILE | landlock.WRITE_FILE | landlock.TRUNCATE)
    return rules


@cache
def _always() -> list[tuple[int, int]]:
    """`_ALWAYS` as it is here: descriptors that are kept, and the rights. What is a link to another one counts once."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for path, rights in _ALWAYS.items():
        try:
            descriptor = os.open(path, landlock.O_PATH | os.O_CLOEXEC)
        except OSError as error:
            if error.errno not in _NOT_THERE:
                raise
            continue
        status = os.fstat(descriptor)
        found.setdefault((status.st_dev, status.st_ino), (descriptor, rights))
    return list(found.values())


def _confine(rules: landlock.Ruleset, memory_bytes: int | None, held: int) -> None:
    """Give up everything else. The filter comes last: it refuses what the steps before it need."""
    # 1, not 0: with 0 the kernel still hands a dump to a program that `core_pattern` names (core(5)).
    resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    if memory_bytes is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    program = seccomp.for_process(seccomp.filter_template(MACHINE, held), os.getpid())
    _drop_capabilities()
    rules.restrict()
    seccomp.install(MACHINE, program)


def _allow_existing(rules: landlock.Ruleset, path: str, rights: int) -> None:
    try:
        rules.allow_path(os.fsencode(path), rights)
    except OSError as error:
        if error.errno not in _NOT_THERE:
            raise


def _programs(argv: list[str]) -> list[str]:
    """The tool with the libraries of its own, and where it is a script what runs it, which may be one again."""
    found: list[str] = []
    path = argv[0] if argv else ""
    while path and path not in found:
        found.append(path)
        try:
            descriptor = os.open(os.fsencode(path), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            break  # a program may be one to run and not to read; one that is not there, exec tells of
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


def _drop_capabilities() -> None:
    """Of root's power, keep what opens files; the rules above hold for those as well."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; low words, then high ones
    if _libc.capget(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "capget")
    kept = [sets[0] & _ROOTS_RIGHTS, sets[1] & _ROOTS_RIGHTS, 0, 0, 0, 0]
    if list(sets) != kept and _libc.capset(header, (ctypes.c_uint32 * 6)(*kept)) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def _try() -> str:
    """What a confined child must not be able to do, tried: "ok", or what it could."""
    attempts: dict[str, Callable[[], object]] = {
        "list /": lambda: os.close(os.open("/", os.O_RDONLY | os.O_DIRECTORY)),
        "read /proc": lambda: os.close(os.open("/proc/self/status", os.O_RDONLY)),
        "open a socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).close(),
        "signal its parent": lambda: os.kill(os.getppid(), 0),
    }
    done = []
    for name, attempt in attempts.items():
        try:
            attempt()
            done.append(name)
        except OSError:
            continue
    return f"it could {', '.join(done)}" if done else "ok"


if __name__ == "__main__":
    main()
