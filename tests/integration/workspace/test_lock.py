"""One owner per workspace, by real processes."""

import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.workspace import holder as holder_module
from proxx_worker.workspace.holder import Holder, ProcessState, is_dead_here, this_process
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.lock import WorkspaceLock
from tests.support.processes import await_end

SINCE = "2026-01-01T00:00:00Z"
ROUNDS = 100

HOLD = """
import os, sys
from pathlib import Path
from proxx_worker.contract.errors import ProxxError
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.lock import WorkspaceLock
for root in sys.stdin:
    try:
        lock = WorkspaceLock.acquire(Workspace(Path(root.strip())), since="2026-01-01T00:00:00Z")
    except ProxxError as error:
        print(error.code, error, flush=True)
        continue
    print("owned", os.getpid(), flush=True)
    if "orphan" in sys.argv:
        pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exec cat >/dev/null"], {},
            file_actions=[(os.POSIX_SPAWN_DUP2, fd, fd) for fd in lock.filenos()])
        print(pid, flush=True)
"""


class Process:
    """A process that tries to own each workspace that it is told, and holds what it owns until its end."""

    def __init__(self, *modes: str) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-c", HOLD, *modes], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def answer(self) -> str:
        assert self.child.stdout is not None
        return self.child.stdout.readline().strip()

    def own(self, root: Path) -> None:
        assert self.child.stdin is not None
        self.child.stdin.write(f"{root}\n")
        self.child.stdin.flush()

    def end(self) -> None:
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.close()
        self.child.wait()
        self.child.stdout.close()


@contextmanager
def process(root: Path | None, *modes: str) -> Iterator[Process]:
    it = Process(*modes)
    try:
        if root is not None:
            it.own(root)
        yield it
    finally:
        if it.child.poll() is None:
            it.child.kill()
        it.end()


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleeps = 0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.sleeps += 1


def acquire(root: Path, clock: Clock | None = None) -> WorkspaceLock:
    clock = clock or Clock()
    return WorkspaceLock.acquire(Workspace(root), since=SINCE, monotonic=clock.monotonic, sleep=clock.sleep)


def refusal(root: Path, clock: Clock | None = None) -> ProxxError:
    with pytest.raises(ProxxError) as caught:
        acquire(root, clock)
    return caught.value


def snapshot(root: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(path.relative_to(root)): (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in sorted(root.rglob("*"))
    }


class TestOwnership:
    def test_the_holder_is_named_in_the_lock_file(self, tmp_path: Path) -> None:
        with acquire(tmp_path) as lock:
            named = json.loads((tmp_path / ".proxx" / "worker.lock").read_bytes())
            assert (named["pid"], named["host"], named["since"]) == (os.getpid(), socket.gethostname(), SINCE)
            assert lock.still_owned()
            lock.require_owned()

    def test_the_second_is_refused_at_once_naming_the_first_and_touches_nothing(self, tmp_path: Path) -> None:
        with process(tmp_path) as first:
            _, pid = first.answer().split()
            before = snapshot(tmp_path)
            clock = Clock()
            error = refusal(tmp_path, clock)
            assert error.code is ErrorCode.WORKSPACE_BUSY
            assert error.error.details == {
                "path": str(tmp_path),
                "pid": int(pid),
                "host": socket.gethostname(),
                "since": "2026-01-01T00:00:00Z",
            }
            assert all(word in str(error) for word in (pid, socket.gethostname(), SINCE))
            assert clock.sleeps == 0
            assert snapshot(tmp_path) == before

    def test_the_end_of_the_holder_gives_it_up(self, tmp_path: Path) -> None:
        with process(tmp_path) as first:
            first.answer()
        with acquire(tmp_path):
            pass

    def test_closing_gives_it_up_and_keeps_the_file(self, tmp_path: Path) -> None:
        acquire(tmp_path).close()
        assert (tmp_path / ".proxx" / "worker.lock").exists()
        acquire(tmp_path).close()

    def test_a_missing_workspace_cannot_be_owned(self, tmp_path: Path) -> None:
        assert refusal(tmp_path / "nothing").code is ErrorCode.WORKSPACE_INVALID

    def test_a_symlink_in_place_of_the_lock_file_is_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / ".proxx").mkdir()
        (tmp_path / ".proxx" / "worker.lock").symlink_to("elsewhere")
        assert refusal(tmp_path).code is ErrorCode.IO_ERROR
        assert not (tmp_path / ".proxx" / "elsewhere").exists()

    def test_of_three_started_at_once_one_owns(self, tmp_path: Path) -> None:
        with process(None) as one, process(None) as two, process(None) as three:
            for number in range(ROUNDS):
                root = tmp_path / str(number)
                root.mkdir()
                for it in (one, two, three):
                    it.own(root)
                answers = [it.answer() for it in (one, two, three)]
                owners = [answer.split()[1] for answer in answers if answer.startswith("owned")]
                losers = [answer for answer in answers if answer.startswith("WORKSPACE_BUSY")]
                assert (len(owners), len(losers)) == (1, 2), answers
                assert all(f"process {owners[0]} on" in answer for answer in losers), answers


class TestLosingIt:
    def test_a_removed_lock_file_does_not_make_room_for_a_second_owner(self, tmp_path: Path) -> None:
        with process(tmp_path) as first:
            first.answer()
            (tmp_path / ".proxx" / "worker.lock").unlink()
            assert refusal(tmp_path).code is ErrorCode.WORKSPACE_BUSY

    @pytest.mark.parametrize("path", [".proxx/worker.lock", ".proxx", "running", "."])
    def test_the_owner_notices_that_it_is_no_longer_the_one(self, path: str, tmp_path: Path) -> None:
        root = tmp_path / "workspace"
        root.mkdir()
        with acquire(root) as lock:
            (root / path).rename(tmp_path / "away")
            assert not lock.still_owned()
            with pytest.raises(ProxxError) as caught:
                lock.require_owned()
            assert caught.value.code is ErrorCode.WORKSPACE_INVALID

    def test_what_its_share_has_lost_is_no_longer_the_owners(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def lost(_fd: int) -> os.stat_result:
            raise OSError(errno.ESTALE, "Stale file handle")

        with acquire(tmp_path) as lock, monkeypatch.context() as patch:
            patch.setattr(os, "fstat", lost)
            assert not lock.still_owned()

    def test_a_replaced_lock_file_is_noticed(self, tmp_path: Path) -> None:
        with acquire(tmp_path) as lock:
            path = tmp_path / ".proxx" / "worker.lock"
            path.rename(tmp_path / "away")
            path.write_bytes((tmp_path / "away").read_bytes())
            assert not lock.still_owned()


class TestDyingEncoder:
    def test_the_lock_of_a_dead_holder_is_waited_for_two_seconds(self, tmp_path: Path) -> None:
        with process(tmp_path, "orphan") as first:
            first.answer()
            orphan = int(first.answer())
            first.child.send_signal(signal.SIGKILL)
            first.child.wait()
            clock = Clock()
            error = refusal(tmp_path, clock)
            assert error.code is ErrorCode.WORKSPACE_BUSY
            assert 2.0 <= clock.now < 2.1
            if sys.platform == "linux":
                assert f"is locked by process {orphan} (cat) that process {first.child.pid}, a worker since {SINCE}," in str(
                    error
                )
            assert error.error.details["pid"] == first.child.pid
            os.kill(orphan, signal.SIGKILL)

    def test_where_nobody_can_be_found_the_dead_holder_is_still_called_dead(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with acquire(tmp_path):
            monkeypatch.setattr("proxx_worker.workspace.lock.is_dead_here", lambda _: True)
            monkeypatch.setattr("proxx_worker.workspace.lock.inheritor_of", lambda _: None)
            assert f"is locked by a process that process {os.getpid()}, a worker since {SINCE}, left" in str(refusal(tmp_path))

    def test_a_holder_that_nobody_has_asked_for_yet_is_dead(self, tmp_path: Path) -> None:
        with process(tmp_path, "orphan") as first:
            first.answer()
            orphan = int(first.answer())
            first.child.send_signal(signal.SIGKILL)
            await_end(first.child.pid)  # it is still in the table of processes
            clock = Clock()
            refusal(tmp_path, clock)
            assert clock.sleeps > 0
            os.kill(orphan, signal.SIGKILL)

    def test_it_is_owned_as_soon_as_the_encoder_is_gone(self, tmp_path: Path) -> None:
        with process(tmp_path, "orphan") as first:
            first.answer()
            orphan = int(first.answer())
            first.child.send_signal(signal.SIGKILL)
            first.child.wait()
            clock = Clock()

            def kill_then_wait(seconds: float) -> None:
                clock.sleep(seconds)
                os.kill(orphan, signal.SIGKILL)
                await_end(orphan)

            WorkspaceLock.acquire(Workspace(tmp_path), since=SINCE, monotonic=clock.monotonic, sleep=kill_then_wait).close()
            assert clock.sleeps == 1


class TestFoldersThatCannotBeLocked:
    @pytest.fixture
    def _no_folder_locks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        flock = fcntl.flock

        def refuse_folders(fd: int, operation: int) -> None:
            if Path(f"/proc/self/fd/{fd}").is_dir():
                raise OSError(errno.EBADF, "a folder")
            flock(fd, operation)

        monkeypatch.setattr(fcntl, "flock", refuse_folders)

    @pytest.mark.usefixtures("_no_folder_locks")
    def test_the_file_alone_serves(self, tmp_path: Path) -> None:
        with acquire(tmp_path) as lock:
            assert lock.still_owned()
            assert refusal(tmp_path).code is ErrorCode.WORKSPACE_BUSY

    def test_any_other_refusal_is_an_error(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(_fd: int, _operation: int) -> None:
            raise OSError(errno.EIO, "bad disk")

        monkeypatch.setattr(fcntl, "flock", fail)
        assert refusal(tmp_path).code is ErrorCode.IO_ERROR


class TestHolder:
    def test_is_read_back(self) -> None:
        holder = this_process(SINCE)
        assert Holder.decode(holder.encode()) == holder
        assert holder.start_token is not None

    @pytest.mark.parametrize(
        "content", [b"", b"{", b"[]", b"{}", b'{"pid": "1", "host": "h", "since": "s", "start_token": null}', b"\xff"]
    )
    def test_anything_else_names_nobody(self, content: bytes, tmp_path: Path) -> None:
        assert Holder.decode(content) is None
        (tmp_path / "lock").write_bytes(content)
        assert Holder.read(os.fsencode(tmp_path / "lock")) is None

    def test_no_file_names_nobody(self, tmp_path: Path) -> None:
        assert Holder.read(os.fsencode(tmp_path / "lock")) is None
        assert Holder.read(os.fsencode(tmp_path)) is None

    def test_this_process_lives(self) -> None:
        assert not is_dead_here(this_process(SINCE))

    def test_a_pid_that_was_used_again_is_a_dead_holder(self) -> None:
        me = this_process(SINCE)
        assert is_dead_here(Holder(me.pid, me.host, SINCE, "another boot:1"))

    def test_a_process_of_another_host_cannot_be_known(self) -> None:
        assert not is_dead_here(Holder(999_999_999, "elsewhere.invalid", SINCE, None))

    def test_a_pid_that_is_gone_is_dead(self) -> None:
        child = subprocess.Popen(["/bin/true"])
        child.wait()
        assert is_dead_here(Holder(child.pid, socket.gethostname(), SINCE, None))

    def test_without_a_start_time_a_live_pid_is_believed(self) -> None:
        assert not is_dead_here(Holder(os.getpid(), socket.gethostname(), SINCE, None))

    def test_a_pid_beyond_all_pids_is_not_known(self) -> None:
        assert not is_dead_here(Holder(1 << 80, socket.gethostname(), SINCE, None))


class TestEverySystemsWay:
    """Linux reads proc(5), every other system asks psutil: both must tell the same of the same processes."""

    @pytest.mark.parametrize("look", [holder_module.inspect_by_proc, holder_module.inspect_by_psutil])
    def test_of_living_and_dead_and_missing_processes(self, look: Callable[[int], ProcessState | None]) -> None:
        child = subprocess.Popen(["/bin/true"])
        await_end(child.pid)
        corpse = look(child.pid)
        child.wait()
        living = look(os.getpid())
        assert living is not None
        assert living == look(os.getpid())
        assert not living.is_zombie
        assert corpse is not None
        assert corpse.is_zombie
        assert look(2**22 + 1) is None
