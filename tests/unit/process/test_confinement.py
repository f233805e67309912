"""No child that opens media is started without being confined."""

import ast
from collections.abc import Iterator
from pathlib import Path

UNCONFINED = {"engines/resolve/conversation.py", "process/trial.py"}
"""What starts a child that opens no media: Resolve's own interpreter, and `setpriv` to see that it starts."""


def starts(package: Path) -> Iterator[tuple[str, bool]]:
    """Every call of `run_child`: where it is, and whether it says what the child may use."""
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "run_child":
                yield str(path.relative_to(package)), any(keyword.arg == "confinement" for keyword in node.keywords)


def test_every_child_that_opens_media_is_confined(project_root: Path) -> None:
    found = [*starts(project_root / "proxx_worker")]
    assert len(found) > 5
    assert {place for place, confined in found if not confined} == UNCONFINED
