"""What the tests of farms share: the command, and clips."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.clips import make_clip, make_long_clip
from tests.acceptance.command import Command
from tests.farm.roots import Root, new_root


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


@pytest.fixture(scope="session")
def debian(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Iterator[Root]:
    """A new Debian, for copies: none of its users changes it."""
    with new_root(tmp_path_factory.mktemp("debian") / "root", project_root) as root:
        yield root
