"""Real children that hang, flood, fork, refuse to die, or die badly."""

import errno
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.process import child as child_module
from proxx_worker.process.child import run_child
from proxx_worker.process.child_exit import ChildExit
from proxx_worker.process.sandbox import Confinement
from proxx_worker.process.spawn import check_started, guard
from proxx_worker.process.stop import BeatingStop, StopFlag
from tests.support.processes import await_end

ROOT = Path(__file__).resolve().parents[3]
SHELL = "/bin/sh"


class Output:
    """What a child said: how much, and how it began."""

    def __init__(self) -> None:
        self.stdout = b""
        self.stdout_bytes = 0
        self.stderr_bytes = 0
        self.stderr = b""

    def take_stdout(self, chunk: bytes) -> None:
        self.stdout_bytes += len(chunk)
        self.stdout = (self.stdout + chunk)[:1000]

    def take_stderr(self, chunk: bytes) -> None:
        self.stderr_bytes += len(chunk)
        self.stderr = (self.stderr + chunk)[:1000]


def run(
    script: str, stop: StopFlag, output: Output | None = None, *, grace: float = 1.5, stall: float | None = None
) -> ChildExit:
    output = output or Output()
    return run_child(
        [SHELL, "-c", script],
        stop=stop,
        on_stdout=output.take_stdout,
        on_stderr=output.take_stderr,
        grace_seconds=grace,
        stall_seconds=stall,
    )


def ends(pid: int) -> bool:
    """Wait until the process has ended, which it must within ten seconds."""
    return await_end(pid, seconds=10)


def test_hands_output_on_and_returns_the_exit_code(stop: StopFlag) -> None:
    output = Output()
    ended = run("echo out; echo err >&2; exit 3", stop, output)
    assert (ended.exit_code, ended.stopped, ended.stalled, ended.survivors) == (3, False, False, False)
    assert (output.stdout, output.stderr) == (b"out\n", b"err\n")


def test_gives_a_fixed_environment_and_nothing_of_its_own(stop: StopFlag, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFREPORT", "file=/tmp/report")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    output = Output()
    run_child(["/usr/bin/env"], stop=stop, on_stdout=output.take_stdout, on_stderr=output.take_stderr)
    assert set(output.stdout.split()) == {b"PATH=/usr/bin:/bin", b"LC_ALL=C", b"TZ=UTC"}


@pytest.mark.parametrize(
    "script",
    ["exec sleep 30", "while :; do echo word; sleep 0.01; done & sleep 30; kill $!", "trap '' TERM; exec sleep 30"],
    ids=["silent", "talking", "deaf"],
)
def test_asks_for_a_stop_again_and_again_whatever_the_child_does(stop: StopFlag, script: str) -> None:
    """The question is the worker's heartbeat. Here the fourth asks for the stop itself, or the child would end by itself."""
    asked: list[int] = []

    def beat() -> None:
        asked.append(1)
        if len(asked) == 4:
            stop.request()

    output = Output()
    ended = run_child(
        [SHELL, "-c", script],
        stop=BeatingStop(stop, beat),
        on_stdout=output.take_stdout,
        on_stderr=output.take_stderr,
        grace_seconds=0.2,
    )
    assert ended.stopped
    assert ended.exit_code < 0


def test_child_stands_in_the_root_and_reads_nothing(stop: StopFlag) -> None:
    output = Output()
    run("pwd; cat; readlink /proc/self/fd/0", stop, output)
    assert output.stdout == b"/\n/dev/null\n"


def test_child_stays_in_the_workers_process_group(stop: StopFlag) -> None:
    output = Output()
    run("cut -d' ' -f5 /proc/$$/stat", stop, output)
    assert int(output.stdout) == os.getpgrp()


def test_child_inherits_only_what_is_passed(stop: StopFlag) -> None:
    kept, dropped = os.pipe(), os.pipe()
    os.set_inheritable(dropped[0], True)  # noqa: FBT003 - its one form
    output = Output()
    run_child(
        [SHELL, "-c", "ls /proc/$$/fd"],
        stop=stop,
        on_stdout=output.take_stdout,
        on_stderr=output.take_stderr,
        pass_fds=(kept[0],),
    )
    assert {int(number) for number in output.stdout.split()} <= {0, 1, 2, kept[0]}
    assert b"%d\n" % kept[0] in output.stdout
    for descriptor in (*kept, *dropped):
        os.close(descriptor)


@pytest.mark.parametrize("both", [False, True])
def test_floods_are_drained(stop: StopFlag, both: bool) -> None:
    output = Output()
    also = "head -c 50000000 /dev/zero & " if both else ""
    ended = run(f"{also}head -c 50000000 /dev/zero >&2; wait; exit 7", stop, output)
    assert ended.exit_code == 7
    assert output.stderr_bytes == 50_000_000
    assert output.stdout_bytes == (50_000_000 if both else 0)


def test_death_by_signal_is_a_negative_exit_code(stop: StopFlag) -> None:
    assert run("kill -SEGV $$", stop).exit_code == -signal.SIGSEGV


def test_stop_ends_a_hanging_child_with_term(stop: StopFlag) -> None:
    ended = run_child(
        [SHELL, "-c", "echo ready; exec sleep 1000"],
        stop=stop,
        on_stdout=lambda _: stop.request(),
        on_stderr=lambda _: None,
    )
    assert (ended.exit_code, ended.stopped, ended.stalled) == (-signal.SIGTERM, True, False)


def test_stop_kills_a_child_that_ignores_term(stop: StopFlag) -> None:
    ended = run_child(
        [SHELL, "-c", "trap '' TERM; echo ready; while :; do sleep 1000; done"],
        stop=stop,
        on_stdout=lambda _: stop.request(),
        on_stderr=lambda _: None,
        grace_seconds=0.1,
    )
    assert (ended.exit_code, ended.stopped) == (-signal.SIGKILL, True)


def test_stop_kills_a_child_that_is_itself_stopped(stop: StopFlag) -> None:
    ended = run_child(
        [SHELL, "-c", "(until grep -q 'State:.T' /proc/$$/status; do :; done; echo ready) & kill -STOP $$"],
        stop=stop,
        on_stdout=lambda _: stop.request(),
        on_stderr=lambda _: None,
        grace_seconds=0.1,
    )
    assert (ended.exit_code, ended.stopped) == (-signal.SIGKILL, True)


def test_stop_that_comes_together_with_the_end(stop: StopFlag) -> None:
    """As for a signal to the whole group: one wait tells of both, the end first, and then nobody is left to be signalled."""

    def stop_once_it_has_ended(pid: bytes) -> None:
        await_end(int(pid))
        stop.request()

    ended = run_child([SHELL, "-c", "echo $$ >&2; exit 6"], stop=stop, on_stdout=lambda _: None, on_stderr=stop_once_it_has_ended)
    assert (ended.exit_code, ended.stopped) == (6, True)


def test_a_signal_handler_can_request_the_stop(stop: StopFlag) -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: stop.request())
    wakeup = signal.set_wakeup_fd(stop.wakeup_fileno(), warn_on_full_buffer=False)
    try:
        ended = run("kill -TERM $PPID; exec sleep 1000", stop)
    finally:
        signal.set_wakeup_fd(wakeup)
        signal.signal(signal.SIGTERM, before)
    assert (ended.exit_code, ended.stopped) == (-signal.SIGTERM, True)


def test_a_signal_that_requests_no_stop_changes_nothing(stop: StopFlag) -> None:
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    wakeup = signal.set_wakeup_fd(stop.wakeup_fileno(), warn_on_full_buffer=False)
    try:
        ended = run("kill -USR1 $PPID; kill -USR1 $PPID; exit 5", stop)
    finally:
        signal.set_wakeup_fd(wakeup)
        signal.signal(signal.SIGUSR1, before)
    assert (ended.exit_code, ended.stopped) == (5, False)


def test_nothing_starts_once_a_stop_was_requested(stop: StopFlag, tmp_path: Path) -> None:
    stop.request()
    ended = run(f"touch {tmp_path}/started", stop)
    assert ended.stopped
    assert list(tmp_path.iterdir()) == []


def test_silence_is_a_stall(stop: StopFlag) -> None:
    ended = run("echo one word; exec sleep 1000", stop, stall=0.2)
    assert (ended.exit_code, ended.stalled, ended.stopped) == (-signal.SIGTERM, True, False)


def test_words_without_growth_are_a_stall(stop: StopFlag) -> None:
    ended = run_child(
        [SHELL, "-c", "while :; do echo frame=1; sleep 0.01; done"],
        stop=stop,
        on_stdout=lambda _: None,
        on_stderr=lambda _: None,
        growth=lambda: 1,
        stall_seconds=0.2,
        grace_seconds=0.1,
    )
    assert ended.stalled


def test_growth_without_words_is_life(stop: StopFlag) -> None:
    steps = iter(range(20))
    ended = run_child(
        [SHELL, "-c", "exec sleep 1000"],
        stop=stop,
        on_stdout=lambda _: None,
        on_stderr=lambda _: None,
        growth=lambda: next(steps, None),
        stall_seconds=0.2,
    )
    assert ended.stalled
    assert next(steps, None) is None, "it was stopped while it still grew"


def test_a_left_behind_process_neither_hangs_the_worker_nor_stays(stop: StopFlag) -> None:
    output = Output()
    ended = run("sleep 1000 & echo $!; exit 0", stop, output)
    assert (ended.exit_code, ended.survivors) == (0, True)
    assert ends(int(output.stdout))


def test_a_stopped_wrapper_takes_what_it_started_with_it(stop: StopFlag) -> None:
    pids: list[int] = []

    def started(chunk: bytes) -> None:
        pids.append(int(chunk))
        stop.request()

    ended = run_child([SHELL, "-c", "sleep 1000 & echo $!; wait"], stop=stop, on_stdout=started, on_stderr=lambda _: None)
    assert (ended.stopped, ended.survivors) == (True, True)
    assert ends(pids[0])


def test_a_flooding_survivor_does_not_hold_the_worker(stop: StopFlag) -> None:
    ended = run("(trap '' TERM; while :; do echo noise; done) & exit 4", stop)
    assert (ended.exit_code, ended.survivors) == (4, True)


def test_a_callback_that_raises_leaves_no_child(stop: StopFlag) -> None:
    pids: list[int] = []

    def broken(chunk: bytes) -> None:
        pids.append(int(chunk))
        raise ProxxError(ErrorCode.NO_SPACE, "the log's disk is full")

    with pytest.raises(ProxxError, match="disk is full"):
        run_child([SHELL, "-c", "echo $$; exec sleep 1000"], stop=stop, on_stdout=broken, on_stderr=lambda _: None)
    assert ends(pids[0])


def test_usage_is_the_childs_own(stop: StopFlag) -> None:
    ballast = bytearray(200_000_000)
    small = run("echo word; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done", stop)
    assert 0 < small.cpu_seconds < 10
    assert 0 < small.peak_memory_bytes < len(ballast), "a small child must not be charged with the worker's memory"
    large = run_child(
        [sys.executable, "-c", "b = bytearray(700_000_000)"],
        stop=stop,
        on_stdout=lambda _: None,
        on_stderr=lambda _: None,
    )
    assert large.peak_memory_bytes > 700_000_000


def broken_programs(folder: Path) -> dict[str, Path]:
    programs = {name: folder / name for name in ("absent", "plain", "no_interpreter", "folder")}
    programs["plain"].write_text("#!/bin/sh\n")
    programs["no_interpreter"].write_text("#!/nowhere/sh\n")
    programs["no_interpreter"].chmod(0o755)
    programs["folder"].mkdir()
    return programs


@pytest.mark.parametrize("name", ["absent", "plain", "no_interpreter", "folder"])
@pytest.mark.parametrize("missing", [ErrorCode.FFMPEG_MISSING, ErrorCode.FFPROBE_MISSING])
def test_a_program_that_cannot_be_run_has_its_own_code(stop: StopFlag, tmp_path: Path, name: str, missing: ErrorCode) -> None:
    program = str(broken_programs(tmp_path)[name])
    with pytest.raises(ProxxError, match="must be a program that this user can run") as caught:
        run_child([program], stop=stop, on_stdout=lambda _: None, on_stderr=lambda _: None, missing=missing)
    assert caught.value.code is missing
    assert caught.value.error.details["program"] == program


def test_a_relative_program_is_refused(stop: StopFlag) -> None:
    with pytest.raises(ValueError, match="absolute"):
        run_child(["ffmpeg"], stop=stop, on_stdout=lambda _: None, on_stderr=lambda _: None)


def test_no_room_for_a_process_is_an_io_error(stop: StopFlag) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + 1, limits[1]))
    try:
        with pytest.raises(ProxxError) as caught:
            run("exit 0", stop)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert caught.value.code is ErrorCode.IO_ERROR


def test_a_child_that_cannot_be_watched_is_ended(stop: StopFlag, monkeypatch: pytest.MonkeyPatch) -> None:
    pids: list[int] = []

    def no_descriptor(pid: int) -> int:
        pids.append(pid)
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "pidfd_open", no_descriptor)
    with pytest.raises(ProxxError, match="limit on open files") as caught:
        run("exec sleep 1000", stop)
    assert caught.value.code is ErrorCode.IO_ERROR
    with pytest.raises(ChildProcessError):
        os.waitpid(pids[0], 0)


@pytest.mark.skipif(sys.platform != "linux", reason="no other system limits a process's memory")
def test_a_child_that_cannot_be_limited_is_ended(stop: StopFlag, monkeypatch: pytest.MonkeyPatch) -> None:
    pids: list[int] = []

    def refused(pid: int, *_: object) -> tuple[int, int]:
        pids.append(pid)
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(resource, "prlimit", refused)
    with pytest.raises(ProxxError, match="leave `encoder_memory_bytes` out"):
        run_child(
            ["/bin/sleep", "1000"], stop=stop, on_stdout=lambda _: None, on_stderr=lambda _: None,
            confinement=Confinement(memory_bytes=1 << 30),
        )  # fmt: skip
    with pytest.raises(ChildProcessError):
        os.waitpid(pids[0], 0)


def test_a_working_directory_that_is_gone_is_an_io_error(stop: StopFlag, tmp_path: Path) -> None:
    with pytest.raises(ProxxError) as caught:
        run_child([SHELL], stop=stop, on_stdout=lambda _: None, on_stderr=lambda _: None, cwd=str(tmp_path / "gone"))
    assert caught.value.code is ErrorCode.IO_ERROR


def test_another_thread_may_not_start_a_child(stop: StopFlag) -> None:
    refused: list[str] = []

    def attempt() -> None:
        try:
            run("exit 0", stop)
        except RuntimeError as error:
            refused.append(str(error))

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    assert "main thread" in refused[0]


def test_exit_codes_are_there_although_the_starter_ignored_sigchld(stop: StopFlag) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert run("exit 3", stop).exit_code == 3
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_an_exit_code_taken_by_someone_else_is_an_error(stop: StopFlag) -> None:
    def steal(chunk: bytes) -> None:
        os.waitpid(int(chunk), 0)

    with pytest.raises(ProxxError, match="was reaped elsewhere") as caught:
        run_child([SHELL, "-c", "echo $$"], stop=stop, on_stdout=steal, on_stderr=lambda _: None)
    assert caught.value.code is ErrorCode.IO_ERROR


@pytest.mark.parametrize("script", ["exit 3", "exec sleep 1000", "sleep 1000 & exit 3"])
@pytest.mark.parametrize("how", ["absent", "forbidden"])
def test_systems_without_process_descriptors_work_too(
    stop: StopFlag, monkeypatch: pytest.MonkeyPatch, script: str, how: str
) -> None:
    if how == "absent":
        monkeypatch.delattr(os, "pidfd_open")
    else:

        def forbidden(_pid: int) -> int:
            raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "pidfd_open", forbidden)
    ended = run(f"echo ready; {script}", stop, stall=0.2)
    assert ended.exit_code == (-signal.SIGTERM if ended.stalled else 3)
    assert ended.stalled == script.startswith("exec")


def test_a_child_that_hangs_in_the_kernel_is_reported(stop: StopFlag, monkeypatch: pytest.MonkeyPatch) -> None:
    real_kill = os.kill
    pids: list[int] = []
    monkeypatch.setattr(child_module, "_KILL_SECONDS", 0.1)
    monkeypatch.setattr(os, "kill", lambda pid, _: pids.append(pid))
    with pytest.raises(ProxxError, match="is stuck in the kernel") as caught:
        run("exec sleep 1000", stop, stall=0.1, grace=0.1)
    real_kill(pids[0], signal.SIGKILL)
    assert caught.value.code is ErrorCode.IO_ERROR
    assert ends(pids[0])
    os.waitpid(pids[0], 0)


WORKER = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from proxx_worker.process.child import run_child
from proxx_worker.process.stop import StopFlag
def show(chunk):
    sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()
argv, stall = ["/bin/sh", "-c", sys.argv[1]], float(sys.argv[2])
ended = run_child(argv, stop=StopFlag(), on_stdout=show, on_stderr=show, stall_seconds=stall)
print("ended", ended.exit_code, ended.stalled, flush=True)
"""


def start_worker(script: str, stall_seconds: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WORKER, script, str(stall_seconds)], stdout=subprocess.PIPE)


def first_line(worker: subprocess.Popen[bytes]) -> bytes:
    assert worker.stdout is not None
    return worker.stdout.readline()


def test_the_child_dies_with_a_killed_worker() -> None:
    with start_worker("echo $$; exec sleep 1000", 100) as worker:
        pid = int(first_line(worker))
        worker.kill()
        assert ends(pid)


def test_a_child_that_ignores_every_signal_it_can_dies_with_a_killed_worker() -> None:
    with start_worker("trap '' TERM INT HUP PIPE; echo $$; while :; do :; done", 100) as worker:
        pid = int(first_line(worker))
        worker.kill()
        assert ends(pid)


def test_a_worker_that_died_before_its_death_could_be_watched_starts_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(["/bin/true"]) as dead:
        dead.wait()
        ended = subprocess.run([*guard("/usr/bin/touch", dead.pid), f"{tmp_path}/started"], check=False, capture_output=True)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ProxxError) as caught:
        check_started("/usr/bin/touch", ended.returncode, ended.stderr, ErrorCode.FFMPEG_MISSING)
    assert caught.value.code is ErrorCode.FFMPEG_MISSING


def test_a_worker_stopped_and_continued_does_not_take_that_time_for_a_stall() -> None:
    script = "kill -STOP $PPID; sleep 1; kill -CONT $PPID; exit 6"
    with start_worker(script, 0.5) as worker:
        assert first_line(worker) == b"ended 6 False\n"
