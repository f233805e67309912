"""Which job is next: order, completeness, waiting, and what is left alone. The clock is an argument, so nothing here waits."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.contract.strict_json import MAX_SPEC_BYTES
from proxx_worker.workspace.inbox import Candidate, Inbox
from proxx_worker.workspace.wakeups import Wakeups
from tests.support.leases import held

WHOLE = b'{"jobspec_version": "2.1"}'
SETTLE, POLL = 5.0, 10.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "inbox"
    path.mkdir()
    return path


def inbox_of(folder: Path, *, events_trusted: bool = True) -> Inbox:
    return Inbox(os.fsencode(folder), settle_seconds=SETTLE, poll_seconds=POLL, events_trusted=events_trusted)


@pytest.fixture
def inbox(folder: Path) -> Inbox:
    return inbox_of(folder)


def claim(inbox: Inbox, folder: Path, now: float = 0.0) -> bytes | None:
    """The next candidate's name, taken out of the folder as a claim would."""
    candidate = inbox.next_candidate(now)
    if candidate is None:
        return None
    (folder / os.fsdecode(candidate.name)).unlink()
    return candidate.name


def claim_all(inbox: Inbox, folder: Path, now: float = 0.0) -> list[bytes]:
    names = []
    while (name := claim(inbox, folder, now)) is not None:
        names.append(name)
    return names


class TestOrder:
    def test_bytes_ascending(self, inbox: Inbox, folder: Path) -> None:
        names = [b"b.json", b"a.json", b"B.json", b"a~2.json", b"\xff.json", b"10.json", b"9.json", "é.json".encode()]
        for name in names:
            (folder / os.fsdecode(name)).write_bytes(WHOLE)
        inbox.refresh(0)
        assert claim_all(inbox, folder) == sorted(names)

    def test_over_what_is_there_at_the_moment_of_claiming(self, inbox: Inbox, folder: Path) -> None:
        for name in ("b.json", "d.json"):
            (folder / name).write_bytes(WHOLE)
        inbox.refresh(0)
        assert claim(inbox, folder) == b"b.json"
        for name in ("a.json", "c.json", "e.json"):
            (folder / name).write_bytes(WHOLE)
        inbox.refresh(0, Wakeups(names=(b"e.json", b"a.json", b"c.json", b"a.json")))
        assert claim_all(inbox, folder) == [b"a.json", b"c.json", b"d.json", b"e.json"]

    def test_a_stop_ends_the_search_and_loses_no_name(self, inbox: Inbox, folder: Path) -> None:
        for name in ("a.json", "b.json", "c.json", "d.json"):
            (folder / name).write_bytes(WHOLE if name == "d.json" else b"{")
        inbox.refresh(0)
        answers = iter([False, False, True])
        assert inbox.next_candidate(0, lambda: next(answers)) is None
        assert inbox.count == 4
        assert claim(inbox, folder) == b"d.json"

    def test_a_name_dropped_again_is_claimed_again(self, inbox: Inbox, folder: Path) -> None:
        for _ in range(2):
            (folder / "a.json").write_bytes(WHOLE)
            inbox.arrived([b"a.json"])
            assert claim_all(inbox, folder) == [b"a.json"]

    def test_an_arrival_that_is_told_after_its_claim_waits_no_more(self, inbox: Inbox, folder: Path) -> None:
        (folder / "a.json").write_bytes(WHOLE)
        inbox.refresh(0)
        assert claim(inbox, folder) == b"a.json"
        inbox.arrived([b"a.json", b"b.json"])
        assert inbox.count == 1
        (folder / "a.json").write_bytes(WHOLE)
        inbox.arrived([b"a.json"])
        assert inbox.count == 2

    def test_a_name_in_a_hint_and_in_the_backlog_is_one_job(self, inbox: Inbox, folder: Path) -> None:
        (folder / "a.json").write_bytes(WHOLE)
        inbox.refresh(0)
        inbox.refresh(0, Wakeups(names=(b"a.json", b"a.json")))
        assert inbox.count == 1
        assert claim_all(inbox, folder) == [b"a.json"]


class TestCandidates:
    @pytest.mark.parametrize("name", ["a.txt", ".a.json", "a.result.json", "a.json.tmp", "a.JSON", "json", ".json"])
    def test_other_names_are_left_alone(self, name: str, inbox: Inbox, folder: Path) -> None:
        (folder / name).write_bytes(WHOLE)
        inbox.refresh(0, Wakeups(names=(os.fsencode(name),)))
        assert inbox.is_empty()
        assert inbox.next_candidate(99) is None

    @pytest.mark.parametrize(
        "make", [lambda path: path.symlink_to("/etc/hostname"), lambda path: path.mkdir(), os.mkfifo], ids=["link", "dir", "fifo"]
    )
    def test_what_is_not_a_regular_file_hinders_nothing_and_is_looked_at_once(
        self, make: Callable[[Path], None], inbox: Inbox, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(folder / "a.json")
        (folder / "b.json").write_bytes(WHOLE)
        inbox.refresh(0)
        assert claim_all(inbox, folder) == [b"b.json"]
        assert inbox.is_empty()
        assert inbox.seconds_until_wake(0) == POLL
        looked: list[bytes] = []
        stat = os.stat

        def note(path: bytes, *, follow_symlinks: bool = True) -> os.stat_result:
            looked.append(path)
            return stat(path, follow_symlinks=follow_symlinks)

        monkeypatch.setattr(os, "stat", note)
        for now in (20.0, 40.0):
            inbox.refresh(now)
            assert inbox.next_candidate(now) is None
        assert not [path for path in looked if path.endswith(b"a.json")]

    def test_a_symlink_replaced_by_a_file_is_found_by_a_scan(self, inbox: Inbox, folder: Path) -> None:
        (folder / "a.json").symlink_to("nowhere")
        inbox.refresh(0)
        assert inbox.next_candidate(0) is None
        (folder / "a.json").unlink()
        (folder / "a.json").write_bytes(WHOLE)
        inbox.rescan(1)
        assert claim_all(inbox, folder) == [b"a.json"]

    def test_a_symlink_replaced_by_a_file_is_found_by_a_hint(self, inbox: Inbox, folder: Path) -> None:
        (folder / "a.json").symlink_to("nowhere")
        inbox.refresh(0)
        assert inbox.next_candidate(0) is None
        (folder / "a.json").unlink()
        (folder / "a.json").write_bytes(WHOLE)
        inbox.refresh(1, Wakeups(names=(b"a.json",)))
        assert claim_all(inbox, folder) == [b"a.json"]

    def test_a_name_that_has_gone_is_dropped(self, inbox: Inbox, folder: Path) -> None:
        for name in ("a.json", "b.json"):
            (folder / name).write_bytes(WHOLE)
        inbox.refresh(0)
        (folder / "a.json").unlink()
        assert claim_all(inbox, folder) == [b"b.json"]

    def test_too_long_a_stem_is_left_alone_and_reported_once(self, inbox: Inbox, folder: Path) -> None:
        longest, too_long = "x" * 235 + ".json", "x" * 236 + ".json"
        for name in (longest, too_long):
            (folder / name).write_bytes(WHOLE)
        inbox.refresh(0)
        inbox.refresh(20)
        inbox.arrived([os.fsencode(too_long)])
        assert inbox.take_unreported() == (os.fsencode(too_long),)
        assert inbox.take_unreported() == ()
        assert list(inbox.too_long) == [os.fsencode(too_long)]
        (folder / too_long).unlink()
        inbox.rescan(30)
        assert list(inbox.too_long) == []
        assert claim_all(inbox, folder) == [os.fsencode(longest)]


class TestCompleteness:
    @pytest.mark.parametrize("data", [b"", b"{", b'{"a": ', b"[]", b"\xff", b"{} {}"])
    def test_what_is_not_whole_waits_until_it_has_settled(self, data: bytes, inbox: Inbox, folder: Path) -> None:
        (folder / "a.json").write_bytes(data)
        (folder / "b.json").write_bytes(WHOLE)
        inbox.refresh(100)
        assert claim(inbox, folder, 100) == b"b.json"
        assert inbox.next_candidate(104.999) is None
        assert not inbox.is_empty()
        assert inbox.count == 1
        assert inbox.next_candidate(105) == Candidate(b"a.json", len(data), whole=False)
        assert inbox.is_empty()

    def test_it_is_claimed_as_soon_as_it_is_whole(self, inbox: Inbox, folder: Path) -> None:
        (folder / "a.json").write_bytes(WHOLE[:9])
        inbox.refresh(0)
        assert inbox.next_candidate(0) is None
        (folder / "a.json").write_bytes(WHOLE)
        inbox.refresh(0.01, Wakeups(names=(b"a.json",)))
        assert inbox.next_candidate(0.01) == Candidate(b"a.json", len(WHOLE), whole=True)

    def test_without_events_it_is_looked_at_again_soon(self, folder: Path) -> None:
        inbox = inbox_of(folder, events_trusted=False)
        (folder / "a.json").write_bytes(WHOLE[:9])
        inbox.refresh(0)
        assert inbox.next_candidate(0) is None
        (folder / "a.json").write_bytes(WHOLE)
        seconds = inbox.seconds_until_wake(0)
        assert 0 < seconds <= 0.2
        assert inbox.next_candidate(seconds) == Candidate(b"a.json", len(WHOLE), whole=True)

    @pytest.mark.parametrize("change", ["size", "mtime"])
    def test_every_change_starts_the_wait_anew(self, change: str, inbox: Inbox, folder: Path) -> None:
        path = folder / "a.json"
        path.write_bytes(b"{")
        inbox.refresh(0)
        assert inbox.next_candidate(0) is None
        if change == "size":
            path.write_bytes(b"{ ")
        else:
            os.utime(path, ns=(0, 0))
        assert inbox.next_candidate(4.9) is None
        assert inbox.next_candidate(9.8) is None
        assert inbox.next_candidate(9.9) is not None

    def test_hints_do_not_start_the_wait_anew(self, inbox: Inbox, folder: Path) -> None:
        (folder / "a.json").write_bytes(b"{")
        inbox.refresh(0)
        for now in (0.0, 1.0, 2.0, 3.0, 4.0):
            inbox.refresh(now, Wakeups(names=(b"a.json",)))
            assert inbox.next_candidate(now) is None
        assert inbox.next_candidate(5) is not None

    def test_scans_do_not_start_the_wait_anew(self, inbox: Inbox, folder: Path) -> None:
        (folder / "a.json").write_bytes(b"{")
        for now in (0.0, 2.0, 4.0):
            inbox.rescan(now)
            assert inbox.next_candidate(now) is None
        inbox.rescan(5)
        assert inbox.next_candidate(5) is not None

    def test_scans_take_nothing_from_what_is_looked_at_just_then(self, inbox: Inbox, folder: Path) -> None:
        (folder / "a.json").write_bytes(b"{")
        inbox.refresh(0)
        assert inbox.next_candidate(0) is None
        assert inbox.next_candidate(1, lambda: True) is None
        inbox.rescan(1)
        assert inbox.next_candidate(5) == Candidate(b"a.json", 1, whole=False)

    def test_a_scan_finds_others_while_one_waits(self, inbox: Inbox, folder: Path) -> None:
        (folder / "b.json").write_bytes(b"{")
        inbox.refresh(0)
        assert inbox.next_candidate(0) is None
        (folder / "a.json").write_bytes(WHOLE)
        inbox.rescan(1)
        assert claim_all(inbox, folder, 1) == [b"a.json"]

    def test_a_scan_does_not_look_at_what_waits(self, inbox: Inbox, folder: Path) -> None:
        """Else a worker that lists to see whether it is done would list and look without a pause until the file has settled."""
        for name in ("a.json", "b.json"):
            (folder / name).write_bytes(b"{")
        inbox.refresh(0)
        assert inbox.next_candidate(0) is None
        (folder / "b.json").unlink()
        wait = inbox.seconds_until_wake(0)
        inbox.rescan(0)
        assert inbox.next_candidate(0) is None
        assert inbox.count == 1
        assert not inbox.is_empty()
        assert inbox.seconds_until_wake(0) == wait > 0

    def test_the_looks_become_rarer(self, inbox: Inbox, folder: Path) -> None:
        (folder / "a.json").write_bytes(b"{")
        inbox.refresh(0)
        now, looks = 0.0, 0
        while inbox.next_candidate(now) is None:
            now += inbox.seconds_until_wake(now)
            looks += 1
        assert now == pytest.approx(SETTLE)
        assert looks <= 8

    def test_each_wait_is_as_long_as_all_before_it(self, inbox: Inbox, folder: Path) -> None:
        (folder / "a.json").write_bytes(b"{")
        inbox.refresh(1000)
        now, waits = 1000.0, []
        while inbox.next_candidate(now) is None:
            waits.append(inbox.seconds_until_wake(now))
            now += waits[-1]
        assert waits == pytest.approx([0.1, 0.1, 0.2, 0.4, 0.8, 1.6, 1.8])

    def test_a_settled_one_takes_its_place_in_the_order(self, inbox: Inbox, folder: Path) -> None:
        (folder / "b.json").write_bytes(b"{")
        inbox.refresh(0)
        assert inbox.next_candidate(0) is None
        for name in ("a.json", "c.json"):
            (folder / name).write_bytes(WHOLE)
        inbox.refresh(6, Wakeups(names=(b"a.json", b"c.json")))
        assert claim_all(inbox, folder, 6) == [b"a.json", b"b.json", b"c.json"]

    def test_over_a_mebibyte_it_is_not_parsed_and_claimed_once_settled(
        self, inbox: Inbox, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        size = MAX_SPEC_BYTES + 1
        (folder / "a.json").write_bytes(WHOLE + b" " * (size - len(WHOLE)))

        def never(_path: bytes, _flags: int) -> int:
            raise AssertionError("it was opened")

        monkeypatch.setattr(os, "open", never)
        inbox.refresh(0)
        assert inbox.next_candidate(0) is None
        assert inbox.next_candidate(5) == Candidate(b"a.json", size, whole=False)

    def test_one_that_grows_over_the_limit_while_it_is_read_is_not_whole(
        self, inbox: Inbox, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = folder / "a.json"
        path.write_bytes(WHOLE)
        real = os.open

        def grow(opened: bytes, flags: int) -> int:
            path.write_bytes(WHOLE + b" " * MAX_SPEC_BYTES)
            return real(opened, flags)

        monkeypatch.setattr(os, "open", grow)
        inbox.refresh(0)
        assert inbox.next_candidate(0) is None

    @pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.ENOENT, errno.ELOOP])
    def test_one_that_cannot_be_opened_waits(
        self, number: int, inbox: Inbox, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (folder / "a.json").write_bytes(WHOLE)

        def refuse(_path: bytes, _flags: int) -> int:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "open", refuse)
        inbox.refresh(0)
        assert inbox.next_candidate(0) is None
        assert inbox.next_candidate(5) is not None

    def test_one_that_another_program_holds_waits(self, inbox: Inbox, folder: Path) -> None:
        (folder / "a.json").write_bytes(WHOLE)
        inbox.refresh(0)
        with held(folder / "a.json"):
            assert inbox.next_candidate(0) is None
        assert inbox.next_candidate(1) == Candidate(b"a.json", len(WHOLE), whole=True)

    def test_one_that_vanishes_while_it_waits_is_forgotten(self, inbox: Inbox, folder: Path) -> None:
        (folder / "a.json").write_bytes(b"{")
        inbox.refresh(0)
        assert inbox.next_candidate(0) is None
        (folder / "a.json").unlink()
        assert inbox.next_candidate(5) is None
        assert inbox.is_empty()

    @pytest.mark.parametrize("between", ["nothing", "a folder", "a whole one"])
    def test_another_of_the_same_name_waits_anew(self, between: str, inbox: Inbox, folder: Path) -> None:
        path = folder / "a.json"

        def drop() -> None:
            path.write_bytes(b"{")
            os.utime(path, ns=(1, 1))

        drop()
        inbox.refresh(0)
        assert inbox.next_candidate(0) is None
        path.unlink()
        if between == "a folder":
            path.mkdir()
        elif between == "a whole one":
            path.write_bytes(WHOLE)
        assert (inbox.next_candidate(4) is not None) is (between == "a whole one")
        if between == "a folder":
            path.rmdir()
        drop()
        inbox.arrived([b"a.json"])
        for now in (4, 5, 8.9):
            assert inbox.next_candidate(now) is None
        assert inbox.next_candidate(9) == Candidate(b"a.json", 1, whole=False)

    def test_a_mebibyte_is_not_over_a_mebibyte(self, inbox: Inbox, folder: Path) -> None:
        (folder / "a.json").write_bytes(WHOLE + b" " * (MAX_SPEC_BYTES - len(WHOLE)))
        inbox.refresh(0)
        assert inbox.next_candidate(0) == Candidate(b"a.json", MAX_SPEC_BYTES, whole=True)

    def test_thousands_that_wait_do_not_slow_a_claim(self, inbox: Inbox, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for number in range(2000):
            (folder / f"a{number:04}.json").write_bytes(b"{")
        (folder / "b.json").write_bytes(WHOLE)
        inbox.refresh(0)
        assert claim(inbox, folder, 0) == b"b.json"
        (folder / "c.json").write_bytes(WHOLE)
        looks = 0
        stat = os.stat

        def count(path: bytes, *, follow_symlinks: bool = True) -> os.stat_result:
            nonlocal looks
            looks += 1
            return stat(path, follow_symlinks=follow_symlinks)

        monkeypatch.setattr(os, "stat", count)
        inbox.refresh(0.05, Wakeups(names=(b"c.json",)))
        assert claim(inbox, folder, 0.05) == b"c.json"
        assert looks == 1


class TestScans:
    def test_the_first_refresh_scans(self, inbox: Inbox, folder: Path) -> None:
        assert inbox.count == 0
        (folder / "a.json").write_bytes(WHOLE)
        assert inbox.seconds_until_wake(0) == 0
        inbox.refresh(0)
        assert inbox.count == 1
        assert inbox.seconds_until_wake(0) == 0

    @pytest.mark.parametrize("wakeups", [Wakeups(lost=True), Wakeups(changed=True)])
    def test_a_hint_without_names_scans(self, wakeups: Wakeups, inbox: Inbox, folder: Path) -> None:
        inbox.refresh(0)
        (folder / "a.json").write_bytes(WHOLE)
        inbox.refresh(0, wakeups)
        assert claim_all(inbox, folder) == [b"a.json"]

    def test_an_empty_inbox_is_polled(self, inbox: Inbox, folder: Path) -> None:
        inbox.refresh(0)
        assert inbox.seconds_until_wake(4) == 6
        (folder / "a.json").write_bytes(WHOLE)
        inbox.refresh(9.9)
        assert inbox.is_empty()
        inbox.refresh(10)
        assert inbox.count == 1

    def test_a_waiting_file_is_looked_at_before_the_next_poll(self, inbox: Inbox, folder: Path) -> None:
        (folder / "a.json").write_bytes(b"{")
        inbox.refresh(0)
        assert inbox.next_candidate(0) is None
        assert 0 < inbox.seconds_until_wake(0) < POLL

    def test_with_events_a_backlog_is_not_listed_again(self, inbox: Inbox, folder: Path, listings: list[bytes]) -> None:
        self._claim_many(inbox, folder)
        assert len(listings) == 1

    def test_without_events_a_backlog_is_listed_now_and_then(self, folder: Path, listings: list[bytes]) -> None:
        self._claim_many(inbox_of(folder, events_trusted=False), folder)
        assert len(listings) == 1 + 4

    def test_it_is_listed_again_as_soon_as_the_poll_is_due(self, folder: Path, listings: list[bytes]) -> None:
        inbox = inbox_of(folder, events_trusted=False)
        (folder / "a.json").write_bytes(WHOLE)
        for now, times in ((0, 1), (POLL - 0.1, 1), (POLL, 2)):
            inbox.refresh(now)
            assert len(listings) == times

    def test_lost_events_are_made_up_for_whatever_the_backlog(self, inbox: Inbox, folder: Path, listings: list[bytes]) -> None:
        (folder / "b.json").write_bytes(WHOLE)
        inbox.refresh(0)
        (folder / "a.json").write_bytes(WHOLE)
        inbox.refresh(0, Wakeups(lost=True))
        assert len(listings) == 2
        assert claim_all(inbox, folder) == [b"a.json", b"b.json"]

    def _claim_many(self, inbox: Inbox, folder: Path) -> None:
        for number in range(50):
            (folder / f"{number:02}.json").write_bytes(WHOLE)
        for second in range(49):
            inbox.refresh(second)
            assert claim(inbox, folder, second) is not None

    @pytest.fixture
    def listings(self, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
        made: list[bytes] = []
        listdir = os.listdir

        def note(path: bytes) -> list[bytes]:
            made.append(path)
            return listdir(path)

        monkeypatch.setattr(os, "listdir", note)
        return made


class TestBrokenInbox:
    def _code(self, step: Callable[[], object]) -> ErrorCode:
        with pytest.raises(ProxxError) as caught:
            step()
        return caught.value.code

    def test_a_missing_one_is_an_error_not_empty(self, inbox: Inbox, folder: Path) -> None:
        folder.rmdir()
        assert self._code(lambda: inbox.refresh(0)) is ErrorCode.WORKSPACE_INVALID

    def test_one_that_vanishes_under_a_backlog_is_an_error(self, inbox: Inbox, folder: Path) -> None:
        (folder / "a.json").write_bytes(WHOLE)
        inbox.refresh(0)
        folder.rename(folder.with_name("away"))
        assert self._code(lambda: inbox.next_candidate(0)) is ErrorCode.WORKSPACE_INVALID

    def test_one_that_was_replaced_is_an_error(self, inbox: Inbox, folder: Path) -> None:
        inbox.refresh(0)
        folder.rename(folder.with_name("away"))
        folder.mkdir()
        with pytest.raises(ProxxError) as caught:
            inbox.rescan(0)
        assert caught.value.error == JobError(
            ErrorCode.WORKSPACE_INVALID,
            f"{folder} must stay the folder it was at the start, but it was replaced. Check the workspace, then start again.",
            {"path": str(folder)},
        )

    def test_a_link_in_its_place_is_an_error(self, inbox: Inbox, folder: Path) -> None:
        inbox.refresh(0)
        folder.symlink_to(folder.rename(folder.with_name("away")))
        assert self._code(lambda: inbox.rescan(0)) is ErrorCode.WORKSPACE_INVALID

    def test_a_file_in_its_place_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        assert self._code(lambda: inbox_of(tmp_path / "file").refresh(0)) is ErrorCode.WORKSPACE_INVALID

    @pytest.mark.parametrize(
        ("number", "code"),
        [
            (errno.EACCES, ErrorCode.WORKSPACE_INVALID),
            (errno.ESTALE, ErrorCode.WORKSPACE_INVALID),
            (errno.EIO, ErrorCode.IO_ERROR),
            (errno.EMFILE, ErrorCode.IO_ERROR),
        ],
    )
    def test_one_that_cannot_be_listed_is_an_error(
        self, number: int, code: ErrorCode, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_path: bytes) -> list[bytes]:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "listdir", fail)
        assert self._code(lambda: inbox.refresh(0)) is code

    def test_a_file_that_the_disk_fails_to_give_is_an_error(
        self, inbox: Inbox, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (folder / "a.json").write_bytes(WHOLE)
        inbox.refresh(0)

        def fail(_path: bytes, _flags: int) -> int:
            raise OSError(errno.EIO, "bad disk")

        monkeypatch.setattr(os, "open", fail)
        assert self._code(lambda: inbox.next_candidate(0)) is ErrorCode.IO_ERROR


def test_a_long_backlog_gives_its_memory_back_as_it_is_worked_off(
    inbox: Inbox, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [b"%06d.json" % number for number in range(70_000)]
    monkeypatch.setattr(os, "listdir", lambda _path: list(names))
    inbox.refresh(0)
    assert inbox.count == 70_000
    there = [*names[65_534:65_538], names[-1]]
    for name in there:
        (folder / os.fsdecode(name)).write_bytes(WHOLE)
    assert claim_all(inbox, folder) == there, "also where the list is cut"
    assert len(inbox._backlog) < 5_000  # noqa: SLF001 - memory cannot be seen from outside


def test_files_are_counted_wherever_they_wait(inbox: Inbox, folder: Path) -> None:
    for name in ("whole.json", "gone.json"):
        (folder / name).write_bytes(WHOLE)
    (folder / "folder.json").mkdir()
    inbox.rescan(0)
    (folder / "gone.json").unlink()
    (folder / "new.json").write_bytes(WHOLE)
    inbox.arrived([b"new.json", b"whole.json", b"never.json"])
    assert inbox.count_files() == 2


def test_cancels_are_handed_on_once_in_the_order_of_their_names(inbox: Inbox, folder: Path) -> None:
    for name in ("b.cancel", "a.cancel"):
        (folder / name).write_bytes(b"")
    inbox.rescan(0)
    assert inbox.take_cancels() == (b"a.cancel", b"b.cancel")
    assert inbox.take_cancels() == ()


def test_names_of_any_kind_may_arrive_together(inbox: Inbox, folder: Path) -> None:
    inbox.rescan(0)
    for name in ("a.cancel", "b.json"):
        (folder / name).write_bytes(WHOLE)
    inbox.arrived([b"clip.mov", b"gone.cancel", b"a.cancel", b"b.json"])
    assert claim_all(inbox, folder) == [b"b.json"]
    inbox.rescan(1)
    assert inbox.take_cancels() == (b"a.cancel", b"gone.cancel"), (
        "a listing takes none back: whether it is still there is asked later"
    )


def test_a_name_that_arrives_again_while_it_waits_is_one_job(inbox: Inbox, folder: Path) -> None:
    (folder / "a.json").write_bytes(b"{")
    inbox.refresh(0)
    assert inbox.next_candidate(0) is None
    inbox.arrived([b"a.json"])
    assert inbox.count == 1


def test_too_long_a_stem_is_found_by_a_listing_and_reported_once(inbox: Inbox, folder: Path) -> None:
    too_long = b"x" * 236 + b".json"
    (folder / os.fsdecode(too_long)).write_bytes(WHOLE)
    inbox.rescan(0)
    assert inbox.take_unreported() == inbox.too_long == (too_long,)
    inbox.rescan(1)
    assert (inbox.take_unreported(), inbox.too_long) == ((), (too_long,))


def test_what_is_no_job_is_reported_once_two_listings_have_seen_it(inbox: Inbox, folder: Path) -> None:
    for name in ("clip.mov", "a.json", "a.cancel", ".b.json"):
        (folder / name).write_bytes(b"")
    reported = []
    for now in range(3):
        inbox.rescan(now)
        reported.append(inbox.take_strays())
    assert reported == [(), (b"clip.mov",), ()]
