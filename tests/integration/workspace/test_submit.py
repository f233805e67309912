"""A drop into an inbox: whole, durable, never over another."""

import errno
import os
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.submit import submit
from tests.support.privileges import without_power_over_file_modes


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "workspace").mkdir()
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "clip.json"
    path.write_bytes(b"any bytes")
    return path


def refusal(workspace: Workspace, path: Path) -> ErrorCode:
    with pytest.raises(ProxxError) as caught:
        submit(workspace, path)
    return caught.value.code


def test_copies_the_bytes_and_says_where(workspace: Workspace, spec: Path) -> None:
    made = submit(workspace, spec)
    assert made == workspace.root / "inbox" / "clip.json"
    assert made.read_bytes() == spec.read_bytes() == b"any bytes"
    assert [path.name for path in made.parent.iterdir()] == ["clip.json"]


def test_a_taken_name_gets_the_lowest_free_number(workspace: Workspace, spec: Path) -> None:
    assert [submit(workspace, spec).name for _ in range(3)] == ["clip.json", "clip~2.json", "clip~3.json"]
    (workspace.root / "inbox" / "clip~2.json").unlink()
    assert submit(workspace, spec).name == "clip~2.json"


def test_is_durable_before_it_has_its_name(workspace: Workspace, spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    submit(workspace, spec)
    synced: list[tuple[str, bool]] = []
    fsync = os.fsync
    target = workspace.root / "inbox" / "clip~2.json"

    def note(fd: int) -> None:
        name = Path(f"/proc/self/fd/{fd}").readlink().name
        synced.append((name.partition("-")[0], target.exists()))
        fsync(fd)

    monkeypatch.setattr(os, "fsync", note)
    submit(workspace, spec)
    # First the workspace: whoever made the inbox may have been killed before the sync.
    workspace_first = (workspace.root.name.partition("-")[0], False)
    assert synced == [workspace_first, (".submit", False), ("inbox", True)]


def test_a_spec_that_its_share_has_lost_is_refused(workspace: Workspace, spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(_fd: int) -> os.stat_result:
        raise OSError(errno.ESTALE, "Stale file handle")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", lost)
        assert refusal(workspace, spec) is ErrorCode.SPEC_INVALID


@pytest.mark.parametrize("name", ["clip.txt", ".clip.json", "clip.result.json", "x" * 236 + ".json"])
def test_a_name_that_no_worker_takes_is_refused(name: str, workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"{}")
    assert refusal(workspace, tmp_path / name) is ErrorCode.SPEC_INVALID
    assert list(workspace.root.iterdir()) == []


def test_a_number_that_makes_the_name_too_long_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / ("x" * 235 + ".json")
    path.write_bytes(b"{}")
    submit(workspace, path)
    assert refusal(workspace, path) is ErrorCode.SPEC_INVALID
    assert [entry.name for entry in (workspace.root / "inbox").iterdir()] == [path.name]


def test_a_missing_file_is_told(workspace: Workspace, tmp_path: Path) -> None:
    assert refusal(workspace, tmp_path / "nothing.json") is ErrorCode.SPEC_INVALID


def test_what_is_not_a_file_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "fifo.json")
    for name in ("folder.json", "fifo.json"):
        assert refusal(workspace, tmp_path / name) is ErrorCode.SPEC_INVALID


def test_a_missing_workspace_is_not_made(tmp_path: Path, spec: Path) -> None:
    assert refusal(Workspace(tmp_path / "nothing"), spec) is ErrorCode.WORKSPACE_INVALID
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, ErrorCode.NO_SPACE), (errno.EIO, ErrorCode.IO_ERROR)])
def test_a_failed_write_leaves_nothing(
    number: int, code: ErrorCode, workspace: Workspace, spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_fd: int) -> None:
        raise OSError(number, os.strerror(number))

    (workspace.root / "inbox").mkdir()
    monkeypatch.setattr(os, "fsync", fail)
    assert refusal(workspace, spec) is code
    assert list((workspace.root / "inbox").iterdir()) == []


def test_ctrl_c_leaves_nothing(workspace: Workspace, spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_fd: int) -> None:
        raise KeyboardInterrupt

    (workspace.root / "inbox").mkdir()
    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        submit(workspace, spec)
    assert list((workspace.root / "inbox").iterdir()) == []


def test_a_name_taken_in_the_last_moment_is_not_overwritten(
    workspace: Workspace, spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = workspace.root / "inbox" / "clip.json"
    fsync = os.fsync

    def take(fd: int) -> None:
        fsync(fd)
        if taken.parent.exists() and not taken.exists():
            taken.write_bytes(b"another")

    monkeypatch.setattr(os, "fsync", take)
    assert submit(workspace, spec).name == "clip~2.json"
    assert taken.read_bytes() == b"another"


def test_an_inbox_that_cannot_be_synced_gets_nothing(workspace: Workspace, spec: Path) -> None:
    """Write permission alone lets a file in, but not its name be made durable."""
    (workspace.root / "inbox").mkdir(mode=0o300)
    with without_power_over_file_modes():
        assert refusal(workspace, spec) is ErrorCode.WORKSPACE_INVALID
    (workspace.root / "inbox").chmod(0o700)
    assert list((workspace.root / "inbox").iterdir()) == []


def test_a_drop_that_cannot_be_made_durable_stands_and_is_told(
    workspace: Workspace, spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workspace.root / "inbox" / "clip.json"
    fsync = os.fsync

    def fail(fd: int) -> None:
        if made.exists():
            raise OSError(errno.EIO, "bad disk")
        fsync(fd)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ProxxError, match=r"cannot sync the folder .* clip\.json was dropped before that, and stands") as caught:
        submit(workspace, spec)
    assert caught.value.code is ErrorCode.IO_ERROR
    assert list(made.parent.iterdir()) == [made], "taken back, it could return after a power cut"


def test_a_workspace_in_a_folder_that_may_not_be_entered_is_not_called_missing(tmp_path: Path) -> None:
    inside = tmp_path / "locked" / "ws"
    inside.mkdir(parents=True)
    inside.parent.chmod(0)
    with without_power_over_file_modes(), pytest.raises(ProxxError, match=r"cannot inspect the folder .*EACCES") as caught:
        Workspace(inside).require_folder()
    inside.parent.chmod(0o700)
    assert caught.value.code is ErrorCode.WORKSPACE_INVALID
    (tmp_path / "file").touch()
    with pytest.raises(ProxxError, match="there is no folder"):
        Workspace(tmp_path / "file" / "ws").require_folder()
