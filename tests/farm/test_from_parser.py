"""The man page and the shells' completions, made from the command's own parser: they know every command and every flag."""

import subprocess
from argparse import SUPPRESS
from pathlib import Path

import pytest

from proxx_worker.cli.parser import build_parser
from tests.farm.venvs import make_venv

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def generated(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Man page and completions, from the parser."""
    folder = tmp_path_factory.mktemp("generated")
    debian = project_root / "deploy" / "debian"
    tools = make_venv(folder / "venv", lock=debian / "requirements-build.txt")
    subprocess.run([tools / "python", debian / "from_parser.py", project_root, folder], check=True)
    return folder


def commands() -> dict[str, list[str]]:
    """Each command with the flags that its help shows."""
    (of_all,) = (dict(it.choices) for it in build_parser()._actions if it.dest == "==SUPPRESS==" and it.choices)  # noqa: SLF001
    return {
        name: [flag for it in parser._actions if it.help != SUPPRESS for flag in it.option_strings]  # noqa: SLF001
        for name, parser in of_all.items()
    }


COMPLETE = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_shtab_proxx_worker proxx-worker "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(generated: Path, *words: str) -> list[str]:
    """What bash offers for the last word of a command line."""
    script = generated / "usr/share/bash-completion/completions/proxx-worker"
    argv = ["bash", "-c", COMPLETE, "bash", str(script), "proxx-worker", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=True, cwd=generated / "usr").stdout.split()


def test_completion_offers_every_command_and_every_flag(generated: Path) -> None:
    known = commands()
    assert sorted(completed(generated, "")) == sorted(known)
    for name, flags in known.items():
        assert sorted(completed(generated, name, "-")) == sorted(flags), name
    assert completed(generated, "run", "--log-format", "") == ["text", "json"]
    assert "share" in completed(generated, "status", "s"), "a folder, where one is wanted"


def test_the_other_shells_know_every_command_and_every_flag(generated: Path) -> None:
    for place in ("zsh/vendor-completions/_proxx-worker", "fish/vendor_completions.d/proxx-worker.fish"):
        text = (generated / "usr/share" / place).read_text()
        for name, flags in commands().items():
            assert name in text, (place, name)
            long = [flag.removeprefix("--") for flag in flags if flag.startswith("--")]
            assert not [flag for flag in long if flag not in text], (place, name)


def test_the_man_page_tells_of_every_command_and_every_flag(generated: Path) -> None:
    page = (generated / "usr/share/man/man1/proxx-worker.1").read_text().replace("\\-", "-")
    for name, flags in commands().items():
        assert f"COMMAND \\fI\\,'proxx-worker {name}'\\/\\fR" in page
        assert not [flag for flag in flags if flag not in page and flag not in ("-h", "--help")], name
    assert ".SH EXIT STATUS" in page
