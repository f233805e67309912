"""The pass that confirms the kinds of frames: a real source, and ffprobes that hang, die, are stopped or are not there."""

import os
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.engines.field_confirmation import Confirmed, confirm_fields
from proxx_worker.engines.source_file import open_source
from proxx_worker.engines.tools import Tools, locate_tools
from proxx_worker.media.facts import MediaFacts
from proxx_worker.process.stop import StopFlag
from tests.support.engine import Log, context, facts_of, pretend_ffprobe

FRAMES = 10


@pytest.fixture(scope="module")
def tools() -> Tools:
    return locate_tools(None, None, os.environ["PATH"])


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, tools: Tools) -> Path:
    """Five progressive frames of H.264, then five interlaced ones, after a stream of audio."""
    folder = tmp_path_factory.mktemp("source")
    parts = {"p.mp4": (), "t.mp4": ("-vf", "setfield=tff", "-x264-params", "tff=1")}
    for name, more in parts.items():
        picture = (
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=320x180:r=25:d=0.2",
            "-f",
            "lavfi",
            "-i",
            "sine=d=0.2",
            "-map",
            "1",
            "-map",
            "0",
        )
        subprocess.run([tools.ffmpeg, "-v", "error", *picture, "-c:v", "libx264", *more, folder / name], check=True)
    (folder / "list.txt").write_text("".join(f"file '{folder / name}'\n" for name in parts))
    path = folder / "clip.mp4"
    joined = ("-f", "concat", "-safe", "0", "-i", folder / "list.txt", "-map", "0", "-c", "copy")
    subprocess.run([tools.ffmpeg, "-v", "error", *joined, path], check=True)
    return path


@pytest.fixture(scope="module")
def facts(clip: Path, tools: Tools) -> MediaFacts:
    return facts_of(tools, clip)


@pytest.fixture
def log() -> Log:
    return Log()


def confirm(
    tools: Tools, clip: Path, facts: MediaFacts, stop: StopFlag, log: Log, *, stall_seconds: float = 60.0, frames: int = FRAMES
) -> tuple[Confirmed, list[None]]:
    told: list[None] = []
    with open_source(str(clip)) as source:
        around = context(stop, log=log, stall_seconds=stall_seconds)
        return confirm_fields(tools, facts, source, around, partial(told.append, None), frames), told


def test_the_kinds_of_a_real_source(tools: Tools, clip: Path, facts: MediaFacts, stop: StopFlag, log: Log) -> None:
    confirmed, _ = confirm(tools, clip, facts, stop, log)
    assert (confirmed.kinds, confirmed.fault) == ({"progressive": 0, "tt": 5}, None)
    assert confirmed.usage.cpu_seconds > 0
    assert log.actions == ["field_confirmation_started", "fields_confirmed"]
    assert log.fields["fields_confirmed"]["kinds"] == {"progressive": 0, "tt": 5}


def test_frames_in_front_of_the_proxys_first_do_not_count(
    tools: Tools, clip: Path, facts: MediaFacts, stop: StopFlag, log: Log
) -> None:
    confirmed, _ = confirm(tools, clip, facts, stop, log, frames=7)
    assert (confirmed.kinds, confirmed.fault) == ({"progressive": 0, "tt": 2}, None)
    confirmed, _ = confirm(tools, clip, facts, stop, log, frames=4)
    assert (confirmed.kinds, confirmed.fault) == ({"tt": 0}, None)


def test_a_stop_is_heard(tmp_path: Path, clip: Path, facts: MediaFacts, stop: StopFlag, log: Log) -> None:
    hanging = pretend_ffprobe(tmp_path, "exec sleep 600")
    with open_source(str(clip)) as source:
        confirmed = confirm_fields(hanging, facts, source, context(stop, log=log), stop.request, FRAMES)
    assert confirmed.fault is not None
    assert confirmed.fault.code is ErrorCode.INTERRUPTED


@pytest.mark.parametrize(
    ("script", "code", "details"),
    [
        ("exec sleep 600", ErrorCode.ENCODE_STALLED, {"stall_seconds": 0.3}),
        ("kill -SEGV $$", ErrorCode.ENCODE_FAILED, {"exit_code": -11, "lines": []}),
        ("echo why >&2; exit 1", ErrorCode.ENCODE_FAILED, {"exit_code": 1, "lines": ["why"]}),
        ("exit 0", ErrorCode.ENCODE_FAILED, {"frames": 10, "frames_confirmed": 0}),
        (
            "for n in 1 2 3; do echo 'frame|interlaced_frame=0|top_field_first=0'; done",
            ErrorCode.ENCODE_FAILED,
            {"frames": 10, "frames_confirmed": 3},
        ),
    ],
)
def test_a_pass_that_does_not_reach_the_end_is_a_fault(
    tmp_path: Path,
    clip: Path,
    facts: MediaFacts,
    stop: StopFlag,
    log: Log,
    script: str,
    code: ErrorCode,
    details: dict[str, object],
) -> None:
    confirmed, told = confirm(pretend_ffprobe(tmp_path, script), clip, facts, stop, log, stall_seconds=0.3)
    assert confirmed.fault is not None
    assert (confirmed.fault.code, confirmed.fault.details) == (code, details)
    assert told or "sleep" not in script


def test_an_ffprobe_that_is_gone_is_told(tmp_path: Path, clip: Path, facts: MediaFacts, stop: StopFlag, log: Log) -> None:
    with pytest.raises(ProxxError) as caught:
        confirm(Tools("/usr/bin/ffmpeg", str(tmp_path / "none")), clip, facts, stop, log)
    assert caught.value.code is ErrorCode.FFPROBE_MISSING


def test_an_ffprobe_that_takes_too_much_memory_is_ended(
    tmp_path: Path, clip: Path, facts: MediaFacts, stop: StopFlag, log: Log
) -> None:
    greedy = pretend_ffprobe(tmp_path, "exec python3 -c 'import time; held = bytearray(1 << 28); time.sleep(600)'")
    confirmed, _ = confirm(replace(greedy, memory_bytes=1 << 27), clip, facts, stop, log)
    assert confirmed.fault is not None
    assert confirmed.fault.code is ErrorCode.ENCODE_OUT_OF_MEMORY
