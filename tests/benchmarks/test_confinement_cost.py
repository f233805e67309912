"""What confinement costs: each child's start, and many small jobs, beside the same without it."""

import os
import statistics
import time
from functools import partial
from pathlib import Path

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.process.sandbox import UNCONFINED, Confinement, Sandbox
from proxx_worker.process.spawn import start_child
from tests.benchmarks.conftest import WORKER, Clips, emptied, spec_of
from tests.benchmarks.measure import Sample, Spread, cpu, in_turns, ratios, timed, wall
from tests.benchmarks.report import Report

JOBS = int(os.environ.get("PROXX_BENCH_JOBS", "200"))
STARTS, ROUNDS = 100, 7
SECTION = "Confinement of FFmpeg and ffprobe"


def _milliseconds(confinement: Confinement) -> float:
    """The median of a child's whole life: `true`, which does nothing, from its start to its exit status."""
    lives = []
    for _ in range(STARTS):
        begun = time.perf_counter()
        child = start_child(
            ["/bin/true"], cwd="/", stdin=None, pass_fds=(), missing=ErrorCode.FFMPEG_MISSING, confinement=confinement
        )
        assert os.waitpid(child.pid, 0)[1] == 0
        lives.append(1000 * (time.perf_counter() - begun))
        child.returncode = 0
        for pipe in (child.stdout, child.stderr):
            assert pipe is not None
            pipe.close()
    return statistics.median(lives)


def test_a_child(report: Report) -> None:
    sandbox = Sandbox()
    sandbox.require()
    more = []
    for _ in range(ROUNDS):
        confined, free = _milliseconds(Confinement(sandbox)), _milliseconds(UNCONFINED)
        more.append(confined - free)
    sandbox.close()
    report.row(SECTION, "a child, confined minus unconfined", Spread.of(more).show(2, " ms"), "<= 2 ms")


def test_many_small_jobs(report: Report, clips: Clips, tmp_path: Path) -> None:
    output, workspace = tmp_path / "out", tmp_path / "workspace"

    def drain(sandbox: str) -> Sample:
        emptied(output)
        inbox = emptied(workspace) / "inbox"
        inbox.mkdir()
        for number in range(JOBS):
            spec = spec_of("proxy_h264_quarter", output, clips.second, template=f"clip_{number:04}")
            (inbox / f"{number:04}.json").write_bytes(spec)
        sample = timed([WORKER, "watch", str(workspace), "--once", "--sandbox", sandbox])
        assert len(list(output.iterdir())) == JOBS
        return sample

    confined, free = in_turns(partial(drain, "on"), partial(drain, "off"), warm_up=False)
    what = f"{JOBS} jobs of one 1-second 1080p clip, H.264 quarter: confined / unconfined"
    report.row(SECTION, f"{what}, wall", ratios(confined, free, wall).show(3), "<= 1.01")
    report.row(SECTION, f"{what}, CPU", ratios(confined, free, cpu).show(3))
