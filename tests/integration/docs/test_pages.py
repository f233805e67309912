"""What holds of every page: links lead somewhere, paths exist, and each example says what the tests do with it."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from proxx_worker.contract.jobspec import parse_jobspec
from proxx_worker.contract.naming import output_names
from proxx_worker.contract.schemas import jobspec_schema, result_schema
from proxx_worker.feeding.rules import Rule, read_rules
from proxx_worker.settings import load_settings
from tests.support.markdown import Block, Page

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted(path for pattern in ("*.md", "docs/**/*.md", "systemd/*.md", "deploy/**/*.md") for path in ROOT.glob(pattern))
README = Page(ROOT / "README.md")
FOR_READERS = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]

# What may stand after a block's language. `run`: tests/acceptance/test_docs.py runs it, and `output` is what it prints.
# `host`: it changes the machine and is only read.
MARKS: dict[str, set[str | None]] = {
    "sh": {"run", "host"},
    "python": {"run"},
    "json": {"jobspec", "result"},
    "toml": {"config", "rules"},
    "text": {None, "output"},
}
ELSEWHERE = {"https://keepachangelog.com/en/1.1.0/", "https://pre-commit.com", "https://semver.org/"}
PATH = re.compile(r"`((?:proxx_worker|tests|docs|deploy|systemd)/[A-Za-z0-9_./@-]*)`")


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


def examples(language: str, mark: str) -> list[Block]:
    """Every block of this kind on the pages for readers."""
    blocks = (block for path in FOR_READERS for block in Page(path).blocks())
    return [block for block in blocks if block.language == language and block.marks[:1] == (mark,)]


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in Page(path).links():
        if link in ELSEWHERE:
            continue
        target, _, anchor = link.partition("#")
        there = path if not target else (path.parent / target).resolve()
        assert there.exists(), f"{ids(path)} links to {target}, and there is no such file"
        assert there.is_relative_to(ROOT)
        if anchor:
            assert anchor in Page(there).anchors(), f"{ids(path)} links to {link}, and there is no such heading"


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_every_path_of_the_tree_exists(path: Path) -> None:
    for name in PATH.findall(path.read_text()):
        assert (ROOT / name).exists(), f"{ids(path)} names {name}, and it is not there"


@pytest.mark.parametrize("path", FOR_READERS, ids=ids)
def test_every_block_says_what_the_tests_do_with_it(path: Path) -> None:
    for block in Page(path).blocks():
        mark = block.marks[0] if block.marks else None
        assert mark in MARKS[block.language], f"{block}: {block.language} {mark}"


@pytest.mark.parametrize("block", examples("json", "jobspec"), ids=str)
def test_every_jobspec_is_one(block: Block) -> None:
    document: dict[str, Any] = json.loads(block.text)
    Draft202012Validator(jobspec_schema()).validate(document)
    assert output_names(parse_jobspec(block.text.encode()))


@pytest.mark.parametrize("block", examples("json", "result"), ids=str)
def test_every_result_is_one(block: Block) -> None:
    Draft202012Validator(result_schema()).validate(json.loads(block.text))


@pytest.mark.parametrize("block", examples("toml", "config"), ids=str)
def test_every_configuration_is_one(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(block.text)
    assert load_settings(path, {}).model_fields_set == set(tomllib.loads(block.text))


@pytest.mark.parametrize("block", examples("toml", "rules"), ids=str)
def test_every_rule_is_one_with_every_key(block: Block) -> None:
    assert [rule.model_fields_set for rule in read_rules(block.text.encode())] == [set(Rule.model_fields)]


def test_the_readme_answers_with_figures_that_stand_on_the_pages() -> None:
    """Where a benchmark or a sweep was renewed, so must be what README.md says of it."""
    measured = "".join((ROOT / "docs" / name).read_text() for name in ("benchmarks.md", "reliability.md"))
    figures = re.findall(r"\d+\.\d{3}|\d+ calls|[\d,]+ states|\d+ rounds", "\n".join(README.section("Why not a ten-line loop?")))
    assert len(figures) == 7
    assert [figure for figure in figures if figure not in measured] == []


def test_the_readme_installs_as_the_operators_page_does() -> None:
    blocks = [block.text for block in Page(ROOT / "docs" / "operator.md").blocks()]
    assert [block.text in blocks for block in README.blocks() if "pip install" in block.text] == [True]


def test_there_are_examples_of_each_kind() -> None:
    assert len(examples("json", "jobspec")) >= 2
    assert {block.marks[1] for block in examples("json", "result")} == {"completed", "failed"}
    assert examples("toml", "config")
    assert examples("toml", "rules")
    assert len(examples("sh", "run")) >= 4
    assert examples("python", "run")


@pytest.mark.parametrize("path", sorted(ROOT.glob("docs/decisions/[0-9]*.md")), ids=ids)
def test_a_decision_says_what_was_weighed(path: Path) -> None:
    page = Page(path)
    assert page.text.startswith(f"# {path.name[:4]}: ")
    assert "**Decision.**" in page.text
    if "measured" in page.anchors() or path.name.startswith("0012"):
        return  # a page of measurements weighs by its figures
    assert {"why", "weighed", "what-follows"} <= page.anchors()
    assert page.table("Weighed").header == ("alternative", "why not")
