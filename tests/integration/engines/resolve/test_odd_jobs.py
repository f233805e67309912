"""Jobs that are right and odd: names of every kind, a clip twice, folders that are mapped, mounted elsewhere or go back up."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.output_settings import Engine
from proxx_worker.contract.path_map import PathMap, PathMapping
from proxx_worker.contract.result import JobResult, JobStatus
from proxx_worker.engines.resolve.engine import ResolveEngine
from proxx_worker.execution.executor import Job
from proxx_worker.process.stop import StopFlag
from tests.integration.engines.resolve.test_faults import SETTINGS
from tests.support.engine import Log
from tests.support.jobs import Journal, environment, execute, executor, spec
from tests.support.resolve.world import FILM, PRESET, StandIn

ODD = 'Prüfung\'s „Réel“ "7" 日本 \\ 100% [01-10]'
"""As a folder, a clip and a preset may be called: with quotes, a backslash, and what means a sequence or a format elsewhere."""


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[StandIn]:
    with StandIn.made(tmp_path / "standin", presets=[ODD, PRESET]) as standin:
        standin.start()
        yield standin


@pytest.fixture
def engine(standin: StandIn) -> ResolveEngine:
    return standin.engine()


def copied(clip: Path, to: Path) -> Path:
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(clip.read_bytes())
    return to


def run(engine: ResolveEngine, sources: list[Path], out: Path, stop: StopFlag, **fields: object) -> JobResult:
    return execute(engine, spec(sources, out, **{**SETTINGS, **fields}), stop, kind=Engine.RESOLVE)


def arguments(standin: StandIn, call: str) -> list[list[object]]:
    return [given for name, given in standin.calls() if name == call]


def test_a_clip_twice_is_looked_at_once_and_rendered_twice(
    standin: StandIn, engine: ResolveEngine, clips: dict[str, Path], out: Path, stop: StopFlag
) -> None:
    clip = clips["plain"]
    result = run(engine, [clip, clip], out, stop)
    assert (result.status, result.error) == (JobStatus.COMPLETED, None)
    assert sorted(entry.name for entry in out.iterdir()) == ["A001_C001_001_000.mov", "A001_C001_001_001.mov"]
    assert len(arguments(standin, "MediaPool.ImportMedia")) == 3, "the survey's one, and one for each render"
    assert standin.projects() == [FILM]


def test_names_of_every_kind_reach_resolve_as_they_are(
    standin: StandIn, engine: ResolveEngine, clips: dict[str, Path], tmp_path: Path, stop: StopFlag
) -> None:
    source = copied(clips["plain"], tmp_path / "a card" / ODD / f"{ODD}.R3D")
    out = tmp_path / "proxies of" / ODD
    out.mkdir(parents=True)
    result = run(engine, [source], out, stop, naming_template="'proxy' „one“", resolve_preset=ODD)
    assert (result.status, result.error) == (JobStatus.COMPLETED, None)
    assert [entry.name for entry in out.iterdir()] == ["'proxy' „one“.mov"]
    assert arguments(standin, "Project.LoadRenderPreset") == [[ODD]]
    assert {str(given[0]) for given in arguments(standin, "MediaPool.ImportMedia")} == {str([str(source)])}
    (name,) = (given[0] for given in arguments(standin, "Project.SetRenderSettings") if "CustomName" in str(given))
    assert str(name).isascii(), "what Resolve names the file is plain; the proxy's name is given when it is taken over"


def test_paths_are_those_of_this_machine(
    standin: StandIn, engine: ResolveEngine, clips: dict[str, Path], out: Path, stop: StopFlag
) -> None:
    world = replace(
        environment(engine, Engine.RESOLVE),
        paths=PathMap((PathMapping("/V/cards", str(clips["plain"].parent)), PathMapping("/V/proxies", str(out)))),
    )
    standin.configure(volumes=[str(out)])
    data = spec([Path("/V/cards", clips["plain"].name)], Path("/V/proxies"), **SETTINGS)
    result = executor(world).execute(Job.of("job", data, "run"), Journal(), Log(), stop)
    assert (result.status, result.error) == (JobStatus.COMPLETED, None)
    assert {str(given[0]) for given in arguments(standin, "MediaPool.ImportMedia")} == {str([str(clips["plain"])])}


def test_outputs_on_another_mount_than_the_sources(
    engine: ResolveEngine, clips: dict[str, Path], out: Path, stop: StopFlag
) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as mounted:
        source = copied(clips["plain"], Path(mounted, "A003_C001_001.R3D"))
        assert source.stat().st_dev != out.stat().st_dev
        result = run(engine, [source], out, stop)
        assert (result.status, result.error) == (JobStatus.COMPLETED, None)
        (there := Path(mounted, "out")).mkdir()
        result = run(engine, [clips["plain"]], there, stop)
        assert (result.status, result.error) == (JobStatus.COMPLETED, None)


@pytest.mark.parametrize(
    ("places", "target"),
    [
        (["{}/storage"], "{}/storage/../other"),
        (["{}/storage"], "{}/storage-2"),
        (["", "storage"], "{}/storage"),
    ],
    ids=["goes back up", "begins alike", "no path"],
)
def test_what_only_looks_like_media_storage_is_none(
    standin: StandIn,
    engine: ResolveEngine,
    clips: dict[str, Path],
    tmp_path: Path,
    stop: StopFlag,
    places: list[str],
    target: str,
) -> None:
    for name in ("storage", "storage-2", "other"):
        (tmp_path / name).mkdir()
    standin.configure(volumes=[place.format(tmp_path) for place in places])
    result = run(engine, [clips["plain"]], Path(target.format(tmp_path)), stop)
    assert result.error is not None
    assert (result.error.code, "below none" in result.error.message) == (ErrorCode.RESOLVE_UNAVAILABLE, True)
    assert arguments(standin, "ProjectManager.CreateProject") == []
    standin.configure(volumes=[f"{tmp_path}/"])
    assert run(engine, [clips["plain"]], Path(target.format(tmp_path)), stop).error is None
