"""The operator's page says what the code says: every table is compared with what it describes."""

import argparse
import ast
import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

from proxx_worker.cli import main
from proxx_worker.cli.parser import build_parser
from proxx_worker.contract.errors import EXIT_OK, EXIT_SIGHUP, EXIT_SIGINT, EXIT_SIGTERM, EXIT_USAGE, ErrorClass, ErrorCode
from proxx_worker.contract.states import RECOVERY
from proxx_worker.contract.status import Stage, WorkerState
from proxx_worker.files.filesystems import FilesystemKind, Mount
from proxx_worker.observe.observer import JobInfo
from proxx_worker.observe.records import ENCODER
from proxx_worker.observe.status import StatusFile
from proxx_worker.settings import Settings
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.spool import RECORD_BYTES
from tests.support.markdown import Page, code, first_code

EXIT_CODES = {EXIT_OK, *map(int, ErrorClass), EXIT_USAGE, EXIT_SIGHUP, EXIT_SIGINT, EXIT_SIGTERM}


def commands() -> dict[str, argparse.ArgumentParser]:
    """Every command with its parser."""
    (action,) = (action for action in build_parser()._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001
    return dict(action.choices)


def flags(parser: argparse.ArgumentParser) -> set[str]:
    """The long flags of a command, `--help` apart."""
    found = {option for action in parser._actions for option in action.option_strings}  # noqa: SLF001 - argparse has no other way
    return {option for option in found if option.startswith("--")} - {"--help"}


def flag_of(key: str) -> str:
    return "--" + key.replace("_", "-")


SETTINGS_FLAGS = {"--config", *map(flag_of, Settings.model_fields)}


def test_every_command_and_flag_is_there(operator: Page) -> None:
    table = operator.tables("Commands")[0]
    own: dict[str, set[str]] = {}
    for cell, listed in zip(table.column("command"), table.column("its own flags"), strict=True):
        for usage in code(cell):
            own.setdefault(usage.split()[0], set()).update(code(listed))
    assert own == {name: flags(parser) - SETTINGS_FLAGS for name, parser in commands().items()}


def test_the_commands_that_take_the_configuration_are_named(operator: Page) -> None:
    taking = {name for name, parser in commands().items() if flags(parser) >= SETTINGS_FLAGS}
    assert taking == {"watch", "run", "validate", "check", "profiles"}
    assert "`watch`, `run`, `validate`, `check` and `profiles` also take `--config`" in operator.text
    others = {name: flags(parser) & SETTINGS_FLAGS for name, parser in commands().items() if name not in taking}
    assert {name for name, some in others.items() if some} == {"report"}
    assert "`report` takes `--config` and the flags for its tools" in operator.text


def test_a_flag_has_one_spelling(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["watch", "--onc", "/srv/proxx/main"])
    assert ended.value.code == EXIT_USAGE
    assert "--onc" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "heading", "column"), [("README.md", "By hand", 0), ("docs/operator.md", "Commands", 1)])
def test_the_exit_codes_are_all_of_them(project_root: Path, name: str, heading: str, column: int) -> None:
    cells = Page(project_root / name).tables(heading)[column].column("exit code")
    assert {int(number) for cell in cells for number in cell.split(",")} == EXIT_CODES


def test_every_key_of_the_configuration_is_there_with_its_flag_and_default(operator: Page) -> None:
    table = operator.table("Configuration")
    assert first_code(table.column("key")) == list(Settings.model_fields)
    assert first_code(table.column("flag")) == [flag_of(key) for key in Settings.model_fields]
    for key, cell in zip(Settings.model_fields, table.column("default"), strict=True):
        default = Settings.model_fields[key].default
        if default in (None, {}, ()):
            assert not code(cell) or code(cell) == ["PATH"]
        else:
            assert code(cell) == [default if isinstance(default, str) else f"{default:g}"]


def test_the_worker_s_own_files_are_there(operator: Page) -> None:
    named = {name for cell in operator.tables("The workspace")[0].column("place") for name in code(cell)}
    workspace = Workspace(Path("/srv/proxx/main"))
    root = Path("/srv/proxx/main")
    for path in (Path(workspace.lock_file.decode()), workspace.status_file):
        assert str(path.relative_to(root)) in named
    assert {name.split("/")[0] for name in named} == {Path(folder.decode()).name for folder in workspace.folders}
    assert f"{RECORD_BYTES >> 10} KiB" in operator.text


def test_recovery_has_a_row_for_every_decision(operator: Page) -> None:
    assert len(operator.table("Recovery after a crash").rows) == len(set(RECOVERY.values()))


def test_check_prints_the_lines_that_are_listed(
    operator: Page, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    main(
        [
            "check",
            str(tmp_path),
            "--path-map",
            f"/Volumes/SAN={tmp_path}",
            "--source-roots",
            str(tmp_path),
            "--output-roots",
            str(tmp_path),
            "--metrics-file",
            f"{tmp_path}/m.prom",
            "--encoder-memory-bytes",
            "1000000000",
        ]
    )
    printed = [line.split(None, 1)[1].partition(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert [name for cell in operator.table("`check`").column("line") for name in code(cell)] == printed


def events(root: Path) -> Iterator[tuple[str, str]]:
    """Action and level of every event that the code can log, the encoder's lines included."""
    yield ENCODER, "INFO"
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "event":
                if isinstance(node.args[0], ast.Name):
                    continue  # a log that hands on what it is given
                levels = [it.value for it in node.keywords if it.arg == "level"] or [ast.Constant("INFO")]
                yield str(ast.literal_eval(node.args[0])), str(ast.literal_eval(levels[0]))


def test_every_action_is_there_with_its_level(operator: Page, project_root: Path) -> None:
    table = operator.table("Logs")
    listed = list(zip(first_code(table.column("action")), table.column("level"), strict=True))
    assert sorted(listed) == sorted(set(events(project_root / "proxx_worker")))


def test_every_field_of_the_status_is_there(operator: Page, tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    StatusFile(path).running(0, JobInfo("clip", "id", 1))
    written = json.loads(path.read_bytes())
    job = [f"job.{name}" for name in written["job"]]
    fields = [name for name in written if name != "exit_code"]
    added = ["exit_code", "alive", "left_alone", "not_jobspecs"]
    assert first_code(operator.table("`status.json`").column("field")) == [*fields, *job, *added]


@pytest.mark.parametrize(("field", "words"), [("`state`", WorkerState), ("`job.stage`", Stage)])
def test_every_word_for_a_state_and_a_stage_is_there(operator: Page, field: str, words: type[StrEnum]) -> None:
    table = operator.table("`status.json`")
    meanings = dict(zip(table.column("field"), table.column("meaning"), strict=True))
    assert [word for word in code(meanings[field]) if word in {*words}] == [word.value for word in words]


def test_the_filesystems_that_are_said_to_be_refused_are(operator: Page) -> None:
    (line,) = (line for line in operator.section("Filesystems") if line.startswith("Refused by the name"))
    for name in code(line):
        assert Mount(b"/mnt", f"fuse.{name}", name).kind is FilesystemKind.OBJECT_STORE
    for name in ("nfs", "nfs4", "cifs", "smb3"):
        assert Mount(b"/mnt", name, "server:/share").kind is FilesystemKind.NETWORK


def test_every_error_code_has_its_remedy(operator: Page) -> None:
    assert first_code(operator.table("Troubleshooting").column("code")) == [code.value for code in ErrorCode]
