"""The starter: a small process next to the worker that starts confined children and does nothing else.

A child must be confined in the child itself, between fork and exec. In the worker that would run Python code after forking a
multithreaded process, which can deadlock. Here it is safe: one thread, few modules, no state. The child is created as the
worker's own (CLONE_PARENT): the worker waits for it, and it is killed when the worker ends, even by SIGKILL. The kernel does
that, and where a program has shed the death signal (an exec by another thread than its first does), the starter does.

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
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Final, TypedDict

from proxx_worker.process import capabilities, landlock, seccomp
from proxx_worker.process.limits import within
from proxx_worker.process.syscalls import CLONE
from proxx_worker.process.tool_files import ALWAYS, CACHE_OF_LIBRARIES, NOT_THERE, RUN, allow_existing, needed_to_run

MESSAGE_BYTES: Final = 1 << 17
"""The largest request. A command takes 2 to 4 KB."""

MOST_DESCRIPTORS: Final = 64

_PR_SET_PDEATHSIG: Final = 1
_CLONE_PARENT: Final = 0x0000_8000
_CLONE_PIDFD: Final = 0x0000_1000
_FIRST_HELD: Final = 64
_IGNORED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_IGNORED_BY_PYTHON: Final = (signal.SIGPIPE, signal.SIGXFSZ)
"""Signals that Python ignores and a child must not."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

MACHINE: Final = os.uname().machine
_CLOSE_ON_EXEC: Final = 0x4000_0000  # MSG_CMSG_CLOEXEC, which `socket` has on Linux only


class Request(TypedDict):
    """A request for one child. It comes with descriptors: the report, the working directory, those of `numbers`, and any others.

    `argv`: an absolute program path first; empty for a trial, which executes nothing. `numbers`: the child's number for each
    descriptor from the third on; None: held but unusable. `reads`, `writes`: indices of descriptors whose files it may reopen.
    `tool_reads`: paths that the tool needs.
    """

    argv: list[str]
    environment: dict[str, str]
    numbers: list[int | None]
    reads: list[int]
    writes: list[int]
    tool_reads: list[str]
    memory_bytes: int | None


def main() -> None:
    """Serve requests until the worker is gone."""
    gc.disable()  # a collection in a forked child would copy every page it touches
    requests = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(requests.fileno(), False)  # noqa: FBT003 - a child that inherited it could start others
    worker = int(sys.argv[2])
    _at_end_of(worker, signal.SIGCONT)  # it ends at the socket's end, even if somebody has stopped it
    defaults = [stop for stop in _IGNORED if signal.getsignal(stop) is not signal.SIG_IGN]
    for stop in _IGNORED:
        signal.signal(stop, signal.SIG_IGN)  # the worker handles stops; this process ends with it
    for child in serve(requests, worker, [*defaults, *_IGNORED_BY_PYTHON]):
        with suppress(OSError):  # it has ended
            if sys.platform == "linux":
                signal.pidfd_send_signal(child, signal.SIGKILL)
    os._exit(0)


def serve(requests: socket.socket, worker: int, defaults: list[signal.Signals]) -> list[int]:
    """Answer each request with the child's PID, or with the negative errno, until the worker is gone.

    Returns descriptors of the children that may still be there. Their numbers would not do: others may have them by then.
    """
    room = socket.CMSG_SPACE(MOST_DESCRIPTORS * array.array("i").itemsize)
    children: list[int] = []
    while True:
        message, ancillary, _, _ = requests.recvmsg(MESSAGE_BYTES, room, _CLOSE_ON_EXEC)
        if not message:
            return children
        descriptors = array.array("i")
        for _, _, data in ancillary:
            descriptors.frombytes(data)
        request: Request = marshal.loads(message)  # noqa: S302 - from the worker itself
        held = max([_first_held(), *(number + 1 for number in request["numbers"] if number is not None)])
        _always(), seccomp.filter_template(MACHINE, held)  # cached here, so that only the first child pays for them
        pid, child = _fork()
        if pid == 0:
            _exec_confined(request, list(descriptors), held, worker, defaults)
        for descriptor in descriptors:
            os.close(descriptor)
        requests.send(struct.pack("=q", pid))
        children = [*_still_there(children), *([child] if pid > 0 else [])]


def _still_there(children: list[int]) -> list[int]:
    """Those that have not ended; the others' descriptors are closed."""
    ends = select.poll()
    for child in children:
        ends.register(child, select.POLLIN)
    ended = [child for child, _ in ends.poll(0)]
    for child in ended:
        os.close(child)
    return [child for child in children if child not in ended]


def _first_held() -> int:
    """The first number of the held descriptors: above those the child opens itself, within a low limit on open files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _FIRST_HELD if soft == resource.RLIM_INFINITY else max(0, min(_FIRST_HELD, soft - 2 * seccomp.HELD))


def _fork() -> tuple[int, int]:
    """Fork a child of the worker. Returns 0 in the child, here its PID or the negative errno; and a descriptor of the process."""
    zero = ctypes.c_long(0)
    child = ctypes.c_int(-1)
    flags = ctypes.c_ulong(_CLONE_PARENT | _CLONE_PIDFD | signal.SIGCHLD)
    pid = int(_libc.syscall(ctypes.c_long(CLONE[MACHINE]), flags, zero, ctypes.byref(child), zero, zero))
    return (pid, child.value) if pid >= 0 else (-ctypes.get_errno(), -1)


def _exec_confined(request: Request, descriptors: list[int], held: int, worker: int, defaults: list[signal.Signals]) -> None:
    """In the child: set up, confine, execute the program. A failure goes into the report, which exec otherwise closes."""
    report = descriptors[0]
    step = "start"
    try:
        _at_end_of(worker, signal.SIGKILL)
        for ignored in defaults:
            signal.signal(ignored, signal.SIG_DFL)
        os.fchdir(descriptors[1])
        step = "confine"
        rules = _rules(request, descriptors)
        report = _arrange(request["numbers"], descriptors, held, rules)
        _confine(rules, request["memory_bytes"], held)
        if not request["argv"]:
            os.write(report, _try().encode())
            os._exit(0)
        step = "exec"
        program, *_ = argv = [os.fsencode(word) for word in request["argv"]]
        os.execve(program, argv, request["environment"])  # noqa: S606 - this process must become the program
    except BaseException as error:  # noqa: BLE001 - returning would leave a second starter
        number = error.errno if isinstance(error, OSError) and error.errno is not None else 0
        os.write(report, f"{step} {number} {error}".encode("utf-8", "backslashreplace")[:2048])
    os._exit(127)


def _at_end_of(worker: int, number: signal.Signals) -> None:
    """Have the kernel send this process a signal when the worker ends; exit now if it already has."""
    if _libc.prctl(ctypes.c_int(_PR_SET_PDEATHSIG), ctypes.c_ulong(number)) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != worker:
        os._exit(127)


def _arrange(numbers: list[int | None], descriptors: list[int], held: int, rules: landlock.Ruleset) -> int:
    """Give the descriptors their numbers; those only held come from `held` on. Returns the report's new number."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < held + 2 * seccomp.HELD:
        raise OSError(errno.EMFILE, f"the limit on open files, {soft}, leaves a child too few (ulimit -n)")
    # First move all out of the way, the rules too: one may occupy another's target.
    rules.move(held + seccomp.HELD)
    moved = (descriptors[0], *descriptors[2 : 2 + len(numbers)])
    report, *rest = (fcntl.fcntl(it, fcntl.F_DUPFD_CLOEXEC, held + seccomp.HELD) for it in moved)
    next_held = held
    for number, descriptor in zip(numbers, rest, strict=True):
        target = next_held if number is None else number
        next_held += number is None
        os.dup2(descriptor, target)
    return report


def _rules(request: Request, descriptors: list[int]) -> landlock.Ruleset:
    """What the child may access. The seccomp filter keeps it from using any descriptor that allows more."""
    rules = landlock.Ruleset(landlock.abi())
    for descriptor, rights in _always():
        rules.allow(descriptor, rights)
    for path in request["tool_reads"]:
        allow_existing(rules, path, RUN | landlock.READ_DIR)
    for path in (*needed_to_run(*request["argv"][:1]), CACHE_OF_LIBRARIES):
        allow_existing(rules, path, RUN)
    for place in request["reads"]:
        rules.allow(descriptors[place], landlock.READ_FILE)
    for place in request["writes"]:
        rules.allow(descriptors[place], landlock.READ_FILE | landlock.WRITE_FILE | landlock.TRUNCATE)
    return rules


@cache
def _always() -> list[tuple[int, int]]:
    """`ALWAYS` on this system: open descriptors and their rights. Links to the same file count once."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for path, rights in ALWAYS.items():
        try:
            descriptor = os.open(path, landlock.O_PATH | os.O_CLOEXEC)
        except OSError as error:
            if error.errno not in NOT_THERE:
                raise
            continue
        status = os.fstat(descriptor)
        found.setdefault((status.st_dev, status.st_ino), (descriptor, rights))
    return list(found.values())


def _confine(rules: landlock.Ruleset, memory_bytes: int | None, held: int) -> None:
    """Give up every other right. The filter comes last, as it refuses what the earlier steps need."""
    # 1, not 0: with 0 the kernel still pipes a dump to a program named in `core_pattern` (core(5)). A hard limit of 0 stays.
    _limit(resource.RLIMIT_CORE, 1)
    if memory_bytes is not None:
        _limit(resource.RLIMIT_DATA, memory_bytes)
    program = seccomp.for_process(seccomp.filter_template(MACHINE, held), os.getpid())
    capabilities.keep(capabilities.OPEN_ALL)
    rules.restrict()
    seccomp.install(MACHINE, program)


def _limit(which: int, wanted: int) -> None:
    _, hard = resource.getrlimit(which)
    resource.setrlimit(which, within(wanted, hard))


def _try() -> str:
    """Try what a confined child must not be able to do. Returns "ok", or what succeeded."""
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
