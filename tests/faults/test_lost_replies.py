"""A rename that happened and was answered with an error: over NFS a lost reply looks so."""

import errno
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.laboratory import Bench, trace_options
from tests.faults.sweeps import benches, work
from tests.support.slices import WHOLE, Slice

RENAMES = {"rename", "renameat2"}
UNDISTURBED = {"done": {"a.json", "b.json"}, "failed": {"c.json"}}


@pytest.fixture
def library(tmp_path: Path) -> Path:
    made = tmp_path / "lost_reply.so"
    source = Path(__file__).with_name("lost_reply.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(made), str(source), "-ldl"], check=True)
    return made


def _specs(bench: Bench) -> dict[str, set[str]]:
    return {
        folder: {path.name for path in (bench.workspace / folder).glob("*.json") if not path.name.endswith(".result.json")}
        for folder in ("done", "failed")
    }


def _renames(bench: Bench) -> int:
    """How many renames an undisturbed run makes."""
    work(bench)
    bench.watch(*trace_options())
    return sum(call.name in RENAMES for call in bench.durable_calls())


def _lose(bench: Bench, library: Path, at: int, number: int) -> Iterator[str]:
    work(bench)
    variables = {"LD_PRELOAD": str(library), "LOST_REPLY_AT": str(at), "LOST_REPLY_ERRNO": str(number)}
    ended = bench.watch(environment=variables)
    where = f"rename {at} answered {errno.errorcode[number]}"
    if ended.broke:
        yield f"{where}: it fell over: {ended.errors[-1500:]}"
    yield from (f"{where}: {fault}" for fault in bench.violations(settled=False))
    if number != errno.EIO and (ended.code, _specs(bench)) != (1, UNDISTURBED):
        yield f"{where}: what was done was not seen as done: {ended.code} {_specs(bench)} {ended.errors[-600:]}"
    bench.watch()
    yield from (f"{where}, after the next start: {fault}" for fault in bench.violations(settled=True))


def _sweep(tmp_path: Path, library: Path, every: int, part: Slice = WHOLE) -> tuple[int, list[str]]:
    laboratory = benches(tmp_path)
    numbers = [errno.ENOENT, errno.EEXIST, errno.EIO]
    points = part.of([(at, number) for at in range(1, _renames(laboratory[0]) + 1) for number in numbers][::every])

    def share(offset: int) -> list[str]:
        mine = points[offset :: len(laboratory)]
        return [fault for at, number in mine for fault in _lose(laboratory[offset], library, at, number)]

    with ThreadPoolExecutor(len(laboratory)) as pool:
        return len(points), [fault for faults in pool.map(share, range(len(laboratory))) for fault in faults]


@pytest.mark.heavy
def test_every_lost_reply(tmp_path: Path, library: Path, part: Slice) -> None:
    points, faults = _sweep(tmp_path, library, every=1, part=part)
    print(f"{points} lost replies, {len(faults)} violations", *faults, sep="\n")  # noqa: T201
    assert faults == []
