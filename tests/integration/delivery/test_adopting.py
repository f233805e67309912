"""Taking over a file that an engine made in staging by itself."""

import hashlib
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.delivery.output_directory import OutputDirectory
from proxx_worker.delivery.staging import Staging
from proxx_worker.files.syncing import sync_file
from tests.support.stops import Checkpoint, EnoughError, unstopped

DATA = b"a whole proxy"


@pytest.fixture
def staging(held: OutputDirectory) -> Iterator[Staging]:
    with held.open_staging("4f2a", "clip") as folder:
        yield folder


@pytest.fixture
def rendered(staging: Staging) -> Path:
    path = Path(staging.path, "Render 1.mov")
    path.write_bytes(DATA)
    return path


def refusal(action: Callable[[], object]) -> ProxxError:
    with pytest.raises(ProxxError) as caught:
        action()
    return caught.value


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def adopt(staging: Staging, name: str = "clip.mov") -> ProxxError:
    """The refusal of what has been left as `Render 1.mov`."""
    return refusal(lambda: staging.adopt("Render 1.mov", name, unstopped))


def test_what_an_engine_made_is_sealed_and_published_like_any_other(staging: Staging, rendered: Path, out: Path) -> None:
    inode = rendered.stat().st_ino
    staged = staging.adopt(rendered.name, "clip.mov", unstopped)
    assert (staged.name, staged.size(), staged.same_inode()) == ("clip.mov", len(DATA), True)
    staged.write_at(0, b"A")
    assert staged.seal(unstopped) == (len(DATA), hashlib.sha256(b"A" + DATA[1:]).hexdigest())
    staging.publish(unstopped)
    staging.remove()
    assert [(entry.name, entry.stat().st_ino) for entry in out.iterdir()] == [("clip.mov", inode)]


def test_a_file_that_has_its_name_already_keeps_it(staging: Staging, rendered: Path) -> None:
    assert staging.adopt(rendered.name, rendered.name, unstopped).same_inode()


def test_a_large_one_can_be_left_at_every_piece(staging: Staging, rendered: Path) -> None:
    os.truncate(rendered, 17 << 20)
    for last in (1, 2, 3) if sys.platform == "linux" else ():
        with pytest.raises(EnoughError):
            staging.adopt(rendered.name, "clip.mov", Checkpoint(last))
    assert staging.adopt(rendered.name, "clip.mov", Checkpoint()).size() == 17 << 20


def test_one_after_the_other(staging: Staging) -> None:
    staging.create("first.mov")
    for number in range(3):
        Path(staging.path, "render").write_bytes(b"%d" % number)
        assert staging.adopt("render", f"{number}.mov", unstopped).read_at(0, 9) == b"%d" % number


@pytest.mark.parametrize(
    ("others", "found"),
    [
        ((), "it left nothing instead of Render 1.mov"),
        (("Render 1_0.mov",), "it left Render 1_0.mov instead of Render 1.mov"),
        (("Render 1.mov", "Render 1.wav"), "it left Render 1.mov, Render 1.wav instead"),
    ],
)
def test_there_must_be_one_new_entry_and_no_other(staging: Staging, others: tuple[str, ...], found: str) -> None:
    staging.create("first.mov")
    for name in others:
        Path(staging.path, name).write_bytes(DATA)
    error = adopt(staging)
    assert error.code is ErrorCode.OUTPUT_INVALID
    assert found in str(error)


def symlink(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def socket_of(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(os.path.relpath(path))


def test_what_grows_after_it_was_adopted_is_not_sealed(staging: Staging, rendered: Path) -> None:
    staged = staging.adopt(rendered.name, "clip.mov", unstopped)
    with Path(staged.path).open("ab") as writer:
        writer.write(b"more")
    error = refusal(lambda: staged.seal(unstopped))
    assert error.code is ErrorCode.OUTPUT_INVALID
    assert "it was still being written after the render had ended" in str(error)


@pytest.mark.parametrize("make", [symlink, pipe, socket_of, Path.mkdir])
def test_only_a_regular_file_is_adopted(
    staging: Staging, make: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(staging.path)  # a socket's address is short
    make(Path(staging.path, "Render 1.mov"))
    error = adopt(staging)
    assert error.code is ErrorCode.OUTPUT_INVALID
    assert "not a regular file" in str(error)


def test_a_file_with_another_name_elsewhere_is_not_the_workers_alone(staging: Staging, rendered: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.mov").hardlink_to(rendered)
    assert "it has 2 hard links" in str(adopt(staging))


def test_another_users_file_is_not_adopted(staging: Staging, rendered: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("giving a file away needs root")
    os.chown(rendered, 65534, 65534)
    assert "it belongs to user 65534" in str(adopt(staging))


def test_a_file_that_grows_is_not_finished(staging: Staging, rendered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_on(fd: int) -> None:
        with rendered.open("ab") as file:
            file.write(b"more")
        sync_file(fd)

    monkeypatch.setattr("proxx_worker.delivery.staged_file.sync_file", write_on)
    error = adopt(staging)
    assert (error.code, "still being written" in str(error)) == (ErrorCode.OUTPUT_INVALID, True)


def test_nothing_is_overwritten(staging: Staging, rendered: Path) -> None:
    staged = staging.create("clip.mov")
    staged.write_at(0, b"precious")
    assert adopt(staging).code is ErrorCode.IO_ERROR
    assert staged.read_at(0, 20) == b"precious"
    assert rendered.read_bytes() == DATA


@pytest.mark.parametrize("number", [5, 28])
def test_a_disk_that_refuses_is_named(staging: Staging, rendered: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    before = descriptors()
    monkeypatch.setattr("proxx_worker.delivery.staged_file.sync_file", fail)
    assert adopt(staging).code is {5: ErrorCode.IO_ERROR, 28: ErrorCode.NO_SPACE}[number]
    assert descriptors() == before
    assert rendered.exists()
