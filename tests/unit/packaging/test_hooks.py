"""The commit hooks and the hosted workflow run what `make lint` and `make test` run, by text: neither service is here."""

import re
from pathlib import Path

import pytest


@pytest.fixture
def lint(project_root: Path) -> list[str]:
    """The commands of `make lint`."""
    recipe = re.search(r"(?m)^lint:.*\n((?:\t.+\n)+)", (project_root / "Makefile").read_text())
    assert recipe is not None
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe[1].splitlines()]


def test_the_hooks_are_the_commands_of_make_lint(project_root: Path, lint: list[str]) -> None:
    hooks = (project_root / ".pre-commit-config.yaml").read_text()
    assert re.findall(r"(?m)^ +entry: (.+)$", hooks) == lint
    assert hooks.count("language: system") == len(lint)
    assert re.findall(r"(?m)^ +- repo: (.+)$", hooks) == ["local"]


def test_the_workflow_runs_lint_and_tests_on_every_python(project_root: Path) -> None:
    workflow = (project_root / ".github" / "workflows" / "ci.yml").read_text()
    assert re.findall(r"(?m)^ +- run: make .* (lint test)$", workflow) == ["lint test"]
    assert 'python: ["3.11", "3.12", "3.13", "3.14"]' in workflow
    assert "system: macos-" in workflow
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in re.findall(r"uses: (\S+)", workflow))
