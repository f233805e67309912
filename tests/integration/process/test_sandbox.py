"""Confined children for real: started, stopped, refused, and gone with the worker."""

import fcntl
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.process import landlock, starter_link
from proxx_worker.process.child import run_child
from proxx_worker.process.child_exit import ChildExit
from proxx_worker.process.sandbox import Confinement, Sandbox, describe
from proxx_worker.process.starter import Request
from proxx_worker.process.starter_link import StarterLink
from proxx_worker.process.stop import StopFlag, StopSignal
from proxx_worker.process.syscalls import ALLOWED
from proxx_worker.process.trial import try_confined
from tests.support.processes import await_end

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ALLOWED, reason="Landlock and seccomp are Linux's"
)
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    # Programs of the system, which children here are, lie in /usr/bin.
    confines = Sandbox(("/usr/bin",))
    yield confines
    confines.close()


@pytest.fixture
def stop() -> Iterator[StopFlag]:
    with closing(StopFlag()) as flag:
        yield flag


def script(path: Path, body: str) -> str:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def run(
    sandbox: Sandbox,
    *argv: str,
    reads: tuple[int, ...] = (),
    writes: tuple[int, ...] = (),
    stdin: int | None = None,
    pass_fds: tuple[int, ...] = (),
    stall: float | None = None,
    cwd: str = "/",
) -> tuple[ChildExit, str, str]:
    said: dict[int, bytearray] = {1: bytearray(), 2: bytearray()}
    with closing(StopFlag()) as stop:
        ended = run_child(
            argv,
            stop=stop,
            on_stdout=said[1].extend,
            on_stderr=said[2].extend,
            stall_seconds=stall,
            stdin=stdin,
            pass_fds=pass_fds,
            cwd=cwd,
            confinement=Confinement(sandbox, reads, writes),
        )
    return ended, said[1].decode(), said[2].decode()


def test_a_child_runs_and_its_end_is_told(sandbox: Sandbox) -> None:
    ended, out, _ = run(sandbox, "/bin/sh", "-c", "echo hello; exit 3")
    assert (ended.exit_code, out) == (3, "hello\n")
    ended, _, _ = run(sandbox, "/bin/sh", "-c", "kill -SEGV $$")
    assert ended.exit_code == -signal.SIGSEGV
    assert (ended.stopped, ended.stalled, ended.out_of_memory) == (False, False, False)


def test_the_environment_is_the_fixed_one(sandbox: Sandbox) -> None:
    assert run(sandbox, "/usr/bin/env")[1].splitlines() == ["PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"]


def test_it_reads_and_writes_what_it_was_given_and_nothing_else(sandbox: Sandbox, tmp_path: Path) -> None:
    for name in ("source", "output", "other"):
        (tmp_path / name).write_text(f"{name}\n")
    source = os.open(tmp_path / "source", os.O_RDONLY)
    output = os.open(tmp_path / "output", os.O_RDWR)
    try:
        given = {"reads": (source,), "writes": (output,), "pass_fds": (source,), "cwd": str(tmp_path)}
        _, out, _ = run(sandbox, "/bin/sh", "-c", f"read -r it </dev/fd/{source}; echo $it", **given)  # type: ignore[arg-type]
        assert out == "source\n"
        ended, _, _ = run(sandbox, "/bin/sh", "-c", "echo new >output", **given)  # type: ignore[arg-type]
        assert (ended.exit_code, (tmp_path / "output").read_text()) == (0, "new\n")
        for attempt in ("read -r it <other", "echo evil >other", "echo evil >source", "echo evil >new", "echo *"):
            ended, out, said = run(sandbox, "/bin/sh", "-ec", attempt, **given)  # type: ignore[arg-type]
            assert "Permission denied" in said or out == "*\n"
    finally:
        os.close(source)
        os.close(output)
    assert (tmp_path / "other").read_text() == "other\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "output", "source"]


def test_a_source_may_have_any_number(sandbox: Sandbox, tmp_path: Path) -> None:
    # One of them is that of the rules in the child while they are made.
    (tmp_path / "source").write_text("source\n")
    for number in range(3, 72):
        with (tmp_path / "source").open() as opened:
            source = fcntl.fcntl(opened, fcntl.F_DUPFD_CLOEXEC, number)
        try:
            _, out, _ = run(
                sandbox, "/bin/sh", "-c", f"read -r it </dev/fd/{source}; echo $it", reads=(source,), pass_fds=(source,)
            )
        finally:
            os.close(source)
        assert out == "source\n"


def test_a_child_has_its_streams_and_what_it_holds_and_no_other_descriptor(sandbox: Sandbox, tmp_path: Path) -> None:
    inherited = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(inherited, True)  # noqa: FBT003
    held = os.open(tmp_path, os.O_RDONLY)
    shown = "for fd in 0 1 2 3 4 5 6 7 8 9; do test -e /proc/self/fd/$fd && echo $fd; done; test -e /proc/self/fd/64 && echo held"
    try:
        assert run(sandbox, "/bin/sh", "-c", shown, pass_fds=(held,))[1].split() == ["0", "1", "2", "held"]
    finally:
        os.close(inherited)
        os.close(held)


def test_a_stop_ends_it(sandbox: Sandbox) -> None:
    said = bytearray()

    with closing(StopFlag()) as stop:

        def hear(chunk: bytes) -> None:
            said.extend(chunk)
            stop.request()

        ended = run_child(
            ["/bin/sh", "-c", "echo ready; exec sleep 60"],
            stop=stop, on_stdout=hear, on_stderr=said.extend, confinement=Confinement(sandbox),
        )  # fmt: skip
    assert (ended.exit_code, ended.stopped) == (-signal.SIGTERM, True)


def test_one_that_hangs_is_ended(sandbox: Sandbox) -> None:
    ended, _, _ = run(sandbox, "/bin/sleep", "60", stall=0.2)
    assert (ended.exit_code, ended.stalled) == (-signal.SIGTERM, True)


def test_what_cannot_be_run_is_told_apart(sandbox: Sandbox, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("no program")
    strange = tmp_path / "strange"
    strange.write_text("#!/nowhere/interpreter\n")
    strange.chmod(0o755)
    for program in (str(tmp_path / "none"), str(plain), str(strange)):
        with pytest.raises(ProxxError) as caught:
            run(sandbox, program)
        assert caught.value.code is ErrorCode.FFMPEG_MISSING
        assert program in str(caught.value)


def test_a_wrapper_that_leads_elsewhere_names_the_remedy(sandbox: Sandbox, stop: StopFlag, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    tool = script(elsewhere / "tool", "echo worked")
    wrapper = script(tmp_path / "wrapper", f'exec {tool} "$@"')
    with pytest.raises(ProxxError, match=r"sandbox_read") as caught:
        run(sandbox, wrapper)
    assert caught.value.code is ErrorCode.SANDBOX_UNAVAILABLE
    with pytest.raises(ProxxError, match=r"sandbox_read"):
        try_confined(sandbox, wrapper, None, stop)
    wider = Sandbox((str(elsewhere),))
    try:
        assert run(wider, wrapper)[1] == "worked\n"
        try_confined(wider, wrapper, None, stop)
    finally:
        wider.close()


def test_a_tool_that_was_installed_in_one_piece_reads_its_own_libraries(tmp_path: Path) -> None:
    for folder in ("bin", "lib"):
        (tmp_path / folder).mkdir()
    (tmp_path / "lib" / "words").write_text("from the library\n")
    tool = script(tmp_path / "bin" / "tool", f"read -r it <{tmp_path}/lib/words; echo $it")
    link = tmp_path / "link"
    link.symlink_to(tool)
    confines = Sandbox()
    try:
        assert run(confines, str(link))[1] == "from the library\n"
    finally:
        confines.close()


def children_of(pid: int) -> set[int]:
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended meanwhile
            found.update(map(int, (task / "children").read_text().split()))
    return found


def starters_of(pid: int) -> set[int]:
    found: set[int] = set()
    for child in children_of(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            if b"proxx_worker.process.starter" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.add(child)
    return found


def test_the_starter_that_was_killed_costs_one_child(sandbox: Sandbox) -> None:
    others = starters_of(os.getpid())
    assert run(sandbox, "/bin/true")[0].exit_code == 0
    (starter,) = starters_of(os.getpid()) - others
    os.kill(starter, signal.SIGKILL)
    assert await_end(starter, seconds=10)
    with pytest.raises(ProxxError) as caught:
        run(sandbox, "/bin/true")
    assert caught.value.code is ErrorCode.IO_ERROR
    assert run(sandbox, "/bin/true")[0].exit_code == 0


WORKER = """
import sys
from proxx_worker.process.child import run_child
from proxx_worker.process.sandbox import Confinement, Sandbox
from proxx_worker.process.stop import StopFlag
sandbox = Sandbox(("/usr/bin",))
def told(chunk):
    sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()
run_child(["/bin/sh", "-c", "echo $$; exec sleep 600"], stop=StopFlag(), on_stdout=told, on_stderr=told,
          confinement=Confinement(sandbox))
"""


def test_it_ends_with_the_worker_and_so_does_the_starter() -> None:
    worker = subprocess.Popen([sys.executable, "-c", WORKER], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert worker.stdout is not None
        child = int(worker.stdout.readline())
        parents = Path(f"/proc/{child}/status").read_text()
        assert f"PPid:\t{worker.pid}" in parents, "it is the worker's own"
        starters = children_of(worker.pid) - {child}
        worker.kill()
        worker.wait()
        for process in (child, *starters):
            assert await_end(process, seconds=10)
        assert len(starters) == 1
    finally:
        worker.kill()
        worker.wait()
        if worker.stdout is not None:
            worker.stdout.close()


SHEDS = """
import os, sys, threading, time
if sys.argv[1:] == ["shed"]:
    print(os.getpid(), flush=True)
    time.sleep(600)
again = [sys.executable, "-ISc", sys.argv[-1], "shed"]
threading.Thread(target=os.execv, args=(sys.executable, again)).start()
time.sleep(600)
"""
SHEDDING = """
import sys
from proxx_worker.process.child import run_child
from proxx_worker.process.sandbox import Confinement, Sandbox
from proxx_worker.process.stop import StopFlag
def told(chunk):
    sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()
child = sys.argv[1].replace("sys.argv[-1]", repr(sys.argv[1]))
run_child([sys.executable, "-ISc", child], stop=StopFlag(), on_stdout=told, on_stderr=told,
          confinement=Confinement(Sandbox((sys.base_prefix, sys.prefix))))
"""


@pytest.mark.parametrize("starter_stopped", [False, True])
def test_a_program_that_shed_its_death_signal_ends_with_the_worker_too(starter_stopped: bool) -> None:
    """The kernel forgets the signal when another thread than the first executes a program."""
    worker = subprocess.Popen([sys.executable, "-c", SHEDDING, SHEDS], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert worker.stdout is not None
        child = int(worker.stdout.readline())
        (starter,) = starters_of(worker.pid)
        if starter_stopped:
            os.kill(starter, signal.SIGSTOP)
        worker.kill()
        worker.wait()
        assert await_end(child, seconds=10)
        assert await_end(starter, seconds=10)
    finally:
        worker.kill()
        worker.wait()
        if worker.stdout is not None:
            worker.stdout.close()


def test_a_starter_that_somebody_stopped_is_not_waited_for(
    sandbox: Sandbox, stop: StopFlag, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = starters_of(os.getpid())
    assert run(sandbox, "/bin/true")[0].exit_code == 0
    (starter,) = starters_of(os.getpid()) - others
    os.kill(starter, signal.SIGSTOP)
    begun = time.monotonic()
    threading.Timer(0.3, stop.request).start()
    ended = run_child(
        ["/bin/true"], stop=stop, on_stdout=lambda _: None, on_stderr=lambda _: None, confinement=Confinement(sandbox)
    )
    assert (ended.stopped, ended.exit_code) == (True, -signal.SIGTERM)
    assert time.monotonic() - begun < 2
    assert await_end(starter, seconds=10), "its answer, which comes late, is nobody's"

    assert run(sandbox, "/bin/true")[0].exit_code == 0
    (starter,) = starters_of(os.getpid()) - others
    os.kill(starter, signal.SIGSTOP)
    monkeypatch.setattr(starter_link, "START_SECONDS", 0.2)
    with pytest.raises(ProxxError, match="a process is stopped") as caught:
        run(sandbox, "/bin/true")
    assert caught.value.code is ErrorCode.IO_ERROR
    assert await_end(starter, seconds=10)


def test_a_child_that_does_not_become_its_program_is_ended(
    sandbox: Sandbox, stop: StopFlag, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = starter_link.StarterLink.ask

    def then_stopped(link: StarterLink, request: Request, descriptors: Sequence[int], stop: StopSignal | None) -> int:
        pid = answered(link, request, descriptors, stop)
        held.append(os.dup(descriptors[0]))  # as if the child still had it: the report does not end
        pids.append(pid)
        return pid

    pids: list[int] = []
    held: list[int] = []
    monkeypatch.setattr(starter_link.StarterLink, "ask", then_stopped)
    threading.Timer(0.3, stop.request).start()
    ended = run_child(
        ["/bin/sleep", "60"], stop=stop, on_stdout=lambda _: None, on_stderr=lambda _: None, confinement=Confinement(sandbox)
    )
    for descriptor in held:
        os.close(descriptor)
    assert ended.stopped
    with pytest.raises(ChildProcessError):
        os.waitpid(pids[0], 0)


LIMITED = """
import resource, signal, sys
from proxx_worker.contract.errors import ProxxError
from proxx_worker.process.child import run_child
from proxx_worker.process.sandbox import Confinement, Sandbox
from proxx_worker.process.stop import StopFlag
exec(sys.argv[1])
sandbox = Sandbox(("/usr/bin",))
try:
    sandbox.require()
    for confined in (sandbox, None):
        ended = run_child(["/bin/sh", "-c", "ulimit -c; ulimit -d"], stop=StopFlag(), on_stdout=sys.stdout.buffer.write,
                          on_stderr=sys.stdout.buffer.write, confinement=Confinement(confined, memory_bytes=1 << 30))
        print(ended.exit_code, flush=True)  # behind what the child wrote to the same buffer
except ProxxError as error:
    print(error.code, error)
"""


def limited(limit: str) -> str:
    """What two children say of their limits, one confined, one not, for a worker that may not raise its own."""
    unprivileged = ["setpriv", "--bounding-set", "-sys_resource", "--inh-caps", "-sys_resource"] if os.geteuid() == 0 else []
    command = [*unprivileged, sys.executable, "-c", LIMITED, limit]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def test_a_limit_that_is_lower_already_stays() -> None:
    assert limited("resource.setrlimit(resource.RLIMIT_CORE, (0, 0))").split()[0] == "0"
    said = limited("resource.setrlimit(resource.RLIMIT_DATA, (2000 << 20, 2000 << 20))").split()
    assert said[1:3] == ["2048000", "0"]
    assert said[4:] == ["2048000", "0"]


def test_exit_codes_are_there_although_sigchld_was_ignored() -> None:
    assert limited("signal.signal(signal.SIGCHLD, signal.SIG_IGN)").split()[2::3] == ["0", "0"]


@pytest.mark.parametrize("files", [20, 30])
def test_too_few_open_files_are_no_fault_of_the_sandbox(files: int) -> None:
    said = limited(f"resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files}))")
    assert said.startswith("IO_ERROR confined children must be able to start")
    assert "limits on processes, memory and open files" in said


def test_what_an_older_kernel_leaves_to_the_filter_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "abi", lambda: 1)
    assert describe() == (
        "Landlock ABI 1 and a filter of system calls; moves between folders, truncation, TCP, devices' controls, "
        "signals and abstract sockets by the filter alone"
    )
    monkeypatch.setattr(landlock, "abi", lambda: 6)
    assert describe() == "Landlock ABI 6 and a filter of system calls"


OPENING = """
import os, sys
from proxx_worker.process import landlock, seccomp
path, source, machine = sys.argv[1], int(sys.argv[2]), os.uname().machine
rules = landlock.Ruleset(int(sys.argv[3]))
rules.restrict()
seccomp.install(machine, seccomp.for_process(seccomp.filter_template(machine, 64), os.getpid()))
for target in (path, f"/dev/fd/{source}"):
    for flags in (os.O_ACCMODE, os.O_ACCMODE | os.O_TRUNC, os.O_RDONLY | os.O_TRUNC, os.O_WRONLY | os.O_TRUNC):
        try:
            os.open(target, flags)
            print(target, oct(flags))
        except PermissionError:
            pass
"""


@pytest.mark.parametrize("abi", [1, 2, 3])
def test_on_older_kernels_no_way_of_opening_empties_a_file(tmp_path: Path, abi: int) -> None:
    """With the rules of their Landlock, which knows no truncation before ABI 3."""
    if landlock.abi() < abi:
        pytest.skip("this kernel is older still")
    victim = tmp_path / "victim"
    victim.write_bytes(b"clip")
    with victim.open("rb") as source:
        command = [sys.executable, "-c", OPENING, str(victim), str(source.fileno()), str(abi)]
        opened = subprocess.run(command, cwd=ROOT, pass_fds=(source.fileno(),), stdout=subprocess.PIPE, text=True, check=True)
    assert (opened.stdout, victim.read_bytes()) == ("", b"clip")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [("system", "Darwin", "this system lacks"), ("machine", "riscv64", "those of riscv64 are not")],
)
def test_elsewhere_it_is_refused(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, name: str, value: str, reason: str) -> None:
    monkeypatch.setattr(platform, name, lambda: value)
    with pytest.raises(ProxxError, match=reason) as caught:
        sandbox.require()
    assert caught.value.code is ErrorCode.SANDBOX_UNAVAILABLE
    assert 'sandbox = "off"' in str(caught.value)
