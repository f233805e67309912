"""Wake-ups: what is told, what is merged, what is lost, and what to do where there are none."""

import errno
import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest
from watchdog.observers.inotify_c import InotifyFD

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.files.filesystems import FilesystemKind
from proxx_worker.workspace import events
from proxx_worker.workspace.events import EventWatcher
from proxx_worker.workspace.wakeups import NO_WAKEUPS, Wakeups
from proxx_worker.workspace.watcher import Watcher, watch_inbox


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "inbox"
    path.mkdir()
    return path


@pytest.fixture
def watcher(folder: Path) -> Iterator[Watcher]:
    it = watch_inbox(os.fsencode(folder), FilesystemKind.LOCAL)
    yield it
    it.close()


def wait(watcher: Watcher) -> Wakeups:
    """The next wakeups; a thread of watchdog's brings them."""
    fd = watcher.fileno()
    assert fd is not None
    assert select.select([fd], [], [], 30)[0], "nothing was told within 30 s"
    return watcher.read()


def names_until(watcher: Watcher, wanted: bytes) -> set[bytes]:
    """All names told until `wanted` is among them."""
    names: set[bytes] = set()
    while wanted not in names:
        names.update(wait(watcher).names)
    return names


def lost(watcher: Watcher) -> None:
    """Wait until the watcher says that events were lost."""
    while not wait(watcher).lost:
        pass


class TestEvents:
    def test_a_drop_wakes_and_names_it(self, watcher: Watcher, folder: Path) -> None:
        assert watcher.read() == NO_WAKEUPS
        (folder / "a.json").write_bytes(b"{}")
        assert names_until(watcher, b"a.json") == {b"a.json"}

    def test_a_rename_and_a_link_into_it_wake(self, watcher: Watcher, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "one").touch()
        (tmp_path / "one").rename(folder / "one.json")
        (folder / "two.json").hardlink_to(folder / "one.json")
        assert names_until(watcher, b"two.json") <= {b"one.json", b"two.json"}

    def test_a_claim_does_not_wake(self, watcher: Watcher, folder: Path, tmp_path: Path) -> None:
        for name in ("a.json", "b.json", "c.json"):
            (folder / name).touch()
        names_until(watcher, b"c.json")
        (folder / "a.json").rename(tmp_path / "a.json")
        (tmp_path / "last").touch()
        (tmp_path / "last").rename(folder / "last.json")
        assert b"a.json" not in names_until(watcher, b"last.json")

    def test_drops_right_after_claims_are_told_without_a_delay_for_pairing(
        self, watcher: Watcher, folder: Path, tmp_path: Path
    ) -> None:
        for number in range(10):
            (folder / f"{number}.json").touch()
            assert b"%d.json" % number in names_until(watcher, b"%d.json" % number)
            (folder / f"{number}.json").rename(tmp_path / f"{number}.json")

    def test_names_need_not_be_utf8(self, watcher: Watcher, folder: Path) -> None:
        (folder / os.fsdecode(b"\xff\n.json")).touch()
        assert names_until(watcher, b"\xff\n.json") == {b"\xff\n.json"}

    def test_the_completion_of_a_long_write_is_told(self, watcher: Watcher, folder: Path) -> None:
        with (folder / "a.json").open("wb") as stream:
            names_until(watcher, b"a.json")
            stream.write(b"{}")
        names_until(watcher, b"a.json")

    @pytest.mark.parametrize("gone", ["removed", "moved"])
    def test_the_end_of_the_folder_asks_for_a_scan(self, gone: str, watcher: Watcher, folder: Path) -> None:
        folder.rmdir() if gone == "removed" else folder.rename(folder.with_name("away"))
        lost(watcher)


class TestFloods:
    def test_lost_events_ask_for_a_scan(self) -> None:
        watcher = EventWatcher(b"/tmp")
        watcher.report(b"a.json")
        watcher.report(None, lost=True)
        watcher.report(b"b.json")
        assert watcher.read() == Wakeups(changed=True, lost=True)
        watcher.close()
        watcher.report(b"after the end")

    def test_too_many_names_at_once_ask_for_a_scan(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(events, "MAX_NAMES", 10)
        watcher = EventWatcher(os.fsencode(tmp_path))
        for number in range(11):
            watcher.report(b"%d.json" % number)
        assert watcher.read() == Wakeups(lost=True)
        watcher.close()

    def test_an_overflow_of_the_kernels_queue_is_passed_on(self, watcher: Watcher, folder: Path) -> None:
        """More events than the queue holds, as fast as they come; told as lost, or as names, but never as nothing."""
        for number in range(20_000):
            (folder / f"{number}.json").touch()
        (folder / "last.json").touch()
        while True:
            wakeups = wait(watcher)
            if wakeups.lost or b"last.json" in wakeups.names:
                break


class TestNoEvents:
    def test_on_a_network_filesystem_there_are_none(self, folder: Path) -> None:
        watcher = watch_inbox(os.fsencode(folder), FilesystemKind.NETWORK)
        (folder / "a.json").touch()
        assert watcher.fileno() is None
        assert watcher.read() == NO_WAKEUPS
        assert "other hosts" in (watcher.reason or "")
        watcher.close()

    @pytest.mark.parametrize(("number", "hint"), [(errno.EMFILE, "max_user_instances"), (errno.ENOSPC, "max_user_watches")])
    def test_at_a_limit_of_the_system_the_reason_names_it(
        self, number: int, hint: str, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_arguments: object) -> int:
            raise OSError(number, os.strerror(number))

        open_before = len(list(Path("/proc/self/fd").iterdir()))
        monkeypatch.setattr(InotifyFD, "add_callback", refuse)
        watcher = watch_inbox(os.fsencode(folder), FilesystemKind.LOCAL)
        assert hint in (watcher.reason or "")
        assert len(list(Path("/proc/self/fd").iterdir())) == open_before

    def test_a_missing_inbox_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ProxxError) as caught:
            watch_inbox(os.fsencode(tmp_path / "nothing"), FilesystemKind.LOCAL)
        assert caught.value.code is ErrorCode.WORKSPACE_INVALID
