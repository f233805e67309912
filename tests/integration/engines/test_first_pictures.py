"""The look at a proxy's first pictures: by a real FFmpeg, and by programs that only pretend to be one."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.delivery.staging import Staging
from proxx_worker.engines.first_pictures import look_at_first_pictures
from proxx_worker.engines.media_probe import FfprobeProbe
from proxx_worker.engines.tools import Tools, locate_tools
from proxx_worker.planning.expectation import Expectation
from proxx_worker.planning.plan import plan_task
from proxx_worker.process.stop import StopFlag
from proxx_worker.verification.first_pictures import MOST_BYTES, FirstPictures
from tests.support.engine import context
from tests.unit.planning.sources import clip, settings

CONTAINERS = (Container.MOV, Container.MP4, Container.MKV)


@pytest.fixture(scope="module")
def tools() -> Tools:
    return locate_tools(None, None, os.environ["PATH"])


@pytest.fixture
def pretend(tmp_path: Path, tools: Tools) -> Callable[[str], Tools]:
    """Tools whose FFmpeg is a shell script."""

    def make(script: str) -> Tools:
        program = tmp_path / "ffmpeg"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return Tools(str(program), tools.ffprobe)

    return make


def expected(container: Container = Container.MOV, order: str = "tt") -> Expectation:
    return plan_task(settings(Codec.H264, container), clip(field_order=order)).expected


def look(tools: Tools, staging: Staging, stop: StopFlag, stall_seconds: float = 60.0) -> FirstPictures:
    staged = staging.create("clip.mov")
    return look_at_first_pictures(tools, expected(), staged, context(stop, stall_seconds=stall_seconds))


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(("fields", "frames", "structures"), [("tff", 8, (3,) * 6), ("bff", 8, (4,) * 6), ("tff", 2, (3, 3))])
def test_the_pictures_are_seen_in_each_container(
    tools: Tools,
    staging: Staging,
    stop: StopFlag,
    tmp_path: Path,
    container: Container,
    fields: str,
    frames: int,
    structures: tuple[int, ...],
) -> None:
    made = tmp_path / f"made.{container}"
    subprocess.run(
        [
            tools.ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x192:r=25", "-frames:v", str(frames),
            "-vf", f"setfield={fields}", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-x264-params", f"{fields}=1",
            "-flags:v", "+ildct+ilme", made,
        ],
        check=True,
    )  # fmt: skip
    staged = staging.create(f"clip.{container}")
    staged.write_at(0, made.read_bytes())
    seen = look_at_first_pictures(tools, expected(container), staged, context(stop))
    assert (seen.exit_code, seen.structures) == (0, structures)
    both = FfprobeProbe(lambda: tools).proxy(expected(container), staged, context(stop))
    assert both.first_pictures == seen
    progressive = FfprobeProbe(lambda: tools).proxy(expected(container, "progressive"), staged, context(stop))
    assert progressive.first_pictures is None


def test_what_is_no_proxy_is_told_as_it_is(tools: Tools, staging: Staging, stop: StopFlag) -> None:
    seen = look(tools, staging, stop)
    assert seen.exit_code != 0
    assert seen.structures == ()
    assert seen.stderr


def test_a_flood_is_not_kept(pretend: Callable[[str], Tools], staging: Staging, stop: StopFlag) -> None:
    flood = f"yes | head -c {40 * MOST_BYTES}"
    seen = look(pretend(f"echo first >&2; {flood}; {flood} >&2; exit 1"), staging, stop)
    assert seen.exit_code == 1
    assert seen.stderr.startswith("first\n")
    assert len(seen.stderr) <= 1 << 12


def test_a_stop_is_an_interruption(pretend: Callable[[str], Tools], staging: Staging, stop: StopFlag) -> None:
    stop.request()
    with pytest.raises(ProxxError) as caught:
        look(pretend("exec sleep 1000"), staging, stop)
    assert caught.value.code is ErrorCode.INTERRUPTED


def test_silence_is_no_proof(pretend: Callable[[str], Tools], staging: Staging, stop: StopFlag) -> None:
    with pytest.raises(ProxxError) as caught:
        look(pretend("exec sleep 1000"), staging, stop, stall_seconds=0.2)
    assert caught.value.code is ErrorCode.OUTPUT_INVALID


def test_a_missing_ffmpeg(tools: Tools, staging: Staging, stop: StopFlag, tmp_path: Path) -> None:
    with pytest.raises(ProxxError) as caught:
        look(Tools(f"{tmp_path}/none", tools.ffprobe), staging, stop)
    assert caught.value.code is ErrorCode.FFMPEG_MISSING
