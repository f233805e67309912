"""The contributor's page says what the tree says: packages, layers, targets, folders, limits."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.markdown import Page, code, first_code


@pytest.fixture
def layers(project_root: Path) -> list[list[str]]:
    """The layers as import-linter holds them, top down."""
    pyproject: dict[str, Any] = tomllib.loads((project_root / "pyproject.toml").read_text())
    contracts = pyproject["tool"]["importlinter"]["contracts"]
    (contract,) = (it for it in contracts if it["type"] == "layers" and it["containers"] == ["proxx_worker"])
    return [re.findall(r"\w+", layer) for layer in contract["layers"] if "__main__" not in layer]


def test_the_diagram_shows_the_layers(contributor: Page, layers: list[list[str]]) -> None:
    (diagram,) = (block for block in contributor.blocks() if block.text.startswith("cli "))
    drawn = [re.split(r" {2,}", line)[0].split(" | ") for line in diagram.text.splitlines()]
    assert drawn == layers


def test_the_picture_is_the_text(project_root: Path) -> None:
    program = project_root / "deploy" / "pictures" / "packages.py"
    drawn = subprocess.run([sys.executable, program], capture_output=True, check=True).stdout
    assert (project_root / "docs" / "pictures" / "packages.svg").read_bytes() == drawn, "run `make pictures`"


def test_every_room_has_a_row(contributor: Page, layers: list[list[str]]) -> None:
    packages = first_code(contributor.table("The packages").column("package"))
    assert sorted(packages) == sorted(package for layer in layers for package in layer)


def test_every_target_is_there(contributor: Page, project_root: Path) -> None:
    phony = set(re.findall(r"(?m)^\.PHONY: ([a-z-]+)$", (project_root / "Makefile").read_text()))
    listed = {cell.removeprefix("make ") for cell in first_code(contributor.table("Set up and run").column("target"))}
    assert listed == phony - {"help", "setup", "clean"}


def test_every_folder_of_tests_is_there(contributor: Page, project_root: Path) -> None:
    listed = {Path(name).name for name in first_code(contributor.table("Tests").column("folder"))}
    tracked = subprocess.run(["git", "ls-files", "tests"], cwd=project_root, capture_output=True, text=True, check=True).stdout
    there = {line.split("/")[1] for line in tracked.splitlines() if line.count("/") > 1} - {"support"}
    assert there <= listed
    assert all((project_root / "tests" / name).is_dir() for name in there)


def test_no_module_is_longer_than_the_page_says(contributor: Page, project_root: Path) -> None:
    limit = re.search(r"at most (\d+) lines", contributor.text)
    assert limit is not None
    longer = {
        path.name: lines
        for path in (project_root / "proxx_worker").rglob("*.py")
        if (lines := path.read_text().count("\n")) > int(limit[1])
    }
    assert not longer


def test_the_coverage_floors_are_the_ones_that_are_held(contributor: Page, project_root: Path) -> None:
    floors = [float(floor) for floor in re.findall(r'": (\d+\.\d)', (project_root / ".ci" / "coverage_floor.py").read_text())]
    (row,) = (row for row in contributor.table("Set up and run").rows if code(row[0]) == ["make coverage"])
    assert {float(percent) for percent in re.findall(r"(\d+) %", row[1])} == set(floors)
