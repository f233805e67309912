"""Each shared clip through the worker as every proxy, once per session, and compared once."""

from pathlib import Path

import pytest

from tests.acceptance.command import Command
from tests.acceptance.media.rows import Rows


@pytest.fixture(scope="session")
def rows(proxx: Command, media: Path, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """The rows of the media table, made when they are asked for."""
    return Rows(proxx, media, tmp_path_factory.mktemp("media-table"))
