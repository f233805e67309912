"""A sweep: the same command broken at every call in turn, each time from the same beginning, each time judged twice."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path

from tests.faults.laboratory import Bench, Call, Ended, Tools, kill_before, trace_options
from tests.support.slices import WHOLE, Slice

Breaker = Callable[[Call, int], tuple[str, ...]]
"""What `strace` is told, from the call and its place in the sweep."""
Command = Callable[[Bench, tuple[str, ...]], Ended]
"""Runs on a bench what is swept, with `strace` told so."""
Auditor = Callable[[Bench, Ended], Iterator[str]]
"""Everything that is wrong on a bench after a command that was broken, and after the one that comes next."""

_LOG_WRITES_KEPT = 8


@dataclass(frozen=True)
class Point:
    """One broken run and what was wrong after it; nothing, if all is well."""

    where: str
    faults: tuple[str, ...]
    code: int


def benches(folder: Path) -> list[Bench]:
    """As many benches as there are processors, on the same tools."""
    tools = folder / "tools"
    tools.mkdir()
    made = Tools.make(tools)
    return [Bench(folder / f"bench{number}", made) for number in range(os.cpu_count() or 1)]


def work(bench: Bench) -> None:
    """Three jobs: one of two tasks, one of one, one that is refused. One name is taken already."""
    bench.reset()
    for name, sources, profile in (("a", [0, 1], "proxy_h264_quarter"), ("b", [2], "proxy_h264_quarter"), ("c", [0], "none")):
        bench.drop(name, bench.spec(name, sources, profile))


def only(job: str) -> Callable[[Bench], None]:
    """One of the three jobs alone."""

    def prepare(bench: Bench) -> None:
        work(bench)
        for path in (bench.workspace / "inbox").iterdir():
            if path.stem != job:
                bench.specs.remove(path.read_bytes())
                path.unlink()

    return prepare


def killed_at(state: str) -> Callable[[Bench], None]:
    """The beginning of a recovery: one job, with the worker killed before the call that `STATES[state]` picks."""
    job = "c" if state == "refused" else "a"
    begin, is_claim = only(job), has("renameat2", f"/inbox/{job}.json")

    def prepare(bench: Bench) -> None:
        begin(bench)
        bench.watch(*trace_options())
        calls = dropwhile(lambda call: not is_claim(call), bench.durable_calls())
        call = next(call for call in calls if STATES[state](call))
        begin(bench)
        ended = bench.watch(*kill_before(call))
        assert ended.code < 0, f"{call} was not reached"
        if state in AFTERWARDS:
            AFTERWARDS[state](bench)

    return prepare


def has(name: str, *parts: str) -> Callable[[Call], bool]:
    """Picks a call by its name and by what stands in its arguments."""
    return lambda call: call.name == name and all(part in call.arguments for part in parts)


STATES: dict[str, Callable[[Call], bool]] = {
    "claimed": has("fsync", "/inbox>"),
    "encoded": has("fsync", "/a_001.mp4>"),
    "record written": has("rename", "running/a.result.json"),
    "one of two published": has("renameat2", '"a_001.mp4"'),
    "one of two published, the other name taken": has("renameat2", '"a_001.mp4"'),
    "published": has("unlinkat", ".proxx-"),
    "result moved": has("renameat2", "done/a.log"),
    "spec moved last": has("renameat2", "done/a.json"),
    "refused": has("renameat2", "failed/c.result.json"),
    "record torn": has("renameat2", '"a_000.mp4"'),
}
"""Where a worker was killed, for the sweeps over the recovery that follows."""

AFTERWARDS: dict[str, Callable[[Bench], object]] = {
    "one of two published, the other name taken": lambda bench: bench.keep("a_001.mp4", b"somebody else's"),
    "record torn": lambda bench: (bench.workspace / "running" / "a.result.json").write_bytes(b"\0" * 100),
}
"""What happens to the disk before the recovery."""


@dataclass(frozen=True)
class Subject:
    """What is swept: how a bench is made ready for it, the command, and how its end is judged."""

    prepare: Callable[[Bench], None]
    command: Command
    audit: Auditor


def watching(prepare: Callable[[Bench], None]) -> Subject:
    """`watch --once`, with the next start for its recovery."""
    return Subject(prepare, lambda bench, strace: bench.watch(*strace), _watch_faults)


def sweep(benches: Sequence[Bench], subject: Subject, breaker: Breaker, *, every: int = 1, part: Slice = WHOLE) -> list[Point]:
    """Break the command at every `every`-th call, as far as it is in `part`, spread over the benches.

    Each bench has its own beginning and its own calls.
    """
    with ThreadPoolExecutor(len(benches)) as pool:
        shares = pool.map(
            lambda share: list(_sweep_share(benches[share], subject, breaker, (every, part, share, len(benches)))),
            range(len(benches)),
        )
        return [point for points in shares for point in points]


def _sweep_share(bench: Bench, subject: Subject, breaker: Breaker, selected: tuple[int, Slice, int, int]) -> Iterator[Point]:
    every, part, share, shares = selected
    subject.prepare(bench)
    beginning = bench.save()
    subject.command(bench, trace_options())
    points = list(thinned(bench.durable_calls()))[::every]
    for number in part.of(range(len(points)))[share::shares]:
        call = points[number]
        bench.restore(beginning)
        broken = subject.command(bench, breaker(call, number))
        yield Point(str(call), tuple(subject.audit(bench, broken)), broken.code)


def faulty(points: Sequence[Point]) -> dict[str, tuple[str, ...]]:
    """The points after which something was wrong, and what."""
    return {point.where: point.faults for point in points if point.faults}


def _watch_faults(bench: Bench, broken: Ended) -> Iterator[str]:
    if broken.broke:
        yield f"it fell over: {broken.errors[-1500:]}"
    yield from (f"right after: {fault}" for fault in bench.violations(settled=False))
    ended = bench.watch()
    if ended.code not in {0, 1, 2, 4} or ended.broke:
        yield f"the next start ended with {ended.code}: {ended.errors[-1500:]}"
    yield from (f"after the next start: {fault}" for fault in bench.violations(settled=True))


def thinned(calls: Sequence[Call]) -> Iterator[Call]:
    """The calls without most of the writes to logs, which are many and alike."""
    log_writes = 0
    for call in calls:
        if call.name == "write" and ".log>" in call.arguments:
            log_writes += 1
            if log_writes % _LOG_WRITES_KEPT:
                continue
        yield call
