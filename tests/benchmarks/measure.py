"""Timing side by side: two commands in turns in one session, so that a machine whose speed drifts drifts for both."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

RUNS = int(os.environ.get("PROXX_BENCH_RUNS", "5"))
"""Counted runs of each command. The published figures take 5 or more."""


@dataclass(frozen=True)
class Sample:
    """One run: wall and CPU seconds (user and system, descendants included), and what it printed."""

    wall: float
    cpu: float
    stdout: bytes = b""
    stderr: bytes = b""


def timed(argv: Sequence[str], *, cwd: Path | None = None, env: dict[str, str] | None = None, fails: bool = False) -> Sample:
    """Run `argv` to its end. A command that fails is no sample, unless `fails` says that it must end with any code."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        list(argv), cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    before = os.times()
    stdout, stderr = process.communicate()
    wall = time.perf_counter() - begun
    after = os.times()
    if process.returncode != 0 and not fails:
        raise AssertionError(f"{argv[0]} ended with {process.returncode}: {stderr[-2000:].decode(errors='replace')}")
    cpu = (after.children_user - before.children_user) + (after.children_system - before.children_system)
    return Sample(wall, cpu, stdout, stderr)


@dataclass(frozen=True)
class Spread:
    """Median, least and greatest of some figures."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        return cls(statistics.median(figures), min(figures), max(figures))

    def show(self, digits: int = 2, unit: str = "") -> str:
        """`1.04 (1.02-1.07)`."""
        return f"{self.median:.{digits}f}{unit} ({self.least:.{digits}f}-{self.greatest:.{digits}f})"


def percentile(figures: Sequence[float], share: float) -> float:
    """The smallest figure that at least `share` of all are not above."""
    ordered = sorted(figures)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def in_turns(*commands: Callable[[], Sample], runs: int = RUNS, warm_up: bool = True) -> list[list[Sample]]:
    """Each command's samples; A B C, A B C, ... after one round that does not count."""
    samples: list[list[Sample]] = [[] for _ in commands]
    for number in range(runs + warm_up):
        for command, kept in zip(commands, samples, strict=True):
            sample = command()
            if number >= warm_up:
                kept.append(sample)
    return samples


def ratios(ours: Sequence[Sample], theirs: Sequence[Sample], of: Callable[[Sample], float]) -> Spread:
    """Ours by theirs, pair by pair."""
    return Spread.of([of(one) / of(other) for one, other in zip(ours, theirs, strict=True)])


def wall(sample: Sample) -> float:
    return sample.wall


def cpu(sample: Sample) -> float:
    return sample.cpu
