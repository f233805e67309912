"""What lies beside a clip and belongs to it: parts of an R3D, sidecars; and what becomes of a job when they change."""

from collections.abc import Callable
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.output_settings import Engine
from proxx_worker.contract.result import JobResult, JobStatus
from proxx_worker.engines.resolve.companions import companions_of
from proxx_worker.process.stop import StopFlag
from tests.integration.engines.resolve.test_faults import SETTINGS
from tests.support.jobs import Watcher, execute, spec
from tests.support.resolve.world import StandIn


@pytest.fixture
def card(tmp_path: Path, clips: dict[str, Path]) -> Path:
    """A folder as a camera leaves it: two clips, the first in three parts, with sidecars. Returns the first part's path."""
    folder = tmp_path / "card"
    folder.mkdir()
    first = folder / "A001_C001_001.R3D"
    first.write_bytes(clips["plain"].read_bytes())
    beside = ("A001_C001_002.R3D", "A001_C001_003.R3D", "A001_C002_001.R3D", "A001_C001.RMD", "A001_C002.RMD", "notes.txt")
    for name in (*beside, "A001_C001_001.sidecar", "A001_C001.mov"):
        (folder / name).write_bytes(name.encode())
    return first


def test_parts_and_sidecars_are_found_by_name(card: Path) -> None:
    found = companions_of(str(card))
    assert [it.name for it in found.parts] == ["A001_C001_002.R3D", "A001_C001_003.R3D"]
    assert [it.name for it in found.sidecars] == ["A001_C001.RMD", "A001_C001_001.sidecar"]
    found.require_unchanged(str(card))
    other = companions_of(str(card.with_name("A001_C001.mov")))
    assert ([it.name for it in other.parts], [it.name for it in other.sidecars]) == ([], ["A001_C001.RMD"])


@pytest.mark.parametrize(("name", "says"), [("A001_C001_002.R3D", "Name A001_C001_001.R3D"), ("A001_C001_001.R3D", "no part 2")])
def test_a_clip_is_named_by_its_first_part_and_whole(card: Path, name: str, says: str) -> None:
    if name == card.name:
        card.with_name("A001_C001_002.R3D").unlink()
    with pytest.raises(ProxxError, match=says) as refusal:
        companions_of(str(card.with_name(name)))
    assert refusal.value.code is ErrorCode.SOURCE_UNSUPPORTED


def test_a_folder_that_cannot_be_listed_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProxxError, match="list the folder of") as refusal:
        companions_of(str(tmp_path / "missing" / "A.R3D"))
    assert refusal.value.code is ErrorCode.IO_ERROR


def run(standin: StandIn, sources: list[Path], out: Path, stop: StopFlag, act: Callable[[], object] = lambda: None) -> JobResult:
    watcher = Watcher({("progressed", 1): act})
    return execute(standin.engine(), spec(sources, out, **SETTINGS), stop, watcher=watcher, kind=Engine.RESOLVE)


def test_they_are_in_the_result(card: Path, out: Path, tmp_path: Path, stop: StopFlag) -> None:
    with StandIn.made(tmp_path / "standin") as standin:
        standin.start()
        result = run(standin, [card], out, stop)
        assert result.status is JobStatus.COMPLETED
        media = result.tasks[0].source_media
        assert media is not None
        assert media.resolve is not None
        assert media.resolve["parts"] == ["A001_C001_002.R3D", "A001_C001_003.R3D"]
        assert media.resolve["sidecars"] == ["A001_C001.RMD", "A001_C001_001.sidecar"]
        assert (result.tasks[0].command, result.tasks[0].exit_code, result.engine) == (None, None, "resolve")


@pytest.mark.parametrize("name", ["A001_C001_003.R3D", "A001_C001.RMD", "A001_C001_004.R3D", "A001_C001_001.RMD"])
def test_they_must_not_change_or_come_either(card: Path, out: Path, tmp_path: Path, stop: StopFlag, name: str) -> None:
    with StandIn.made(tmp_path / "standin") as standin:
        standin.start()
        result = run(standin, [card], out, stop, lambda: card.with_name(name).write_bytes(b"another"))
        assert result.error is not None
        assert (result.error.code, result.error.details["path"]) == (ErrorCode.SOURCE_CHANGED, str(card.with_name(name)))
        assert list(out.iterdir()) == []


def test_one_source_that_is_refused_refuses_the_job_and_no_project_is_left(
    card: Path, out: Path, tmp_path: Path, stop: StopFlag
) -> None:
    with StandIn.made(tmp_path / "standin") as standin:
        standin.start()
        result = run(standin, [card, card.with_name("A001_C001_002.R3D")], out, stop)
        assert result.error is not None
        assert result.error.code is ErrorCode.SOURCE_UNSUPPORTED
        assert list(out.iterdir()) == []
        assert standin.projects() == ["Artist's film"]


@pytest.mark.parametrize("volumes", [["/mnt/elsewhere"], []])
def test_a_target_outside_media_storage_fails_before_a_project_is_made(
    card: Path, out: Path, tmp_path: Path, stop: StopFlag, volumes: list[str]
) -> None:
    with StandIn.made(tmp_path / "standin", volumes=volumes) as standin:
        standin.start()
        assert run(standin, [card], out, stop).error is not None
        assert "ProjectManager.CreateProject" not in [name for name, _ in standin.calls()]
