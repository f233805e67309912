"""Clips that are camera RAW to the worker, and an output directory."""

from pathlib import Path

import pytest

from tests.support.resolve.world import raw_clip


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """`plain`: 25 frames/s with sound. `thousandth`: 24000/1001 frames/s, without."""
    folder = tmp_path_factory.mktemp("raw")
    return {
        "plain": raw_clip(folder),
        "thousandth": raw_clip(folder, "B001_C001_001.R3D", rate="24000/1001", sound=False),
    }


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder
