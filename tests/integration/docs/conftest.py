"""The project's pages."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.markdown import Page


@pytest.fixture
def page(project_root: Path) -> Callable[[str], Page]:
    """A page by its path below the project's root."""
    return lambda name: Page(project_root / name)


@pytest.fixture
def operator(project_root: Path) -> Page:
    return Page(project_root / "docs" / "operator.md")


@pytest.fixture
def integrator(project_root: Path) -> Page:
    return Page(project_root / "docs" / "integrator.md")


@pytest.fixture
def contributor(project_root: Path) -> Page:
    return Page(project_root / "docs" / "contributor.md")
