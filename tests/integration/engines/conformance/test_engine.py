"""What holds of a job whichever engine makes its outputs."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.result import JobResult, JobStatus, TaskStatus, decode_result, encode_result
from proxx_worker.contract.status import Stage
from proxx_worker.execution.preflight import AcceptedJob, inspect
from proxx_worker.process.stop import StopFlag
from tests.support import fake_engine
from tests.support.benches import Bench
from tests.support.engine import Log
from tests.support.jobs import MOMENTS, Moment, Watcher, environment, execute, spec

Act = Callable[[], object]


def entries(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def run(
    bench: Bench,
    sources: list[Path],
    out: Path,
    stop: StopFlag,
    *,
    at: dict[int, Act] | None = None,
    hanging: bool = False,
    failing: bool = False,
    stall_seconds: float = 60.0,
) -> JobResult:
    engine = bench.hanging if hanging else bench.failing if failing else bench.engine
    watcher = Watcher({("progressed", number): act for number, act in (at or {}).items()})
    data = spec(sources, out, **bench.settings)
    return execute(engine, data, stop, watcher=watcher, stall_seconds=stall_seconds, kind=bench.kind)


def told(result: JobResult) -> tuple[ErrorCode | None, list[TaskStatus]]:
    return None if result.error is None else result.error.code, [task.status for task in result.tasks]


@pytest.mark.one_in(2)
def test_an_engine_can_be_small() -> None:
    assert len(Path(fake_engine.__file__).read_text().splitlines()) <= 60


def test_all_outputs_are_published_and_nothing_else(bench: Bench, sources: list[Path], out: Path, stop: StopFlag) -> None:
    result = run(bench, sources, out, stop)
    assert told(result) == (None, [TaskStatus.COMPLETED, TaskStatus.COMPLETED])
    assert entries(out) == ["one_000.mov", "two_001.mov"]
    for task in result.tasks:
        assert task.output is not None
        data = Path(task.output).read_bytes()
        assert (task.output_size_bytes, task.output_sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert task.output_media is not None
        assert all(check.ok is not False for check in task.checks)
        assert any(check.ok for check in task.checks)
        assert (task.command is None) == (task.exit_code is None)
    assert result.status is JobStatus.COMPLETED
    assert result.engine == bench.kind
    assert decode_result(encode_result(result)) == result


def test_every_task_shows_its_progress(bench: Bench, sources: list[Path], out: Path, stop: StopFlag) -> None:
    watcher, log = Watcher(), Log()
    execute(bench.engine, spec(sources, out, **bench.settings), stop, watcher=watcher, kind=bench.kind, log=log)
    assert watcher.told == MOMENTS
    assert [action for action in log.actions if action.startswith(("task_", "job_"))] == [
        "job_started", "job_inspected", "task_started", "task_completed", "task_started", "task_completed", "job_completed",
    ]  # fmt: skip


def test_one_source_has_one_fingerprint(bench: Bench, sources: list[Path], out: Path, stop: StopFlag) -> None:
    def plan() -> AcceptedJob:
        data = spec(sources, out, **bench.settings)
        found = inspect(data, environment(bench.engine, bench.kind), stop, lambda _path, _names: None)
        assert isinstance(found, AcceptedJob)
        return found

    prints = {task.plan.fingerprint() for found in (plan(), plan()) for task in found.tasks}
    assert len(prints) == 1
    assert len(prints.pop()) == 64
    assert entries(out) == []


def test_a_name_that_is_taken_is_found_before_anything_runs(bench: Bench, sources: list[Path], out: Path, stop: StopFlag) -> None:
    (out / "two_001.mov").write_bytes(b"precious")
    watcher = Watcher()
    result = execute(bench.engine, spec(sources, out, **bench.settings), stop, watcher=watcher, kind=bench.kind)
    assert told(result) == (ErrorCode.OUTPUT_EXISTS, [TaskStatus.NOT_RUN, TaskStatus.NOT_RUN])
    assert watcher.told == [(Stage.PROBING, 0), (JobStatus.FAILED, 0)]
    assert (out / "two_001.mov").read_bytes() == b"precious"


@pytest.mark.one_in(2)
@pytest.mark.parametrize("taken", ["one_000.mov", "two_001.mov"])
def test_a_name_that_is_taken_meanwhile_takes_the_whole_job_back(
    bench: Bench, sources: list[Path], out: Path, stop: StopFlag, taken: str
) -> None:
    result = run(bench, sources, out, stop, at={2: lambda: (out / taken).write_bytes(b"precious")})
    failed = [TaskStatus.FAILED, TaskStatus.DISCARDED]
    assert told(result) == (ErrorCode.OUTPUT_EXISTS, failed if taken.startswith("one") else failed[::-1])
    assert [(entry, (out / entry).read_bytes()) for entry in entries(out)] == [(taken, b"precious")]


@pytest.mark.parametrize("hanging", [False, True])
def test_a_stop_ends_the_job_at_once(bench: Bench, sources: list[Path], out: Path, stop: StopFlag, *, hanging: bool) -> None:
    result = run(bench, sources, out, stop, at={1: stop.request}, hanging=hanging)
    assert told(result) == (ErrorCode.INTERRUPTED, [TaskStatus.FAILED, TaskStatus.NOT_RUN])
    assert entries(out) == []


def test_a_stop_discards_what_was_finished(bench: Bench, sources: list[Path], out: Path, stop: StopFlag) -> None:
    result = run(bench, sources, out, stop, at={2: stop.request})
    assert told(result) == (ErrorCode.INTERRUPTED, [TaskStatus.DISCARDED, TaskStatus.FAILED])
    assert result.tasks[0].output is None
    assert entries(out) == []


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "moment", [(what, number) for what, number in MOMENTS if isinstance(what, Stage) and number < 2], ids=str
)
def test_a_stop_is_heard_at_every_stage_until_the_decision(
    bench: Bench, sources: list[Path], out: Path, stop: StopFlag, moment: Moment
) -> None:
    watcher = Watcher(at={moment: stop.request})
    result = execute(bench.engine, spec(sources, out, **bench.settings), stop, watcher=watcher, kind=bench.kind)
    if moment == (Stage.PUBLISHING, 0):
        assert result.status is JobStatus.COMPLETED, "it came too late"
        return
    _, number = moment
    assert told(result)[0] is ErrorCode.INTERRUPTED
    assert not [what for what in watcher.told if what[1] > max(number, 1)], "no later task begins"
    assert entries(out) == []


@pytest.mark.one_in(3)
def test_an_engine_that_does_not_get_on_is_ended(bench: Bench, sources: list[Path], out: Path, stop: StopFlag) -> None:
    result = run(bench, sources, out, stop, hanging=True, stall_seconds=3.0)
    assert told(result) == (ErrorCode.ENCODE_STALLED, [TaskStatus.FAILED, TaskStatus.NOT_RUN])
    assert entries(out) == []


def test_what_is_no_proxy_is_not_published(bench: Bench, sources: list[Path], out: Path, stop: StopFlag) -> None:
    result = run(bench, sources, out, stop, failing=True)
    code, statuses = told(result)
    assert code in {ErrorCode.OUTPUT_INVALID, ErrorCode.ENCODE_FAILED}
    assert statuses == [TaskStatus.FAILED, TaskStatus.NOT_RUN]
    assert entries(out) == []


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\0")


def replace(path: Path) -> None:
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("change", [append, replace, Path.unlink])
@pytest.mark.parametrize("which", [0, 1])
def test_a_source_must_not_change(
    bench: Bench, sources: list[Path], out: Path, stop: StopFlag, change: Callable[[Path], object], which: int
) -> None:
    result = run(bench, sources, out, stop, at={1: lambda: change(sources[which])})
    finished = [TaskStatus.DISCARDED] * which
    assert told(result) == (ErrorCode.SOURCE_CHANGED, [*finished, TaskStatus.FAILED, TaskStatus.NOT_RUN][:2])
    assert entries(out) == []


def test_a_foreign_file_in_staging_leads_nowhere(bench: Bench, sources: list[Path], out: Path, stop: StopFlag) -> None:
    def intrude() -> None:
        (staging,) = out.iterdir()
        (staging / "intruder").write_bytes(b"x")

    result = run(bench, sources, out, stop, at={1: intrude})
    assert result.status is JobStatus.COMPLETED or told(result)[0] is ErrorCode.OUTPUT_INVALID
    assert "intruder" not in entries(out)
    assert not [name for name in entries(out) if name.startswith(".")]
