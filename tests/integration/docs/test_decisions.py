"""The decisions: numbered without a gap, each with a status and a date, and all of them in the index."""

import re
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.markdown import Page

HEAD = re.compile(
    r"# (?P<number>\d{4}): (?P<title>.+)\n\n"
    r"- Status: (?P<status>accepted|superseded by \d{4})\n"
    r"- Date: (?P<date>\d{4}-\d{2}-\d{2})\n\n"
)


class Decision(NamedTuple):
    """What the index tells of a page."""

    number: str
    title: str
    status: str
    date: str


@pytest.fixture
def pages(project_root: Path) -> list[Path]:
    return sorted((project_root / "docs" / "decisions").glob("[0-9]*.md"))


def head_of(path: Path) -> Decision:
    """How the page begins."""
    head = HEAD.match(path.read_text())
    assert head is not None, f"{path.name} must begin with its title, status and date"
    return Decision(**head.groupdict())


def test_each_page_begins_with_its_status_and_date(pages: list[Path]) -> None:
    for path in pages:
        head = head_of(path)
        assert path.name.startswith(f"{head.number}-")
        date.fromisoformat(head.date)


def test_the_numbers_run_without_a_gap(pages: list[Path]) -> None:
    assert [path.name[:4] for path in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]


def test_the_index_is_complete(pages: list[Path], page: Callable[[str], Page]) -> None:
    table = page("docs/decisions/README.md").table("Decisions")
    assert table.header == ("number", "title", "status", "date")
    listed = [tuple(row) for row in table.rows]
    assert listed == [(f"[{head.number}]({path.name})", *head[1:]) for path in pages for head in [head_of(path)]]


def test_what_superseded_a_decision_is_there(pages: list[Path]) -> None:
    numbers = {path.name[:4] for path in pages}
    assert {head_of(path).status.removeprefix("superseded by ") for path in pages} - {"accepted"} <= numbers


def test_no_file_refers_to_a_decision_that_is_not_there(pages: list[Path], project_root: Path) -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=project_root, check=True, capture_output=True, text=True).stdout
    names = [path.name for path in pages]
    for tracked_name in filter(None, tracked.split("\0")):
        text = (project_root / tracked_name).read_bytes().decode("utf-8", "replace")
        for reference in re.findall(r"decisions/(\d{4}[a-z0-9-]*(?:\.md)?)", text):
            assert any(name.startswith(reference) for name in names), f"{tracked_name} refers to {reference}"
