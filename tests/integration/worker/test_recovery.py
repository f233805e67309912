"""What a start makes of the jobs of a worker that ended, with outputs and all; the engine is a fake one."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.path_map import PathMap, PathMapping
from proxx_worker.contract.result import JobResult, TaskStatus, decode_result
from proxx_worker.contract.status import Stage
from proxx_worker.execution.preflight import Environment
from proxx_worker.process.stop import StopFlag
from tests.faults.invariants import Expected, violations
from tests.support.engine import Log
from tests.support.jobs import Watcher, spec
from tests.support.worker import CrashError, crash, live


@pytest.fixture
def decided(root: Path, world: Environment, stop: StopFlag, out: Path, clip: Path) -> bytes:
    """A job whose worker ended between its decision and its publishing."""
    return crashed(root, world, stop, spec([clip, clip], out), (Stage.PUBLISHING, 0))


def crashed(root: Path, world: Environment, stop: StopFlag, data: bytes, moment: tuple[Stage, int]) -> bytes:
    (root / "inbox" / "job.json").write_bytes(data)
    with pytest.raises(CrashError):
        live(root, world, stop, Watcher({moment: crash}))
    return data


def mapping(world: Environment, theirs: Path, here: Path) -> Environment:
    return replace(world, paths=PathMap((PathMapping(str(theirs), str(here)),)))


def result_in(folder: Path) -> JobResult:
    return decode_result((folder / "job.result.json").read_bytes())


def staging_of(out: Path) -> Path:
    (folder,) = out.iterdir()
    return folder


def told(result: JobResult) -> tuple[ErrorCode | None, list[TaskStatus]]:
    return None if result.error is None else result.error.code, [task.status for task in result.tasks]


def test_a_decided_job_is_published(root: Path, world: Environment, stop: StopFlag, out: Path, decided: bytes) -> None:
    log = Log()
    assert live(root, world, stop, log=log) == 0
    assert log.fields["finished"] == {"job": "job", "status": "COMPLETED", "recovered": True}
    assert violations(root, Expected([decided], {out: {}}), settled=True) == []
    assert sorted(entry.name for entry in out.iterdir()) == ["clip_000.mov", "clip_001.mov"]


def test_outputs_are_published_where_they_were_put(
    root: Path, world: Environment, stop: StopFlag, out: Path, clip: Path, tmp_path: Path
) -> None:
    """The record says where, not the mappings of the next start."""
    theirs, elsewhere = tmp_path / "theirs", tmp_path / "elsewhere"
    elsewhere.mkdir()
    crashed(root, mapping(world, theirs, out), stop, spec([clip], theirs), (Stage.PUBLISHING, 0))
    assert live(root, mapping(world, theirs, elsewhere), stop) == 0
    [task] = result_in(root / "done").tasks
    assert (task.output, task.output_path) == (f"{theirs}/clip_000.mov", f"{out}/clip_000.mov")
    assert [entry.name for entry in out.iterdir()] == ["clip_000.mov"]
    assert list(elsewhere.iterdir()) == []


def test_a_mapped_output_that_is_refused_is_the_one_that_failed(
    root: Path, world: Environment, stop: StopFlag, out: Path, clip: Path, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs"
    world = mapping(world, theirs, out)
    crashed(root, world, stop, spec([clip, clip], theirs), (Stage.PUBLISHING, 0))
    (out / "clip_001.mov").write_bytes(b"precious")
    assert live(root, world, stop) == 4
    result = result_in(root / "failed")
    assert told(result) == (ErrorCode.OUTPUT_EXISTS, [TaskStatus.DISCARDED, TaskStatus.FAILED])
    assert [task.output_path for task in result.tasks] == [None, None]


@pytest.mark.parametrize("moved", [1, 2])
def test_outputs_that_have_their_names_keep_them(
    root: Path, world: Environment, stop: StopFlag, out: Path, decided: bytes, moved: int
) -> None:
    staging = staging_of(out)
    for number in range(moved):
        (staging / f"clip_00{number}.mov").rename(out / f"clip_00{number}.mov")
    assert live(root, world, stop) == 0
    assert violations(root, Expected([decided], {out: {}}), settled=True) == []


def test_a_name_that_was_taken_meanwhile_takes_the_job_back(
    root: Path, world: Environment, stop: StopFlag, out: Path, decided: bytes
) -> None:
    staging = staging_of(out)
    (staging / "clip_000.mov").rename(out / "clip_000.mov")
    (out / "clip_001.mov").write_bytes(b"precious")
    assert live(root, world, stop) == 4
    assert told(result_in(root / "failed")) == (ErrorCode.OUTPUT_EXISTS, [TaskStatus.DISCARDED, TaskStatus.FAILED])
    assert [(entry.name, entry.read_bytes()) for entry in out.iterdir()] == [("clip_001.mov", b"precious")]
    assert violations(root, Expected([decided], {out: {"clip_001.mov": b"precious"}}), settled=True) == []


@pytest.mark.usefixtures("decided")
def test_an_output_that_is_not_what_was_recorded_is_not_published(
    root: Path, world: Environment, stop: StopFlag, out: Path
) -> None:
    with (staging_of(out) / "clip_001.mov").open("r+b") as file:
        file.write(b"spoiled")
    assert live(root, world, stop) == 4
    assert told(result_in(root / "failed")) == (ErrorCode.IO_ERROR, [TaskStatus.DISCARDED, TaskStatus.FAILED])
    assert list(out.iterdir()) == []


@pytest.mark.usefixtures("decided")
def test_an_output_directory_that_is_gone_took_the_outputs_with_it(
    root: Path, world: Environment, stop: StopFlag, out: Path
) -> None:
    shutil.rmtree(out)
    assert live(root, world, stop) == 4
    result = result_in(root / "failed")
    assert result.error is not None
    assert result.error.code is ErrorCode.OUTPUT_DIRECTORY_MISSING
    assert not out.exists()


def test_a_job_without_a_decision_was_interrupted(root: Path, world: Environment, stop: StopFlag, out: Path, clip: Path) -> None:
    data = crashed(root, world, stop, spec([clip], out), (Stage.SEALING, 1))
    assert staging_of(out).name.startswith(".proxx-")
    assert live(root, world, stop) == 2
    result = result_in(root / "failed")
    assert told(result) == (ErrorCode.INTERRUPTED, [TaskStatus.NOT_RUN])
    assert (result.engine, result.proxy_profile) == ("ffmpeg", "proxy_prores_proxy")
    assert violations(root, Expected([data], {out: {}}), settled=True) == []
    assert list(out.iterdir()) == []


def test_a_stop_leaves_the_rest_to_the_next_start(
    root: Path, world: Environment, stop: StopFlag, out: Path, decided: bytes
) -> None:
    ended = StopFlag()
    ended.request()
    assert live(root, world, ended) == 0
    ended.close()
    assert [entry.name for entry in (root / "done").iterdir()] == []
    assert live(root, world, stop) == 0
    assert violations(root, Expected([decided], {out: {}}), settled=True) == []
