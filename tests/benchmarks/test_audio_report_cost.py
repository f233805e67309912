"""What it costs that the encoder reports each frame of its audio: its own command beside the same without the report."""

import subprocess
from functools import partial
from pathlib import Path

import pytest

from proxx_worker.planning.audio_report import reported
from tests.benchmarks.conftest import Clips, emptied, encode_command, into
from tests.benchmarks.measure import cpu, in_turns, ratios, timed
from tests.benchmarks.report import Report

SECTION = "The encoder's report of its audio"


def _with_pcm(source: Path, clip: Path, streams: int) -> None:
    """One-channel PCM streams: AAC would be copied into the mp4, which reports nothing. Eight are a camera's usual most."""
    maps = [word for _ in range(streams) for word in ("-map", "0:a")]
    command = ["ffmpeg", "-v", "error", "-i", str(source), "-map", "0:v", *maps, "-c:v", "copy", "-c:a", "pcm_s24le"]
    subprocess.run([*command, str(clip)], check=True)


@pytest.mark.parametrize("profile", ["proxy_prores_proxy", "proxy_h264_quarter"])
@pytest.mark.parametrize("streams", [1, 8])
def test_beside_the_encode(report: Report, clips: Clips, tmp_path: Path, profile: str, streams: int) -> None:
    source = tmp_path / "pcm.mov"
    _with_pcm(clips.minute, source, streams)
    command = encode_command(profile, source, tmp_path / "command")
    without = command
    for stream in range(streams):
        for placed in (False, True):
            words = ",".join(reported(stream, placed=placed))
            without = [word.replace(f"{words},", "").replace(f",{words}", "").replace(words, "anull") for word in without]
    assert "heard" in " ".join(command)
    assert "heard" not in " ".join(without)
    folder = emptied(tmp_path / "out")
    outputs = [folder / name for name in ("with", "without")]
    ours, theirs = in_turns(*(partial(timed, into(*pair)) for pair in zip((command, without), outputs, strict=True)))
    assert outputs[0].read_bytes() == outputs[1].read_bytes(), "the report changes nothing"
    what = f"60 s of 1080p to {profile}, {streams} {'stream' if streams == 1 else 'streams'} of audio: with / without, CPU"
    report.row(SECTION, what, ratios(ours, theirs, cpu).show(3), "<= 1.01")
