"""Sources whose times or counts are odd: what completes is compared with the source by ffprobe, what is refused says why."""

import subprocess
from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg
from tests.acceptance.command import Command
from tests.acceptance.results import Result, parse_result
from tests.acceptance.specs import encode, explicit, jobspec

PICTURE = "testsrc2=size=320x180:rate={rate}:duration=2"
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "0")
DV_FRAME = 144_000


def run(proxx: Command, folder: Path, source: Path, codec: str = "prores_proxy", container: str = "mov") -> Result:
    proxies = folder / "proxies"
    proxies.mkdir()
    spec = folder / "spec.json"
    spec.write_bytes(encode(jobspec(source, proxies, **explicit(codec, container))))
    return parse_result(proxx("run", spec).stdout)


def times(path: Path) -> list[float]:
    """When each frame is shown, from the first one, as ffprobe reads it."""
    command = (
        "ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=pts_time", "-of", "csv=p=0", path,
    )  # fmt: skip
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    found = [float(word.strip(",")) for word in said]
    return [time - found[0] for time in found]


@pytest.mark.parametrize("more", [DV_FRAME // 3, DV_FRAME * 4 // 5, 0])
def test_bare_dv_that_ends_within_a_frame_is_cut_off(proxx: Command, tmp_path: Path, more: int) -> None:
    whole, cut = tmp_path / "whole.dv", tmp_path / "cut.dv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=720x576:rate=25:duration=0.2", "-c:v", "dvvideo", "-pix_fmt", "yuv420p", whole)
    cut.write_bytes(whole.read_bytes()[: 2 * DV_FRAME + more])
    error = run(proxx, tmp_path, cut)["error"]
    assert (error and error["code"]) == ("SOURCE_DAMAGED" if more else None)
