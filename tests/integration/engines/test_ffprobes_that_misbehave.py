"""ffprobes that hang, flood, die, lie or are not there."""

import stat
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.engines.ffprobe import MAX_REPORT_BYTES
from proxx_worker.engines.tools import Tools
from proxx_worker.process.stop import StopFlag
from tests.support.probing import TOOLS, refused


def script(tmp_path: Path, body: str) -> Tools:
    program = tmp_path / "ffprobe"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "clip.mov").write_bytes(b"\0\0\0\x08wide")
    return Tools(TOOLS.ffmpeg, str(program))


def test_an_ffprobe_that_hangs_is_stopped(tmp_path: Path, stop: StopFlag) -> None:
    error = refused(tmp_path / "clip.mov", stop, script(tmp_path, "exec sleep 600"), stall_seconds=0.2)
    assert (error.code, "0.2 s" in error.error.message) == (ErrorCode.SOURCE_UNREADABLE, True)


def test_an_endless_description_is_cut_off(tmp_path: Path, stop: StopFlag) -> None:
    error = refused(tmp_path / "clip.mov", stop, script(tmp_path, "exec yes"))
    assert (error.code, str(MAX_REPORT_BYTES) in error.error.message) == (ErrorCode.SOURCE_UNSUPPORTED, True)


def test_a_flood_on_stderr_is_drained(tmp_path: Path, stop: StopFlag) -> None:
    error = refused(tmp_path / "clip.mov", stop, script(tmp_path, "yes complaint | head -c 1000000 >&2; exit 1"))
    assert (error.code, "complaint" in error.error.message) == (ErrorCode.SOURCE_UNSUPPORTED, True)


def test_an_ffprobe_that_is_killed_is_the_source_s_doing(tmp_path: Path, stop: StopFlag) -> None:
    error = refused(tmp_path / "clip.mov", stop, script(tmp_path, "kill -SEGV $$"))
    assert (error.code, "signal 11" in error.error.message) == (ErrorCode.SOURCE_UNSUPPORTED, True)


def test_an_input_output_error_that_the_system_does_not_confirm_is_the_file_s(tmp_path: Path, stop: StopFlag) -> None:
    lies = script(tmp_path, """echo '{"error": {"code": -5, "string": "Input/output error"}}'; exit 1""")
    assert refused(tmp_path / "clip.mov", stop, lies).code is ErrorCode.SOURCE_UNSUPPORTED


def test_a_missing_ffprobe_is_the_environment_s(tmp_path: Path, stop: StopFlag) -> None:
    script(tmp_path, "true")
    gone = Tools(TOOLS.ffmpeg, str(tmp_path / "none"))
    assert refused(tmp_path / "clip.mov", stop, gone).code is ErrorCode.FFPROBE_MISSING


def test_a_stop_interrupts_the_look(tmp_path: Path, stop: StopFlag) -> None:
    stop.request()
    error = refused(tmp_path / "clip.mov", stop, script(tmp_path, "exec sleep 600"))
    assert error.code is ErrorCode.INTERRUPTED


def test_a_system_without_names_for_descriptors_is_told(tmp_path: Path, stop: StopFlag, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = script(tmp_path, "true")
    monkeypatch.setattr(Path, "exists", lambda _: False)
    error = refused(tmp_path / "clip.mov", stop, tools)
    assert (error.code, "Mount /proc" in error.error.message) == (ErrorCode.IO_ERROR, True)
