"""What the tests of farms share: the command, and clips."""

import os
from pathlib import Path

import pytest

from tests.acceptance.clips import make_clip, make_long_clip
from tests.acceptance.command import Command


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one short and one endless clip, for whoever may read it."""
    folder = tmp_path_factory.mktemp("clips")
    make_clip(folder / "A001C001.mov", size="1280x720", frames=10)
    make_long_clip(folder / "A001C004.mov")
    return folder


@pytest.fixture(scope="session")
def proxx(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """`proxx-worker`, with nothing in its environment but where tools are."""
    return Command({"PATH": os.environ["PATH"]}, tmp_path_factory.mktemp("streams"))
