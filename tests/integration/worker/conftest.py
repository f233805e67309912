"""A workspace, a clip, and a worker with the fake engine."""

from pathlib import Path

import pytest

from proxx_worker.execution.preflight import Environment
from tests.support.benches import make_clip
from tests.support.fake_engine import FakeEngine
from tests.support.jobs import environment


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture
def world(clip: Path) -> Environment:
    return environment(FakeEngine(clip.read_bytes()))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    (folder / "inbox").mkdir(parents=True)
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder
