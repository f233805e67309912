"""Wake-ups: what is told, what is merged, what is lost, and what to do where there are none."""

import ctypes
import errno
import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.files.filesystems import FilesystemKind
from proxx_worker.workspace import inotify
from proxx_worker.workspace.hints import NO_HINTS, Hints
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


def is_readable(watcher: Watcher) -> bool:
    fd = watcher.fileno()
    assert fd is not None
    return bool(select.select([fd], [], [], 0)[0])


class TestEvents:
    def test_a_drop_wakes_and_names_it_once(self, watcher: Watcher, folder: Path) -> None:
        assert not is_readable(watcher)
        (folder / "a.json").write_bytes(b"{}")
        assert is_readable(watcher)
        assert watcher.read() == Hints(names=(b"a.json",))
        assert not is_readable(watcher)
        assert watcher.read() == NO_HINTS

    def test_a_rename_and_a_link_into_it_wake(self, watcher: Watcher, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "one").touch()
        (tmp_path / "one").rename(folder / "one.json")
        (folder / "two.json").hardlink_to(folder / "one.json")
        assert watcher.read().names == (b"one.json", b"two.json")

    def test_a_claim_does_not_wake(self, watcher: Watcher, folder: Path, tmp_path: Path) -> None:
        (folder / "a.json").touch()
        watcher.read()
        (folder / "a.json").rename(tmp_path / "a.json")
        assert not is_readable(watcher)

    def test_a_drop_right_after_a_claim_is_told_at_once(self, watcher: Watcher, folder: Path, tmp_path: Path) -> None:
        for number in range(10):
            (folder / f"{number}.json").touch()
            assert watcher.read().names == (b"%d.json" % number,)
            (folder / f"{number}.json").rename(tmp_path / f"{number}.json")

    def test_names_need_not_be_utf8(self, watcher: Watcher, folder: Path) -> None:
        (folder / os.fsdecode(b"\xff\n.json")).touch()
        assert watcher.read().names == (b"\xff\n.json",)

    def test_the_completion_of_a_long_write_is_told(self, watcher: Watcher, folder: Path) -> None:
        with (folder / "a.json").open("wb") as stream:
            watcher.read()
            stream.write(b"{}")
        assert watcher.read().names == (b"a.json",)

    @pytest.mark.parametrize("gone", ["removed", "moved"])
    def test_the_end_of_the_folder_asks_for_a_scan(self, gone: str, watcher: Watcher, folder: Path) -> None:
        folder.rmdir() if gone == "removed" else folder.rename(folder.with_name("away"))
        assert watcher.read().lost


class TestFloods:
    def test_an_overflow_of_the_kernels_queue_asks_for_a_scan(self, watcher: Watcher, folder: Path) -> None:
        limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
        path = folder / "a.json"
        for number in range(limit // 2 + 100):
            following = folder / f"{number}.json"
            path.touch() if number == 0 else path.rename(following)
            path = path if number == 0 else following
            os.close(os.open(path, os.O_WRONLY))
        assert watcher.read() == Hints(lost=True)
        assert watcher.read() == NO_HINTS

    def test_too_many_names_at_once_ask_for_a_scan(self, watcher: Watcher, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(inotify, "MAX_NAMES", 10)
        for number in range(11):
            (folder / f"{number}.json").touch()
        assert watcher.read() == Hints(lost=True)


class TestNoEvents:
    def test_on_a_network_filesystem_there_are_none(self, folder: Path) -> None:
        watcher = watch_inbox(os.fsencode(folder), FilesystemKind.NETWORK)
        (folder / "a.json").touch()
        assert watcher.fileno() is None
        assert watcher.read() == NO_HINTS
        assert "other hosts" in (watcher.reason or "")
        watcher.close()

    @pytest.mark.parametrize("function", ["inotify_init1", "inotify_add_watch"])
    @pytest.mark.parametrize(("number", "hint"), [(errno.EMFILE, "max_user_instances"), (errno.ENOSPC, "max_user_watches")])
    def test_at_a_limit_of_the_system_the_reason_names_it(
        self, function: str, number: int, hint: str, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Library:
            def __init__(self, *_arguments: object, **_options: bool) -> None:
                self.real = real(None, use_errno=True)

            def inotify_init1(self, flags: int) -> int:
                return self._fail() if function == "inotify_init1" else int(self.real.inotify_init1(flags))

            def inotify_add_watch(self, *_arguments: object) -> int:
                return self._fail()

            def _fail(self) -> int:
                ctypes.set_errno(number)
                return -1

        real = ctypes.CDLL
        open_before = len(list(Path("/proc/self/fd").iterdir()))
        monkeypatch.setattr(ctypes, "CDLL", Library)
        watcher = watch_inbox(os.fsencode(folder), FilesystemKind.LOCAL)
        assert hint in (watcher.reason or "")
        assert len(list(Path("/proc/self/fd").iterdir())) == open_before

    def test_a_missing_inbox_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ProxxError) as caught:
            watch_inbox(os.fsencode(tmp_path / "nothing"), FilesystemKind.LOCAL)
        assert caught.value.code is ErrorCode.WORKSPACE_INVALID
