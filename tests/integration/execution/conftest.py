"""A clip, the fake engine that makes it, and somewhere to put it."""

from pathlib import Path

import pytest

from tests.support.benches import make_clip
from tests.support.fake_engine import FakeEngine


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture
def fake(clip: Path) -> FakeEngine:
    return FakeEngine(clip.read_bytes())


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder
