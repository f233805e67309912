"""Looking at a finished proxy: by a real ffprobe, and by programs that only pretend to be one."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.profiles import PROFILES
from proxx_worker.engines.proxy_probe import probe_proxy
from proxx_worker.engines.tools import Tools, locate_tools
from proxx_worker.planning.expectation import Expectation
from proxx_worker.planning.plan import plan_task
from proxx_worker.process.stop import StopFlag
from tests.support.engine import facts_of, pretend_ffprobe

Script = Callable[[str], Tools]


@pytest.fixture(scope="module")
def tools() -> Tools:
    return locate_tools(None, None, os.environ["PATH"])


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, tools: Tools) -> Path:
    path = tmp_path_factory.mktemp("proxy") / "clip.mov"
    source = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=1"]
    subprocess.run([tools.ffmpeg, "-v", "error", *source, "-c:v", "prores", "-profile:v", "0", str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def expected(proxy: Path, tools: Tools) -> Expectation:
    return plan_task(PROFILES["proxy_prores_proxy"].settings, facts_of(tools, proxy)).expected


@pytest.fixture
def pretend(tmp_path: Path, tools: Tools) -> Script:
    return lambda script: pretend_ffprobe(tmp_path, script, tools.ffmpeg)


def test_every_frame_is_seen_in_the_folder_that_is_named(
    tools: Tools, expected: Expectation, proxy: Path, stop: StopFlag
) -> None:
    seen = probe_proxy(tools, expected, proxy.name, stop, cwd=str(proxy.parent))
    assert (seen.exit_code, seen.stderr) == (0, "")
    assert [len(stream.times) for stream in seen.report.of_type("video")] == [25]


def test_what_is_no_proxy_is_told_as_it_is(tools: Tools, expected: Expectation, tmp_path: Path, stop: StopFlag) -> None:
    (tmp_path / "clip.mov").write_bytes(b"not a film")
    seen = probe_proxy(tools, expected, "clip.mov", stop, cwd=str(tmp_path))
    assert seen.exit_code != 0
    assert seen.stderr


def test_only_the_end_of_a_flood_of_complaints_is_kept(pretend: Script, expected: Expectation, stop: StopFlag) -> None:
    seen = probe_proxy(pretend("yes bad | head -c 5000000 >&2; echo last >&2; exit 1"), expected, "clip.mov", stop)
    assert seen.exit_code == 1
    assert len(seen.stderr) <= 1 << 16
    assert seen.stderr.endswith("last\n")


def test_a_stop_is_an_interruption(pretend: Script, expected: Expectation, stop: StopFlag) -> None:
    stop.request()
    with pytest.raises(ProxxError) as caught:
        probe_proxy(pretend("exec sleep 1000"), expected, "clip.mov", stop)
    assert caught.value.code is ErrorCode.INTERRUPTED


def test_silence_is_no_proof(pretend: Script, expected: Expectation, stop: StopFlag) -> None:
    with pytest.raises(ProxxError) as caught:
        probe_proxy(pretend("exec sleep 1000"), expected, "clip.mov", stop, stall_seconds=0.2)
    assert caught.value.code is ErrorCode.OUTPUT_INVALID


def test_a_missing_ffprobe(tools: Tools, expected: Expectation, tmp_path: Path, stop: StopFlag) -> None:
    with pytest.raises(ProxxError) as caught:
        probe_proxy(Tools(tools.ffmpeg, f"{tmp_path}/none"), expected, "clip.mov", stop)
    assert caught.value.code is ErrorCode.FFPROBE_MISSING


def test_a_stop_after_the_probe_is_heard_while_its_frames_are_looked_at(
    tools: Tools, expected: Expectation, proxy: Path, stop: StopFlag
) -> None:
    seen = probe_proxy(tools, expected, str(proxy), stop)
    stop.request()
    with pytest.raises(ProxxError) as stopped:
        list(seen.report.of_type("video")[0].times)
    assert stopped.value.code is ErrorCode.INTERRUPTED
