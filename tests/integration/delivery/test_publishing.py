"""Publishing: all outputs or none, forwards, backwards, cut at every step, and done again."""

import errno
import hashlib
import os
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.delivery import publishing
from proxx_worker.delivery.output_directory import OutputDirectory
from proxx_worker.delivery.publishing import PublishingStuckError, RecordedOutput
from proxx_worker.delivery.staging import Staging
from proxx_worker.files.rename import rename_no_clobber
from tests.support.stops import Checkpoint, EnoughError, unstopped

OWNER = "4f2a"
NAMES = ("a.mov", "b.mov", "c.mov")
RECORD = tuple(RecordedOutput(name, 5, hashlib.sha256(name.encode()).hexdigest()) for name in NAMES)


@pytest.fixture
def staging(held: OutputDirectory) -> Iterator[Staging]:
    with held.open_staging(OWNER, "clip") as staging:
        for name in NAMES:
            staged = staging.create(name)
            staged.write_at(0, name.encode())
            staged.seal(unstopped)
        yield staging


def published(out: Path) -> list[str]:
    """The entries of the output directory, staging aside; every output among them is whole."""
    names = sorted(entry.name for entry in out.iterdir() if not entry.name.startswith("."))
    for name in names:
        assert (out / name).read_bytes() == name.encode()
    return names


def staged(out: Path, staging: Staging) -> list[str]:
    return sorted(entry.name for entry in (out / staging.name).iterdir())


def test_all_outputs_get_their_names(out: Path, staging: Staging) -> None:
    staging.publish(unstopped)
    staging.remove()
    assert sorted(entry.name for entry in out.iterdir()) == list(NAMES)
    assert published(out) == list(NAMES)


@pytest.mark.parametrize("taken", NAMES)
def test_one_taken_name_takes_all_back(out: Path, staging: Staging, taken: str) -> None:
    (out / taken).write_bytes(b"mine")
    with pytest.raises(ProxxError) as caught:
        staging.publish(unstopped)
    assert caught.value.code is ErrorCode.OUTPUT_EXISTS
    assert caught.value.error.details["output"] == f"{out}/{taken}"
    assert staged(out, staging) == list(NAMES)
    staging.remove()
    assert [entry.name for entry in out.iterdir()] == [taken]
    assert (out / taken).read_bytes() == b"mine"


@pytest.mark.parametrize("done", range(4))
def test_a_publishing_cut_by_a_crash_is_finished(out: Path, held: OutputDirectory, staging: Staging, done: int) -> None:
    for name in NAMES[:done]:
        (out / staging.name / name).rename(out / name)
    for _ in range(2):
        with held.reopen_staging(OWNER, "clip") as again:
            again.resume(RECORD, unstopped)
            assert staged(out, again) == []
    with held.reopen_staging(OWNER, "clip") as again:
        again.remove()
    assert published(out) == list(NAMES)


def test_publishing_passes_a_checkpoint_before_each_output(staging: Staging) -> None:
    checkpoint = Checkpoint()
    staging.publish(checkpoint)
    assert checkpoint.passed == len(NAMES)


@pytest.mark.parametrize("last", range(1, 14))
@pytest.mark.parametrize("done", range(4))
def test_a_resumption_that_is_told_to_stop_leaves_all_to_the_next(
    out: Path, held: OutputDirectory, staging: Staging, done: int, last: int
) -> None:
    for name in NAMES[:done]:
        (out / staging.name / name).rename(out / name)
    # Per output: before it, before its one MiB, and at its end; and once more for each that is moved.
    steps = 3 * len(NAMES) + len(NAMES) - done
    with held.reopen_staging(OWNER, "clip") as again:
        if last <= steps:
            with pytest.raises(EnoughError):
                again.resume(RECORD, Checkpoint(last))
            assert published(out) >= list(NAMES[:done])
            assert sorted(published(out) + staged(out, again)) == list(NAMES)
        else:
            again.resume(RECORD, Checkpoint(last))
    with held.reopen_staging(OWNER, "clip") as again:
        again.resume(RECORD, unstopped)
        again.remove()
    assert published(out) == list(NAMES)


def test_a_publishing_whose_staging_is_gone_was_finished(out: Path, held: OutputDirectory, staging: Staging) -> None:
    staging.publish(unstopped)
    staging.remove()
    with held.reopen_staging(OWNER, "clip") as again:
        again.resume(RECORD, unstopped)
        again.remove()
    assert sorted(entry.name for entry in out.iterdir()) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_move_cut_between_link_and_unlink_is_finished(out: Path, held: OutputDirectory, staging: Staging, name: str) -> None:
    (out / name).hardlink_to(out / staging.name / name)
    with held.reopen_staging(OWNER, "clip") as again:
        again.resume(RECORD, unstopped)
        assert staged(out, again) == []
    assert published(out) == list(NAMES)


@pytest.mark.parametrize("taken", NAMES)
def test_a_name_taken_before_the_resumption_takes_all_back(
    out: Path, held: OutputDirectory, staging: Staging, taken: str
) -> None:
    for name in NAMES:
        if name != taken:
            (out / staging.name / name).rename(out / name)
    (out / taken).write_bytes(b"mine")
    for _ in range(2):
        with held.reopen_staging(OWNER, "clip") as again:
            with pytest.raises(ProxxError) as caught:
                again.resume(RECORD, unstopped)
            assert caught.value.code is ErrorCode.OUTPUT_EXISTS
            assert caught.value.error.details["output"] == f"{out}/{taken}"
            assert staged(out, again) == list(NAMES)
    assert [entry.name for entry in out.iterdir() if entry.name in NAMES] == [taken]


@pytest.mark.parametrize("where", ["staging", "out"])
@pytest.mark.parametrize("damage", ["gone", "short", "other bytes", "not a file", "symlink"])
def test_an_output_that_is_not_what_was_recorded_is_not_published(
    out: Path, held: OutputDirectory, staging: Staging, where: str, damage: str
) -> None:
    staging.publish(unstopped)
    victim = out / "b.mov"
    if where == "staging":
        victim = victim.rename(out / staging.name / "b.mov")
    victim.unlink()
    if damage == "short":
        victim.write_bytes(b"b.mo")
    elif damage == "other bytes":
        victim.write_bytes(b"B.mov")
    elif damage == "not a file":
        os.mkfifo(victim)
    elif damage == "symlink":
        victim.symlink_to("a.mov")
    with held.reopen_staging(OWNER, "clip") as again:
        with pytest.raises(ProxxError) as caught:
            again.resume(RECORD, unstopped)
        assert caught.value.code is ErrorCode.IO_ERROR
        assert caught.value.error.details["output"] == f"{out}/b.mov"
        assert {"a.mov", "c.mov"} <= set(staged(out, again))
        again.remove()
    assert sorted(entry.name for entry in out.iterdir()) == (["b.mov"] if where == "out" and damage != "gone" else [])


@pytest.mark.parametrize("call", ["open", "preadv", "unlink"])
def test_a_look_that_fails_publishes_nothing_further(
    out: Path, held: OutputDirectory, staging: Staging, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    (out / "b.mov").hardlink_to(out / staging.name / "b.mov")
    real: Callable[..., object] = getattr(os, call)
    with held.reopen_staging(OWNER, "clip") as again, monkeypatch.context() as patch:
        patch.setattr(os, call, Failing(real, 1, fail_with(errno.EIO)))
        with pytest.raises(ProxxError) as caught:
            again.resume(RECORD, unstopped)
        assert caught.value.code is ErrorCode.IO_ERROR
    assert published(out) == []
    assert staged(out, staging) == list(NAMES)
    with held.reopen_staging(OWNER, "clip") as again:
        again.resume(RECORD, unstopped)
    assert published(out) == list(NAMES)


@pytest.mark.parametrize(("call", "at"), [*(("stat", n) for n in range(1, 6)), ("open", 1), ("preadv", 1)])
def test_what_cannot_be_seen_is_not_decided(
    out: Path, held: OutputDirectory, staging: Staging, monkeypatch: pytest.MonkeyPatch, call: str, at: int
) -> None:
    staging.publish(unstopped)
    real: Callable[..., object] = getattr(os, call)
    with held.reopen_staging(OWNER, "clip") as again, monkeypatch.context() as patch:
        patch.setattr(os, call, Failing(real, at, fail_with(errno.EIO)))
        with pytest.raises(PublishingStuckError) as caught:
            again.resume(RECORD, unstopped)
        assert caught.value.error.code is ErrorCode.IO_ERROR
    assert published(out) == list(NAMES)
    with held.reopen_staging(OWNER, "clip") as again:
        again.resume(RECORD, unstopped)


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("half", [False, True])
def test_a_move_that_was_done_although_it_failed_is_taken_back_too(
    out: Path,
    staging: Staging,
    monkeypatch: pytest.MonkeyPatch,
    at: int,
    half: bool,
) -> None:
    real = rename_no_clobber
    calls: list[bytes] = []

    def answering_badly(source: bytes, target: bytes, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        calls.append(source)
        if len(calls) != at:
            real(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
            return
        os.link(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        if not half:
            os.unlink(source, dir_fd=src_dir_fd)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(publishing, "rename_no_clobber", answering_badly)
    with pytest.raises(ProxxError) as caught:
        staging.publish(unstopped)
    assert caught.value.code is ErrorCode.IO_ERROR
    assert published(out) == []
    assert staged(out, staging) == list(NAMES)


class Failing:
    """Lets calls through until the Nth, which fails with an errno or does something else instead."""

    def __init__(self, real: Callable[..., object], at: int, then: Callable[[], None]) -> None:
        self._real = real
        self._left = at
        self._then = then

    def __call__(self, *arguments: object, **options: object) -> object:
        self._left -= 1
        if self._left == 0:
            self._then()
        return self._real(*arguments, **options)


def fail_with(number: int) -> Callable[[], None]:
    def fail() -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, "NO_SPACE"), (errno.EDQUOT, "NO_SPACE"), (errno.EIO, "IO_ERROR")])
@pytest.mark.parametrize(("call", "at"), [("rename_no_clobber", n) for n in (1, 2, 3)] + [("sync_directory_fd", 1)])
def test_a_failing_step_takes_all_back(
    out: Path, staging: Staging, monkeypatch: pytest.MonkeyPatch, call: str, at: int, number: int, code: str
) -> None:
    monkeypatch.setattr(publishing, call, Failing(getattr(publishing, call), at, fail_with(number)))
    with pytest.raises(ProxxError) as caught:
        staging.publish(unstopped)
    assert caught.value.code == code
    assert published(out) == []
    assert staged(out, staging) == list(NAMES)


@pytest.mark.parametrize(("call", "at"), [("rename_no_clobber", 4), ("rename_no_clobber", 5), ("sync_directory_fd", 1)])
def test_what_can_be_neither_published_nor_taken_back_is_left_to_the_next_start(
    out: Path, held: OutputDirectory, staging: Staging, monkeypatch: pytest.MonkeyPatch, call: str, at: int
) -> None:
    (out / "c.mov").write_bytes(b"mine")
    with monkeypatch.context() as patch:
        patch.setattr(publishing, call, Failing(getattr(publishing, call), at, fail_with(errno.EIO)))
        with pytest.raises(PublishingStuckError) as caught:
            staging.publish(unstopped)
    assert caught.value.error.code is ErrorCode.IO_ERROR
    (out / "c.mov").unlink()
    with held.reopen_staging(OWNER, "clip") as again:
        again.resume(RECORD, unstopped)
        again.remove()
    assert published(out) == list(NAMES)


def cut(action: Callable[[], object]) -> int:
    """Run `action` in a process of its own. Returns its exit code."""
    with warnings.catch_warnings():
        # Python 3.12 warns where the test runner has threads; the child takes no lock before it exits.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        try:
            action()
        except ProxxError:
            os._exit(1)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("collision", [False, True])
@pytest.mark.parametrize("call", ["rename_no_clobber", "sync_directory_fd"])
@pytest.mark.parametrize("at", range(1, 8))
def test_a_worker_killed_at_any_step_leaves_what_the_next_one_can_decide(
    out: Path,
    held: OutputDirectory,
    staging: Staging,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    at: int,
    collision: bool,
) -> None:
    if collision:
        (out / "c.mov").write_bytes(b"mine")
    with monkeypatch.context() as patch:
        patch.setattr(publishing, call, Failing(getattr(publishing, call), at, lambda: os._exit(9)))
        cut(partial(staging.publish, unstopped))
    for _ in range(2):
        with held.reopen_staging(OWNER, "clip") as again:
            if collision:
                with pytest.raises(ProxxError) as caught:
                    again.resume(RECORD, unstopped)
                assert caught.value.code is ErrorCode.OUTPUT_EXISTS
                assert staged(out, again) == list(NAMES)
                assert [entry.name for entry in out.iterdir() if entry.name in NAMES] == ["c.mov"]
            else:
                again.resume(RECORD, unstopped)
                assert published(out) == list(NAMES)
