"""Confines children that open media: what each may access, and how a confined child is started.

Linux only: Landlock and a seccomp filter. The child applies both itself, see `starter`.
"""

import os
import platform
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import IO, Final

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.process import landlock
from proxx_worker.process.ending import kill_and_reap
from proxx_worker.process.limits import NO_ROOM, most_reserved
from proxx_worker.process.starter import Request
from proxx_worker.process.starter_link import StarterLink, read_report
from proxx_worker.process.stop import StopSignal
from proxx_worker.process.syscalls import ALLOWED

_ADDED: Final = {
    2: "moves between folders",
    3: "truncation",
    4: "TCP",
    5: "devices' controls",
    6: "signals and abstract sockets",
}
"""What each Landlock ABI added. The system call filter alone refuses every one of them, too."""


@dataclass(frozen=True, slots=True)
class Confinement:
    """What one child may use. Without a `sandbox` it may do whatever the worker may.

    `reads`, `writes`: descriptors of the files that it may open by name to read, or to read and write. Other inherited
    descriptors it only holds. `memory_bytes`: limit on private memory; None: no limit.
    """

    sandbox: "Sandbox | None" = None
    reads: Sequence[int] = ()
    writes: Sequence[int] = ()
    memory_bytes: int | None = None


UNCONFINED: Final = Confinement()


@dataclass
class ConfinedProcess:
    """A child that was started, with the attributes of `subprocess.Popen` that are used."""

    pid: int
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None
    returncode: int | None = None


class StartRefusedError(Exception):
    """The program itself could not be executed; `error` is the operating system's."""

    def __init__(self, error: OSError) -> None:
        """Keep the operating system's error."""
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True, slots=True)
class Start:
    """One child to start, as `start_child` describes it; it may reopen its `reads` and `writes` by name."""

    argv: Sequence[str] = ()
    cwd: str = "/"
    stdin: int | None = None
    pass_fds: Sequence[int] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    reads: Sequence[int] = ()
    writes: Sequence[int] = ()
    memory_bytes: int | None = None


@dataclass(eq=False)
class Sandbox:
    """Confines children. `tool_reads`: paths that the tools need to run; a folder includes everything in it."""

    tool_reads: Sequence[str] = ()
    _starter: StarterLink | None = field(default=None, repr=False)
    _proven: bool = field(default=False, repr=False)

    def close(self) -> None:
        """End the starter. What was proven is to be proven again, by the next one."""
        if self._starter is not None:
            self._starter.close()
            self._starter = None
            self._proven = False

    def require(self, stop: StopSignal | None = None) -> str:
        """Prove once that children can be confined, with a child that tries what must fail. Returns what is enforced.

        Raises SANDBOX_UNAVAILABLE, IO_ERROR, `StopRequestedError`.
        """
        described = describe()
        if not self._proven:
            try:
                pid, report = self._ask(Start(), (), stop)
            except OSError as error:
                raise no_child(error.strerror or str(error)) from error
            os.waitpid(pid, 0)
            if report != "ok":
                raise _failure(report) or unavailable(
                    f"a confined child must be able to do its work and nothing else, but {report}"
                )
            self._proven = True
        return described

    def require_again(self, stop: StopSignal | None = None) -> str:
        """Repeat `require`, even if it succeeded before."""
        self._proven = False
        return self.require(stop)

    def start(self, start: Start, stop: StopSignal | None = None) -> ConfinedProcess:
        """Start a program confined, with pipes as stdout and stderr.

        Raises SANDBOX_UNAVAILABLE, IO_ERROR, `OSError`, `StopRequestedError`; `StartRefusedError` if the program cannot be
        executed.
        """
        with ExitStack() as ours, ExitStack() as its:
            (out, out_end), (err, err_end) = _pipe(ours, its), _pipe(ours, its)
            pid, report = self._ask(start, (out_end, err_end), stop)
            if report:
                os.waitpid(pid, 0)
                raise _refusal(report)
            ours.pop_all()
        stdout, stderr = (os.fdopen(end, "rb", buffering=0) for end in (out, err))
        return ConfinedProcess(pid, stdout, stderr)

    def _ask(self, start: Start, outputs: Sequence[int], stop: StopSignal | None) -> tuple[int, str]:
        """Ask the starter for a child. Returns its PID and its report, which is empty if the program was executed."""
        if self._starter is None:
            require_kernel()
            try:
                self._starter = StarterLink()
            except OSError as error:
                raise no_child(error.strerror or str(error)) from error
        starter = self._starter
        with ExitStack() as opened:
            stdin = _opened(opened, os.devnull, os.O_RDONLY) if start.stdin is None else start.stdin
            folder = _opened(opened, start.cwd, landlock.O_PATH | os.O_DIRECTORY)
            report, report_end = os.pipe()
            opened.callback(os.close, report)
            given = [report_end, folder, stdin, *outputs, *start.pass_fds, *start.reads, *start.writes]
            request: Request = {
                "argv": list(start.argv),
                "environment": dict(start.environment),
                "numbers": [*range(1 + len(outputs)), *(it if it in start.reads else None for it in start.pass_fds)],
                "reads": [given.index(it) for it in (stdin, *start.reads)],
                "writes": [given.index(it) for it in start.writes],
                "tool_reads": list(self.tool_reads),
                "memory_bytes": None if start.memory_bytes is None else most_reserved(start.memory_bytes),
            }
            try:
                pid = starter.ask(request, given, stop)
            except OSError as error:
                self.close()  # its state is unknown; the next child gets a new starter
                raise no_child(error.strerror or str(error)) from error
            except BaseException:
                self.close()  # an answer that nobody waits for any more would be taken for the next child's
                raise
            finally:
                os.close(report_end)  # only the child holds it now, so exec ends the report
            try:
                return pid, read_report(report, stop)
            except BaseException:
                kill_and_reap(pid)
                raise


def require_kernel() -> int:
    """The ABI of Landlock here, 1 or more. Raises SANDBOX_UNAVAILABLE where children cannot be confined on this system at all."""
    machine = platform.machine()
    if platform.system() != "Linux":
        raise unavailable("children that open media are confined by Linux's Landlock, which this system lacks")
    if machine not in ALLOWED:
        raise unavailable(f"confining children needs the machine's system call numbers, but those of {machine} are not known")
    try:
        version = landlock.abi()
    except OSError as error:
        if error.errno in NO_ROOM:
            raise no_child(error.strerror or str(error)) from error
        raise unavailable(f"the kernel must offer Landlock, but refused it: {error.strerror}") from error
    if version == 0:
        raise unavailable("the kernel must offer Landlock, and this one does not: it is older than 5.13 or has Landlock disabled")
    return version


def describe() -> str:
    """What is enforced on this system, as text for a result. Raises SANDBOX_UNAVAILABLE."""
    version = require_kernel()
    unknown = unknown_to(version)
    alone = f"; {', '.join(unknown)} by the filter alone" if unknown else ""
    return f"Landlock ABI {version} and a filter of system calls{alone}"


def unknown_to(version: int) -> list[str]:
    """What Landlock's ABI `version` does not know, and so cannot refuse."""
    return [what for since, what in _ADDED.items() if version < since]


def unavailable(reason: str) -> ProxxError:
    """SANDBOX_UNAVAILABLE for `reason`."""
    return ProxxError(
        ErrorCode.SANDBOX_UNAVAILABLE,
        f'{reason}. Run the worker where it can confine FFmpeg, or accept that a clip may take it over: write `sandbox = "off"`.',
    )


def no_child(reason: str) -> ProxxError:
    """IO_ERROR: for `reason`, which is not the sandbox's fault, no confined child can start."""
    return ProxxError(
        ErrorCode.IO_ERROR,
        f"confined children must be able to start: {reason}. "
        "Check the limits on processes, memory and open files, then submit again.",
    )


def _refusal(report: str) -> Exception:
    """The error for a child's report of a failed start: "STEP ERRNO TEXT"."""
    step, number, text = (*report.split(" ", 2), "", "")[:3]
    if step == "exec" and number.isdecimal() and int(number):
        return StartRefusedError(OSError(int(number), os.strerror(int(number))))
    return _failure(report) or unavailable(f"a child must be able to confine itself, but step {step!r} failed: {text or report}")


def _failure(report: str) -> ProxxError | None:
    """The error for a report of a start for which the system had no room."""
    _, number, text = (*report.split(" ", 2), "", "")[:3]
    return no_child(text.removeprefix(f"[Errno {number}] ")) if number.isdecimal() and int(number) in NO_ROOM else None


def _pipe(ours: ExitStack, its: ExitStack) -> tuple[int, int]:
    ends = os.pipe()
    for opened, end in zip((ours, its), ends, strict=True):
        opened.callback(os.close, end)
    return ends


def _opened(opened: ExitStack, path: str, flags: int) -> int:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    opened.callback(os.close, descriptor)
    return descriptor
