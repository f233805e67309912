"""Runs one child process to its end: drains its output, stops it on request or when it stalls, and records what it used."""

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import IO

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.process.child_exit import NEVER_STARTED, ChildExit
from proxx_worker.process.pidfd import open_childs_pidfd
from proxx_worker.process.read_backoff import ReadBackoff
from proxx_worker.process.sandbox import UNCONFINED, Confinement
from proxx_worker.process.spawn import Process, check_started, start_child
from proxx_worker.process.stall import StallDetector
from proxx_worker.process.stop import StopRequestedError, StopSignal
from proxx_worker.process.survivors import kill_holders
from proxx_worker.process.usage import MAXRSS_UNIT, held_by, own_peak, peak_of

GRACE_SECONDS = 1.5
"""How long a child may take to exit after SIGTERM. The worker itself has 3 s (contract section 6)."""

_KILL_SECONDS = 1.0
_POLL_WITHOUT_PIDFD = 0.05
_MEMORY_CHECK_SECONDS = 0.02
"""How often a child with a memory limit is checked. At about 2 GB a second it overshoots by some 40 MB."""
_CHUNK = 1 << 16
_DRAIN_AT_END = 1 << 20
_HEAD = 4096


def run_child(  # noqa: PLR0913 - keyword-only parts of one command, most with a default
    argv: Sequence[str],
    *,
    stop: StopSignal,
    on_stdout: Callable[[bytes], None],
    on_stderr: Callable[[bytes], None],
    growth: Callable[[], object] | None = None,
    stall_seconds: float | None = None,
    stdin: int | None = None,
    pass_fds: Sequence[int] = (),
    grace_seconds: float = GRACE_SECONDS,
    cwd: str = "/",
    missing: ErrorCode = ErrorCode.FFMPEG_MISSING,
    confinement: Confinement = UNCONFINED,
    own_group: bool = False,
) -> ChildExit:
    """Run `argv` to its end and pass its output on as it arrives, in chunks of any size.

    `growth` returns a value that changes whenever the child makes progress; without it, any byte on stdout counts as progress.
    A child that makes none for `stall_seconds` is stopped. Stopping means SIGTERM, then SIGKILL after `grace_seconds`, sent only
    to the child, which shares the worker's process group. With `own_group` the child leads a group of its own: SIGTERM still goes
    to the child, which may need to shut down what it started; SIGKILL goes to the whole group, and nothing in it outlives the
    child.
    `stdin`: a descriptor to read from; default none. `missing`: the error code for a program that cannot be run. `confinement`:
    what the child may use; a confined child cannot lead a group.

    Raises `missing`; SANDBOX_UNAVAILABLE if the child cannot be confined; IO_ERROR if no process can be started or SIGKILL
    does not end one; and whatever a callback raises, after killing the child.
    """
    if stop.requested():
        return NEVER_STARTED
    try:
        process = start_child(
            argv,
            cwd=cwd,
            stdin=stdin,
            pass_fds=pass_fds,
            missing=missing,
            confinement=confinement,
            own_group=own_group,
            stop=stop,
        )
    except StopRequestedError:
        return NEVER_STARTED
    run = _Run(
        process,
        stop,
        on_stdout,
        on_stderr,
        StallDetector(growth, stall_seconds),
        grace_seconds,
        confinement.memory_bytes,
        own_group=own_group,
    )
    try:
        run.watch()
    finally:
        run.close()
    check_started(argv[0], run.exit_code, run.stderr_head, missing, confined=confinement.sandbox is not None)
    return ChildExit(
        exit_code=run.exit_code,
        stopped=run.stopped or stop.requested(),
        stalled=run.stalled,
        cpu_seconds=run.cpu_seconds,
        # The kernel starts a child's peak at the size of the process that forked it: a small child looks as large as the worker.
        peak_memory_bytes=run.peak if run.peak > run.workers_peak else run.peak_seen or run.peak,
        survivors=run.survivors,
        out_of_memory=run.out_of_memory,
    )


class _Run:
    """One running child, until it is reaped."""

    def __init__(
        self,
        process: Process,
        stop: StopSignal,
        on_stdout: Callable[[bytes], None],
        on_stderr: Callable[[bytes], None],
        stall: StallDetector,
        grace_seconds: float,
        memory_bytes: int | None,
        *,
        own_group: bool,
    ) -> None:
        self._process = process
        self._own_group = own_group
        self._stop = stop
        self._stall = stall
        # Never longer than the stall detector's tick: output read later would count as progress too late.
        self._backoff = ReadBackoff(time.monotonic(), longest=stall.tick)
        self._grace = grace_seconds
        self._memory = memory_bytes
        self._sinks = {_pipe(process.stdout): on_stdout, _pipe(process.stderr): on_stderr}
        self._open = tuple(self._sinks)
        self._poll = select.poll()
        self._inodes = {os.fstat(pipe).st_ino for pipe in self._sinks}
        self._pidfd: int | None = None
        self._reaped = False
        self._deadline: float | None = None
        self._paused_until: float | None = None
        self._killed = False
        self.exit_code = 0
        self.stopped = False
        self.stalled = False
        self.survivors = False
        self.out_of_memory = False
        self.cpu_seconds = 0.0
        self.peak = 0
        self.peak_seen = 0
        self.workers_peak = own_peak()  # after the start, so never below what the child inherited
        self.stderr_head = b""

    def watch(self) -> None:
        """Drain, stop and wait until the child is reaped and its last output is passed on."""
        self._pidfd = open_childs_pidfd(self._process.pid)
        for descriptor in (*self._open, self._stop.fileno(), *self._pidfds()):
            self._poll.register(descriptor, select.POLLIN)
        last = time.monotonic()
        while not self._reaped:
            for descriptor, _ in self._poll.poll(1000 * self._timeout(last)):
                self._ready(descriptor)
            self._check_stop()
            now = time.monotonic()
            self._resume_reading(now)
            self._enforce_limits(now, now - last)
            last = now
        self._drain_at_end()

    def close(self) -> None:
        """Clean up: kill and reap a child that is still running (a callback raised), close every descriptor."""
        try:
            if not self._reaped and not self._killed:
                self._signal(signal.SIGKILL)
                self._wait_end()
        finally:
            for stream in (self._process.stdout, self._process.stderr):
                if stream is not None:
                    stream.close()
            for descriptor in self._pidfds():
                os.close(descriptor)

    def _pidfds(self) -> tuple[int, ...]:
        return () if self._pidfd is None else (self._pidfd,)

    def _timeout(self, now: float) -> float:
        timeout = self._stall.tick
        if self._pidfd is None:
            timeout = min(timeout, _POLL_WITHOUT_PIDFD)
        if self._memory is not None:
            timeout = min(timeout, _MEMORY_CHECK_SECONDS)
        for instant in (self._deadline, self._paused_until):
            if instant is not None:
                timeout = min(timeout, max(0.0, instant - now))
        return timeout

    def _ready(self, descriptor: int) -> None:
        if descriptor in self._sinks:
            if self._paused_until is None:
                self._read_pipes()
        elif descriptor == self._pidfd:
            self._reap()

    def _check_stop(self) -> None:
        """Checked after every wait, not only when the stop's descriptor woke us: see `StopSignal.requested`."""
        if self._stop.requested() and not self.stopped:
            self._poll.unregister(self._stop.fileno())  # it stays readable
            self.stopped = True
            self._terminate()

    def _read_pipes(self) -> None:
        """Read both pipes; if they hold little at a time, pause before reading again."""
        sizes = {pipe: self._read(pipe) for pipe in self._open}
        self._open = tuple(pipe for pipe in self._open if sizes[pipe] != 0)
        now = time.monotonic()
        pause = self._backoff.next_delay(max(sizes.values(), default=0), now)
        for pipe, size in sizes.items():
            self._poll.register(pipe, select.POLLIN)  # first: it may or may not be registered
            if pause or size == 0:
                self._poll.unregister(pipe)
        if pause:
            self._paused_until = now + pause
            self._sample_memory()

    def _resume_reading(self, now: float) -> None:
        if self._paused_until is not None and now >= self._paused_until:
            self._paused_until = None
            self._read_pipes()

    def _sample_memory(self) -> None:
        # Once the child outgrows the worker, the kernel's own figure at its end is exact.
        if not self._reaped and self.peak_seen <= self.workers_peak:
            self.peak_seen = max(self.peak_seen, peak_of(self._process.pid))

    def _read(self, descriptor: int) -> int:
        """Pass one chunk on. Returns its size, 0 at the end of the output, -1 if nothing is available."""
        try:
            chunk = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return -1
        if not chunk:
            return 0
        if descriptor == _pipe(self._process.stdout):
            self._stall.record_output(len(chunk))
        elif len(self.stderr_head) < _HEAD:
            self.stderr_head += chunk[:_HEAD]
        self._sinks[descriptor](chunk)
        return len(chunk)

    def _enforce_limits(self, now: float, passed: float) -> None:
        if self._pidfd is None:
            self._reap()
        if self._reaped:
            return
        if self._deadline is None:
            if self._memory is not None and held_by(self._process.pid) > self._memory:
                self.out_of_memory = True
                self._kill(now)
            elif self._stall.passed(passed):
                self.stalled = True
                self._terminate()
        elif now >= self._deadline:
            if self._killed:
                self._process.returncode = -signal.SIGKILL  # given up: nobody waits for it again
                raise ProxxError(
                    ErrorCode.IO_ERROR,
                    f"process {self._process.pid} must end on SIGKILL, but it is stuck in the kernel: its storage does not "
                    "respond. Check the disks and mounts it uses; it ends once they respond.",
                    pid=self._process.pid,
                )
            self._kill(now)

    def _kill(self, now: float) -> None:
        self._killed = True
        self._signal(signal.SIGKILL)
        self._deadline = now + _KILL_SECONDS

    def _terminate(self) -> None:
        if self._deadline is None:
            self._signal(signal.SIGTERM)
            self._deadline = time.monotonic() + self._grace

    def _signal(self, number: int) -> None:
        """Signal the child unless it was reaped: it may end in the same wait as a stop arrives, and its PID may be reused.

        Popen's own methods would reap a child that has just ended and lose its resource usage.
        """
        if self._reaped:
            return
        if self._own_group and number == signal.SIGKILL:
            os.killpg(self._process.pid, number)
        else:
            os.kill(self._process.pid, number)

    def _end_group(self) -> None:
        """Kill what the child left in its group, before reaping it: until then its PID cannot be reused."""
        if self._own_group and sys.platform != "darwin":  # which has no waitid
            ended = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
            if ended is not None:
                os.killpg(self._process.pid, signal.SIGKILL)

    def _wait_end(self) -> None:
        """Reap a killed child; one that is stuck in the kernel is left to the system."""
        end = select.poll()
        for descriptor in self._pidfds():
            end.register(descriptor, select.POLLIN)
        deadline = time.monotonic() + _KILL_SECONDS
        while not self._reap() and time.monotonic() < deadline:
            end.poll(_POLL_WITHOUT_PIDFD * 1000)

    def _reap(self) -> bool:
        try:
            self._end_group()
            pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
        except ChildProcessError as error:
            self._reaped = True
            self._process.returncode = 0  # unknown and unused: it only tells subprocess that the child is gone
            raise ProxxError(
                ErrorCode.IO_ERROR,
                f"Process {self._process.pid}'s exit status was reaped elsewhere. Restart the worker.",
                pid=self._process.pid,
            ) from error
        if pid == 0:
            return False
        self._reaped = True
        self.exit_code = os.waitstatus_to_exitcode(status)
        self._process.returncode = self.exit_code  # as subprocess itself would have recorded
        self.cpu_seconds = usage.ru_utime + usage.ru_stime
        self.peak = usage.ru_maxrss * MAXRSS_UNIT
        return True

    def _drain_at_end(self) -> None:
        """Pass on what is left in the pipes. Both are at their end once the child is gone, unless it left a process behind."""
        if self._drain():
            return
        self.survivors = True
        kill_holders(self._inodes)
        self._drain()

    def _drain(self) -> bool:
        at_end = True
        for descriptor in self._sinks:
            taken = 0
            # A survivor may go on writing; what the child itself wrote fits a pipe.
            while (size := self._read(descriptor)) > 0 and taken < _DRAIN_AT_END:
                taken += size
            at_end = at_end and size == 0
        return at_end


def _pipe(stream: IO[bytes] | None) -> int:
    if stream is None:
        raise ValueError("the child was started without its pipes")
    return stream.fileno()
