"""Every state that a power cut may leave of a real run, recovered and judged; and the same of runs with a seeded fault."""

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import pytest
from loguru import logger

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.recovery import recover as look
from proxx_worker.workspace.spool import Spool
from tests.faults.disk_model import Create, Rename, Step, Sync, Truncate, Unlink, Write
from tests.faults.invariants import digest
from tests.faults.laboratory import Bench, Tools
from tests.faults.power_cuts import Judge, Recording, recover
from tests.faults.sweeps import killed_at, work
from tests.support.slices import Slice
from tests.support.stops import NEVER


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recovery is judged by what it leaves: its own syncs need not reach a disk, nor its words anybody."""
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    logger.remove()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    (tmp_path / "tools").mkdir()
    return Bench(tmp_path / "bench", Tools.make(tmp_path / "tools"))


def _one_job(sources: Sequence[int]) -> Callable[[Bench], None]:
    """A job `a` with these sources, alone."""

    def prepare(bench: Bench) -> None:
        bench.reset()
        bench.drop("a", bench.spec("a", sources))

    return prepare


def _first(faults: Iterator[str], limit: int = 10) -> list[str]:
    return list(itertools.islice(faults, limit))


class TestSoundRuns:
    def test_a_run_of_one_task(self, bench: Bench) -> None:
        judge = Judge()
        assert _first(judge.faults(Recording.make(bench, _one_job([0])))) == []
        assert len(judge.known) > 100

    @pytest.mark.heavy
    def test_two_jobs_of_three_tasks_and_one_refused(self, bench: Bench, part: Slice) -> None:
        judge = Judge(part=part)
        assert _first(judge.faults(Recording.make(bench, work))) == []
        print(f"{len(judge.known)} states of a run")  # noqa: T201
        assert len(judge.known) > part.share(1000)

    @pytest.mark.heavy
    @pytest.mark.parametrize(
        "state", ["claimed", "record written", "one of two published, the other name taken", "result moved", "record torn"]
    )
    def test_a_recovery(self, state: str, bench: Bench, part: Slice) -> None:
        judge = Judge(part=part)
        assert _first(judge.faults(Recording.make(bench, killed_at(state)))) == []
        print(f"{len(judge.known)} states of a recovery ({state})")  # noqa: T201

    def test_a_job_that_was_collected_stays_away(self, bench: Bench) -> None:
        recording = Recording.make(bench, _one_job([0]))
        assert _first(_collected(Judge(), recording)) == []


def _collected(judge: Judge, recording: Recording) -> Iterator[str]:
    """Somebody moves the finished job out of `done/`, durably; then the power goes."""
    done = f"{recording.workspace}/done"
    taken = [Unlink(f"{done}/a{suffix}") for suffix in (".json", ".result.json", ".log")]
    gone = frozenset(digest(spec) for spec in recording.specs)
    return judge.last_faults(recording.with_steps([*recording.steps, *taken, Sync(done)]), gone)


def _caught(judge: Judge, recording: Recording, steps: Sequence[Step], *, after: int = 0) -> bool:
    faulty = recording.with_steps(steps)
    return any(judge.faults(faulty, after=after)) or any(_collected(judge, faulty))


NOT_NEEDED_TODAY = [
    "worker.lock",  # what it says is for other processes; the lock itself is the kernel's
    # What the last process was killed over: the run has none before it. `tests/simulation/needs.py` has schedules that need them.
    "done",
    "failed",
    "running",
    "inbox",
    "staging",  # after each task; the decision needs only the last
    "outputs",  # after publishing; the one after the removal of staging would do
]
"""The syncs, in order, that no power cut can tell from none. All others are load-bearing."""


@pytest.mark.heavy
def test_every_missing_sync_is_caught(bench: Bench) -> None:
    recording, judge = Recording.make(bench, _one_job([0, 1])), Judge()
    places = _sync_places(recording.steps)
    missed = []
    for place in places:
        name = PurePosixPath(vars(recording.steps[place[0]])["path"]).name
        steps = [step for number, step in enumerate(recording.steps) if number not in place]
        if not _caught(judge, recording, steps, after=place[0]):
            missed.append("staging" if name.startswith(".proxx-") else name)
    print(f"{len(places)} places, {len(judge.known)} states")  # noqa: T201
    assert missed == NOT_NEEDED_TODAY


def _sync_places(steps: Sequence[Step]) -> list[list[int]]:
    """The numbers of the syncs; those of one file or folder with no change to it in between are one place."""
    places: list[list[int]] = []
    open_place: dict[str, list[int]] = {}
    for number, step in enumerate(steps):
        if isinstance(step, Sync):
            if step.path not in open_place:
                open_place[step.path] = []
                places.append(open_place[step.path])
            open_place[step.path].append(number)
        if isinstance(step, Sync | Truncate) or (isinstance(step, Create) and not step.empties):
            continue  # opened again, or cut to the length it has: no change
        for path in [value for value in vars(step).values() if isinstance(value, str)]:
            open_place.pop(path, None)
            open_place.pop(str(PurePosixPath(path).parent), None)
    return places


@pytest.mark.heavy
class TestSeededFaults:
    @pytest.fixture
    def recording(self, bench: Bench) -> Recording:
        return Recording.make(bench, _one_job([0, 1]))

    def test_a_result_written_in_place(self, recording: Recording) -> None:
        reserved, record = f"{recording.workspace}/.proxx/next.result.json", f"{recording.workspace}/running/a.result.json"
        at = next(number for number, step in enumerate(recording.steps) if isinstance(step, Write) and step.path == reserved)
        steps: list[Step] = list(recording.steps[:at])
        for step in recording.steps[at:]:
            match step:
                case Write(path, data) if path == reserved:
                    steps += [Create(record), Write(record, data)]
                case Sync(path) if path == reserved:
                    steps.append(Sync(record))
                case Truncate(path, _) if path == reserved:
                    pass
                case Rename(source, target) if (source, target) == (reserved, record):
                    pass
                case _:
                    steps.append(step)
        assert _caught(Judge(), recording, steps)

    def test_the_spec_moved_first(self, recording: Recording) -> None:
        steps = list(recording.steps)
        spec = _rename_to(steps, "done/a.json")
        result = _rename_to(steps, "done/a.result.json")
        steps.insert(result, steps.pop(spec))
        assert _caught(Judge(), recording, steps)

    def test_an_output_written_straight_to_its_name(self, recording: Recording) -> None:
        final = f"{recording.outputs}/a_000.mp4"
        steps = [
            _elsewhere(step, "a_000.mp4", final)
            for step in recording.steps
            if not (isinstance(step, Rename) and step.target == final)
        ]
        assert _caught(Judge(), recording, steps)

    def test_outputs_published_before_the_decision(self, recording: Recording) -> None:
        steps = list(recording.steps)
        published = steps.pop(_rename_to(steps, "outputs/a_000.mp4"))
        steps.insert(_rename_to(steps, "running/a.result.json"), published)
        assert _caught(Judge(), recording, steps)

    def test_a_retry(self, recording: Recording) -> None:
        """A start that puts an interrupted job back into the inbox."""

        def retry(workspace: Path) -> None:
            for item in look(Spool(Workspace(workspace), NEVER)).items:
                if item.record is None:
                    (workspace / "running" / f"{item.job.name}.json").rename(workspace / "inbox" / f"{item.job.name}.json")
                    (workspace / "running" / f"{item.job.name}.log").unlink(missing_ok=True)
            recover(workspace)

        assert any(Judge(retry).faults(recording))

    def test_a_recovery_that_overwrites(self, recording: Recording) -> None:
        """A start that takes every record for torn."""

        def forget(workspace: Path) -> None:
            for path in (workspace / "running").glob("*.result.json"):
                path.unlink()
            recover(workspace)

        assert any(Judge(forget).faults(recording))

    def test_a_recovery_that_gives_up(self, recording: Recording) -> None:
        def stop(workspace: Path) -> None:
            raise ProxxError(ErrorCode.IO_ERROR, f"not with {workspace}")

        assert any(Judge(stop).faults(recording))


def _rename_to(steps: Sequence[Step], target: str) -> int:
    return next(number for number, step in enumerate(steps) if isinstance(step, Rename) and step.target.endswith(target))


def _elsewhere(step: Step, name: str, path: str) -> Step:
    """The same step on `path`, if it was on a file of this name."""
    match step:
        case Create(old) if PurePosixPath(old).name == name:
            return Create(path)
        case Write(old, data) if PurePosixPath(old).name == name:
            return Write(path, data)
        case Sync(old) if PurePosixPath(old).name == name:
            return Sync(path)
        case _:
            return step
