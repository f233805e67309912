"""Each shared clip through the worker as every proxy, once per session, and compared once."""

from pathlib import Path

import pytest

from tests.acceptance.command import Command
from tests.acceptance.media.rows import Rows


@pytest.fixture(scope="session")
def rows(proxx: Command, media: Path, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """The rows of the media table, made when they are asked for."""
    return Rows(proxx, media, tmp_path_factory.mktemp("media-table"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is for `make heavy`, until a quiet machine has timed which of it is quick."""
    folder = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(folder):
            item.add_marker("heavy")
