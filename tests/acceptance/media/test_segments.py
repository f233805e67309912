"""With a constant quantizer, a part of a clip is encoded to the same bytes as within the whole clip."""

import subprocess
from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg
from tests.acceptance.command import Command
from tests.acceptance.results import parse_result
from tests.acceptance.specs import encode, explicit, jobspec

FRAMES = 96
PART = 48
"""Four groups of pictures: x264 numbers IDR pictures 0 and 1 in turn."""


def packets(path: Path) -> list[str]:
    """The digest of each packet of the picture."""
    command = ("ffmpeg", "-nostdin", "-v", "error", "-i", path, "-map", "0:v", "-c", "copy", "-f", "framemd5", "-")
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.rpartition(",")[2].strip() for line in said.splitlines() if not line.startswith("#")]


@pytest.mark.heavy
def test_half_a_clip_is_half_of_the_proxy(proxx: Command, tmp_path: Path) -> None:
    grain = f"testsrc2=size=640x360:rate=25,noise=alls=16:allf=t:all_seed=1,trim=end_frame={FRAMES}"
    proxies = []
    for name, start in (("whole", 0), ("rest", PART)):
        source, folder = tmp_path / f"{name}.mkv", tmp_path / name
        part = f"{grain},trim=start_frame={start},setpts=PTS-STARTPTS,format=yuv420p"
        ffmpeg("-f", "lavfi", "-i", part, "-c:v", "ffv1", source)
        folder.mkdir()
        spec = tmp_path / f"{name}.json"
        spec.write_bytes(encode(jobspec(source, folder, **explicit("h264", "mp4", "half"))))
        result = parse_result(proxx("run", spec).stdout)
        assert result["error"] is None
        proxies.append(packets(Path(result["tasks"][0]["output"])))
    whole, rest = proxies
    assert (len(whole), len(rest)) == (FRAMES, FRAMES - PART)
    assert whole[PART:] == rest
