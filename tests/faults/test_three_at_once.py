"""Three workers started at once on one workspace, again and again: one executes, and the others change nothing, call by call."""

import os
import time
from pathlib import Path

import pytest

from tests.faults.laboratory import Bench, Tools, read_trace, trace_options
from tests.support.slices import Slice

ROUNDS = 100


def _round(bench: Bench, folder: Path, number: int) -> tuple[list[int], list[str]]:
    """Exit codes, and every call with which a loser changed something. The encode goes on only when two workers have ended."""
    gate = folder / f"gate{number}"
    os.mkfifo(gate)
    bench.before_each_encode(f"read line <'{gate}'")
    bench.drop(f"s{number}", bench.spec(f"s{number}", [number % 3]))
    traces = [folder / f"trace{number}.{which}" for which in range(3)]
    watch = ("watch", str(bench.workspace), "--once")
    workers = [bench.start(*watch, strace=("-o", str(trace), *trace_options())) for trace in traces]
    while sum(worker.poll() is None for worker in workers) > 1:
        time.sleep(0.01)  # a look from outside, as an operator would
    losers = [which for which, worker in enumerate(workers) if worker.poll() is not None]
    gate.write_text("\n")
    codes = sorted(worker.wait(timeout=60) for worker in workers)
    changes = [
        str(call)
        for which in losers
        for call in read_trace(traces[which].read_text(errors="replace"), f"{bench.root}/")
        if call.answer >= 0
    ]
    return codes, changes


@pytest.mark.heavy
def test_a_hundred_rounds(tmp_path: Path, part: Slice) -> None:
    rounds = part.of(range(ROUNDS))
    (tmp_path / "tools").mkdir()
    bench = Bench(tmp_path / "bench", Tools.make(tmp_path / "tools"))
    bench.reset()
    assert bench.watch().code == 0, "the workspace has all its folders before the first round"
    for number in rounds:
        assert (number, *_round(bench, tmp_path, number)) == (number, [0, 4, 4], [])
        assert bench.violations(settled=True) == []
    assert sorted(bench.executions().values()) == [1] * len(rounds)
    assert len(list((bench.workspace / "done").iterdir())) == 3 * len(rounds)
