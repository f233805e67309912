"""The page on reliability names every test of faults, and each with figures that the test itself asserts."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.markdown import Page, code, first_code


@pytest.fixture
def reliability(project_root: Path) -> Page:
    return Page(project_root / "docs" / "reliability.md")


def _tests_of_faults(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in (root / "tests" / "faults").rglob("test_*.py")}


def test_every_test_of_faults_has_its_row(reliability: Page, project_root: Path) -> None:
    listed = first_code(reliability.table("How it is tested").column("test"))
    assert sorted(listed) == sorted(_tests_of_faults(project_root))


def test_every_promise_is_shown_by_a_test(reliability: Page) -> None:
    for promise, shown in (row for table in reliability.tables("What is promised") for row in table.rows):
        assert shown.startswith("the same") or any(name.startswith("tests/") for name in code(shown)), promise


def test_the_figures_are_those_that_the_tests_assert(reliability: Page, project_root: Path) -> None:
    """`at least N` on the page is a constant of the test: a sweep that shrinks fails, and so does the page."""
    for row in reliability.table("How it is tested").rows:
        constants = _numbers((project_root / code(row[0])[0]).read_text())
        for number in re.findall(r"at least ([\d,]+)", row[1]):
            assert int(number.replace(",", "")) in constants, row


def _numbers(source: str) -> set[int]:
    return {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant) and isinstance(node.value, int)}
