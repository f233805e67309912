"""The profiles that messages and examples name are profiles."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from proxx_worker.contract.profiles import PROFILES

NAME = re.compile(r"\bproxy_[a-z0-9_]+")
FIELDS = {"proxy_profile"}
"""Keys of documents that look like a profile's name."""


def texts(module: Path) -> Iterator[str]:
    """The module's strings, parts of f-strings too, without its docstrings."""
    tree = ast.parse(module.read_text())
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


def test_every_profile_that_a_message_names_exists(project_root: Path) -> None:
    named = {
        (module.name, name)
        for module in (project_root / "proxx_worker").rglob("*.py")
        for text in texts(module)
        for name in NAME.findall(text)
    }
    assert {("remedies.py", "proxy_prores_lt"), ("remedies.py", "proxy_h264_quarter")} <= named, "the refusals are seen"
    assert sorted(it for it in named if it[1] not in {*PROFILES, *FIELDS}) == []


def test_there_are_profiles_of_both_kinds_that_a_refusal_advises() -> None:
    """`use a *_resolve profile`, `use a profile without _resolve`."""
    assert {name.endswith("_resolve") for name in PROFILES} == {True, False}
