"""The folders of a workspace, the identity, the proof that renames are atomic, and what is assumed of it all."""

import ctypes
import errno
import os
from pathlib import Path

import pytest
from pyfakefs.fake_filesystem import FakeFilesystem

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.files import rename
from proxx_worker.files.filesystems import FilesystemKind, Mount
from proxx_worker.workspace.assumptions import assumptions_of
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.rename_probe import PROBE, require_one_device

FOLDERS = {"inbox", "running", "done", "failed", ".proxx"}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def _refusal(workspace: Workspace) -> ProxxError:
    with pytest.raises(ProxxError) as caught:
        workspace.prepare()
    return caught.value


def _probes(workspace: Workspace) -> list[Path]:
    return sorted(workspace.root.rglob(os.fsdecode(PROBE)))


class TestPrepare:
    def test_makes_the_missing_folders_and_an_identity_that_stays(self, workspace: Workspace, tmp_path: Path) -> None:
        identity = workspace.prepare()
        assert {path.name for path in tmp_path.iterdir()} == FOLDERS
        assert len(identity) == 16
        assert workspace.prepare() == identity
        assert Workspace(tmp_path).prepare() == identity

    def test_folders_that_were_there_are_made_durable(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever made them may have been killed before the sync."""
        workspace.prepare()
        synced: list[Path] = []
        monkeypatch.setattr(os, "fsync", lambda fd: synced.append(Path(f"/proc/self/fd/{fd}").readlink()))
        workspace.prepare()
        assert workspace.root in synced

    def test_leaves_no_trace_of_the_proof(self, workspace: Workspace) -> None:
        workspace.prepare()
        assert _probes(workspace) == []

    def test_a_proof_that_a_crash_cut_short_is_cleaned_up(self, workspace: Workspace) -> None:
        workspace.prepare()
        for folder in FOLDERS:
            (workspace.root / folder / os.fsdecode(PROBE)).touch()
        workspace.prepare()
        assert _probes(workspace) == []

    def test_a_missing_workspace_is_not_made(self, tmp_path: Path) -> None:
        error = _refusal(Workspace(tmp_path / "nothing"))
        assert error.code is ErrorCode.WORKSPACE_INVALID
        assert not (tmp_path / "nothing").exists()

    def test_a_file_is_no_workspace(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        assert _refusal(Workspace(tmp_path / "file")).code is ErrorCode.WORKSPACE_INVALID

    def test_the_workspace_itself_may_be_reached_by_a_symlink(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to("real")
        Workspace(tmp_path / "link").prepare()
        assert (tmp_path / "real" / "inbox").is_dir()

    @pytest.mark.parametrize("name", sorted(FOLDERS))
    def test_a_symlink_in_place_of_a_folder_is_refused(self, name: str, workspace: Workspace, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / name).symlink_to("elsewhere")
        error = _refusal(workspace)
        assert error.code is ErrorCode.WORKSPACE_INVALID
        assert "symlink" in str(error)

    def test_a_file_in_place_of_a_folder_is_refused(self, workspace: Workspace, tmp_path: Path) -> None:
        (tmp_path / "done").touch()
        assert _refusal(workspace).code is ErrorCode.WORKSPACE_INVALID

    @pytest.mark.parametrize("content", [b"", b"0123456789abcdef", b"0123456789ABCDEF\n", b"0123456789abcdef\nmore"])
    def test_an_identity_that_is_none_is_refused(self, content: bytes, workspace: Workspace, tmp_path: Path) -> None:
        workspace.prepare()
        (tmp_path / ".proxx" / "workspace-id").write_bytes(content)
        assert _refusal(workspace).code is ErrorCode.WORKSPACE_INVALID

    def test_a_relative_path_means_the_folder_of_that_moment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        workspace = Workspace(Path())
        monkeypatch.chdir("/")
        assert workspace.inbox == os.fsencode(tmp_path / "inbox")


class TestOneFilesystem:
    @pytest.fixture
    def folders(self, fs: FakeFilesystem) -> tuple[bytes, ...]:
        workspace = Workspace(Path("/srv"))
        for folder in FOLDERS - {"done"}:
            fs.create_dir(f"/srv/{folder}")
        fs.add_mount_point("/srv/done")
        return workspace.folders

    def test_another_filesystem_under_a_folder_is_refused(self, folders: tuple[bytes, ...]) -> None:
        with pytest.raises(ProxxError) as caught:
            require_one_device(folders)
        assert caught.value.code is ErrorCode.RENAME_NOT_ATOMIC
        assert "/srv/inbox and /srv/done" in str(caught.value)

    def test_a_missing_folder_is_an_error(self, folders: tuple[bytes, ...]) -> None:
        with pytest.raises(ProxxError) as caught:
            require_one_device((*folders, b"/srv/nothing"))
        assert caught.value.code is ErrorCode.WORKSPACE_INVALID


class TestProbe:
    def test_two_mounts_of_one_device_are_found_out_by_trial(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_arguments: bytes | int) -> int:
            ctypes.set_errno(errno.EXDEV)
            return -1

        monkeypatch.setattr(rename, "_function", refuse)
        error = _refusal(workspace)
        assert error.code is ErrorCode.RENAME_NOT_ATOMIC
        assert _probes(workspace) == []

    def test_a_filesystem_that_overwrites_all_the_same_is_refused(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def overwrite(_src_fd: int, src: bytes, _dst_fd: int, dst: bytes, _flags: int) -> int:
            Path(os.fsdecode(src)).replace(os.fsdecode(dst))
            return 0

        monkeypatch.setattr(rename, "_function", overwrite)
        assert _refusal(workspace).code is ErrorCode.RENAME_NOT_ATOMIC


class TestRequire:
    def test_an_object_store_is_refused_before_anything_is_made(self, tmp_path: Path) -> None:
        workspace = Workspace(tmp_path)
        workspace.__dict__["mount"] = Mount(os.fsencode(tmp_path), "fuse.gcsfuse", "bucket")
        assert _refusal(workspace).code is ErrorCode.UNSUPPORTED_FILESYSTEM
        assert list(tmp_path.iterdir()) == []
        assert workspace.filesystem_kind is FilesystemKind.OBJECT_STORE

    def test_the_real_mount_is_known(self, workspace: Workspace) -> None:
        assert workspace.mount is not None
        assert workspace.filesystem_kind is FilesystemKind.LOCAL


class TestAssumptions:
    def test_a_sound_workspace_holds_them_all_and_nothing_is_changed(self, workspace: Workspace, tmp_path: Path) -> None:
        assumptions = list(assumptions_of(workspace))
        assert [it.name for it in assumptions if not it.ok] == []
        assert list(tmp_path.iterdir()) == []
        workspace.prepare()
        assert all(it.ok for it in assumptions_of(workspace))

    def test_of_a_missing_workspace_nothing_else_is_said(self, tmp_path: Path) -> None:
        (only,) = assumptions_of(Workspace(tmp_path / "nothing"))
        assert only.name == "workspace"
        assert only.error is not None
        assert only.error.code is ErrorCode.WORKSPACE_INVALID
        assert "correct the path" in only.error.message

    def test_each_violated_one_is_named_by_itself(self, workspace: Workspace, tmp_path: Path) -> None:
        workspace.prepare()
        (tmp_path / "failed").rmdir()
        (tmp_path / "failed").touch()
        violated = [(it.name, it.error) for it in assumptions_of(workspace) if it.error is not None]
        assert [(name, error.code) for name, error in violated] == [("failed/", ErrorCode.WORKSPACE_INVALID)]
        assert "put a real folder in its place" in violated[0][1].message

    def test_folders_that_cannot_be_synced_are_a_violation(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(_fd: int) -> None:
            raise OSError(errno.EINVAL, "not here")

        monkeypatch.setattr(os, "fsync", refuse)
        assert [it.name for it in assumptions_of(workspace) if not it.ok] == ["folder syncs"]

    def test_folders_without_permission_are_a_violation(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "access", lambda path, _mode: not path.endswith(b"inbox"))
        workspace.prepare()
        violated = [(it.name, it.error.code) for it in assumptions_of(workspace) if it.error is not None]
        assert violated == [("inbox/", ErrorCode.WORKSPACE_INVALID)]
