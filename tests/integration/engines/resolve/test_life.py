"""What ends before its time: a stop, a killed child, a second worker. The next job finds, ends and removes what is left."""

import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.output_settings import Engine
from proxx_worker.contract.result import JobResult, JobStatus
from proxx_worker.engines.resolve.child.session import OURS
from proxx_worker.engines.resolve.engine import ResolveEngine
from proxx_worker.engines.resolve.lock import ResolveLock, holder_of
from proxx_worker.process.stop import StopFlag
from tests.acceptance.command import wait_until
from tests.integration.engines.resolve.test_faults import SETTINGS
from tests.support.engine import Log
from tests.support.jobs import Watcher, execute, spec
from tests.support.resolve.world import FILM, StandIn, alive

Act = Callable[[], object]
RENDERS_ON: dict[str, object] = {"render": {"stuck": 47, "last_frame": {"seconds": 0.5}}}
LOOKS = 20


@pytest.fixture(params=[False, True], ids=["attached", "started"])
def starts(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def standin(tmp_path: Path, *, starts: bool) -> Iterator[StandIn]:
    with StandIn.made(tmp_path / "standin", server=RENDERS_ON) as standin:
        if not starts:
            standin.start()
        yield standin


@pytest.fixture
def engine(standin: StandIn, *, starts: bool) -> ResolveEngine:
    return standin.engine(starts=starts)


def run(
    engine: ResolveEngine, clip: Path, out: Path, *, act: Act | None = None, stop: StopFlag, log: Log | None = None
) -> JobResult:
    """One job; `act` is called once the render writes its file."""

    def act_then() -> None:
        if act is not None:
            wait_until(lambda: list(out.glob("*/*.mov")), "the render's file")
            act()

    watcher = Watcher({("progressed", 1): act_then})
    return execute(engine, spec([clip], out, **SETTINGS), stop, watcher=watcher, kind=Engine.RESOLVE, log=log)


def require_next_job_clears(standin: StandIn, engine: ResolveEngine, clip: Path, out: Path) -> None:
    """The next job ends our render and removes our projects, and no other."""
    standin.configure(server={})
    stop = StopFlag()
    result = run(engine, clip, out, stop=stop)
    stop.close()
    assert (result.status, result.error) == (JobStatus.COMPLETED, None)
    assert standin.projects() == [FILM]


def names(standin: StandIn) -> list[str]:
    return [name for name, _ in standin.calls()]


def test_a_stop_ends_the_render_and_leaves_nothing(
    standin: StandIn, engine: ResolveEngine, clips: dict[str, Path], out: Path, stop: StopFlag, *, starts: bool
) -> None:
    before = standin.pids()
    result = run(engine, clips["plain"], out, act=stop.request, stop=stop)
    assert result.error is not None
    assert result.error.code is ErrorCode.INTERRUPTED
    assert list(out.iterdir()) == []
    assert standin.pids() == before, "an attached Resolve lives, a started one does not"
    if not starts:
        assert "Project.StopRendering" in names(standin)
        assert [name for name in standin.projects() if OURS.fullmatch(name)], "the mark of a render that may still go on"
    require_next_job_clears(standin, engine, clips["plain"], out)


def test_what_is_started_finds_its_preferences_and_names_of_any_language(
    tmp_path: Path, clips: dict[str, Path], out: Path, stop: StopFlag
) -> None:
    found: dict[str, str] = {}
    with StandIn.made(tmp_path / "standin") as standin:

        def look() -> None:
            (pid,) = standin.pids()
            lines = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
            found.update({name: value for name, _, value in (line.partition("=") for line in lines if line)})

        result = run(standin.engine(starts=True), clips["plain"], out, act=look, stop=stop)
        assert (result.status, result.error) == (JobStatus.COMPLETED, None)
    assert {name: found[name] for name in ("HOME", "LC_ALL")} == {"HOME": pwd.getpwuid(os.getuid()).pw_dir, "LC_ALL": "C.UTF-8"}
    assert set(found) <= {
        "HOME",
        "LC_ALL",
        "LC_CTYPE",
        "PATH",
        "TZ",
        "RESOLVE_SCRIPT_API",
        "RESOLVE_SCRIPT_LIB",
        "PWD",
        "SHLVL",
        "_",
    }


@pytest.mark.parametrize("fault", [{"error": "Disk is full"}, {"file": "none"}], ids=["failed answer", "nothing made"])
def test_what_is_started_is_quit_also_after_a_failure(
    tmp_path: Path, clips: dict[str, Path], out: Path, stop: StopFlag, fault: dict[str, object]
) -> None:
    with StandIn.made(tmp_path / "standin", server={"render": fault}) as standin:
        result = run(standin.engine(starts=True), clips["plain"], out, stop=stop)
        assert result.error is not None
        assert names(standin).count("Resolve.Quit") == 2, "after the look, and after the render"
        assert standin.projects() == [FILM], "and its projects were removed first"
        assert standin.pids() == []


def test_a_killed_child_takes_what_it_started_along(
    standin: StandIn, engine: ResolveEngine, clips: dict[str, Path], out: Path, stop: StopFlag
) -> None:
    before = standin.pids()

    def kill() -> None:
        for client in filter(alive, standin.clients()):
            os.kill(client, signal.SIGKILL)

    result = run(engine, clips["plain"], out, act=kill, stop=stop)
    assert result.error is not None
    assert result.error.code is ErrorCode.RESOLVE_FAILED
    assert "was killed by SIGKILL during" in result.error.message
    assert list(out.iterdir()) == []
    assert standin.pids() == before
    require_next_job_clears(standin, engine, clips["plain"], out)


def test_a_render_that_outlives_its_client_is_ended_by_the_next_job(
    tmp_path: Path, clips: dict[str, Path], out: Path, stop: StopFlag
) -> None:
    with StandIn.made(tmp_path / "standin", server={"render": {"stuck": 47}}) as standin:
        standin.start()
        engine = standin.engine()

        def kill() -> None:
            for client in filter(alive, standin.clients()):
                os.kill(client, signal.SIGKILL)

        run(engine, clips["plain"], out, act=kill, stop=stop)
        assert "Project.StopRendering" not in names(standin), "nobody has told Resolve"
        require_next_job_clears(standin, engine, clips["plain"], out)
        assert names(standin).count("Project.StopRendering") == 1


@pytest.mark.parametrize(
    "frame",
    [{"last_frame": {"looks": LOOKS}}, {"last_frame": {"seconds": 4.0}, "stop_waits": True}],
    ids=["answered at once", "answered when it is over"],
)
def test_a_stop_that_takes_longer_than_the_worker_waits_is_finished_by_the_next_job(
    tmp_path: Path, clips: dict[str, Path], out: Path, stop: StopFlag, frame: dict[str, object]
) -> None:
    with StandIn.made(tmp_path / "standin", server={"render": {"stuck": 47, **frame}}) as standin:
        standin.start()
        engine, log = standin.engine(), Log()
        result = run(engine, clips["plain"], out, act=stop.request, stop=stop, log=log)
        assert result.error is not None
        assert result.error.code is ErrorCode.INTERRUPTED
        killed = log.fields["resolve_ended"]["exit_code"] == -signal.SIGKILL
        assert killed == ("stop_waits" in frame), "a child that waits for the answer is killed after its 1.5 s"
        assert list(out.iterdir()) == []
        assert names(standin)[-1] == "Project.StopRendering", "nobody has looked since: it still renders"
        require_next_job_clears(standin, engine, clips["plain"], out)
        again = names(standin)
        assert again.count("Project.StopRendering") == 2
        looks = again[again.index("Project.StopRendering") :]
        looks = looks[: looks.index("ProjectManager.CloseProject")]
        assert looks.count("Project.IsRenderingInProgress") > ("stop_waits" not in frame) * LOOKS


def test_a_project_that_is_left_is_no_hindrance_to_the_same_job_again(
    tmp_path: Path, clips: dict[str, Path], out: Path, stop: StopFlag
) -> None:
    refused = {"return": False}
    with StandIn.made(tmp_path / "standin", server={"answers": {"ProjectManager.DeleteProject": refused}}) as standin:
        standin.start()
        run(standin.engine(), clips["plain"], out, stop=stop)
        assert any(name.endswith(" survey") for name in standin.projects())
        standin.end()
        standin.configure(server={"answers": {"ProjectManager.DeleteProject": [refused]}})
        standin.start()
        again = tmp_path / "again"
        again.mkdir()
        result = run(standin.engine(), clips["plain"], again, stop=stop)
        assert (result.status, result.error) == (JobStatus.COMPLETED, None)
        assert standin.projects() == [FILM]


def test_one_worker_uses_a_resolve_and_the_second_is_told_who(
    standin: StandIn, engine: ResolveEngine, clips: dict[str, Path], out: Path, stop: StopFlag, *, starts: bool
) -> None:
    engine.lock.acquire()
    result = run(standin.engine(starts=starts), clips["plain"], out, stop=stop)
    assert result.error is not None
    assert (result.error.code, result.error.details["pid"]) == (ErrorCode.RESOLVE_UNAVAILABLE, os.getpid())
    assert f"process {os.getpid()} (" in result.error.message
    assert standin.calls() == []


def test_a_lock_is_waited_for_while_the_child_of_a_dead_worker_dies(tmp_path: Path) -> None:
    library = tmp_path / "fusionscript.so"
    library.touch()
    worker = "import fcntl, subprocess, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); "
    child = "subprocess.Popen(['sleep', '0.5'], pass_fds=[f.fileno()], stdout=subprocess.DEVNULL)"
    subprocess.run([sys.executable, "-c", worker + child, library], check=True)
    lock = ResolveLock(str(library))
    try:
        assert lock.acquire() == lock.acquire()
        assert holder_of(library.stat().st_ino) == os.getpid()
    finally:
        lock.close()
    lock.close()
    assert holder_of(library.stat().st_ino) is None


def test_what_cannot_be_locked_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProxxError, match="must lock") as refusal:
        ResolveLock(str(tmp_path / "missing.so")).acquire()
    assert (refusal.value.code, refusal.value.error.details["errno"]) == (ErrorCode.RESOLVE_UNAVAILABLE, "ENOENT")


def test_a_system_that_does_not_tell_who_holds_it(tmp_path: Path) -> None:
    assert holder_of(1, tmp_path / "none") is None
    listed = tmp_path / "locks"
    listed.write_text("1: POSIX  ADVISORY  WRITE 12 08:01:1 0 EOF\n2: FLOCK  ADVISORY  WRITE 0 08:01:1 0 EOF\n")
    assert holder_of(1, listed) is None, "another kind of lock, and a process of another namespace"
    listed.write_text("1: FLOCK  ADVISORY  WRITE 12 08:01:1 0 EOF\n")
    assert holder_of(1, listed) == 12
