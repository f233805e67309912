"""A program in FFmpeg's place that does what a decoder does that somebody else has taken over: it tries.

`attacker_at` writes it; it runs by itself, knows nothing of the tests, and says on standard error what came of each try:
`TRIED NAME: it could` or the system's refusal. It then fails, as a job's FFmpeg.
"""

import errno
import fcntl
import json
import mmap
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

NOT_TRIED = "not tried: Python cannot load ctypes here, as libffi asks for memory that is both written and executed"


class NotTriedError(Exception):
    """The try needs ctypes, and there is none."""


class _Missing:
    """In the place of ctypes and what it gives."""

    def __getattr__(self, name: str) -> object:
        raise NotTriedError(name)


O_TMPFILE, AF_NETLINK = os.O_DIRECTORY | 0o2000_0000, 16
PTRACE_SEIZE, PR_SET_PDEATHSIG, CLONE_NEWUSER, CLONE_NEWNS = 0x4206, 1, 0x10000000, 0x20000
# x86-64 and arm64
NUMBERS = {
    "x86_64": {
        "ptrace": 101, "process_vm_readv": 310, "unshare": 272, "memfd_create": 319, "io_uring_setup": 425, "add_key": 248,
        "perf_event_open": 298, "bpf": 321, "userfaultfd": 323, "init_module": 175, "shmget": 29, "pidfd_open": 434,
        "mq_open": 240,
    },
    "aarch64": {
        "ptrace": 117, "process_vm_readv": 270, "unshare": 97, "memfd_create": 279, "io_uring_setup": 425, "add_key": 217,
        "perf_event_open": 241, "bpf": 280, "userfaultfd": 282, "init_module": 105, "shmget": 194, "pidfd_open": 434,
        "mq_open": 180,
    },
}  # fmt: skip
OPTIONAL = frozenset({"io_uring", "userfaultfd", "perf", "bpf", "load a module", "add a key", "message queue"})
"""What a kernel may be built without, or keep from everybody: there is then nothing to show without the sandbox."""

try:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    libc.mmap.restype = ctypes.c_void_p
except MemoryError:  # Debian sid's, in the sandbox, which refuses such memory
    ctypes = libc = _Missing()  # type: ignore[assignment]  # every use of it raises

FILL_MEMORY = "fill memory"
TRIES: dict[str, Callable[[dict[str, str]], object]] = {}


def attacker_at(path: Path, targets: dict[str, str]) -> Path:
    """Write the program to `path`. `targets`: paths and ports that it goes for."""
    text = Path(__file__).read_text(encoding="utf-8")
    interpreter = os.path.realpath(sys.executable)
    path.write_text(f"#!{interpreter} -IS\n{text}\nmain(json.loads({json.dumps(json.dumps(targets))}))\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def trying(name: str) -> Callable[[Callable[[dict[str, str]], object]], Callable[[dict[str, str]], object]]:
    """Register a try. It raises `OSError` where it is refused."""

    def register(attempt: Callable[[dict[str, str]], object]) -> Callable[[dict[str, str]], object]:
        TRIES[name] = attempt
        return attempt

    return register


def call(name: str, *arguments: object) -> int:
    """A system call by its number."""
    number = NUMBERS[os.uname().machine][name]
    given = [ctypes.c_long(it) if isinstance(it, int) else it for it in arguments]
    result = int(libc.syscall(ctypes.c_long(number), *given))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def linux(name: str) -> Callable[..., object]:
    """A function of `os` that Linux alone has."""
    found: Callable[..., object] = getattr(os, name)
    return found


def opened(path: str, flags: int) -> None:
    os.close(os.open(path, flags | os.O_NOCTTY))


def held() -> list[int]:
    """The descriptors that it was given beside its three streams. Python's own is that of this file."""
    found = []
    for descriptor in range(3, 512):
        try:
            own = os.path.samestat(os.fstat(descriptor), os.stat(__file__))
        except OSError:
            continue
        found += [] if own else [descriptor]
    return found


def any_of(attempts: list[Callable[[], object]]) -> None:
    """Succeeds where one does."""
    refusal = OSError(errno.ENOENT, "nothing to try")
    for attempt in attempts:
        try:
            attempt()
        except OSError as error:
            refusal = error
        else:
            return
    raise refusal


def reading(target: str, targets: dict[str, str]) -> None:
    opened(targets.get(target, target), os.O_RDONLY)


def listing(target: str, targets: dict[str, str]) -> None:
    os.listdir(targets.get(target, target))


def calling(attempt: Callable[[], object], _targets: dict[str, str]) -> None:
    attempt()


for _name, _target in {
    "read /etc/passwd": "/etc/passwd",
    "read the SAN": "san",
    "read another clip": "clip",
    "read the spec": "spec",
    "read the configuration": "configuration",
}.items():
    TRIES[_name] = partial(reading, _target)
for _name, _target in {"list /": "/", "list the SAN": "sources", "list staging": ".", "list the workspace": "workspace"}.items():
    TRIES[_name] = partial(listing, _target)


@trying("read the worker's memory")
def _memory(_: dict[str, str]) -> None:
    opened(f"/proc/{os.getppid()}/mem", os.O_RDONLY)


@trying("read the worker's environment")
def _environment(_: dict[str, str]) -> None:
    opened(f"/proc/{os.getppid()}/environ", os.O_RDONLY)


@trying("read the worker's memory by a call")
def _vm(_: dict[str, str]) -> None:
    vector = struct.pack("=QQ", 0, 0)
    call("process_vm_readv", os.getppid(), vector, 1, vector, 1, 0)


@trying("open what the worker has open")
def _its_files(_: dict[str, str]) -> None:
    opened(f"/proc/{os.getppid()}/fd/2", os.O_WRONLY)


@trying("trace the worker")
def _trace(_: dict[str, str]) -> None:
    call("ptrace", PTRACE_SEIZE, os.getppid(), 0, 0)


@trying("write beside staging")
def _beside(t: dict[str, str]) -> None:
    opened(f"{t['proxies']}/evil", os.O_WRONLY | os.O_CREAT)


@trying("write a second file in staging")
def _second(_: dict[str, str]) -> None:
    opened("evil", os.O_WRONLY | os.O_CREAT)


@trying("write an unnamed file in staging")
def _unnamed(_: dict[str, str]) -> None:
    opened(".", os.O_WRONLY | O_TMPFILE)


@trying("write into the workspace")
def _workspace(t: dict[str, str]) -> None:
    opened(f"{t['workspace']}/inbox/evil.json", os.O_WRONLY | os.O_CREAT)


@trying("write over the source")
def _source(t: dict[str, str]) -> None:
    opened(t["source"], os.O_WRONLY)


@trying("write over the source by its descriptor")
def _source_again(_: dict[str, str]) -> None:
    opened("/dev/fd/0", os.O_RDWR)


@trying("empty the source by opening it to read")
def _empty(t: dict[str, str]) -> None:
    opened(t["clip"], os.O_RDONLY | os.O_TRUNC)


@trying("open another clip neither to read nor to write")
def _neither(t: dict[str, str]) -> None:
    opened(t["clip"], os.O_ACCMODE)


@trying("empty another clip by opening it so")
def _empty_neither(t: dict[str, str]) -> None:
    opened(t["clip"], os.O_ACCMODE | os.O_TRUNC)


@trying("empty the source by its descriptor so")
def _empty_source(_: dict[str, str]) -> None:
    opened("/dev/fd/0", os.O_ACCMODE | os.O_TRUNC)


@trying("truncate another clip")
def _truncate(t: dict[str, str]) -> None:
    os.truncate(t["clip"], 0)


for _name, _attempt in {
    "change a mode": lambda: os.chmod(".", 0o700),
    "change an owner": lambda: os.chown(".", os.getuid(), os.getgid()),
    "change times": lambda: os.utime(".", (1, 1)),
    "change an attribute": lambda: linux("setxattr")(".", "user.evil", b"1"),
    "change the mode of what it has open": lambda: os.fchmod(0, 0o644),
    "change the times of what it has open": lambda: os.utime(0, (1, 1)),
    "make a folder": lambda: os.mkdir("folder"),
    "make a link": lambda: os.symlink("/", "link"),
    "make a second name": lambda: os.link(os.listdir(".")[0], "second"),
    "make a pipe": lambda: os.mkfifo("pipe"),
    "rename": lambda: os.rename("folder", "other"),
    "remove": lambda: os.rmdir("other"),
}.items():
    TRIES[_name] = partial(calling, _attempt)


@trying("write into what it holds")
def _locks(_: dict[str, str]) -> None:
    any_of([partial(os.pwrite, it, b"evil", 0) for it in held()])


@trying("give up the worker's lock")
def _unlock(_: dict[str, str]) -> None:
    any_of([partial(fcntl.flock, it, fcntl.LOCK_SH) for it in held()])


@trying("list what it holds")
def _listed(_: dict[str, str]) -> None:
    any_of([partial(os.listdir, it) for it in held()])


@trying("copy what it holds")
def _copied(_: dict[str, str]) -> None:
    any_of([partial(os.dup, it) for it in held()])


@trying("reach a TCP port")
def _tcp(t: dict[str, str]) -> None:
    with socket.create_connection(("127.0.0.1", int(t["port"]))):
        pass


@trying("send a UDP packet")
def _udp(_: dict[str, str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as it:
        it.sendto(b"evil", ("127.0.0.1", 9))


@trying("reach a socket in the file system")
def _unix(t: dict[str, str]) -> None:
    with socket.socket(socket.AF_UNIX) as it:
        it.connect(t["socket"])


@trying("reach an abstract socket")
def _abstract(t: dict[str, str]) -> None:
    with socket.socket(socket.AF_UNIX) as it:
        it.connect("\0" + t["abstract"])


@trying("ask the kernel by netlink")
def _netlink(_: dict[str, str]) -> None:
    socket.socket(AF_NETLINK, socket.SOCK_RAW, 0).close()


@trying("make a pair of sockets")
def _pair(_: dict[str, str]) -> None:
    for end in socket.socketpair():
        end.close()


@trying("signal the worker")
def _signal(_: dict[str, str]) -> None:
    os.kill(os.getppid(), signal.SIGWINCH)


@trying("signal its group")
def _group(_: dict[str, str]) -> None:
    os.kill(0, signal.SIGWINCH)


@trying("have a signal sent to the worker")
def _owner(_: dict[str, str]) -> None:
    fcntl.fcntl(1, fcntl.F_SETOWN, os.getppid())


@trying("get a handle of the worker")
def _handle(_: dict[str, str]) -> None:
    os.close(call("pidfd_open", os.getppid(), 0))


@trying("slow the worker down")
def _slow(_: dict[str, str]) -> None:
    linux("sched_setaffinity")(os.getppid(), linux("sched_getaffinity")(os.getppid()))


@trying("limit the worker")
def _limit(_: dict[str, str]) -> None:
    prlimit: Callable[..., tuple[int, int]] = getattr(resource, "prlimit")  # noqa: B009 - Linux only
    prlimit(os.getppid(), resource.RLIMIT_CORE, prlimit(os.getppid(), resource.RLIMIT_CORE))


@trying("fork")
def _fork(_: dict[str, str]) -> None:
    if (pid := os.fork()) == 0:
        os._exit(0)
    os.waitpid(pid, 0)


@trying("fork twenty times")
def _bomb(_: dict[str, str]) -> None:
    for _number in range(20):
        _fork({})


@trying("start a program")
def _spawn(_: dict[str, str]) -> None:
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


@trying("outlive the worker")
def _outlive(_: dict[str, str]) -> None:
    if libc.prctl(PR_SET_PDEATHSIG, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


@trying("have its memory dumped")
def _dump(_: dict[str, str]) -> None:
    unlimited = resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_CORE, (unlimited, unlimited))


@trying("leave its group")
def _session(_: dict[str, str]) -> None:
    if libc.setsid() < 0 and libc.setpgid(0, 0) != 0:
        raise OSError(ctypes.get_errno(), "setsid")


@trying("make a namespace of users")
def _user_namespace(_: dict[str, str]) -> None:
    call("unshare", CLONE_NEWUSER)


def mapped(protection: int, flags: int, size: int = 4096, file: int = -1) -> int:
    """The address of a new mapping."""
    address = libc.mmap(None, ctypes.c_size_t(size), protection, flags, file, ctypes.c_long(0))
    if address is None or address == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "mmap")
    return int(address)


@trying("make memory to write and execute")
def _code(_: dict[str, str]) -> None:
    mapped(mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


@trying("make what it has written executable")
def _code_later(_: dict[str, str]) -> None:
    address = mapped(mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(4096), mmap.PROT_READ | mmap.PROT_EXEC) != 0:
        raise OSError(ctypes.get_errno(), "mprotect")


def fill(_: dict[str, str]) -> None:
    """The last try, as there is nobody to tell of it where it fails."""
    try:
        bytearray(768 << 20)
    except MemoryError:
        raise OSError(errno.ENOMEM, "no memory") from None


@trying("fill memory that is shared")
def _fill_shared(_: dict[str, str]) -> None:
    mapped(mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS, 768 << 20)


@trying("fill memory by the call for files without a name")
def _fill_file(_: dict[str, str]) -> None:
    os.close(call("memfd_create", b"evil", 0))


@trying("fill memory of System V")
def _fill_system_v(_: dict[str, str]) -> None:
    libc.shmctl(call("shmget", 0, 4096, 0o600), 0, None)


@trying("open a terminal")
def _terminal(t: dict[str, str]) -> None:
    opened(t["terminal"], os.O_RDWR)


@trying("load a module")
def _module(_: dict[str, str]) -> None:
    try:
        call("init_module", b"not one", 7, b"")
    except OSError as error:
        if error.errno != errno.ENOEXEC:  # taken up, and then found to be none
            raise


for _name, _number, _arguments in (
    ("io_uring", "io_uring_setup", (1, bytes(120))),
    ("userfaultfd", "userfaultfd", (0o2000000,)),
    ("add a key", "add_key", (b"user", b"evil", b"1", 1, -1)),
    ("message queue", "mq_open", (b"evil", os.O_RDWR | os.O_CREAT, 0o600, None)),
    ("perf", "perf_event_open", (struct.pack("=IIQ", 1, 112, 0) + bytes(96), 0, -1, -1, 0)),
    ("bpf", "bpf", (0, struct.pack("=IIII", 2, 4, 4, 1) + bytes(56), 72)),
):
    TRIES[_name] = partial(calling, partial(call, _number, *_arguments))


def main(targets: dict[str, str]) -> None:
    """Try everything."""
    if "-L" in sys.argv:
        sys.exit(0)
    for name, attempt in (*TRIES.items(), (FILL_MEMORY, fill)):
        try:
            attempt(targets)
            outcome = "it could"
        except (OSError, ValueError) as error:
            outcome = str(error)
        except NotTriedError:
            outcome = NOT_TRIED
        sys.stderr.write(f"[error] TRIED {name}: {outcome}\n")
        sys.stderr.flush()
    sys.exit(1)
