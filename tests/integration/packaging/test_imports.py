"""Start-up time is mostly imports: what a command has no use for, it does not load."""

import subprocess
import sys

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
