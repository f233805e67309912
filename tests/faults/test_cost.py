"""What one job costs in syncs and processes, call by call, is what docs/decisions/0014 accounts for."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.laboratory import Bench, Tools
from tests.support.markdown import Page, code

_CALL = re.compile(r"^(?P<call>fsync|fdatasync|vfork|fork|clone3?|renameat2)\((?P<arguments>.*)\)\s+= (?P<answer>\d+)")
_HELD = re.compile(r"\d+<(?P<path>[^>]*)>")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    (tmp_path / "tools").mkdir()
    return Bench(tmp_path / "bench", Tools.make(tmp_path / "tools"))


def costs(trace: str, bench: Bench) -> Iterator[tuple[str, str]]:
    """Each sync and each start of a process, from the claim of job `a` on: what, and on which file in the page's words."""
    claimed = False
    for line in trace.splitlines():
        found = _CALL.match(line)
        if found is None:
            continue
        if found["call"] == "renameat2":
            claimed = claimed or "/inbox/a.json" in found["arguments"]
        elif claimed and found["call"].endswith("sync"):
            held = _HELD.search(found["arguments"])
            assert held is not None
            yield "sync", place(Path(held["path"]), bench)
        elif claimed:
            yield "process", ""


def place(path: Path, bench: Bench) -> str:
    """A synced path as the page calls it."""
    if path == bench.outputs:
        return "output directory"
    if path.is_relative_to(bench.outputs):
        return "staging" if path.parent == bench.outputs else "the staged output"
    names = {"running/a.json": "running/JOB.json", ".proxx/next.result.json": "the result, not yet in running/"}
    inside = str(path.relative_to(bench.workspace))
    return "the log" if path.suffix == ".log" else names.get(inside, f"{inside}/")


def test_every_sync_and_process_is_accounted_for(bench: Bench, project_root: Path) -> None:
    bench.reset()
    bench.drop("a", bench.spec("a", [0]))
    ended = bench.watch("-y", "-e", "trace=fsync,fdatasync,renameat2,vfork,fork,clone,clone3")
    assert ended.code == 0
    page = Page(project_root / "docs" / "decisions" / "0014-what-a-job-costs.md")
    table = page.table("From the claim to the last move")
    accounted = [
        ("sync", where.replace("`", "")) if code(call) == ["sync"] else ("process", "")
        for call, where in zip(table.column("call"), table.column("on"), strict=True)
    ]
    assert list(costs(bench.last_trace(), bench)) == accounted
