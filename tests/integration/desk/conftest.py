"""A workspace as a worker leaves it."""

from pathlib import Path

import pytest

from proxx_worker.workspace.layout import Workspace
from tests.support.desks import empty_workspace


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return empty_workspace(tmp_path / "workspace")


@pytest.fixture
def workspace(root: Path) -> Workspace:
    return Workspace(root)
