"""The command under test and the clips it is given."""

import os
from pathlib import Path

import pytest

from tests.acceptance.clips import DROP_FRAME_TIMECODE, make_clip, make_long_clip
from tests.acceptance.command import Command
from tests.acceptance.specs import Workspace

PASSED_ON = ("PATH", "COVERAGE_PROCESS_CONFIG")


@pytest.fixture(scope="session")
def proxx(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """`proxx-worker`, with nothing in its environment but where tools are (and what coverage needs)."""
    return Command({name: os.environ[name] for name in PASSED_ON if name in os.environ}, tmp_path_factory.mktemp("streams"))


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of generated clips."""
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="session")
def clip(clips: Path) -> Path:
    """One second, 320x180 at 25, stereo and mono sound, timecode."""
    return make_clip(clips / "A001C001.mov")


@pytest.fixture(scope="session")
def hd_clip(clips: Path) -> Path:
    """Ten frames in a raster that DNxHD knows."""
    return make_clip(clips / "A001C002.mov", size="1280x720", frames=10)


@pytest.fixture(scope="session")
def ntsc_clip(clips: Path) -> Path:
    """30 frames at 30000/1001, drop-frame timecode."""
    return make_clip(clips / "A001C003.mov", rate="30000/1001", frames=30, timecode=DROP_FRAME_TIMECODE)


@pytest.fixture(scope="session")
def long_clip(clips: Path) -> Path:
    """So long that its encode lasts until it is stopped."""
    return make_long_clip(clips / "A001C004.mov")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def proxies(tmp_path: Path) -> Path:
    """An output directory."""
    folder = tmp_path / "proxies"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def fcpxml_dtd(pytestconfig: pytest.Config) -> Path | None:
    """Apple's DTD of FCPXML 1.11, where one was named: it may not be passed on, so the project has none."""
    named = pytestconfig.getoption("--fcpxml-dtd")
    return None if named is None else Path(named)


@pytest.fixture(scope="session")
def mhl_xsd(pytestconfig: pytest.Config) -> Path | None:
    """The folder of the ASC's schemas of manifests and chains, where one was named: its package has none."""
    named = pytestconfig.getoption("--mhl-xsd")
    return None if named is None else Path(named)
