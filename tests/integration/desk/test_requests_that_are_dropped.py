"""Cancels, holds and specs as the desk drops them: whole, durable, never over another."""

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.desk import drops
from proxx_worker.desk.cancel import NoSuchJobError, cancel, cancel_if_there, target_in, target_of
from proxx_worker.desk.jobs import JobState
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.requests import Requests
from tests.support.desks import dropped, finished
from tests.support.privileges import without_power_over_file_modes


def inbox(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "inbox").iterdir())


class TestCancel:
    def test_a_waiting_job_is_named_by_its_hash(self, root: Path, workspace: Workspace) -> None:
        data = dropped(root, "a")
        (path,) = cancel(workspace, [target_of(workspace, b"a")])
        assert Path(os.fsdecode(path)).read_text() == hashlib.sha256(data).hexdigest() + "\n"
        requests = Requests(workspace.inbox, settle_seconds=0)
        requests.arrived([b"a.cancel"])
        assert requests.next_cancelled(0) == b"a.json"

    def test_the_running_one_is_meant_where_both_are_there(self, root: Path, workspace: Workspace) -> None:
        dropped(root, "a", spec=b'{"n": 1}')
        data = dropped(root, "a", "running", spec=b'{"n": 2}')
        target = target_of(workspace, b"a")
        assert target.state is JobState.RUNNING
        assert target.sha256 == hashlib.sha256(data).hexdigest()

    def test_a_suffix_is_taken_off_where_no_job_is_called_so(self, root: Path, workspace: Workspace) -> None:
        dropped(root, "a")
        assert target_of(workspace, b"a.json").stem == b"a"
        dropped(root, "a.json")
        assert target_of(workspace, b"a.json").stem == b"a.json"

    def test_again_is_as_good_as_once(self, root: Path, workspace: Workspace) -> None:
        dropped(root, "a")
        target = target_of(workspace, b"a")
        assert cancel(workspace, [target]) == cancel(workspace, [target])
        assert inbox(root) == ["a.cancel", "a.json"]

    def test_another_request_is_never_written_over(self, root: Path, workspace: Workspace) -> None:
        dropped(root, "a")
        (root / "inbox" / "a.cancel").write_text("0" * 64)
        with pytest.raises(ProxxError, match="is for another spec"):
            cancel(workspace, [target_of(workspace, b"a")])
        assert inbox(root) == ["a.cancel", "a.json"]

    def test_the_one_that_a_list_shows_is_meant_where_both_are_there(self, root: Path, workspace: Workspace) -> None:
        data = dropped(root, "a", spec=b'{"n": 1}')
        dropped(root, "a", "running", spec=b'{"n": 2}')
        assert target_in(workspace, JobState.WAITING, b"a").sha256 == hashlib.sha256(data).hexdigest()
        (root / "running" / "a.json").unlink()
        with pytest.raises(NoSuchJobError, match="a is no longer running; nothing was cancelled"):
            target_in(workspace, JobState.RUNNING, b"a")

    @pytest.mark.parametrize(("name", "folder"), [("a", "inbox"), ("a", "running"), ("a~2", "running")])
    def test_one_that_is_still_there_is_cancelled_later(self, root: Path, workspace: Workspace, name: str, folder: str) -> None:
        data = dropped(root, "a")
        target = target_in(workspace, JobState.WAITING, b"a")
        (root / "inbox" / "a.json").rename(root / folder / f"{name}.json")
        if folder == "running":
            dropped(root, "a", spec=b'{"n": 2}')
        cancel_if_there(workspace, target)
        assert (root / "inbox" / "a.cancel").read_text() == hashlib.sha256(data).hexdigest() + "\n"

    @pytest.mark.parametrize("folder", ["inbox", "running"])
    def test_another_of_its_name_is_not_cancelled_instead(self, root: Path, workspace: Workspace, folder: str) -> None:
        dropped(root, "a")
        target = target_in(workspace, JobState.WAITING, b"a")
        (root / "inbox" / "a.json").unlink()
        dropped(root, "a", folder, spec=b'{"n": 2}')
        with pytest.raises(NoSuchJobError, match="a is no longer waiting or running; nothing was cancelled"):
            cancel_if_there(workspace, target)
        assert not (root / "inbox" / "a.cancel").exists()

    @pytest.mark.parametrize(("code", "place"), [(None, "done/"), (ErrorCode.NO_SPACE, "failed/")])
    def test_one_that_has_ended_is_told(self, root: Path, workspace: Workspace, code: ErrorCode | None, place: str) -> None:
        finished(root, "a", code)
        with pytest.raises(NoSuchJobError, match=f"already ended; it is in {place}"):
            target_of(workspace, b"a")

    def test_what_is_no_job_is_told(self, root: Path, workspace: Workspace) -> None:
        (root / "inbox" / "a.json").symlink_to("b.json")
        for name in (b"a", b"\xff"):
            with pytest.raises(NoSuchJobError, match="waiting or running"):
                target_of(workspace, name)

    def test_what_was_asked_before_a_failure_is_named(self, root: Path, workspace: Workspace) -> None:
        for name in ("a", "b"):
            dropped(root, name)
        (root / "inbox" / "b.cancel").mkdir()
        with pytest.raises(ProxxError, match=r"these requests were made before that and still stand: .*a\.cancel"):
            cancel(workspace, [target_of(workspace, name) for name in (b"a", b"b")])

    def test_a_spec_that_is_too_large_to_be_run_can_be_cancelled(self, root: Path, workspace: Workspace) -> None:
        large = b" " * ((1 << 20) + 1)
        (root / "inbox" / "big.json").write_bytes(large)
        assert target_of(workspace, b"big").sha256 == hashlib.sha256(large).hexdigest()

    def test_a_file_that_is_too_large_to_be_hashed_is_said_to_be(self, root: Path, workspace: Workspace) -> None:
        with (root / "inbox" / "big.json").open("wb") as file:
            file.truncate((256 << 20) + 1)
        with pytest.raises(NoSuchJobError, match="big is over 256 MiB"):
            target_of(workspace, b"big")


class TestHold:
    def test_it_is_there_until_it_is_released(self, root: Path, workspace: Workspace) -> None:
        assert drops.hold(workspace)
        assert not drops.hold(workspace)
        assert inbox(root) == [".hold"]
        assert drops.release(workspace)
        assert not drops.release(workspace)
        assert inbox(root) == []

    def test_a_folder_holds_too_and_is_left_to_whoever_made_it(self, root: Path, workspace: Workspace) -> None:
        (root / "inbox" / ".hold").mkdir()
        with pytest.raises(ProxxError, match="is a folder: remove it yourself") as caught:
            drops.release(workspace)
        assert caught.value.code is ErrorCode.IO_ERROR
        assert inbox(root) == [".hold"]

    def test_before_the_first_worker_the_inbox_is_made(self, root: Path, workspace: Workspace) -> None:
        (root / "inbox").rmdir()
        assert drops.hold(workspace)
        assert inbox(root) == [".hold"]


class TestSpecs:
    def test_a_taken_name_gets_a_number(self, root: Path, workspace: Workspace) -> None:
        paths = [drops.drop_spec(workspace, b"a", data) for data in (b"{}", b'{"n": 2}')]
        assert [Path(os.fsdecode(path)).name for path in paths] == ["a.json", "a~2.json"]
        assert (root / "inbox" / "a.json").read_bytes() == b"{}"

    def test_a_name_that_no_worker_takes_leaves_nothing_behind(self, root: Path, workspace: Workspace) -> None:
        with pytest.raises(ProxxError) as caught:
            drops.drop_spec(workspace, b"a" * 236, b"{}")
        assert caught.value.code is ErrorCode.SPEC_INVALID
        assert inbox(root) == []

    @pytest.mark.parametrize("call", ["drop_spec", "drop_cancel"])
    def test_a_full_disk_leaves_nothing_behind(
        self, root: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, call: str
    ) -> None:
        def full(_fd: int, _data: bytes) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(drops, "write_all", full)
        with pytest.raises(ProxxError) as caught:
            drops.drop_spec(workspace, b"a", b"{}") if call == "drop_spec" else drops.drop_cancel(workspace, b"a", "0" * 64)
        assert caught.value.code is ErrorCode.NO_SPACE
        assert inbox(root) == []

    def test_a_rename_that_fails_leaves_nothing_behind(
        self, root: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refused(_source: bytes, _target: bytes) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        monkeypatch.setattr(drops, "rename_no_clobber", refused)
        with pytest.raises(ProxxError) as caught:
            drops.drop_cancel(workspace, b"a", "0" * 64)
        assert caught.value.code is ErrorCode.IO_ERROR
        assert inbox(root) == []


class TestAnInboxThatCannotBeSynced:
    """What fails must not have taken effect; where it has, the message says so."""

    def test_without_read_permission_nothing_is_dropped_or_removed(self, root: Path, workspace: Workspace) -> None:
        (root / "inbox").chmod(0o300)
        calls: tuple[Callable[[], object], ...] = (
            lambda: drops.hold(workspace),
            lambda: drops.release(workspace),
            lambda: drops.drop_spec(workspace, b"a", b"{}"),
            lambda: drops.drop_cancel(workspace, b"a", "0" * 64),
        )
        with without_power_over_file_modes():
            for call in calls:
                with pytest.raises(ProxxError, match="cannot open the folder") as caught:
                    call()
                assert caught.value.code is ErrorCode.WORKSPACE_INVALID
        (root / "inbox").chmod(0o700)
        assert inbox(root) == []
        (root / "inbox" / ".hold").touch()
        (root / "inbox").chmod(0o300)
        with without_power_over_file_modes(), pytest.raises(ProxxError, match="cannot open the folder"):
            drops.release(workspace)
        (root / "inbox").chmod(0o700)
        assert inbox(root) == [".hold"]

    def test_after_a_failed_sync_what_was_dropped_stands_and_is_told(
        self, root: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("proxx_worker.workspace.submit.sync_directory", _bad_disk)
        for call in (
            lambda: drops.hold(workspace),
            lambda: drops.drop_spec(workspace, b"a", b"{}"),
            lambda: drops.drop_cancel(workspace, b"a", "0" * 64),
        ):
            with pytest.raises(ProxxError, match=r"cannot sync the folder .* was dropped before that, and stands"):
                call()
        assert inbox(root) == [".hold", "a.cancel", "a.json"]

    def test_a_release_that_may_not_last_is_told(self, root: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        drops.hold(workspace)
        monkeypatch.setattr("proxx_worker.desk.drops.sync_directory", _bad_disk)
        with pytest.raises(ProxxError, match="The hold is gone, but a power cut may bring it back"):
            drops.release(workspace)
        assert inbox(root) == []


def _bad_disk(_path: bytes) -> bool:
    raise OSError(errno.EIO, "bad disk")
