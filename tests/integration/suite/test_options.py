"""What tests/conftest.py adds to pytest: a session of its own is collected with each option."""

import subprocess
import sys
from pathlib import Path

import pytest

MANY, TABLE = "tests/unit/contract/test_naming.py", "tests/acceptance/media/test_media_table.py"


def session(project_root: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", *options]
    return subprocess.run(command, cwd=project_root, capture_output=True, text=True, check=False)


def collected(project_root: Path, *options: str) -> set[str]:
    return {line for line in session(project_root, "-q", *options).stdout.splitlines() if "::" in line}


@pytest.mark.heavy
def test_slices_are_parts_of_all_but_what_makes_the_whole_of_something(project_root: Path) -> None:
    everything = collected(project_root, MANY, TABLE)
    slices = [collected(project_root, MANY, TABLE, f"--slice={number}/2") for number in (1, 2)]
    assert all(len(part) > len(everything) / 3 for part in slices)
    assert slices[0] & slices[1] == set()
    assert everything - (slices[0] | slices[1]) == {f"{TABLE}::test_the_page_is_what_comes_out"}


def test_a_pair_stands_in_front_of_path(project_root: Path, tmp_path: Path) -> None:
    options = []
    for tool in ("ffmpeg", "ffprobe"):
        program = tmp_path / f"some-{tool}"
        program.write_text(f"#!/bin/sh\necho {tool} version 99.1 Copyright 2000-2100 the FFmpeg developers\n")
        program.chmod(0o755)
        options.append(f"--{tool}={program}")
    assert "ffmpeg 99.1, ffprobe 99.1" in session(project_root, MANY, *options).stdout.splitlines()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--ffmpeg=ls",), "--ffmpeg and --ffprobe go together"),
        (("--ffmpeg=ls", "--ffprobe=/nonexistent/ffprobe"), "/nonexistent/ffprobe is no program"),
        (("--slice=4/3",), "4/3 is no slice"),
    ],
)
def test_a_wrong_option_ends_the_session_before_anything_runs(project_root: Path, options: tuple[str, ...], said: str) -> None:
    done = session(project_root, MANY, *options)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert said in done.stderr


@pytest.mark.parametrize(
    ("options", "ended"), [((), pytest.ExitCode.NO_TESTS_COLLECTED), (("--no-skips",), pytest.ExitCode.INTERRUPTED)]
)
def test_a_module_that_is_left_out_fails_where_nothing_may_be(
    project_root: Path, tmp_path: Path, options: tuple[str, ...], ended: pytest.ExitCode
) -> None:
    module = tmp_path / "test_needs_more.py"
    module.write_text("import pytest\npytest.importorskip('no_such_library', reason='it is not installed')\n")
    done = session(project_root, "-c", "pyproject.toml", "-p", "tests.conftest", str(module), *options)
    assert done.returncode == ended, done.stdout
    assert ("must run here, but: Skipped: it is not installed" in done.stdout) is bool(options)
