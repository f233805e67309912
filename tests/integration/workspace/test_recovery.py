"""What a crash can leave, and that the next start makes of it what the contract says: once, and again if it is cut."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.result import JobStatus, decode_result, encode_result
from proxx_worker.contract.states import Decision
from proxx_worker.workspace.claimed import ClaimedJob
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.recovery import Recovery, recover
from proxx_worker.workspace.spool import Spool
from tests.faults.invariants import Expected, violations
from tests.support.leases import held
from tests.support.results import result_of
from tests.support.stops import NEVER

DONE, FAILED = JobStatus.COMPLETED, JobStatus.FAILED
SPEC = b'{"spec": 1}'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    Workspace(tmp_path).prepare()
    return tmp_path


def start(root: Path) -> Spool:
    """A new process's spool: nothing is remembered."""
    return Spool(Workspace(root), NEVER)


def drop(root: Path, name: str = "clip.json", data: bytes = SPEC) -> None:
    (root / "inbox" / name).write_bytes(data)


def claim(root: Path, name: str = "clip.json") -> tuple[Spool, ClaimedJob]:
    spool = start(root)
    job = spool.claim(os.fsencode(name))
    assert job is not None
    return spool, job


def finish_jobs(root: Path) -> list[Decision]:
    """What the worker does with each item, outputs apart."""
    spool = start(root)
    decisions = []
    for item in recover(spool).items:
        decisions.append(item.decision)
        record = item.record
        if record is None:
            record = result_of(item.job, message="interrupted")
            spool.commit(item.job, record)
        spool.finish(item.job, record.status)
    return decisions


def look(root: Path) -> Recovery:
    return recover(start(root))


def tree(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.is_relative_to(root / ".proxx")
    }


def assert_sound(root: Path, *specs: bytes) -> None:
    assert violations(root, Expected(specs or (SPEC,)), settled=True) == []


class TestDecisions:
    def test_nothing_running_is_nothing_to_do(self, root: Path) -> None:
        assert look(root) == Recovery((), ())

    def test_claimed_and_no_record_is_interrupted(self, root: Path) -> None:
        drop(root)
        claim(root)
        assert finish_jobs(root) == [Decision.INTERRUPT]
        assert_sound(root)

    @pytest.mark.parametrize(
        ("status", "decision", "folder"),
        [(DONE, Decision.PUBLISH_AND_FINISH, "done"), (FAILED, Decision.FINISH, "failed")],
    )
    def test_a_committed_record_is_carried_through(self, status: JobStatus, decision: Decision, folder: str, root: Path) -> None:
        drop(root)
        spool, job = claim(root)
        spool.commit(job, result_of(job, status))
        items = look(root).items
        assert [(item.job, item.decision, item.record) for item in items] == [(job, decision, result_of(job, status))]
        assert finish_jobs(root) == [decision]
        assert (root / folder / "clip.json").exists()
        assert_sound(root)

    @pytest.mark.parametrize("data", [b"", b"{", b'{"status": "COMPLETED"}', b"\0" * 4096])
    def test_a_torn_record_is_kept_beside_the_job_and_interrupts_it(self, data: bytes, root: Path) -> None:
        drop(root)
        claim(root)
        (root / "running" / "clip.result.json").write_bytes(data)
        assert finish_jobs(root) == [Decision.INTERRUPT]
        assert (root / "failed" / "clip.corrupt").read_bytes() == data
        assert_sound(root)

    def test_the_name_of_a_torn_record_always_fits(self, root: Path) -> None:
        stem = "x" * 235
        drop(root, f"{stem}.json")
        claim(root, f"{stem}.json")
        (root / "running" / f"{stem}.result.json").write_bytes(b"torn")
        finish_jobs(root)
        assert (root / "failed" / f"{stem}.corrupt").read_bytes() == b"torn"

    def test_an_older_torn_record_of_that_name_is_kept_too(self, root: Path) -> None:
        (root / "failed" / "clip.corrupt").write_bytes(b"older")
        (root / "running" / "clip.corrupt").write_bytes(b"old")
        drop(root)
        claim(root)
        (root / "running" / "clip.result.json").write_bytes(b"torn")
        finish_jobs(root)
        kept = {path.read_bytes() for folder in ("failed", "running") for path in (root / folder).glob("*.corrupt")}
        assert kept == {b"older", b"old", b"torn"}

    def test_a_torn_record_that_a_power_cut_left_under_both_names_is_one(self, root: Path) -> None:
        drop(root)
        claim(root)
        (root / "running" / "clip.result.json").write_bytes(b"torn")
        (root / "running" / "clip.corrupt").hardlink_to(root / "running" / "clip.result.json")
        (root / "failed" / "clip.corrupt").hardlink_to(root / "running" / "clip.result.json")
        finish_jobs(root)
        assert (root / "failed" / "clip.corrupt").read_bytes() == b"torn"
        assert_sound(root)

    @pytest.mark.parametrize(("status", "folder"), [(DONE, "done"), (FAILED, "failed")])
    @pytest.mark.parametrize("log_moved", [True, False])
    def test_a_result_in_the_outbox_means_only_the_rest_is_moved(
        self,
        status: JobStatus,
        folder: str,
        *,
        log_moved: bool,
        root: Path,
    ) -> None:
        drop(root)
        spool, job = claim(root)
        spool.commit(job, result_of(job, status))
        (root / "running" / "clip.result.json").rename(root / folder / "clip.result.json")
        if log_moved:
            (root / "running" / "clip.log").rename(root / folder / "clip.log")
        assert finish_jobs(root) == [Decision.MOVE_SPEC]
        assert_sound(root)

    def test_several_jobs_are_taken_in_the_order_of_their_names(self, root: Path) -> None:
        for name in ("b", "a", "c"):
            drop(root, f"{name}.json", name.encode())
            claim(root, f"{name}.json")
        assert [item.job.stem for item in look(root).items] == [b"a", b"b", b"c"]
        finish_jobs(root)
        assert_sound(root, b"a", b"b", b"c")

    def test_a_log_can_be_continued_wherever_it_is(self, root: Path) -> None:
        drop(root)
        spool, job = claim(root)
        spool.commit(job, result_of(job))
        for suffix in (".result.json", ".log"):
            (root / "running" / f"clip{suffix}").rename(root / "failed" / f"clip{suffix}")
        fd = start(root).open_log(job)
        os.write(fd, b"recovered\n")
        os.close(fd)
        finish_jobs(root)
        assert (root / "failed" / "clip.log").read_bytes() == b"recovered\n"
        assert_sound(root)

    def test_a_spec_that_another_program_holds_is_one_that_cannot_be_read(self, root: Path) -> None:
        drop(root)
        with held(root / "inbox" / "clip.json"):
            _, job = claim(root)
            assert (job.data, job.sha256, job.unreadable) == (None, None, "Resource temporarily unavailable")
            assert [item.decision for item in look(root).items] == [Decision.INTERRUPT]
        finish_jobs(root)

    def test_a_log_that_is_nowhere_is_begun_where_the_job_is(self, root: Path) -> None:
        drop(root)
        spool, job = claim(root)
        spool.commit(job, result_of(job))
        (root / "running" / "clip.result.json").rename(root / "failed" / "clip.result.json")
        (root / "running" / "clip.log").unlink(missing_ok=True)
        os.close(start(root).open_log(job))
        assert (root / "running" / "clip.log").exists()
        assert not (root / "failed" / "clip.log").exists()
        finish_jobs(root)
        assert_sound(root)

    def test_a_spec_that_is_too_large_is_known_by_its_digest(self, root: Path) -> None:
        large = b" " * ((1 << 20) + 1)
        drop(root, data=large)
        claim(root)
        (item,) = look(root).items
        assert (item.job.data, item.job.size, item.job.sha256) == (None, len(large), hashlib.sha256(large).hexdigest())


class TestFilesInTwoFolders:
    """What a power cut may leave of a rename on a filesystem that writes one folder before the other."""

    def test_a_claim_is_a_claim(self, root: Path) -> None:
        drop(root)
        claim(root)
        os.link(root / "running" / "clip.json", root / "inbox" / "clip.json")
        assert finish_jobs(root) == [Decision.INTERRUPT]
        assert_sound(root)

    def test_a_claim_under_a_number_is_one_too(self, root: Path) -> None:
        (root / "done" / "clip.log").touch()
        drop(root)
        _, job = claim(root)
        assert job.stem == b"clip~2"
        os.link(root / "running" / "clip~2.json", root / "inbox" / "clip.json")
        finish_jobs(root)
        (root / "done" / "clip.log").unlink()
        assert_sound(root)

    def test_another_file_of_the_name_in_the_inbox_is_another_job(self, root: Path) -> None:
        drop(root)
        claim(root)
        drop(root, data=b"another")
        finish_jobs(root)
        assert (root / "inbox" / "clip.json").read_bytes() == b"another"
        assert_sound(root, SPEC, b"another")

    @pytest.mark.parametrize(
        "both",
        [
            (".result.json",),
            (".log",),
            (".result.json", ".log"),
            (".result.json", ".log", ".json"),
            (".json",),
        ],
    )
    def test_a_finish_is_carried_on(self, both: tuple[str, ...], root: Path) -> None:
        drop(root)
        spool, job = claim(root)
        spool.commit(job, result_of(job))
        for suffix in (".result.json", ".log", ".json"):
            here, there = root / "running" / f"clip{suffix}", root / "failed" / f"clip{suffix}"
            if suffix in both:
                there.hardlink_to(here)
            elif ".json" in both:
                here.rename(there)
        finish_jobs(root)
        assert_sound(root)

    def test_the_log_alone_in_the_outbox_is_ours(self, root: Path) -> None:
        drop(root)
        spool, job = claim(root)
        spool.commit(job, result_of(job))
        (root / "running" / "clip.log").rename(root / "failed" / "clip.log")
        finish_jobs(root)
        assert_sound(root)

    def test_leftovers_of_a_finished_job_go(self, root: Path) -> None:
        drop(root)
        spool, job = claim(root)
        spool.commit(job, result_of(job))
        spool.finish(job, FAILED)
        for suffix in (".result.json", ".log"):
            (root / "running" / f"clip{suffix}").hardlink_to(root / "failed" / f"clip{suffix}")
        assert look(root) == Recovery((), ())
        assert_sound(root)

    def test_a_reservation_that_is_a_committed_record_loses_only_its_second_name(self, root: Path) -> None:
        drop(root)
        spool, job = claim(root)
        spool.commit(job, result_of(job))
        (root / ".proxx" / "next.result.json").hardlink_to(root / "running" / "clip.result.json")
        finish_jobs(root)
        assert decode_result((root / "failed" / "clip.result.json").read_bytes()) == result_of(job)
        assert_sound(root)


class TestOthersFiles:
    def test_what_belongs_to_no_job_is_reported_and_left(self, root: Path) -> None:
        (root / "running" / "notes.txt").write_bytes(b"mine")
        (root / "running" / "lost.log").write_bytes(b"?")
        (root / "running" / "link.json").symlink_to("/etc/hostname")
        (root / "running" / "folder.json").mkdir()
        (root / "running" / ".hidden.json").touch()
        assert look(root).strays == (b".hidden.json", b"folder.json", b"link.json", b"lost.log", b"notes.txt")
        assert (root / "running" / "lost.log").read_bytes() == b"?"

    @pytest.mark.parametrize("suffix", [".json", ".result.json", ".log"])
    def test_a_name_taken_in_the_outbox_is_kept(self, suffix: str, root: Path) -> None:
        drop(root)
        spool, job = claim(root)
        spool.commit(job, result_of(job))
        (root / "failed" / f"clip{suffix}").write_bytes(b"another's")
        finish_jobs(root)
        assert (root / "failed" / f"clip{suffix}").read_bytes() == b"another's"
        assert (root / "failed" / "clip~2.json").read_bytes() == SPEC

    def test_a_finish_under_a_number_is_found_again(self, root: Path) -> None:
        drop(root)
        spool, job = claim(root)
        spool.commit(job, result_of(job))
        (root / "failed" / "clip.json").write_bytes(b"another's")
        (root / "running" / "clip.result.json").rename(root / "failed" / "clip~2.result.json")
        assert finish_jobs(root) == [Decision.MOVE_SPEC]
        assert {path.name for path in (root / "failed").iterdir()} == {
            "clip.json",
            "clip~2.json",
            "clip~2.result.json",
            "clip~2.log",
        }

    def test_another_jobs_result_in_the_outbox_is_not_taken_for_ours(self, root: Path) -> None:
        drop(root)
        _, job = claim(root)
        other = ClaimedJob(b"other", b"", 0, None)
        (root / "done" / "clip.result.json").write_bytes(encode_result(result_of(other, DONE)))
        assert [item.decision for item in look(root).items] == [Decision.INTERRUPT]
        assert job.stem == b"clip"

    def test_a_result_in_the_wrong_folder_is_not_taken_for_ours(self, root: Path) -> None:
        drop(root)
        _, job = claim(root)
        (root / "done" / "clip.result.json").write_bytes(encode_result(result_of(job, FAILED)))
        assert [item.decision for item in look(root).items] == [Decision.INTERRUPT]


def test_moves_that_were_cut_off_are_made_durable_before_anything_else(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file went before where it was: else a power cut later brings it back, or loses it."""
    drop(root)
    (root / "inbox" / "clip.json").rename(root / "running" / "clip.json")
    synced = note_syncs(monkeypatch)
    assert [item.decision for item in recover(Spool(Workspace(root), NEVER)).items] == [Decision.INTERRUPT]
    assert synced == ["done", "failed", "running", "inbox", "clip.json"]


def test_the_workspace_id_of_a_start_that_was_cut_off_is_made_durable(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a power cut later loses it, and what its jobs left in output directories belongs to nobody."""
    owner = Workspace(root).identity()
    synced = note_syncs(monkeypatch)
    assert Workspace(root).identity() == owner
    assert synced == [".proxx"]


def note_syncs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files and folders that are synced from now on."""
    synced: list[str] = []
    fsync = os.fsync

    def note(fd: int) -> None:
        synced.append(Path(f"/proc/self/fd/{fd}").readlink().name)
        fsync(fd)

    monkeypatch.setattr(os, "fsync", note)
    return synced


class TestCrashesInRecovery:
    """Each step of recovery fails once in its turn; the next start carries on to the same end."""

    @pytest.mark.parametrize("stage", ["claimed", "torn", "completed", "failed", "moved"])
    def test_a_crash_at_any_step_changes_nothing(
        self, stage: str, root: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        drop(root)
        spool, job = claim(root)
        if stage == "torn":
            (root / "running" / "clip.result.json").write_bytes(b"torn")
        elif stage != "claimed":
            spool.commit(job, result_of(job, DONE if stage == "completed" else FAILED))
        if stage == "moved":
            (root / "running" / "clip.result.json").rename(root / "failed" / "clip.result.json")
        undisturbed = tmp_path_factory.mktemp("undisturbed")
        shutil.copytree(root, undisturbed, dirs_exist_ok=True)
        finish_jobs(undisturbed)
        step = 0
        while _crashes(lambda: finish_jobs(root), step, monkeypatch):
            assert violations(root, Expected((SPEC,)), settled=False) == []
            step += 1
        assert step > 3
        assert tree(root) == tree(undisturbed)
        assert_sound(root)


class _CrashError(BaseException):
    """The process ends here."""


def _crashes(run: Callable[[], object], at: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Run, ending at the sync number `at`, before it; whether it ended there."""
    fsync, count = os.fsync, 0

    def end(fd: int) -> None:
        nonlocal count
        if count == at:
            raise _CrashError
        count += 1
        fsync(fd)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", end)
        try:
            run()
        except _CrashError:
            return True
    return False


class TestErrors:
    def test_a_missing_folder_stops_it(self, root: Path) -> None:
        (root / "running").rmdir()
        with pytest.raises(ProxxError) as caught:
            look(root)
        assert caught.value.code is ErrorCode.WORKSPACE_INVALID

    def test_a_record_that_cannot_be_read_is_not_taken_for_none(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        drop(root)
        spool, job = claim(root)
        spool.commit(job, result_of(job, DONE))
        real = open

        def fail(path: bytes, mode: str) -> object:
            raise OSError(5, "bad disk") if path.endswith(b".result.json") else AssertionError(real(path, mode))

        monkeypatch.setattr("builtins.open", fail)
        with pytest.raises(ProxxError) as caught:
            look(root)
        assert caught.value.code is ErrorCode.IO_ERROR
        assert (root / "running" / "clip.result.json").exists()


def test_what_belongs_to_a_running_job_is_no_stray(root: Path) -> None:
    drop(root)
    claim(root)
    for name in ("clip.corrupt", "clip.CORRUPT", "other.corrupt"):
        (root / "running" / name).write_bytes(b"")
    assert look(root).strays == (b"clip.CORRUPT", b"other.corrupt")
