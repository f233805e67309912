"""Output directories: looked at, refused, held by one job at a time."""

import errno
import fcntl
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.delivery.holding import DirectoryLock
from proxx_worker.delivery.location import real_location
from proxx_worker.delivery.output_directory import OutputDirectory, check_output_directory

ROOT = Path(__file__).resolve().parents[3]
LOCK = ".proxx-lock"

both_ways = pytest.mark.parametrize(
    "look", [lambda path: OutputDirectory.hold(path).release(), lambda path: check_output_directory(path, ["a.mov"])]
)


def code_of(action: Callable[[], object]) -> ErrorCode:
    with pytest.raises(ProxxError) as caught:
        action()
    return caught.value.code


def no_folder_locks(descriptor: int, operation: int) -> None:
    """`flock` as NFS has it: files only."""
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        raise OSError(errno.EBADF, "Bad file descriptor")
    fcntl.flock(descriptor, operation)


@both_ways
def test_missing_file_or_dangling(tmp_path: Path, look: Callable[[str], None]) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "fifo")
    for name in ("absent", "file", "file/below", "dangling", "loop", "fifo", "x" * 300, "nul\0"):
        assert code_of(partial(look, f"{tmp_path}/{name}")) is ErrorCode.OUTPUT_DIRECTORY_MISSING


@both_ways
@pytest.mark.parametrize("mode", [0o555, 0o333, 0o666])
def test_a_folder_without_a_permission_is_not_writable(unprivileged_folder: Path, look: Callable[[str], None], mode: int) -> None:
    unprivileged_folder.chmod(mode)
    assert code_of(lambda: look(str(unprivileged_folder))) is ErrorCode.OUTPUT_DIRECTORY_NOT_WRITABLE


@both_ways
def test_a_read_only_mount_is_not_writable(mount: Callable[[str], Path], look: Callable[[str], None]) -> None:
    folder = mount("ro")
    assert code_of(lambda: look(str(folder))) is ErrorCode.OUTPUT_DIRECTORY_NOT_WRITABLE


def test_a_look_touches_nothing(out: Path) -> None:
    before = out.stat()
    check_output_directory(str(out), ["a.mov"])
    after = out.stat()
    assert list(out.iterdir()) == []
    assert (before.st_mtime_ns, before.st_ctime_ns) == (after.st_mtime_ns, after.st_ctime_ns)


@pytest.mark.usefixtures("held")
def test_a_look_goes_on_beside_a_holder(out: Path) -> None:
    check_output_directory(str(out), ["a.mov"])


def test_taken_names_are_all_told(out: Path, held: OutputDirectory) -> None:
    (out / "file.mov").touch()
    (out / "folder.mov").mkdir()
    (out / "link.mov").symlink_to("nowhere")
    names = ["free.mov", "file.mov", "folder.mov", "link.mov"]
    with pytest.raises(ProxxError) as caught:
        held.require_free(names)
    assert caught.value.code is ErrorCode.OUTPUT_EXISTS
    assert caught.value.error.details["existing"] == [f"{out}/{name}" for name in names[1:]]
    assert code_of(lambda: check_output_directory(str(out), names)) is ErrorCode.OUTPUT_EXISTS
    held.require_free(["free.mov"])


def test_a_name_too_long_for_the_filesystem_is_an_invalid_name(held: OutputDirectory) -> None:
    assert code_of(lambda: held.require_free(["x" * 256])) is ErrorCode.OUTPUT_NAME_INVALID


def test_a_second_holder_is_told_to_wait(out: Path, held: OutputDirectory) -> None:
    assert code_of(lambda: OutputDirectory.hold(str(out))) is ErrorCode.OUTPUT_DIRECTORY_BUSY
    held.release()
    held.release()
    OutputDirectory.hold(str(out)).release()


@pytest.mark.usefixtures("held")
def test_a_local_directory_is_held_without_a_trace(out: Path) -> None:
    assert list(out.iterdir()) == []


@pytest.mark.usefixtures("held")
def test_the_same_directory_by_another_path_is_held_too(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("out")
    assert code_of(lambda: OutputDirectory.hold(f"{tmp_path}/link")) is ErrorCode.OUTPUT_DIRECTORY_BUSY


HOLDER = f"""
import errno, fcntl, os, stat, sys
sys.path.insert(0, {str(ROOT)!r})
from proxx_worker.delivery.output_directory import OutputDirectory
def files_only(descriptor, operation):
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        raise OSError(errno.EBADF, "Bad file descriptor")
    fcntl.flock(descriptor, operation)
directory = OutputDirectory.hold(sys.argv[1], flock=files_only if sys.argv[2] == "file" else fcntl.flock)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_killed_holder_lets_go(out: Path, kind: str) -> None:
    flock = no_folder_locks if kind == "file" else fcntl.flock
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(out), kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert code_of(lambda: OutputDirectory.hold(str(out), flock=flock)) is ErrorCode.OUTPUT_DIRECTORY_BUSY
        holder.kill()
    OutputDirectory.hold(str(out), flock=flock).release()
    assert list(out.iterdir()) == []


def test_where_folders_cannot_be_locked_a_file_is(out: Path) -> None:
    with OutputDirectory.hold(str(out), flock=no_folder_locks):
        assert [entry.name for entry in out.iterdir()] == [LOCK]
        assert code_of(lambda: OutputDirectory.hold(str(out), flock=no_folder_locks)) is ErrorCode.OUTPUT_DIRECTORY_BUSY
    assert list(out.iterdir()) == []


def test_a_lock_file_removed_by_hand_does_not_hinder_the_release(out: Path) -> None:
    with OutputDirectory.hold(str(out), flock=no_folder_locks):
        (out / LOCK).unlink()


def test_a_lock_file_that_cannot_be_removed_is_told(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = OutputDirectory.hold(str(out), flock=no_folder_locks)

    def failing(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", failing)
        assert code_of(directory.release) is ErrorCode.IO_ERROR
    OutputDirectory.hold(str(out), flock=no_folder_locks).release()
    assert list(out.iterdir()) == []


def test_a_lock_file_whose_holder_just_left_is_not_mistaken_for_the_lock(out: Path) -> None:
    left: list[Path] = []

    def overtaken(descriptor: int, operation: int) -> None:
        no_folder_locks(descriptor, operation)
        if len(left) < 3:
            # The former holder removes its file between our open and our lock, and someone else makes a new one.
            (out / LOCK).unlink()
            if len(left) < 2:
                (out / LOCK).touch()
            left.append(out)

    with OutputDirectory.hold(str(out), flock=overtaken):
        assert code_of(lambda: OutputDirectory.hold(str(out), flock=no_folder_locks)) is ErrorCode.OUTPUT_DIRECTORY_BUSY
    assert len(left) == 3


def test_a_lock_that_is_never_ones_own_is_somebody_elses(out: Path) -> None:
    def forever(descriptor: int, operation: int) -> None:
        no_folder_locks(descriptor, operation)
        (out / LOCK).unlink()

    assert code_of(lambda: OutputDirectory.hold(str(out), flock=forever)) is ErrorCode.OUTPUT_DIRECTORY_BUSY


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOLCK, ErrorCode.UNSUPPORTED_FILESYSTEM),
        (errno.EOPNOTSUPP, ErrorCode.UNSUPPORTED_FILESYSTEM),
        (errno.EACCES, ErrorCode.OUTPUT_DIRECTORY_BUSY),
        (errno.EAGAIN, ErrorCode.OUTPUT_DIRECTORY_BUSY),
        (errno.EIO, ErrorCode.IO_ERROR),
        (errno.ESTALE, ErrorCode.IO_ERROR),
    ],
)
def test_what_cannot_be_locked_is_not_written_to(out: Path, number: int, code: ErrorCode) -> None:
    def refusing(descriptor: int, operation: int) -> None:
        no_folder_locks(descriptor, operation)
        raise OSError(number, os.strerror(number))

    assert code_of(lambda: OutputDirectory.hold(str(out), flock=refusing)) is code


def test_a_folder_lock_that_fails_in_earnest_is_not_replaced(out: Path) -> None:
    def failing(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    assert code_of(lambda: OutputDirectory.hold(str(out), flock=failing)) is ErrorCode.IO_ERROR
    assert list(out.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_filesystem_that_takes_no_files_is_not_writable() -> None:
    """Root may write to /proc by its mode; making a file there answers ENOENT."""
    assert code_of(lambda: OutputDirectory.hold("/proc")) is ErrorCode.OUTPUT_DIRECTORY_NOT_WRITABLE


def test_a_directory_deleted_before_its_lock_file_is_made_is_missing(out: Path) -> None:
    def deleting(_descriptor: int, _operation: int) -> None:
        out.rmdir()
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    assert code_of(lambda: OutputDirectory.hold(str(out), flock=deleting)) is ErrorCode.OUTPUT_DIRECTORY_MISSING


def test_a_symlink_in_the_lock_files_place_is_not_followed(out: Path, tmp_path: Path) -> None:
    (out / LOCK).symlink_to(tmp_path / "elsewhere")
    assert code_of(lambda: OutputDirectory.hold(str(out), flock=no_folder_locks)) is ErrorCode.IO_ERROR
    assert not (tmp_path / "elsewhere").exists()


CONTENDER = f"""
import errno, fcntl, os, stat, sys
sys.path.insert(0, {str(ROOT)!r})
from proxx_worker.contract.errors import ProxxError
from proxx_worker.delivery.output_directory import OutputDirectory
def files_only(descriptor, operation):
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        raise OSError(errno.EBADF, "Bad file descriptor")
    fcntl.flock(descriptor, operation)
won = 0
while won < 100:
    try:
        directory = OutputDirectory.hold(sys.argv[1], flock=files_only)
    except ProxxError as refused:
        assert refused.code == "OUTPUT_DIRECTORY_BUSY", refused
        continue
    with directory:
        os.close(os.open(sys.argv[2], os.O_CREAT | os.O_EXCL))
        os.unlink(sys.argv[2])
        won += 1
"""


def test_three_who_race_for_a_lock_file_never_hold_it_together(out: Path, tmp_path: Path) -> None:
    contenders = [subprocess.Popen([sys.executable, "-c", CONTENDER, str(out), f"{tmp_path}/sentinel"]) for _ in range(3)]
    assert [contender.wait() for contender in contenders] == [0, 0, 0]
    assert list(out.iterdir()) == []


def test_roots_hold_for_the_real_location(tmp_path: Path, out: Path) -> None:
    (tmp_path / "allowed" / "inner").mkdir(parents=True)
    (tmp_path / "allowed" / "way_out").symlink_to(out)
    (tmp_path / "way_in").symlink_to(tmp_path / "allowed" / "inner")
    roots = [f"{tmp_path}/allowed"]
    for inside in ("allowed", "allowed/inner", "way_in", "allowed/way_out/../allowed/inner"):
        OutputDirectory.hold(f"{tmp_path}/{inside}", roots).release()
    for outside in ("out", "allowed/way_out", "allowed/../out", "."):
        assert code_of(partial(OutputDirectory.hold, f"{tmp_path}/{outside}", roots)) is ErrorCode.PATH_NOT_ALLOWED
    assert code_of(lambda: OutputDirectory.hold(str(out), [])) is ErrorCode.PATH_NOT_ALLOWED


def test_a_directory_moved_away_is_missing(out: Path, held: OutputDirectory, tmp_path: Path) -> None:
    held.require_in_place()
    out.rename(tmp_path / "moved")
    assert code_of(held.require_in_place) is ErrorCode.OUTPUT_DIRECTORY_MISSING
    out.mkdir()
    assert code_of(held.require_in_place) is ErrorCode.OUTPUT_DIRECTORY_MISSING


def test_a_deleted_directory_has_no_location(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY)
    folder.rmdir()
    assert code_of(lambda: real_location(descriptor, "/out")) is ErrorCode.OUTPUT_DIRECTORY_MISSING
    os.close(descriptor)


def test_names_are_utf_8_whatever_they_hold(tmp_path: Path) -> None:
    for name in ("ünïcode", "東京", "emoji 🎬", "quote'\"", "line\nbreak", "-dash", "%d", os.fsdecode(b"\xff\xfe")):
        folder = tmp_path / name
        folder.mkdir()
        with OutputDirectory.hold(str(folder), [str(tmp_path)]):
            pass


@both_ways
def test_a_directory_that_its_share_has_lost_is_an_error_of_its_storage(
    out: Path, look: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(_fd: int) -> os.stat_result:
        raise OSError(errno.ESTALE, "Stale file handle")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", lost)
        assert code_of(lambda: look(str(out))) is ErrorCode.IO_ERROR


def test_a_held_directory_that_its_share_has_lost_is_not_in_place(held: OutputDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(_fd: int) -> os.stat_result:
        raise OSError(errno.ESTALE, "Stale file handle")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", lost)
        assert code_of(held.require_in_place) is ErrorCode.IO_ERROR


@pytest.mark.parametrize("refused", ["mkdir", "open"])
def test_staging_that_is_refused_leaves_nothing(
    refused: str, out: Path, held: OutputDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder may have been made all the same: over NFS by a `mkdir` whose reply was lost."""
    mkdir, opens = os.mkdir, os.open

    def made_and_refused(path: bytes, mode: int, *, dir_fd: int) -> None:
        mkdir(path, mode, dir_fd=dir_fd)
        if refused == "mkdir":
            raise OSError(errno.EIO, "Input/output error")

    def not_opened(path: bytes, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path.startswith(b".proxx-") and refused == "open" and any(out.iterdir()):
            raise OSError(errno.EMFILE, "Too many open files")
        return opens(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "mkdir", made_and_refused)
    monkeypatch.setattr(os, "open", not_opened)
    assert code_of(lambda: held.open_staging("owner", "job")) is ErrorCode.IO_ERROR
    assert list(out.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_lock_file_of_another_user_is_another_job(unprivileged_folder: Path) -> None:
    lock = unprivileged_folder / ".proxx-lock"
    lock.touch(mode=0o644)
    os.chown(lock, 65534, 65534)
    directory = os.open(unprivileged_folder, os.O_RDONLY)
    try:
        with pytest.raises(ProxxError, match=r"a lock file \.proxx-lock of another user \(uid 65534\)") as caught:
            DirectoryLock(directory, str(unprivileged_folder), local=False)
    finally:
        os.close(directory)
    assert caught.value.code is ErrorCode.OUTPUT_DIRECTORY_BUSY
