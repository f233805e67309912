"""An empty path, as an unset variable in a script gives: never the current folder."""

import argparse

import pytest

from proxx_worker.cli.commands import path
from proxx_worker.cli.parser import build_parser, run_command

SPEC = ("spec", "--profile", "proxy_h264_low")
PATHS = {"WORKSPACE", "JOBSPEC.json", "FILE", "DIR", "D", "SOURCE", "RESULT", "RESULT | WORKSPACE"}
OF_SETTINGS = {"--metrics-file", "--source-roots", "--output-roots", "--resolve-script-api", "--resolve-script-lib",
               "--resolve-executable"}  # fmt: skip
"""Their own checks refuse what is not absolute, also in the file."""


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ((*SPEC, "--beside", "Proxy", "--submit", "", "/a.mov"), "--submit"),
        ((*SPEC, "--beside", "Proxy", "--per-clip", "", "/a.mov"), "--per-clip"),
        ((*SPEC, "--output-directory", "", "/a.mov"), "--output-directory"),
        ((*SPEC, "--mirror", "", "--submit", "ws", "--recursive", "/a"), "--mirror"),
        ((*SPEC, "--output-directory", "/out", ""), "SOURCE"),
        ((*SPEC, "--output-directory", "/out", "/a.mov", ""), "SOURCE"),
        (("submit", "", "a.json"), "WORKSPACE"),
        (("submit", "ws", ""), "JOBSPEC.json"),
        (("feed", "ws", "--rules", ""), "--rules"),
        (("gather", "r.json", "--into", ""), "--into"),
        (("list", ""), "WORKSPACE"),
        (("report", "", "--html", "r.html"), "RESULT | WORKSPACE"),
        (("relink", "r.json", "--mhl="), "--mhl"),
        (("run", "spec.json", "--result", ""), "--result"),
    ],
)
def test_an_empty_path_is_a_mistake_at_the_command_line(
    line: tuple[str, ...], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run_command(line)
    assert ended.value.code == 64
    assert f"argument {named}: a path must not be empty" in capsys.readouterr().err


def test_every_command_s_paths_are_checked() -> None:
    (commands,) = (it for it in build_parser()._actions if isinstance(it, argparse._SubParsersAction))  # noqa: SLF001
    actions = [action for command in commands.choices.values() for action in command._actions]  # noqa: SLF001
    paths = [it for it in actions if it.metavar in PATHS and not OF_SETTINGS & set(it.option_strings)]
    assert {it.dest for it in paths if it.type is not path} == set()
    assert len(paths) > 30


def test_a_relative_path_needs_a_current_folder(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def gone() -> str:
        raise FileNotFoundError

    with monkeypatch.context() as patch:
        patch.setattr("os.getcwd", gone)
        assert path("/absolute") == "/absolute"
        with pytest.raises(SystemExit) as ended:
            run_command(("list", "ws"))
    assert ended.value.code == 64
    assert "argument WORKSPACE: the current folder no longer exists, so a path must be absolute" in capsys.readouterr().err
