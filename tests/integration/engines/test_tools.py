"""Where tools are looked for, and where not."""

import os
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.engines.tools import Tools, locate_tools


def program(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_path_is_searched_in_order(tmp_path: Path) -> None:
    program(tmp_path / "b" / "ffmpeg")
    first = program(tmp_path / "a" / "ffmpeg")
    probe = program(tmp_path / "b" / "ffprobe")
    assert locate_tools(None, None, f"{tmp_path}/none:{tmp_path}/a:{tmp_path}/b") == Tools(first, probe)


def test_configured_paths_win(tmp_path: Path) -> None:
    program(tmp_path / "ffmpeg")
    program(tmp_path / "ffprobe")
    own = program(tmp_path / "own" / "encoder")
    assert locate_tools(own, None, str(tmp_path)) == Tools(own, f"{tmp_path}/ffprobe")
    assert locate_tools(own, own, None) == Tools(own, own)


def test_the_working_directory_is_never_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "ffmpeg")
    monkeypatch.chdir(tmp_path)
    for path in ("", ":", ".", None):
        with pytest.raises(ProxxError) as caught:
            locate_tools(None, None, path)
        assert caught.value.code is ErrorCode.FFMPEG_MISSING


@pytest.mark.parametrize("configured", ["ffmpeg", "/nowhere/ffmpeg", "{tmp}/folder", "{tmp}/plain", "/nul\0"])
def test_a_configured_path_that_is_no_program(tmp_path: Path, configured: str) -> None:
    program(tmp_path / "ffmpeg")
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain").touch()
    good = program(tmp_path / "ffprobe")
    path = configured.replace("{tmp}", str(tmp_path))
    with pytest.raises(ProxxError) as caught:
        locate_tools(path, good, str(tmp_path))
    assert caught.value.code is ErrorCode.FFMPEG_MISSING
    with pytest.raises(ProxxError) as caught:
        locate_tools(good, path, str(tmp_path))
    assert caught.value.code is ErrorCode.FFPROBE_MISSING


def test_what_is_not_executable_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a" / "ffmpeg").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "ffmpeg").touch()
    found = program(tmp_path / "c" / "ffmpeg")
    probe = program(tmp_path / "c" / "ffprobe")
    path = os.pathsep.join(f"{tmp_path}/{folder}" for folder in "abc")
    assert locate_tools(None, None, path) == Tools(found, probe)
