"""Alpha that a container keeps beside the picture: ProRes 4444 has it, too."""

import subprocess
from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg, tool
from tests.acceptance.command import Command
from tests.acceptance.results import Result, parse_result
from tests.acceptance.specs import encode, explicit, jobspec

WIDTH, HEIGHT, FRAMES = 320, 180, 10
PIXELS = WIDTH * HEIGHT


def planes(path: Path, decoder: str, pixel_format: str) -> bytes:
    """All frames of a clip, decoded by `decoder`."""
    argv = [tool("ffmpeg"), "-nostdin", "-v", "error", "-c:v", decoder, "-i", str(path), "-pix_fmt", pixel_format]
    return subprocess.run([*argv, "-f", "rawvideo", "-"], check=True, capture_output=True).stdout


def run(proxx: Command, source: Path, proxies: Path, codec: str) -> Result:
    """One job, in MOV."""
    proxies.mkdir()
    spec = proxies.with_suffix(".json")
    spec.write_bytes(encode(jobspec(source, proxies, **explicit(codec, "mov"))))
    return parse_result(proxx("run", spec).stdout)


@pytest.mark.parametrize(("codec", "decoder", "name"), [("vp8", "libvpx", "source.webm"), ("vp9", "libvpx-vp9", "source.mkv")])
def test_alpha_of_vp8_and_vp9_is_kept(proxx: Command, tmp_path: Path, codec: str, decoder: str, name: str) -> None:
    source = tmp_path / name
    ramp = "format=yuva420p,geq=lum='p(X,Y)':cb='p(X,Y)':cr='p(X,Y)':a='mod(X+N*20,256)'"
    ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=size={WIDTH}x{HEIGHT}:rate=25:duration={FRAMES / 25},{ramp}",
        "-c:v", decoder, "-b:v", "2M", "-auto-alt-ref", "0", "-pix_fmt", "yuva420p", source,
    )  # fmt: skip
    assert planes(source, decoder, "yuv420p") == planes(source, codec, "yuv420p"), "both decoders give the same picture"
    result = run(proxx, source, tmp_path / "with", "prores_4444")
    assert result["error"] is None
    task = result["tasks"][0]
    assert task["source_media"]["video"]["has_alpha"] is True
    given, kept = (
        planes(source, decoder, "yuva420p"),
        memoryview(planes(Path(task["output"]), "prores", "yuva444p12le")).cast("H"),
    )
    assert len(given) * 8 == len(kept) * 5 == 20 * PIXELS * FRAMES
    for frame in range(FRAMES):
        was = given[(5 * frame + 3) * PIXELS // 2 :][:PIXELS]
        now = kept[(4 * frame + 3) * PIXELS :][:PIXELS]
        assert max(abs(a / 255 - b / 4095) for a, b in zip(was, now, strict=True)) < 1 / 255, frame
    plain = run(proxx, source, tmp_path / "without", "prores_hq")["tasks"][0]
    assert (plain["status"], decoder in plain["command"]) == ("COMPLETED", False)
