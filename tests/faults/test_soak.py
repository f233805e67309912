"""Two thousand small jobs, good and bad, and a worker that is killed and stopped at random; then every spec is accounted for."""

import json
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.laboratory import Bench, Tools
from tests.support.slices import Slice

JOBS = 2_000
KILLS = 50
SEED = 20_260_101
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
MEMORY_MAY_GROW_BY = 1.25


@dataclass(frozen=True)
class Kind:
    """A kind of job: how it ends if nothing disturbs it."""

    ends: str
    share: int


GOOD, PROFILE, SOURCE, BROKEN, TEMPLATE = (
    Kind("COMPLETED", 15),
    Kind("PROFILE_UNKNOWN", 35),
    Kind("SOURCE_MISSING", 35),
    Kind("SPEC_NOT_JSON", 10),
    Kind("SPEC_INVALID", 5),
)
KINDS = (GOOD, PROFILE, SOURCE, BROKEN, TEMPLATE)


def _spec(bench: Bench, number: int, kind: Kind) -> bytes:
    job = f"s{number:04}"
    if kind is PROFILE:
        return bench.spec(job, [0], "none")
    if kind is SOURCE:
        return bench.spec(job, [9])
    if kind is BROKEN:
        return bench.spec(job, [0])[:-1]
    if kind is TEMPLATE:
        return bench.spec(job, [0]).replace(b"{index}", b"{no_such_token}")
    return bench.spec(job, [number % 3])


def _finished(bench: Bench) -> int:
    return sum(1 for folder in ("done", "failed") for _ in (bench.workspace / folder).iterdir()) // 3


def _memory_kibibytes(process: subprocess.Popen[bytes]) -> int:
    """What the process has resident now; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def _ends(bench: Bench) -> Iterator[tuple[str, str]]:
    """Each finished job and how it ended."""
    for folder in ("done", "failed"):
        for path in (bench.workspace / folder).glob("*.result.json"):
            result = json.loads(path.read_bytes())
            yield path.name.removesuffix(".result.json"), result["error"]["code"] if result["error"] else result["status"]


@pytest.mark.heavy
def test_soak(tmp_path: Path, part: Slice) -> None:
    jobs, kills = part.share(JOBS), part.share(KILLS)
    (tmp_path / "tools").mkdir()
    bench = Bench(tmp_path / "bench", Tools.make(tmp_path / "tools"))
    bench.reset()
    chance = random.Random(SEED + part.number - 1)  # noqa: S311 - a play of chance, not a secret
    kinds = chance.choices(KINDS, [kind.share for kind in KINDS], k=jobs)
    waiting = list(enumerate(kinds))
    watch = ("watch", str(bench.workspace), "--once", "--settle-seconds", "0.1")
    disturbed = 0
    for round_number in range(kills):
        for number, kind in waiting[: JOBS // KILLS]:
            bench.drop(f"s{number:04}", _spec(bench, number, kind))
        del waiting[: JOBS // KILLS]
        process = bench.start(*watch)
        enough = _finished(bench) + chance.randrange(60)
        while process.poll() is None and _finished(bench) < enough:
            time.sleep(0.005)  # a look at the folders, as an operator would
        disturbed += process.poll() is None
        process.send_signal(chance.choice(SIGNALS))
        process.wait(timeout=30)
        assert bench.violations(settled=False) == [], f"round {round_number}"
    for number, kind in waiting:
        bench.drop(f"s{number:04}", _spec(bench, number, kind))
    assert bench.start(*watch).wait() in {0, 1, 2}
    assert bench.violations(settled=True) == []
    ends = dict(_ends(bench))
    assert len(ends) == jobs
    expected = {f"s{number:04}": kind.ends for number, kind in enumerate(kinds)}
    otherwise = {job: end for job, end in ends.items() if end != expected[job]}
    print(f"{jobs} jobs, {disturbed} disturbed runs, {dict(Counter(ends.values()))}")  # noqa: T201
    assert set(otherwise.values()) <= {"INTERRUPTED"}
    assert len(otherwise) <= disturbed <= kills


@pytest.mark.heavy
def test_memory_stays_flat_over_many_jobs(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    bench = Bench(tmp_path / "bench", Tools.make(tmp_path / "tools"))
    bench.reset()
    for number in range(JOBS):
        bench.drop(f"s{number:04}", bench.spec(f"s{number:04}", [0], "none"))
    process = bench.start("watch", str(bench.workspace), "--once")
    samples: list[tuple[int, int]] = []
    while process.poll() is None:
        samples.append((_finished(bench), _memory_kibibytes(process)))
        time.sleep(0.02)
    early = max(memory for finished, memory in samples if finished < JOBS // 4)
    late = max(memory for finished, memory in samples if finished > JOBS // 2)
    print(f"memory: {early} KiB early, {late} KiB late")  # noqa: T201
    assert late < early * MEMORY_MAY_GROW_BY
