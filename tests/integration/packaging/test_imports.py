"""Start-up time is mostly imports: what a command has no use for, it does not load."""

import subprocess
import sys
from pathlib import Path

import pytest

_COSTLY = {"asyncio", "loguru", "psutil", "pydantic", "rich", "textual", "watchdog"}


@pytest.mark.parametrize(
    ("command", "needed"),
    [
        ("parser", set()),
        ("catalog", set()),
        ("status", set()),
        ("submit", set()),
        ("spec", {"pydantic"}),
        ("spec_folders", {"pydantic"}),
        ("gather", set()),
        *((command, set()) for command in ("list_jobs", "steer", "events", "explain")),
        ("console_app", {"pydantic"}),
        ("check", {"pydantic"}),
        ("validate", {"pydantic"}),
        ("run", {"asyncio", "loguru", "pydantic"}),
    ],
)
def test_a_command_loads_only_what_it_needs(command: str, needed: set[str]) -> None:
    program = f"import sys, proxx_worker.cli.{command}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert _COSTLY.intersection(loaded) == needed


def test_the_parser_needs_nothing_but_python(project_root: Path) -> None:
    """A package's man page and completions are made from it where none of the dependencies is installed."""
    program = f"import sys; sys.path.insert(0, {str(project_root)!r}); from proxx_worker.cli import parser; parser.build_parser()"
    subprocess.run([sys.executable, "-I", "-S", "-c", program], check=True)
