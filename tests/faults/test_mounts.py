"""Real mounts that break an assumption: the worker names it, ends with 4 and claims nothing, or loses nothing."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.laboratory import Bench, Tools

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system takes root")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    (tmp_path / "tools").mkdir()
    made = Bench(tmp_path / "bench", Tools.make(tmp_path / "tools"))
    made.reset()
    made.drop("a", made.spec("a", [0]))
    return made


@contextmanager
def _mounted(path: Path, *options: str) -> Iterator[None]:
    subprocess.run(["mount", *options, str(path)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(path)], check=True)


def _bind(path: Path) -> tuple[str, ...]:
    return ("--bind", str(path))


def _nothing_claimed(bench: Bench) -> None:
    assert (bench.workspace / "inbox" / "a.json").exists()
    assert [path.name for path in bench.workspace.glob("[rdf]*/*")] == []
    assert sorted(bench.executions().values()) == [0]


@pytest.mark.parametrize("folder", ["running", "done", "failed"])
def test_a_folder_on_another_filesystem(bench: Bench, folder: str) -> None:
    with _mounted(bench.workspace / folder, "-t", "tmpfs", "tmpfs"):
        ended = bench.watch()
        assert ended.code == 4
        assert "RENAME_NOT_ATOMIC" in ended.errors
        assert f"{bench.workspace}/{folder}" in ended.errors
        _nothing_claimed(bench)


def test_a_folder_on_another_mount_of_the_same_filesystem(bench: Bench) -> None:
    """Devices are equal, and yet no rename goes from one mount to the other: only the trial tells."""
    with _mounted(bench.workspace / "done", *_bind(bench.workspace / "done")):
        ended = bench.watch()
        assert ended.code == 4
        assert "RENAME_NOT_ATOMIC" in ended.errors
        _nothing_claimed(bench)


def test_a_read_only_workspace(bench: Bench) -> None:
    with _mounted(bench.workspace, "-o", "bind,ro", str(bench.workspace)):
        ended = bench.watch()
        assert ended.code == 4
        assert "WORKSPACE_INVALID" in ended.errors
        assert "EROFS" in ended.errors
        _nothing_claimed(bench)


def test_a_read_only_output_directory(bench: Bench) -> None:
    with _mounted(bench.outputs, "-o", "bind,ro", str(bench.outputs)):
        assert bench.watch().code == 4
    result = json.loads((bench.workspace / "failed" / "a.result.json").read_bytes())
    assert result["error"]["code"] == "OUTPUT_DIRECTORY_NOT_WRITABLE"
    assert bench.violations(settled=True) == []


def test_a_workspace_that_is_unmounted_in_mid_job(bench: Bench) -> None:
    """What the worker sees then is the empty folder below the mount. It stops, and the job is found where it was left."""
    real = bench.root / "real"
    bench.workspace.rename(real)
    bench.workspace.mkdir()
    bench.before_each_encode(f"umount -l '{bench.workspace}'")
    subprocess.run(["mount", "--bind", str(real), str(bench.workspace)], check=True)
    ended = bench.watch()
    assert ended.code == 4
    assert "WORKSPACE_INVALID" in ended.errors
    assert not ended.broke, ended.errors
    assert list(bench.workspace.iterdir()) == [], "nothing is made in what is not the workspace"
    bench.before_each_encode("")
    with _mounted(bench.workspace, *_bind(real)):
        assert bench.watch().code == 2
        assert bench.violations(settled=True) == []
        result = json.loads((bench.workspace / "failed" / "a.result.json").read_bytes())
        assert result["error"]["code"] == "INTERRUPTED"
