"""Where a container has no presentation times, picture and audio still stand together as they did before it was made.

The judge: a white frame and a beep at the same instant of the original, and where FFmpeg finds them in the proxy.
"""

import re
import subprocess
import sys
from array import array
from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg
from tests.acceptance.command import Command
from tests.acceptance.media.vfw import as_vfw
from tests.acceptance.results import parse_result
from tests.acceptance.specs import encode, explicit, jobspec

RATE, FRAMES, FLASH = 25, 50, 20
SIZE = 320, 180
ORIGINAL = (
    "-f", "lavfi", "-i", f"testsrc=size=320x180:rate={RATE},drawbox=t=fill:color=white:enable=eq(n\\,{FLASH})",
    "-f", "lavfi", "-i", f"aevalsrc=0.8*cos(6283*t)*between(t\\,{FLASH / RATE}\\,{FLASH / RATE + 0.04}):s=48000",
    "-t", str(FRAMES / RATE), "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le",
)  # fmt: skip
MPEG4 = ("-c:v", "mpeg4", "-q:v", "3", "-vtag", "XVID")
CLIPS = {
    "without": (b"XVID", (*MPEG4, "-bf", "0")),
    "one": (b"XVID", (*MPEG4, "-bf", "2")),
    "two": (b"H264", ("-c:v", "libx264", "-bf", "2")),
}
"""By how many frames the decoder reorders."""


def flash_and_beep(path: Path) -> tuple[int, float, float]:
    """How many frames, when the white one is shown, and when the beep begins: both on FFmpeg's clock of the file."""
    seen = subprocess.run(
        [
            "ffmpeg", "-v", "error", "-nostdin", "-i", path, "-map", "0:v", "-fps_mode", "passthrough",
            "-vf", "format=gray,signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-", "-f", "null", "-",
        ],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    frames = [(float(time), float(level)) for time, level in re.findall(r"pts_time:(\S+)\n\S+YAVG=(\S+)", seen)]
    heard = subprocess.run(
        [
            "ffmpeg", "-v", "error", "-nostdin", "-i", path, "-map", "0:a",
            "-af", "aresample=48000:async=1:first_pts=0", "-ac", "1", "-f", "s16le", "-",
        ],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    samples = array("h", heard)
    if sys.byteorder == "big":
        samples.byteswap()
    beep = next(place for place, sample in enumerate(samples) if abs(sample) > 1 << 12) / 48000
    return len(frames), next(time for time, level in frames if level > 200), beep


@pytest.mark.one_in(3)
@pytest.mark.parametrize("proxy", [("prores_proxy", "mov"), ("h264", "mp4"), ("h264", "mkv"), ("dnxhr", "mxf")], ids="-".join)
@pytest.mark.parametrize("suffix", ["avi", "mkv"])
@pytest.mark.parametrize("reordered", CLIPS)
def test_a_flash_and_a_beep_stay_together(
    proxx: Command, tmp_path: Path, reordered: str, suffix: str, proxy: tuple[str, str]
) -> None:
    code, options = CLIPS[reordered]
    source, proxies = tmp_path / f"clip.{suffix}", tmp_path / "proxies"
    avi = tmp_path / "clip.avi"
    ffmpeg(*ORIGINAL, *options, avi)
    if suffix == "mkv":
        as_vfw(avi, source, code, SIZE, RATE)
    proxies.mkdir()
    spec = tmp_path / "spec.json"
    spec.write_bytes(encode(jobspec(source, proxies, **explicit(*proxy))))
    result = parse_result(proxx("run", spec).stdout)
    assert result["error"] is None
    (task,) = result["tasks"]
    assert "frames_left_out" not in {check["name"] for check in task["checks"]}
    assert not [note for note in task["source_media"]["notes"] if "left out" in note]
    frames, flash, beep = flash_and_beep(Path(task["output"]))
    assert frames == FRAMES
    assert flash - beep == pytest.approx(0, abs=0.002)
