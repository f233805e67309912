"""Mode C: what a command costs before and beside its children."""

import sys
from pathlib import Path

from proxx_worker.media.probe_command import probe_argv
from tests.benchmarks.conftest import WORKER, Clips, emptied, encode_command, into, spec_of
from tests.benchmarks.measure import Sample, Spread, cpu, in_turns, timed
from tests.benchmarks.report import Report
from tests.benchmarks.test_throughput import PROFILE

RUNS = 20


def test_version_and_help(report: Report) -> None:
    version, helped, bare = in_turns(
        lambda: timed([WORKER, "--version"]),
        lambda: timed([WORKER, "--help"]),
        lambda: timed([sys.executable, "-c", "pass"]),
        runs=RUNS,
    )
    section = "Cold start"
    report.row(section, "`--version`, CPU", Spread.of([1000 * cpu(one) for one in version]).show(0, " ms"), "<= 120 ms")
    report.row(section, "`--help`, CPU", Spread.of([1000 * cpu(one) for one in helped]).show(0, " ms"))
    report.row(section, "Python alone, CPU", Spread.of([1000 * cpu(one) for one in bare]).show(0, " ms"))


def test_run_beside_its_children(report: Report, clips: Clips, tools: tuple[str, str], tmp_path: Path) -> None:
    command = encode_command(PROFILE, clips.second, tmp_path / "command")
    output = tmp_path / "out"
    spec = tmp_path / "spec.json"
    spec.write_bytes(spec_of(PROFILE, output, clips.second))
    ffprobe = tools[1]

    def run() -> Sample:
        emptied(output)
        return timed([WORKER, "run", str(spec)])

    def children() -> float:
        """FFmpeg and the two looks of ffprobe, each on its own."""
        target = emptied(tmp_path / "alone") / "second.mp4"
        verify = [
            ffprobe, "-v", "error", "-threads", "auto", "-show_entries", "stream:format:frame=pts", "-of", "compact", str(target)
        ]  # fmt: skip
        return sum(timed(argv).wall for argv in (probe_argv(ffprobe, str(clips.second)), into(command, target), verify))

    beyond = []
    for number in range(RUNS + 1):
        difference = 1000 * (run().wall - children())
        if number:
            beyond.append(difference)
    report.row("Cold start", "`run` on a 1-second clip beyond its children, wall", Spread.of(beyond).show(0, " ms"), "<= 350 ms")
