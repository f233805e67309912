"""A cancel and a hold at every moment of a worker, which goes on or is killed just then: one outcome each, and none is lost."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.laboratory import START, Bench, Call, kill_before, trace_options
from tests.faults.pauses import watch_paused
from tests.faults.sweeps import Point, benches, faulty, has, sweep, thinned, watching, work
from tests.support.slices import WHOLE, Slice

MOMENTS = 60
"""At least so many at which a request comes, for each kind of request."""

CANCELLED = "a"
"""Which of the three jobs is meant. It is the first, and has two tasks."""

AT_LEAST_CANCELLED = 60
"""Of a whole sweep: so many of the cancels were in time. Of some 190 moments, 90 come before the job is decided."""

_STAGES = {
    "claimed": "claimed",
    "job_started": "probing",
    "job_inspected": "surveying",
    "task_started": "encoding",
    "encoder_started": "encoding",
    "encoder_ended": "verifying",
    "verified": "sealing",
}
"""What the worker does after each of these lines of the job's log, which is written at once; `status.json` is not."""

BEFORE_THE_RECORD = ("waiting", "claimed", "probing", "surveying", "encoding", "verifying", "sealing")
DECIDED = ("decided", "ended")


def _cancel(bench: Bench) -> None:
    """As a client does it: the request is whole when it has its name."""
    inbox = bench.workspace / "inbox"
    (inbox / ".request").write_text(hashlib.sha256(bench.specs[0]).hexdigest())
    (inbox / ".request").rename(inbox / f"{CANCELLED}.cancel")


def _names(bench: Bench, folder: str) -> set[str]:
    return {path.name for path in (bench.workspace / folder).iterdir() if not path.name.startswith(".")}


def _codes(bench: Bench) -> dict[str, str]:
    """How each job ended: its code, or COMPLETED."""
    found = {}
    for folder in ("done", "failed"):
        for path in (bench.workspace / folder).glob("*.result.json"):
            result = json.loads(path.read_bytes())
            found[path.name.removesuffix(".result.json")] = result["error"]["code"] if result["error"] else result["status"]
    return found


@dataclass(frozen=True)
class _Asked:
    """What was done, for the auditor: the call, whether the worker was killed right after, and what it said."""

    bench: Bench
    killed: bool
    words: str
    stage: str


@dataclass(frozen=True)
class Asked(Point):
    """A point, with what the worker did just then with the job, and how the job ended."""

    stage: str
    ended: str


def _stage(bench: Bench) -> str:
    """What the worker does with the job, by what is on disk.

    `recording`: its last task is complete, and there is no commit record: the last look for a cancel is just before it.
    """
    if (bench.workspace / "inbox" / f"{CANCELLED}.json").exists():
        return "waiting"
    running = bench.workspace / "running"
    if not (running / f"{CANCELLED}.json").exists():
        return "ended"
    if any((bench.workspace / folder / f"{CANCELLED}.result.json").exists() for folder in ("running", "done", "failed")):
        return "decided"
    log = running / f"{CANCELLED}.log"
    lines = [line.split()[2:] for line in log.read_text().splitlines()] if log.exists() else []
    action, *fields = next((words for words in reversed(lines) if words and words[0] != "encoder"), ["claimed"])
    if action == "task_completed":
        return "recording" if "task=2" in fields else "sealing"
    return _STAGES[action]


def _may_end(asked: _Asked) -> set[str]:
    """How the job may end. A cancel that is there before the commit record is honoured; one that comes after it is too late."""
    if asked.stage in DECIDED:
        return {"COMPLETED"}
    if asked.stage == "recording" and not asked.killed:
        return {"CANCELLED", "COMPLETED"}  # before that last look, or while the record is written
    return {"CANCELLED"}


def _cancel_faults(asked: _Asked) -> Iterator[str]:
    bench = asked.bench
    ended = bench.watch()
    if ended.code not in {0, 1, 2}:
        yield f"the next start ended with {ended.code}: {ended.errors[-1500:]}"
    yield from (f"after the next start: {fault}" for fault in bench.violations(settled=True))
    codes = _codes(bench)
    if codes[CANCELLED] not in _may_end(asked):
        yield f"the job that was cancelled, {asked.stage}, ended with {codes[CANCELLED]}"
    if codes["c"] not in {"PROFILE_UNKNOWN", "INTERRUPTED"} or codes["b"] not in {"COMPLETED", "INTERRUPTED"}:
        yield f"the others ended with {codes}"
    if codes[CANCELLED] == "COMPLETED" and not asked.killed:
        log = (bench.workspace / "done" / f"{CANCELLED}.log").read_text()
        if "cancel_too_late" not in log and "cancel_removed" not in asked.words + ended.errors:
            yield "a cancel that came too late is told nowhere"
    if _names(bench, "inbox"):
        yield f"left in the inbox: {_names(bench, 'inbox')}"


def _hold_faults(asked: _Asked, waited: set[str]) -> Iterator[str]:
    bench = asked.bench
    left = _names(bench, "inbox")
    if len(waited - left) > 1:
        yield f"claimed while it was held: {sorted(waited - left)}"
    ended = bench.watch()
    if ended.code != 4 if left else ended.code not in {0, 1, 2}:
        yield f"the next start, held, with {sorted(left)}, ended with {ended.code}: {ended.errors[-1500:]}"
    if left and "WORKSPACE_HELD" not in ended.errors:
        yield f"it does not say why: {ended.errors[-500:]}"
    if _names(bench, "inbox") != left:
        yield f"claimed by the next start: {sorted(left - _names(bench, 'inbox'))}"
    yield from (f"held: {fault}" for fault in bench.violations(settled=True))
    (bench.workspace / "inbox" / ".hold").unlink()
    bench.watch()
    yield from (f"after the release: {fault}" for fault in bench.violations(settled=True))
    if _names(bench, "inbox"):
        yield f"left in the inbox: {_names(bench, 'inbox')}"


def _at(bench: Bench, call: Call, request: str, *, kill: bool) -> Asked:
    work(bench)
    waited: set[str] = set()
    stages: list[str] = []

    def ask() -> None:
        waited.update(_names(bench, "inbox"))
        stages.append(_stage(bench))
        if request == "cancel":
            _cancel(bench)
        else:
            (bench.workspace / "inbox" / ".hold").touch()

    paused = watch_paused(bench, call, ask, kill=kill)
    if not paused.reached:
        return Asked(str(call), (), 0, "", "")
    faults = [f"right after: {fault}" for fault in bench.violations(settled=False)]
    if paused.ended.broke:
        faults.append(f"it fell over: {paused.ended.errors[-1500:]}")
    asked = _Asked(bench, kill, paused.ended.errors, stages[0])
    faults += _cancel_faults(asked) if request == "cancel" else _hold_faults(asked, waited)
    where = f"{request} {'and kill ' if kill else ''}before {call}, {stages[0]}"
    return Asked(where, tuple(faults), 1, stages[0], _codes(bench)[CANCELLED])


def _calls(bench: Bench) -> list[Call]:
    """The calls of a run in which nobody asks for anything, and those that start its children."""
    work(bench)
    bench.watch(*trace_options(START))
    return bench.durable_calls()


def _call_of_each_stage(calls: Sequence[Call]) -> list[Call]:
    """One call of each stage of the job that is cancelled."""

    def first(fits: Callable[[Call], bool], since: int = 0) -> int:
        return next(at for at in range(since, len(calls)) if fits(calls[at]))

    claim = first(has("renameat2", f"/inbox/{CANCELLED}.json"))
    waiting = claim - 1  # a worker that is stopped before its rename has made it when it stands
    claimed = first(has("fsync", f"/running/{CANCELLED}.json"))
    probe = first(has(START), claimed)
    survey = first(has("flock", "/outputs>"))
    encode = first(has("openat", f"{CANCELLED}_000.mp4"))
    encoder = first(has(START), encode)
    verify = first(has(START), encoder + 1)
    seal = first(has("fsync", f"/{CANCELLED}_000.mp4>"))
    record = first(has("ftruncate", "/next.result.json"), seal)
    publish = first(has("renameat2", f'"{CANCELLED}_000.mp4"'))
    ended = first(has("renameat2", "/inbox/b.json"))
    return [calls[at] for at in (waiting, claimed, probe, survey, encode, encoder, verify, seal, record, publish, ended)]


def _requests(laboratory: Sequence[Bench], *, every: int, part: Slice = WHOLE) -> dict[str, list[Asked]]:
    """Each request at every `every`-th call; at every second of those the worker is killed just then."""

    def share(which: int) -> list[tuple[str, Asked]]:
        bench = laboratory[which]
        calls = list(thinned(_calls(bench)))[::every]
        mine = part.of(range(len(calls)))[which :: len(laboratory)]
        return [
            (request, _at(bench, calls[number], request, kill=(number // len(laboratory) + offset) % 2 == 0))
            for number in mine
            for offset, request in enumerate(("cancel", "hold"))
        ]

    with ThreadPoolExecutor(len(laboratory)) as pool:
        told = [pair for pairs in pool.map(share, range(len(laboratory))) for pair in pairs]
    return {request: [point for name, point in told if name == request and point.code] for request in ("cancel", "hold")}


def _cancelled(bench: Bench) -> None:
    """The three jobs, and a cancel of one that is there before the worker starts."""
    work(bench)
    _cancel(bench)


def _kill(call: Call, _number: int) -> tuple[str, ...]:
    return kill_before(call)


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> list[Bench]:
    return benches(tmp_path_factory.mktemp("laboratory"))


def test_some_moments(laboratory: list[Bench]) -> None:
    for points in _requests(laboratory, every=151).values():
        assert len(points) >= 2
        assert faulty(points) == {}


@pytest.mark.heavy
@pytest.mark.parametrize("kill", [False, True])
def test_a_cancel_in_each_stage_of_a_job(laboratory: list[Bench], *, kill: bool) -> None:
    """In time until the commit record, too late after it, whether the worker goes on or is killed just then."""

    def share(which: int) -> list[Asked]:
        bench = laboratory[which]
        calls = _call_of_each_stage(_calls(bench))
        return [_at(bench, call, "cancel", kill=kill) for call in calls[which :: len(laboratory)]]

    with ThreadPoolExecutor(len(laboratory)) as pool:
        points = [point for points in pool.map(share, range(len(laboratory))) for point in points]
    assert faulty(points) == {}
    ends = {point.stage: point.ended for point in points}
    assert ends.keys() == {*BEFORE_THE_RECORD, "recording", *DECIDED}
    assert {stage for stage in BEFORE_THE_RECORD if ends[stage] != "CANCELLED"} == set()
    assert {ends[stage] for stage in DECIDED} == {"COMPLETED"}


@pytest.mark.heavy
def test_a_request_at_every_moment(tmp_path: Path, part: Slice) -> None:
    told = _requests(benches(tmp_path), every=1, part=part)
    for request, points in told.items():
        print(f"{request}: {len(points)} moments, {len(faulty(points))} bad", *faulty(points).items(), sep="\n")  # noqa: T201
        assert faulty(points) == {}
        assert len(points) >= part.share(MOMENTS)
    in_time = [point for point in told["cancel"] if point.ended == "CANCELLED"]
    print(f"cancelled: {len(in_time)}; stages: {dict(Counter(point.stage for point in told['cancel']))}")  # noqa: T201
    assert len(in_time) >= part.share(AT_LEAST_CANCELLED)


@pytest.mark.heavy
def test_a_worker_killed_at_every_call_while_it_cancels(tmp_path: Path, part: Slice) -> None:
    laboratory = benches(tmp_path)
    points = sweep(laboratory, watching(_cancelled), _kill, part=part)
    killed = [point for point in points if point.code < 0]
    print(f"{len(points)} kill points, {len(killed)} reached, {len(faulty(points))} bad", *faulty(points).items(), sep="\n")  # noqa: T201
    assert faulty(points) == {}
    assert len(killed) >= part.share(MOMENTS)
    assert {_codes(bench)[CANCELLED] for bench in laboratory} == {"CANCELLED"}
