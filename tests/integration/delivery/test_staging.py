"""Staging: hidden, private, flat, bound to the directory that was held, and gone afterwards."""

import errno
import fcntl
import hashlib
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.delivery.names import staging_name
from proxx_worker.delivery.output_directory import OutputDirectory, discard_staging
from proxx_worker.delivery.staging import empty_folder, remove_staging
from tests.support.stops import Checkpoint, EnoughError, unstopped

OWNER = "4f2a"


def code_of(action: Callable[[], object]) -> ErrorCode:
    with pytest.raises(ProxxError) as caught:
        action()
    return caught.value.code


def entries(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_an_output_grows_hidden_and_private(out: Path, held: OutputDirectory) -> None:
    with held.open_staging(OWNER, "clip") as staging:
        staged = staging.create("clip.mov")
        assert staging.name == f".proxx-4f2a-{hashlib.sha256(b'clip').hexdigest()[:16]}"
        assert entries(out) == [staging.name]
        assert stat.S_IMODE((out / staging.name).stat().st_mode) == 0o700
        assert Path(staged.path) == out / staging.name / "clip.mov"
        staging.remove()
    assert entries(out) == []


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_the_umask_decides_who_may_read_a_proxy(out: Path, held: OutputDirectory, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        with held.open_staging(OWNER, "clip") as staging:
            staging.create("clip.mov")
            staging.publish(unstopped)
            staging.remove()
    finally:
        os.umask(before)
    assert stat.S_IMODE((out / "clip.mov").stat().st_mode) == mode


def test_a_sealed_output_tells_its_size_and_digest(held: OutputDirectory) -> None:
    data = os.urandom(3_000_001)
    with held.open_staging(OWNER, "clip") as staging:
        staged = staging.create("clip.mov")
        Path(staged.path).write_bytes(data)
        assert staged.size() == len(data)
        assert staged.sha256(unstopped) == hashlib.sha256(data).hexdigest()
        staged.write_at(3_000_000, b"XY")
        assert staged.read_at(2_999_999, 10) == data[-2:-1] + b"XY"
        assert staged.seal(unstopped) == (3_000_002, hashlib.sha256(data[:-1] + b"XY").hexdigest())


def test_sealing_a_large_output_can_be_ended_at_every_piece(held: OutputDirectory) -> None:
    with held.open_staging(OWNER, "clip") as staging:
        staged = staging.create("clip.mov")
        os.truncate(staged.fd, 20 << 20)
        whole = Checkpoint()
        assert staged.seal(whole) == (20 << 20, hashlib.sha256(bytes(20 << 20)).hexdigest())
        written_back = 3 if sys.platform == "linux" else 0
        assert whole.passed == written_back + 20 + 1, "pieces of 8 MiB are written back, then each MiB is read, then the end"
        for last in range(1, whole.passed + 1):
            with pytest.raises(EnoughError):
                staged.seal(Checkpoint(last))


def test_growth_shows_writes_that_do_not_lengthen_the_file(held: OutputDirectory) -> None:
    with held.open_staging(OWNER, "clip") as staging:
        staged = staging.create("clip.mov")
        staged.write_at(0, b"1234")
        os.utime(staged.fd, ns=(0, 0))
        before = staged.growth()
        assert staged.growth() == before
        staged.write_at(0, b"4321")
        assert staged.growth() != before


def test_another_file_under_the_name_is_not_the_output(held: OutputDirectory) -> None:
    with held.open_staging(OWNER, "clip") as staging:
        staged = staging.create("clip.mov")
        assert staged.same_inode()
        Path(staged.path).unlink()
        assert not staged.same_inode()
        Path(staged.path).write_bytes(b"other")
        assert not staged.same_inode()
        assert code_of(lambda: staged.seal(unstopped)) is ErrorCode.OUTPUT_INVALID


def test_a_symlink_under_the_name_is_not_the_output(held: OutputDirectory, tmp_path: Path) -> None:
    with held.open_staging(OWNER, "clip") as staging:
        staged = staging.create("clip.mov")
        Path(staged.path).rename(tmp_path / "moved.mov")
        Path(staged.path).symlink_to(tmp_path / "moved.mov")
        assert not staged.same_inode()


def test_a_name_is_made_once(held: OutputDirectory) -> None:
    with held.open_staging(OWNER, "clip") as staging:
        staging.create("clip.mov")
        assert code_of(lambda: staging.create("clip.mov")) is ErrorCode.IO_ERROR


def test_leftovers_of_the_same_job_are_replaced(out: Path, held: OutputDirectory) -> None:
    leftover = out / staging_name(OWNER, "clip")
    leftover.mkdir()
    (leftover / "clip.mov").write_bytes(b"half")
    (leftover / "link").symlink_to("/etc/passwd")
    with held.open_staging(OWNER, "clip") as staging:
        assert entries(leftover) == []
        staging.remove()
    assert Path("/etc/passwd").exists()


def test_staging_left_by_a_killed_run_is_removed_and_no_other(out: Path, held: OutputDirectory) -> None:
    for owner in ("run", "run-1234", OWNER):
        with held.open_staging(owner, "clip") as staging:
            staging.create("clip.mov")
    assert held.remove_stale_run_staging()
    assert entries(out) == [staging_name(OWNER, "clip")]
    assert not held.remove_stale_run_staging()


@pytest.mark.parametrize("kind", ["symlink", "file"])
def test_what_only_looks_like_staging_is_left_alone(out: Path, held: OutputDirectory, tmp_path: Path, kind: str) -> None:
    (tmp_path / "treasure").mkdir()
    (tmp_path / "treasure" / "gold").touch()
    name = out / staging_name("run", "clip")
    if kind == "symlink":
        name.symlink_to(tmp_path / "treasure")
    else:
        name.touch()
    assert not held.remove_stale_run_staging()
    assert code_of(lambda: held.open_staging("run", "clip")) is ErrorCode.IO_ERROR
    assert entries(out) == [name.name]
    assert entries(tmp_path / "treasure") == ["gold"]


def test_a_folder_in_staging_is_not_the_workers(out: Path, held: OutputDirectory) -> None:
    inner = out / staging_name(OWNER, "clip") / "inner"
    inner.mkdir(parents=True)
    (inner / "gold").touch()
    with pytest.raises(ProxxError, match="by hand") as caught:
        held.open_staging(OWNER, "clip")
    assert caught.value.code is ErrorCode.IO_ERROR
    assert entries(inner) == ["gold"]


def test_leaving_the_context_removes_nothing(out: Path, held: OutputDirectory) -> None:
    with held.open_staging(OWNER, "clip") as staging:
        staging.create("clip.mov")
    assert entries(out / staging.name) == ["clip.mov"]
    with held.reopen_staging(OWNER, "clip") as again:
        again.remove()
    assert entries(out) == []


def test_staging_that_is_gone_can_be_reopened_and_removed(out: Path, held: OutputDirectory) -> None:
    with held.reopen_staging(OWNER, "clip") as staging:
        (out / staging.name).rmdir()
        staging.remove()
    assert entries(out) == []


@pytest.mark.parametrize("owner", ["", "a/b", "..\n", "ä", "x" * 65])
def test_an_owner_is_a_plain_word(owner: str) -> None:
    with pytest.raises(ValueError, match="owner"):
        staging_name(owner, "clip")


def test_a_directory_swapped_for_a_symlink_redirects_nothing(out: Path, held: OutputDirectory, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    with held.open_staging(OWNER, "clip") as staging:
        (trap / staging.name).mkdir(parents=True)
        (trap / staging.name / "clip.mov").write_bytes(b"precious")
        staged = staging.create("clip.mov")
        out.rename(tmp_path / "moved")
        out.symlink_to(trap)
        # What an encoder does: it starts in the folder and opens the bare name.
        subprocess.run(["/bin/sh", "-c", "echo frames > clip.mov"], cwd=staged.folder, check=True)
        assert staged.same_inode()
        assert staged.read_at(0, 10) == b"frames\n"
        assert code_of(partial(staging.publish, unstopped)) is ErrorCode.OUTPUT_DIRECTORY_MISSING
        staging.remove()
    assert (trap / staging.name / "clip.mov").read_bytes() == b"precious"
    assert entries(trap) == [staging.name]
    assert entries(tmp_path / "moved") == []


def test_a_full_disk_is_no_space_wherever_it_is_met(mount: Callable[[str], Path]) -> None:
    folder = mount("size=1m,nr_inodes=5")
    with OutputDirectory.hold(str(folder)) as directory:
        with directory.open_staging(OWNER, "clip") as staging:
            staged = staging.create("one.mov")
            assert code_of(lambda: staged.write_at(0, bytes(2 << 20))) is ErrorCode.NO_SPACE
            staging.create("two.mov")
            (folder / "three").touch()
            assert code_of(lambda: staging.create("four.mov")) is ErrorCode.NO_SPACE
            assert code_of(lambda: directory.open_staging(OWNER, "other")) is ErrorCode.NO_SPACE
            staging.remove()
        assert entries(folder) == ["three"]


def test_a_directory_deleted_under_its_holder_is_missing(out: Path, held: OutputDirectory) -> None:
    out.rmdir()
    assert code_of(lambda: held.open_staging(OWNER, "clip")) is ErrorCode.OUTPUT_DIRECTORY_MISSING


def test_a_directory_made_read_only_under_its_holder_is_not_writable(mount: Callable[[str], Path]) -> None:
    folder = mount("size=1m")
    with OutputDirectory.hold(str(folder)) as directory:
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        assert code_of(lambda: directory.open_staging(OWNER, "clip")) is ErrorCode.OUTPUT_DIRECTORY_NOT_WRITABLE


def test_a_disk_that_fails_is_an_io_error(held: OutputDirectory) -> None:
    with held.open_staging(OWNER, "clip") as staging:
        staged = staging.create("clip.mov")
        os.close(staged.fd)  # every later call on it fails, as on storage that is gone
        sealing = (partial(staged.fsync, unstopped), partial(staged.sha256, unstopped))
        for action in (*sealing, staged.size, staged.growth, lambda: staged.write_at(0, b"x")):
            assert code_of(action) is ErrorCode.IO_ERROR
        assert code_of(lambda: staged.read_at(0, 1)) is ErrorCode.IO_ERROR
        staged.fd = -1


def test_names_are_taken_as_they_are(out: Path, held: OutputDirectory) -> None:
    names = ["-y.mov", "%03d.mov", "quote'\".mov", "line\nbreak.mov", "🎬\u202e.mov", "x" * 251 + ".mov"]
    with held.open_staging(OWNER, "clip") as staging:
        for name in names:
            staging.create(name)
        staging.publish(unstopped)
        staging.remove()
    assert entries(out) == sorted(names)


@pytest.mark.parametrize(("late", "left"), [(1, []), (8, []), (9, [staging_name(OWNER, "clip")])])
def test_a_file_that_comes_just_before_the_end_goes_too(
    out: Path, held: OutputDirectory, monkeypatch: pytest.MonkeyPatch, late: int, left: list[str]
) -> None:
    """Resolve makes its file when it gets to it, also after it was told to stop. One that never ends is not followed for ever."""
    rmdir, calls = os.rmdir, count()

    def after_another_file(name: bytes, *, dir_fd: int) -> None:
        number = next(calls)
        if number < late:
            (out / os.fsdecode(name) / f"{number}.mov").touch()
        rmdir(name, dir_fd=dir_fd)

    with held.open_staging(OWNER, "clip") as staging:
        monkeypatch.setattr("proxx_worker.delivery.staging.os.rmdir", after_another_file)
        if left:
            assert code_of(staging.remove) is ErrorCode.IO_ERROR
        else:
            staging.remove()
    monkeypatch.undo()
    assert entries(out) == left


def test_removal_meets_only_what_is_there(out: Path) -> None:
    descriptor = os.open(out, os.O_RDONLY)
    assert not remove_staging(descriptor, str(out), b".proxx-run")
    out.rmdir()
    empty_folder(descriptor, str(out))
    os.close(descriptor)


def test_recovery_discards_what_a_killed_job_left(out: Path, held: OutputDirectory) -> None:
    for owner in (OWNER, "other", "run"):
        with held.open_staging(owner, "clip") as staging:
            staging.create("clip.mov")
    (out / "clip.mov").touch()
    assert discard_staging(str(out), OWNER, "clip")
    assert not discard_staging(str(out), OWNER, "clip")
    assert entries(out) == [staging_name("other", "clip"), staging_name("run", "clip"), "clip.mov"]


def test_recovery_discards_a_lock_file_that_nobody_holds(out: Path) -> None:
    (out / ".proxx-lock").touch()
    discard_staging(str(out), OWNER, "clip")
    assert entries(out) == []
    (out / ".proxx-lock").touch()
    with (out / ".proxx-lock").open("w") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        discard_staging(str(out), OWNER, "clip")
    assert entries(out) == [".proxx-lock"]


@pytest.mark.parametrize("kind", ["folder", "symlink", "socket"])
def test_recovery_is_not_hindered_by_what_is_not_the_workers(out: Path, kind: str) -> None:
    lock = out / ".proxx-lock"
    if kind == "folder":
        lock.mkdir()
    elif kind == "symlink":
        lock.symlink_to("/etc/passwd")
    else:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(lock))
    assert not discard_staging(str(out), OWNER, "clip")
    assert entries(out) == [".proxx-lock"]


def test_recovery_discards_nothing_relative_to_where_it_runs(
    out: Path, held: OutputDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    held.open_staging(OWNER, "clip").close()
    monkeypatch.chdir(out)
    for path in (".", "", "../out"):
        assert not discard_staging(path, OWNER, "clip")
    assert entries(out) == [staging_name(OWNER, "clip")]


def test_recovery_survives_a_directory_that_it_cannot_enter(unprivileged_folder: Path) -> None:
    for path in (f"{unprivileged_folder}/none", "/nul\0", "/etc/passwd"):
        assert not discard_staging(path, OWNER, "clip")
    unprivileged_folder.chmod(0o000)
    assert not discard_staging(str(unprivileged_folder), OWNER, "clip")


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE])
def test_recovery_stops_where_storage_fails(out: Path, number: int) -> None:
    (out / ".proxx-lock").touch()

    def failing(_descriptor: int, _operation: int) -> None:
        raise OSError(number, os.strerror(number))

    assert code_of(lambda: discard_staging(str(out), OWNER, "clip", flock=failing)) is ErrorCode.IO_ERROR


def breaking(call: str, number: int, monkeypatch: pytest.MonkeyPatch, only: Callable[[object], bool] = bool) -> None:
    """Let `os.CALL` fail with `number` where its first argument is of the kind that `only` tells; all other calls go through."""
    real: Callable[..., object] = getattr(os, call)

    def perhaps(*arguments: object, **options: object) -> object:
        if only(arguments[0]):
            raise OSError(number, os.strerror(number))
        return real(*arguments, **options)

    monkeypatch.setattr(os, call, perhaps)


@pytest.mark.parametrize(("number", "code"), [(errno.EIO, "IO_ERROR"), (errno.ENOSPC, "NO_SPACE"), (errno.EDQUOT, "NO_SPACE")])
@pytest.mark.parametrize("step", ["open", "create", "seal", "seal the name", "empty", "remove", "replace"])
def test_each_step_names_the_storages_fault(
    out: Path, held: OutputDirectory, monkeypatch: pytest.MonkeyPatch, number: int, code: str, step: str
) -> None:
    if step == "open":
        breaking("mkdir", number, monkeypatch)
        assert code_of(lambda: held.open_staging(OWNER, "clip")) == code
        assert entries(out) == []
        return
    with held.open_staging(OWNER, "clip") as staging:
        if step == "create":
            breaking("fsync", number, monkeypatch)
            assert code_of(lambda: staging.create("clip.mov")) == code
            return
        staged = staging.create("clip.mov")
        if step == "seal":
            breaking("fsync", number, monkeypatch, lambda fd: fd == staged.fd)
            assert code_of(lambda: staged.seal(unstopped)) == code
        elif step == "seal the name":
            breaking("fsync", number, monkeypatch, lambda fd: fd != staged.fd)
            assert code_of(lambda: staged.seal(unstopped)) == code
        elif step == "empty":
            breaking("unlink", number, monkeypatch)
            assert code_of(staging.remove) == code
        elif step == "replace":
            breaking("rmdir", number, monkeypatch)
            assert code_of(lambda: held.open_staging(OWNER, "clip")) == code
        else:
            breaking("rmdir", number, monkeypatch)
            assert code_of(staging.remove) == code


def test_each_look_names_the_storages_fault(held: OutputDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    with held.open_staging(OWNER, "clip") as staging:
        staged = staging.create("clip.mov")
        breaking("stat", errno.EIO, monkeypatch)
        free, reopen = partial(held.require_free, ["a"]), partial(held.reopen_staging, "a", "b")
        for look in (staged.same_inode, held.require_in_place, free, reopen):
            assert code_of(look) is ErrorCode.IO_ERROR


def test_staging_that_cannot_be_opened_is_an_error(out: Path, held: OutputDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    (out / staging_name(OWNER, "clip")).mkdir()
    breaking("open", errno.EIO, monkeypatch, lambda path: b".proxx" in os.fsencode(str(path)))
    for action in (held.open_staging, held.reopen_staging):
        assert code_of(partial(action, OWNER, "clip")) is ErrorCode.IO_ERROR


def test_recovery_stops_where_a_directory_cannot_be_looked_at(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    breaking("open", errno.EIO, monkeypatch, lambda path: path == os.fsencode(out))
    assert code_of(lambda: discard_staging(str(out), OWNER, "clip")) is ErrorCode.IO_ERROR


def test_recovery_stops_where_a_lock_file_cannot_be_looked_at(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    breaking("open", errno.EIO, monkeypatch, lambda path: path == b".proxx-lock")
    assert code_of(lambda: discard_staging(str(out), OWNER, "clip")) is ErrorCode.IO_ERROR


def test_a_lock_file_overtaken_by_another_is_left_to_it(out: Path) -> None:
    (out / ".proxx-lock").touch()

    def overtaken(_descriptor: int, _operation: int) -> None:
        (out / ".proxx-lock").rename(out / "former")
        (out / ".proxx-lock").touch()

    discard_staging(str(out), OWNER, "clip", flock=overtaken)
    assert entries(out) == [".proxx-lock", "former"]
