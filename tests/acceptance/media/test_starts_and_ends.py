"""Recordings that begin between two keyframes, and ends that containers tell in several ways, complete; damage does not.

The judge of a beginning: every picture that the worker's own command presents is one of the whole clip's, byte for byte.
"""

import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg
from tests.acceptance.command import Command
from tests.acceptance.results import Result, parse_result
from tests.acceptance.specs import encode, explicit, jobspec

PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=2")
SOUND = ("-f", "lavfi", "-i", "anoisesrc=color=pink:sample_rate=48000:duration=2:seed=1")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
OPEN = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-x264-params", "open-gop=1:keyint=12:bframes=2:scenecut=0:b-adapt=0")
MPEG2 = ("-c:v", "mpeg2video", "-pix_fmt", "yuv420p", "-bf", "2", "-g", "12", "-c:a", "mp2")
PACKET = 188


def run(proxx: Command, folder: Path, source: Path) -> Result:
    proxies = folder / "proxies"
    proxies.mkdir()
    spec = folder / "spec.json"
    spec.write_bytes(encode(jobspec(source, proxies, **explicit("prores_proxy", "mov"))))
    return parse_result(proxx("run", spec).stdout)


def pictures(path: Path) -> Sequence[str]:
    """The decoded pictures' digests."""
    command = ("ffmpeg", "-nostdin", "-v", "quiet", "-i", path, "-map", "0:v", "-fps_mode", "passthrough", "-f", "framemd5", "-")
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.rpartition(",")[2].strip() for line in said.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("options", [OPEN, MPEG2], ids=["h264", "mpeg2"])
def test_a_recording_that_begins_between_keyframes_begins_with_its_first_whole_picture(
    proxx: Command, tmp_path: Path, options: tuple[str, ...]
) -> None:
    whole, cut = tmp_path / "whole.ts", tmp_path / "cut.ts"
    ffmpeg(*PICTURE, *(SOUND if options is MPEG2 else ()), *options, whole)
    data = whole.read_bytes()
    cut.write_bytes(data[len(data) // 3 // PACKET * PACKET :])
    result = run(proxx, tmp_path, cut)
    assert result["error"] is None
    checks = {check["name"]: check for check in result["tasks"][0]["checks"]}
    assert checks["frames"]["ok"]
    assert not [name for name, check in checks.items() if check["ok"] is False]
    # The same decoder as the worker's: what it gives of the cut clip is what it gives of the whole one.
    theirs, ours = pictures(whole), pictures(cut)
    assert len(ours) == checks["frames"]["actual"]
    assert list(ours) == list(theirs[len(theirs) - len(ours) :])
    assert hashlib.sha256(Path(result["tasks"][0]["output"]).read_bytes()).hexdigest() == result["tasks"][0]["output_sha256"]


def test_packets_lost_in_the_middle_are_damage(proxx: Command, tmp_path: Path) -> None:
    whole, lossy = tmp_path / "whole.ts", tmp_path / "lossy.ts"
    ffmpeg(*PICTURE, *OPEN, whole)
    data = whole.read_bytes()
    half = len(data) // 2 // PACKET * PACKET
    lossy.write_bytes(data[:half] + data[half + 40 * PACKET :])
    result = run(proxx, tmp_path, lossy)
    assert result["error"] is not None
    assert result["error"]["code"] == "SOURCE_DAMAGED"


def test_subtitles_may_outlast_the_picture(proxx: Command, tmp_path: Path) -> None:
    titles, source = tmp_path / "titles.srt", tmp_path / "titled.mkv"
    titles.write_text("1\n00:00:00,500 --> 00:00:09,000\nhello\n")
    ffmpeg(*PICTURE, *SOUND, "-i", titles, *H264, "-c:a", "aac", "-c:s", "srt", "-map", "0", "-map", "1", "-map", "2", source)
    assert run(proxx, tmp_path, source)["error"] is None


def test_fragments_need_not_begin_at_0(proxx: Command, tmp_path: Path) -> None:
    source = tmp_path / "fragments.mp4"
    ffmpeg(
        *PICTURE, *SOUND, *H264, "-g", "5", "-c:a", "aac", "-output_ts_offset", "10", "-avoid_negative_ts", "disabled",
        "-movflags", "frag_keyframe+empty_moov+default_base_moof", source,
    )  # fmt: skip
    assert run(proxx, tmp_path, source)["error"] is None
