"""What the tree promises about itself: one version, locks with hashes and no address, documented targets, a tidy top level."""

import re
import subprocess
import tomllib
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

import pytest

import proxx_worker

LOCKS = ("requirements.lock", "requirements-dev.lock")
LOWEST = "requirements-lowest.lock"
MUTANTS = "requirements-mutants.lock"
TOP_LEVEL = {
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "deploy",
    "docs",
    "proxx_worker",
    "pyproject.toml",
    "systemd",
    "tests",
    *LOCKS,
    LOWEST,
    MUTANTS,
}


@pytest.fixture
def pyproject(project_root: Path) -> dict[str, Any]:
    return tomllib.loads((project_root / "pyproject.toml").read_text())


def pins(lock: Path) -> dict[str, str]:
    """Package to version, as pinned."""
    return dict(re.findall(r"(?m)^([a-z0-9-]+)==([^ ]+)", lock.read_text()))


def test_the_installed_version_is_the_package_s(pyproject: dict[str, Any]) -> None:
    assert pyproject["project"]["dynamic"] == ["version"]
    assert version("proxx-worker") == proxx_worker.__version__


def test_the_changelog_s_newest_entry_is_this_version(project_root: Path) -> None:
    newest = re.search(r"(?m)^## \[([^]]+)\]", (project_root / "CHANGELOG.md").read_text())
    assert newest is not None
    assert newest[1] == proxx_worker.__version__


def test_the_command_is_the_command_line_s_main() -> None:
    (script,) = entry_points(group="console_scripts", name="proxx-worker")
    assert script.value == "proxx_worker.cli:main"


@pytest.mark.parametrize("name", [*LOCKS, LOWEST])
def test_every_pin_has_hashes_and_no_line_names_an_address(project_root: Path, name: str) -> None:
    text = (project_root / name).read_text()
    requirements = re.split(r"(?m)^(?=[a-z])", text)[1:]
    assert requirements
    for requirement in requirements:
        assert "==" in requirement.split()[0]
        assert "--hash=sha256:" in requirement, requirement
    assert not re.search(r"://|--[a-z-]*(index|find-links|trusted-host)", text)


def test_both_locks_agree(project_root: Path) -> None:
    runtime, development = (pins(project_root / name) for name in LOCKS)
    assert runtime.items() <= development.items()


def test_the_locks_pin_what_the_project_asks_for(project_root: Path, pyproject: dict[str, Any]) -> None:
    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[<>=;]", requirement)[0] for requirement in requirements}

    project = pyproject["project"]
    runtime, development = (pins(project_root / name) for name in LOCKS)
    assert names(project["dependencies"]) | names(pyproject["build-system"]["requires"]) <= set(runtime)
    assert names(project["optional-dependencies"]["dev"]) <= set(development)
    assert pyproject["dependency-groups"]["build"] == pyproject["build-system"]["requires"]


def test_the_lower_bounds_are_what_is_tested_as_such(project_root: Path, pyproject: dict[str, Any]) -> None:
    project = pyproject["project"]
    direct = [*project["dependencies"], *project["optional-dependencies"]["dev"], *pyproject["build-system"]["requires"]]
    lowest = pins(project_root / LOWEST)
    for requirement in direct:
        parts = re.match(r"([a-z-]+)[>=]=([0-9.]+)", requirement)
        assert parts is not None, requirement
        name, bound = parts.groups()
        # 6.0 is 6.0.0, and the types of a release have a date behind its number.
        assert re.fullmatch(rf"{re.escape(bound)}(\.0|\.20\d{{6}})*", lowest[name]), (
            f"{requirement}, but {lowest[name]} is tested"
        )


def test_make_help_names_every_target(project_root: Path) -> None:
    makefile = (project_root / "Makefile").read_text()
    phony = set(re.findall(r"(?m)^\.PHONY: ([a-z-]+)$", makefile))
    printed = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=project_root, capture_output=True, text=True, check=True
    ).stdout
    assert {line.split()[0] for line in printed.splitlines()} == phony
    assert phony >= {"help", "setup", "demo", "test", "lint", "bench"}


def test_the_top_level_holds_nothing_else(project_root: Path) -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=project_root, capture_output=True, text=True, check=True).stdout
    top = {path.split("/")[0] for path in tracked.split("\0") if path}
    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL
