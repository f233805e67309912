"""Disks that are really full: small file systems in memory under the outputs and under the workspace, at every size."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.laboratory import Bench, Ended, Tools
from tests.support.slices import Slice

SIZES = 30
KIB = 1024
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system takes root")


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Tools:
    """With a source whose ProRes proxy takes some hundred KiB."""
    folder = tmp_path_factory.mktemp("tools")
    made = Tools.make(folder)
    source = "testsrc2=size=320x180:rate=25:duration=1"
    arguments = ["-f", "lavfi", "-i", source, "-c:v", "mpeg4", "-q:v", "2", "-y", str(folder / "source0.mov")]
    subprocess.run(["ffmpeg", "-hide_banner", "-loglevel", "error", *arguments], check=True)
    return made


@pytest.fixture
def bench(tmp_path: Path, tools: Tools) -> Bench:
    return Bench(tmp_path / "bench", tools)


@contextmanager
def small_disk(path: Path, kibibytes: int) -> Iterator[None]:
    """An empty file system of this size over the folder `path`."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "tmpfs", str(path)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(path)], check=True)


def _results(bench: Bench) -> list[tuple[str, str | None]]:
    """Status and error code of each result."""
    found = []
    for folder in ("done", "failed"):
        for path in sorted((bench.workspace / folder).glob("*.result.json")):
            result = json.loads(path.read_bytes())
            found.append((result["status"], None if result["error"] is None else result["error"]["code"]))
    return found


def _output_kibibytes(bench: Bench) -> int:
    """What the output takes when there is room."""
    bench.reset()
    bench.drop("a", bench.spec("a", [0], "proxy_prores_proxy"))
    assert bench.watch().code == 0
    return sum(path.stat().st_size for path in bench.outputs.glob("a_*")) // KIB + 1


def _try_outputs_of(bench: Bench, kibibytes: int) -> tuple[list[tuple[str, str | None]], Ended]:
    bench.reset()
    with small_disk(bench.outputs, kibibytes):
        bench.keep("kept.mov", b"was here before")
        bench.drop("a", bench.spec("a", [0], "proxy_prores_proxy"))
        ended = bench.watch()
        assert not ended.broke, ended.errors
        assert bench.violations(settled=True) == []
        return _results(bench), ended


@pytest.mark.heavy
def test_outputs_on_a_disk_that_fills_up_at_thirty_places(bench: Bench, part: Slice) -> None:
    needed = _output_kibibytes(bench)
    for number in part.of(range(SIZES)):
        kibibytes = 12 + (needed - 16) * number // (SIZES - 1)
        results, ended = _try_outputs_of(bench, kibibytes)
        assert (kibibytes, results, ended.code) == (kibibytes, [("FAILED", "NO_SPACE")], 4)
    assert _try_outputs_of(bench, needed + 64)[0] == [("COMPLETED", None)]


def test_outputs_on_a_disk_that_is_too_small(bench: Bench) -> None:
    results, ended = _try_outputs_of(bench, _output_kibibytes(bench) // 2)
    assert results == [("FAILED", "NO_SPACE")]
    assert ended.code == 4
    result = json.loads((bench.workspace / "failed" / "a.result.json").read_bytes())
    assert result["tasks"][0]["status"] == "FAILED"


def _try_workspace_of(bench: Bench, kibibytes: int) -> list[tuple[str, str | None]]:
    """What became of the job; nothing if it was not claimed. It is never claimed and then left without a result."""
    bench.reset()
    with small_disk(bench.workspace, kibibytes):
        (bench.workspace / "inbox").mkdir()
        bench.drop("a", bench.spec("a", [0]))
        ended = bench.watch()
        results = _results(bench)
        assert not ended.broke, ended.errors
        assert bench.violations(settled=False) == []
        if not results:
            assert ended.code == 4
            assert "NO_SPACE" in ended.errors
            assert (bench.workspace / "inbox" / "a.json").exists()
        subprocess.run(["mount", "-o", "remount,size=8m", str(bench.workspace)], check=True)
        assert bench.watch().code in {0, 4}
        assert bench.violations(settled=True) == []
        return results


@pytest.mark.heavy
def test_a_workspace_on_a_disk_that_is_too_small_for_it(bench: Bench, part: Slice) -> None:
    results = {number: _try_workspace_of(bench, 8 + 24 * number) for number in {0, *part.of(range(SIZES)), SIZES - 1}}
    assert results[0] == []
    assert results[SIZES - 1] == [("COMPLETED", None)]
    assert all(result in ([], [("FAILED", "NO_SPACE")], [("COMPLETED", None)]) for result in results.values())


def test_a_workspace_that_somebody_fills_after_the_claim(bench: Bench) -> None:
    """Result and log have their space since before the claim: the job ends as it would have."""
    bench.reset()
    with small_disk(bench.workspace, 4096):
        for name in ("inbox", "running", "done", "failed"):
            (bench.workspace / name).mkdir()
        bench.drop("a", bench.spec("a", [0]))
        bench.drop("b", bench.spec("b", [1]))
        bench.before_each_encode(f"dd if=/dev/zero of='{bench.workspace}/filler' bs=4096 2>/dev/null")
        ended = bench.watch()
        assert not ended.broke, ended.errors
        assert ended.code == 4
        assert "NO_SPACE" in ended.errors
        assert _results(bench) in ([("COMPLETED", None)], [("COMPLETED", None), ("FAILED", "NO_SPACE")])
        (bench.workspace / "filler").unlink()
        bench.before_each_encode("")
        assert bench.watch().code == 0
        assert bench.violations(settled=True) == []
