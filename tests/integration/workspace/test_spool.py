"""Claim, commit and finish on a real filesystem: what moves, what is durable, and what others' interference does not break."""

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.result import JobStatus, decode_result
from proxx_worker.contract.strict_json import MAX_SPEC_BYTES
from proxx_worker.files import allocate
from proxx_worker.process.stop import BeatingStop, StopFlag
from proxx_worker.workspace import claimed as claimed_module
from proxx_worker.workspace.claimed import ClaimedJob
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.spool import RECORD_BYTES, Spool
from tests.support.results import result_of
from tests.support.stops import NEVER

DONE, FAILED = JobStatus.COMPLETED, JobStatus.FAILED


@pytest.fixture
def root(tmp_path: Path) -> Path:
    Workspace(tmp_path).prepare()
    return tmp_path


@pytest.fixture
def spool(root: Path) -> Spool:
    return Spool(Workspace(root), NEVER)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def claim(spool: Spool, name: str) -> ClaimedJob:
    job = spool.claim(os.fsencode(name))
    assert job is not None
    return job


def do(spool: Spool, name: str, status: JobStatus = FAILED) -> ClaimedJob:
    job = claim(spool, name)
    spool.commit(job, result_of(job, status))
    spool.finish(job, status)
    return job


@pytest.fixture
def trace(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was synced and renamed, in order. Everything is done all the same."""
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def note_sync(fd: int) -> None:
        steps.append(f"sync {Path(f'/proc/self/fd/{fd}').readlink().name}")
        fsync(fd)

    def note_replace(src: bytes, dst: bytes) -> None:
        steps.append(f"replace {os.fsdecode(dst).rpartition('/')[2]}")
        replace(src, dst)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "replace", note_replace)
    return steps


class TestClaim:
    def test_moves_the_very_file_and_reads_it(self, spool: Spool, root: Path) -> None:
        path = root / "inbox" / "clip.json"
        path.write_bytes(b'{"a": 1}')
        inode = path.stat().st_ino
        job = claim(spool, "clip.json")
        assert job == ClaimedJob(b"clip", b'{"a": 1}', 8, hashlib.sha256(b'{"a": 1}').hexdigest())
        assert job.name == "clip"
        assert names(root / "inbox") == set()
        assert (root / "running" / "clip.json").stat().st_ino == inode
        assert names(root / "running") == {"clip.json", "clip.log"}

    def test_is_durable_before_anything_else_is_done(self, spool: Spool, root: Path, trace: list[str]) -> None:
        (root / "inbox" / "clip.json").write_bytes(b"{}")
        claim(spool, "clip.json")
        assert trace[-3:] == ["sync clip.json", "sync running", "sync inbox"]

    def test_what_has_gone_is_no_job(self, spool: Spool, root: Path) -> None:
        assert spool.claim(b"clip.json") is None
        assert names(root / "running") == set()

    @pytest.mark.parametrize("folder", ["inbox", "running"])
    def test_a_folder_that_has_gone_is_an_error(self, folder: str, spool: Spool, root: Path) -> None:
        (root / folder).rmdir()
        with pytest.raises(ProxxError) as caught:
            spool.claim(b"clip.json")
        assert caught.value.code is ErrorCode.WORKSPACE_INVALID

    @pytest.mark.parametrize("make", [lambda path: path.symlink_to("/etc/hostname"), lambda path: path.mkdir(), os.mkfifo])
    def test_what_is_not_a_regular_file_is_put_back(self, make: Callable[[Path], None], spool: Spool, root: Path) -> None:
        make(root / "inbox" / "clip.json")
        assert spool.claim(b"clip.json") is None
        assert names(root / "inbox") == {"clip.json"}
        assert names(root / "running") == set()

    @pytest.mark.parametrize("suffix", [".json", ".result.json", ".log"])
    @pytest.mark.parametrize("folder", ["running", "done", "failed"])
    def test_a_taken_name_gets_the_lowest_free_number(self, folder: str, suffix: str, spool: Spool, root: Path) -> None:
        (root / folder / f"clip{suffix}").write_bytes(b"taken")
        (root / "done" / "clip~3.log").touch()
        for _ in range(2):
            (root / "inbox" / "clip.json").write_bytes(b"{}")
            claim(spool, "clip.json")
        assert {"clip~2.json", "clip~4.json"} <= names(root / "running")
        assert (root / folder / f"clip{suffix}").read_bytes() == b"taken"

    def test_a_name_taken_in_the_last_moment_is_not_overwritten(
        self, spool: Spool, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (root / "inbox" / "clip.json").write_bytes(b"{}")
        is_taken = spool._is_taken  # noqa: SLF001 - to act between the look and the rename

        def look_then_take(stem: bytes) -> bool:
            taken = is_taken(stem)
            (root / "running" / "clip.json").write_bytes(b"another")
            return taken

        monkeypatch.setattr(spool, "_is_taken", look_then_take)
        assert claim(spool, "clip.json").stem == b"clip~2"
        assert (root / "running" / "clip.json").read_bytes() == b"another"

    def test_names_need_not_be_utf8(self, spool: Spool, root: Path) -> None:
        name = os.fsdecode(b"\xff\n%s.json")
        (root / "inbox" / name).write_bytes(b"{}")
        job = do(spool, name)
        assert job.name == "\\xff\n%s"
        result = decode_result((root / "failed" / os.fsdecode(b"\xff\n%s.result.json")).read_bytes())
        assert result.jobspec.name == job.name

    def test_the_longest_stem_with_its_number_fits(self, spool: Spool, root: Path) -> None:
        stem = "x" * 235
        for number in ("", "~2", "~3"):
            (root / "inbox" / f"{stem}.json").write_bytes(b"{}")
            assert do(spool, f"{stem}.json").name == stem + number

    def test_a_spec_over_the_limit_is_hashed_and_not_kept(self, spool: Spool, root: Path) -> None:
        data = b"x" * (MAX_SPEC_BYTES + 1)
        (root / "inbox" / "clip.json").write_bytes(data)
        job = claim(spool, "clip.json")
        assert (job.data, job.size, job.sha256) == (None, len(data), hashlib.sha256(data).hexdigest())

    def test_a_stop_cuts_the_hashing_short_and_not_the_claim(self, root: Path, stop: StopFlag) -> None:
        (root / "inbox" / "clip.json").write_bytes(b"x" * (3 * MAX_SPEC_BYTES))
        asked: list[int] = []

        def second_asks_for_it() -> None:
            asked.append(1)
            if len(asked) == 2:
                stop.request()

        job = claim(Spool(Workspace(root), BeatingStop(stop, second_asks_for_it)), "clip.json")
        assert (job.data, job.size, job.sha256) == (None, 3 * MAX_SPEC_BYTES, None)
        assert len(asked) == 2
        assert (root / "running" / "clip.json").exists()

    def test_a_spec_of_exactly_the_limit_is_read(self, spool: Spool, root: Path) -> None:
        (root / "inbox" / "clip.json").write_bytes(b"x" * MAX_SPEC_BYTES)
        job = claim(spool, "clip.json")
        assert job.data == b"x" * MAX_SPEC_BYTES

    def test_a_monster_is_not_read_through(self, spool: Spool, root: Path) -> None:
        with (root / "inbox" / "clip.json").open("wb") as stream:
            stream.truncate(claimed_module.HASHED_AT_MOST + 1)
        job = claim(spool, "clip.json")
        assert (job.data, job.sha256) == (None, None)

    def test_a_spec_that_may_not_be_read_is_claimed_and_says_why(
        self, spool: Spool, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (root / "inbox" / "clip.json").write_bytes(b"{}")
        real = os.open

        def refuse(path: bytes | str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
            if os.fsencode(path).endswith(b"running/clip.json"):
                raise PermissionError(errno.EACCES, "Permission denied")
            return real(path, flags, mode, dir_fd=dir_fd)

        monkeypatch.setattr(os, "open", refuse)
        job = claim(spool, "clip.json")
        assert job == ClaimedJob(b"clip", None, 2, None, unreadable="Permission denied")

    def test_a_disk_that_fails_to_read_is_an_error(self, spool: Spool, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (root / "inbox" / "clip.json").write_bytes(b"{}")

        def fail(_fd: int, _size: int) -> bytes:
            raise OSError(errno.EIO, "bad disk")

        monkeypatch.setattr(os, "read", fail)
        with pytest.raises(ProxxError) as caught:
            spool.claim(b"clip.json")
        assert caught.value.code is ErrorCode.IO_ERROR
        assert names(root / "running") == {"clip.json"}

    def test_a_spec_that_grows_while_it_is_read_is_too_large(
        self, spool: Spool, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = root / "running" / "clip.json"
        (root / "inbox" / "clip.json").write_bytes(b"{}")
        read = os.read

        def grow(fd: int, size: int) -> bytes:
            if path.stat().st_size == 2:
                path.write_bytes(b"x" * (MAX_SPEC_BYTES + 9))
            return read(fd, size)

        monkeypatch.setattr(os, "read", grow)
        job = claim(spool, "clip.json")
        assert (job.data, job.size) == (None, MAX_SPEC_BYTES + 9)
        assert job.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


class TestReservation:
    def test_the_space_is_there_before_the_claim(self, spool: Spool, root: Path) -> None:
        spool.reserve_record()
        record, log = root / ".proxx" / "next.result.json", root / ".proxx" / "next.log"
        assert record.stat().st_blocks * 512 >= RECORD_BYTES
        assert log.stat().st_blocks > 0

    def test_a_full_disk_is_found_before_the_claim(self, spool: Spool, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (root / "inbox" / "clip.json").write_bytes(b"{}")
        monkeypatch.setattr(allocate, "_allocate", lambda _fd, _size: errno.ENOSPC)
        with pytest.raises(ProxxError) as caught:
            spool.claim(b"clip.json")
        assert caught.value.code is ErrorCode.NO_SPACE
        assert names(root / "inbox") == {"clip.json"}

    def test_what_is_held_already_is_not_made_again(self, spool: Spool, root: Path) -> None:
        spool.reserve_record()
        inode = (root / ".proxx" / "next.result.json").stat().st_ino
        spool.reserve_record()
        spool.reserve_record(4 * RECORD_BYTES)
        status = (root / ".proxx" / "next.result.json").stat()
        assert status.st_ino == inode
        assert status.st_blocks * 512 >= 4 * RECORD_BYTES

    def test_a_leftover_is_removed_never_written_into(self, spool: Spool, root: Path) -> None:
        """After a power cut the leftover may be a job's committed record under another name."""
        record = root / "done" / "old.result.json"
        record.write_bytes(b"committed")
        os.link(record, root / ".proxx" / "next.result.json")
        spool.reserve_record()
        assert record.read_bytes() == b"committed"
        assert record.stat().st_nlink == 1


class TestCommit:
    @pytest.fixture
    def job(self, spool: Spool, root: Path) -> ClaimedJob:
        (root / "inbox" / "clip.json").write_bytes(b"{}")
        return claim(spool, "clip.json")

    def test_is_durable_in_one_step(self, spool: Spool, root: Path, job: ClaimedJob, trace: list[str]) -> None:
        spool.commit(job, result_of(job))
        assert trace == ["sync next.result.json", "replace clip.result.json", "sync running"]
        assert decode_result((root / "running" / "clip.result.json").read_bytes()) == result_of(job)
        assert names(root / ".proxx") == {"workspace-id"}

    def test_a_later_one_replaces_it_in_one_step(self, spool: Spool, root: Path, job: ClaimedJob) -> None:
        spool.commit(job, result_of(job, DONE))
        spool.commit(job, result_of(job, FAILED))
        assert decode_result((root / "running" / "clip.result.json").read_bytes()).status is FAILED

    def test_after_a_full_disk_a_shorter_one_still_fits(
        self, spool: Spool, root: Path, job: ClaimedJob, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spool.reserve_record()
        write = os.write

        def full(fd: int, data: memoryview) -> int:
            if len(data) > 5000:
                write(fd, data[:4096])
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(fd, data)

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(ProxxError) as caught:
            spool.commit(job, result_of(job, message="x" * 6000))
        assert caught.value.code is ErrorCode.NO_SPACE
        assert "clip.result.json" not in names(root / "running")
        spool.commit(job, result_of(job))
        assert decode_result((root / "running" / "clip.result.json").read_bytes()) == result_of(job)

    def test_a_file_whose_sync_failed_is_not_used_again(
        self, spool: Spool, root: Path, job: ClaimedJob, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spool.reserve_record()
        failed_inode = (root / ".proxx" / "next.result.json").stat().st_ino
        held = os.open(root / ".proxx" / "next.result.json", os.O_RDONLY)  # so that its number is not given again
        with monkeypatch.context() as patch:

            def fail(_fd: int) -> None:
                raise OSError(errno.EIO, "bad disk")

            patch.setattr(os, "fsync", fail)
            with pytest.raises(ProxxError) as caught:
                spool.commit(job, result_of(job))
            assert caught.value.code is ErrorCode.IO_ERROR
        assert "clip.result.json" not in names(root / "running")
        spool.commit(job, result_of(job))
        assert (root / "running" / "clip.result.json").stat().st_ino != failed_inode
        os.close(held)

    @pytest.mark.parametrize("done", [True, False])
    def test_a_lost_reply_counts_only_if_it_happened(
        self, spool: Spool, root: Path, job: ClaimedJob, *, done: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        replace = os.replace

        def lose(src: bytes, dst: bytes) -> None:
            if done:
                replace(src, dst)
            raise FileNotFoundError(errno.ENOENT, "lost reply")

        monkeypatch.setattr(os, "replace", lose)
        if done:
            spool.commit(job, result_of(job))
            assert (root / "running" / "clip.result.json").exists()
        else:
            with pytest.raises(ProxxError):
                spool.commit(job, result_of(job))


class TestFinish:
    @pytest.mark.parametrize(("status", "folder"), [(DONE, "done"), (FAILED, "failed")])
    def test_all_three_files_go_to_their_folder(self, status: JobStatus, folder: str, spool: Spool, root: Path) -> None:
        (root / "inbox" / "clip.json").write_bytes(b"{}")
        do(spool, "clip.json", status)
        assert names(root / folder) == {"clip.json", "clip.result.json", "clip.log"}
        assert names(root / "running") == set()

    def test_the_spec_goes_last_each_step_durable(self, spool: Spool, root: Path, trace: list[str]) -> None:
        (root / "inbox" / "clip.json").write_bytes(b"{}")
        job = claim(spool, "clip.json")
        spool.commit(job, result_of(job))
        trace.clear()
        spool.finish(job, FAILED)
        assert trace == ["sync clip.log", "sync failed", "sync failed", "sync running"]

    def test_the_log_keeps_its_lines_and_gives_back_its_space(self, spool: Spool, root: Path) -> None:
        (root / "inbox" / "clip.json").write_bytes(b"{}")
        job = claim(spool, "clip.json")
        for line in (b"one\n", b"two\n"):
            fd = spool.open_log(job)
            os.write(fd, line)
            os.close(fd)
        spool.commit(job, result_of(job))
        spool.finish(job, FAILED)
        log = root / "failed" / "clip.log"
        assert log.read_bytes() == b"one\ntwo\n"
        assert log.stat().st_blocks * 512 <= 4096

    def test_a_lost_log_is_made_again(self, spool: Spool, root: Path) -> None:
        (root / "inbox" / "clip.json").write_bytes(b"{}")
        job = claim(spool, "clip.json")
        (root / "running" / "clip.log").unlink()
        spool.commit(job, result_of(job))
        spool.finish(job, FAILED)
        assert "clip.log" in names(root / "failed")

    @pytest.mark.parametrize("suffix", [".json", ".result.json", ".log"])
    def test_a_name_that_somebody_took_meanwhile_is_kept_and_so_is_the_job(self, suffix: str, spool: Spool, root: Path) -> None:
        (root / "inbox" / "clip.json").write_bytes(b"{}")
        job = claim(spool, "clip.json")
        (root / "failed" / f"clip{suffix}").write_bytes(b"another's")
        spool.commit(job, result_of(job))
        spool.finish(job, FAILED)
        assert (root / "failed" / f"clip{suffix}").read_bytes() == b"another's"
        assert {"clip~2.json", "clip~2.result.json", "clip~2.log"} <= names(root / "failed")
        assert names(root / "running") == set()

    def test_finishing_twice_is_an_error_and_changes_nothing(self, spool: Spool, root: Path) -> None:
        (root / "inbox" / "clip.json").write_bytes(b"{}")
        job = do(spool, "clip.json")
        before = {path.name: path.read_bytes() for path in (root / "failed").iterdir()}
        with pytest.raises(ProxxError):
            spool.finish(job, FAILED)
        assert {path.name: path.read_bytes() for path in (root / "failed").iterdir()} == before

    def test_a_missing_outbox_is_an_error(self, spool: Spool, root: Path) -> None:
        (root / "inbox" / "clip.json").write_bytes(b"{}")
        job = claim(spool, "clip.json")
        spool.commit(job, result_of(job))
        (root / "failed").rmdir()
        with pytest.raises(ProxxError) as caught:
            spool.finish(job, FAILED)
        assert caught.value.code is ErrorCode.WORKSPACE_INVALID
        assert {"clip.json", "clip.result.json"} <= names(root / "running")
