"""Cancels and holds as files in an inbox: which are answered, which wait, and which are left alone."""

import hashlib
import os
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.result import JobResult, JobStatus
from proxx_worker.workspace.claimed import ClaimedJob
from proxx_worker.workspace.requests import Removed, Requests
from tests.support.leases import held
from tests.support.results import result_of

SPEC = b'{"n": 1}'
SHA256 = hashlib.sha256(SPEC).hexdigest()


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def requests_in(inbox: Path, *, check_seconds: float = 0) -> Requests:
    return Requests(os.fsencode(inbox), settle_seconds=5, check_seconds=check_seconds)


def pending(inbox: Path) -> Requests:
    requests = requests_in(inbox)
    requests.arrived(os.fsencode(path.name) for path in inbox.glob("*.cancel"))
    return requests


def running(stem: bytes, sha256: str | None = SHA256) -> ClaimedJob:
    return ClaimedJob(stem, SPEC, len(SPEC), sha256)


def decided(job: ClaimedJob, code: ErrorCode | None) -> JobResult:
    result = result_of(job, JobStatus.COMPLETED if code is None else JobStatus.FAILED)
    return result if code is None or result.error is None else result.model_copy(
        update={"error": result.error.model_copy(update={"code": code})}
    )  # fmt: skip


class TestWaiting:
    @pytest.mark.parametrize("content", [SHA256, f"{SHA256}\n", SHA256.upper(), f"  {SHA256}\r\n"])
    def test_the_spec_that_is_meant_is_found(self, inbox: Path, content: str) -> None:
        (inbox / "a.json").write_bytes(SPEC)
        (inbox / "a.cancel").write_text(content)
        requests = pending(inbox)
        assert requests.next_cancelled(0) == b"a.json"
        assert (inbox / "a.cancel").exists(), "until the job is decided"
        assert requests.take_removed() == ()

    def test_the_lowest_name_comes_first(self, inbox: Path) -> None:
        for name in ("b", "a"):
            (inbox / f"{name}.json").write_bytes(SPEC)
            (inbox / f"{name}.cancel").write_text(SHA256)
        assert pending(inbox).next_cancelled(0) == b"a.json"

    def test_a_spec_that_is_too_large_to_be_run_can_be_meant(self, inbox: Path) -> None:
        large = b" " * ((1 << 20) + 1)
        (inbox / "a.json").write_bytes(large)
        (inbox / "a.cancel").write_text(hashlib.sha256(large).hexdigest())
        requests = pending(inbox)
        assert requests.next_cancelled(0, lambda: True) is None
        assert requests.pending, "a stop leaves it for the next start"
        assert requests.next_cancelled(0) == b"a.json"

    @pytest.mark.parametrize("spec", [None, b'{"n": 2}', b" " * ((1 << 20) + 1)], ids=["none", "another", "too large"])
    def test_one_that_fits_nothing_is_removed_and_told_once(self, inbox: Path, spec: bytes | None) -> None:
        if spec is not None:
            (inbox / "a.json").write_bytes(spec)
        (inbox / "a.cancel").write_text(SHA256)
        requests = pending(inbox)
        assert requests.next_cancelled(0) is None
        assert not (inbox / "a.cancel").exists()
        (removed,) = requests.take_removed()
        assert removed.name == b"a.cancel"
        assert "no job with this name" in removed.reason
        assert requests.take_removed() == ()
        assert not requests.pending

    def test_one_that_is_still_being_written_waits_until_it_stands_still(self, inbox: Path) -> None:
        (inbox / "a.json").write_bytes(SPEC)
        (inbox / "a.cancel").write_text("")
        requests = pending(inbox)
        assert requests.next_cancelled(0) is None
        (inbox / "a.cancel").write_text(SHA256[:10])
        assert requests.next_cancelled(4.9) is None
        assert requests.next_cancelled(9.8) is None
        assert requests.pending
        (inbox / "a.cancel").write_text(SHA256)
        assert requests.next_cancelled(9.9) == b"a.json"

    def test_one_that_stays_without_a_hash_is_removed(self, inbox: Path) -> None:
        (inbox / "a.cancel").write_text("please")
        requests = pending(inbox)
        assert requests.next_cancelled(0) is None
        assert requests.next_cancelled(5) is None
        assert requests.take_removed() == (Removed(b"a.cancel", "it does not contain the SHA-256 of a spec (64 hex digits)"),)

    @pytest.mark.parametrize("name", ["a.json", "a.cancel"])
    def test_one_waits_while_another_program_holds_it_or_its_spec(self, inbox: Path, name: str) -> None:
        (inbox / "a.json").write_bytes(SPEC)
        (inbox / "a.cancel").write_text(SHA256)
        requests = pending(inbox)
        with held(inbox / name):
            assert requests.next_cancelled(0) is None
            assert not requests.is_cancelled(running(b"a")) or name == "a.json"
        assert requests.pending
        assert requests.next_cancelled(1) == b"a.json"

    def test_what_is_no_file_is_left_alone(self, inbox: Path) -> None:
        (inbox / "a.json").write_bytes(SPEC)
        (inbox / "a.cancel").mkdir()
        (inbox / "b.cancel").symlink_to(inbox / "a.json")
        requests = pending(inbox)
        assert not requests.pending
        assert requests.next_cancelled(0) is None
        assert requests.take_removed() == ()
        assert sorted(path.name for path in inbox.iterdir()) == ["a.cancel", "a.json", "b.cancel"]

    def test_one_that_was_taken_back_is_forgotten(self, inbox: Path) -> None:
        (inbox / "a.cancel").write_text(SHA256)
        requests = pending(inbox)
        (inbox / "a.cancel").unlink()
        assert requests.next_cancelled(0) is None
        assert not requests.pending

    def test_each_waits_for_itself(self, inbox: Path) -> None:
        for name, text in (("a", "please"), ("b", "please do")):
            (inbox / f"{name}.cancel").write_text(text)
        requests = pending(inbox)
        assert requests.next_cancelled(0) is None
        assert requests.next_cancelled(5) is None
        assert [removed.name for removed in requests.take_removed()] == [b"a.cancel", b"b.cancel"]

    def test_one_that_comes_back_waits_anew(self, inbox: Path) -> None:
        again = inbox / "a.cancel"
        again.write_text("please")
        requests = pending(inbox)
        os.utime(again, ns=(1, 1))
        assert requests.next_cancelled(0) is None
        again.unlink()
        assert requests.next_cancelled(4) is None
        again.write_text("please")
        os.utime(again, ns=(1, 1))
        requests.arrived([b"a.cancel"])
        assert requests.next_cancelled(5) is None
        assert requests.next_cancelled(9.9) is None
        assert requests.pending
        assert requests.next_cancelled(10) is None
        assert not again.exists()

    def test_a_file_that_can_be_no_job_is_not_meant(self, inbox: Path) -> None:
        stem = "a" * 236
        (inbox / f"{stem}.json").write_bytes(SPEC)
        (inbox / f"{stem}.cancel").write_text(SHA256)
        requests = pending(inbox)
        assert requests.next_cancelled(0) is None
        assert [removed.name for removed in requests.take_removed()] == [f"{stem}.cancel".encode()]


class TestRunning:
    @pytest.mark.parametrize("stem", [b"a", b"a~2", b"a~2~3"])
    def test_a_job_is_meant_by_its_own_name(self, inbox: Path, stem: bytes) -> None:
        (inbox / f"{stem.decode()}.cancel").write_text(SHA256)
        assert requests_in(inbox).is_cancelled(running(stem))

    def test_a_job_is_meant_by_the_name_that_it_had_in_the_inbox(self, inbox: Path) -> None:
        (inbox / "a.cancel").write_text(SHA256)
        assert requests_in(inbox).is_cancelled(running(b"a~2"))
        assert not requests_in(inbox).is_cancelled(running(b"a~b"))

    @pytest.mark.parametrize("sha256", ["0" * 64, None])
    def test_another_spec_of_the_name_is_not_meant(self, inbox: Path, sha256: str | None) -> None:
        (inbox / "a.cancel").write_text(SHA256)
        assert not requests_in(inbox).is_cancelled(running(b"a", sha256))
        assert not requests_in(inbox).settle(running(b"a", sha256), decided(running(b"a"), None))
        assert (inbox / "a.cancel").exists()

    @pytest.mark.parametrize(
        ("code", "late"), [(ErrorCode.CANCELLED, False), (ErrorCode.ENCODE_FAILED, True), (None, True)], ids=str
    )
    def test_the_cancel_of_a_decided_job_is_taken_away(self, inbox: Path, code: ErrorCode | None, late: bool) -> None:
        for name in ("a", "a~2", "b"):
            (inbox / f"{name}.cancel").write_text(SHA256)
        job = running(b"a~2")
        requests = requests_in(inbox)
        assert requests.settle(job, decided(job, code)) is late
        assert [path.name for path in inbox.iterdir()] == ["b.cancel"]
        assert requests.settle(job, decided(job, code)) is False

    def test_looks_are_far_apart(self, inbox: Path) -> None:
        requests = requests_in(inbox, check_seconds=3600)
        asked = requests.watch(running(b"a"))
        assert not asked()
        assert not requests.look(running(b"a"))
        (inbox / "a.cancel").write_text(SHA256)
        assert not asked()
        assert requests.look(running(b"a")), "the one before the commit record is exact"
        assert requests_in(inbox).watch(running(b"a"))()

    def test_an_inbox_that_does_not_answer_cancels_nothing(self, inbox: Path) -> None:
        inbox.rmdir()
        inbox.write_text("not a folder")
        assert not requests_in(inbox).watch(running(b"a"))()
        assert not requests_in(inbox).look(running(b"a"))
        with pytest.raises(ProxxError) as caught:
            requests_in(inbox).is_cancelled(running(b"a"))
        assert caught.value.code is ErrorCode.WORKSPACE_INVALID


class TestHold:
    def test_any_entry_of_the_name_holds(self, inbox: Path) -> None:
        requests = requests_in(inbox)
        assert not requests.held()
        (inbox / ".hold").symlink_to("nowhere")
        assert requests.held()
        (inbox / ".hold").unlink()
        (inbox / ".hold").write_text("")
        assert requests.held()
