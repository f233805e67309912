"""BT.2020 pictures as DNxHR: container and every frame say so, and the code values stay what they are."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg
from tests.acceptance.command import Command
from tests.acceptance.results import parse_result
from tests.acceptance.specs import encode, explicit, jobspec

FRAMES = 12
LEAST_PSNR = 45.0
"""dB, of each plane: measured 57 and more; converted to BT.709's matrix it was 30 (Y) and 35 (Cb)."""


@pytest.fixture(scope="module", params=["smpte2084", "arib-std-b67"])
def wide_clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wide") / f"{request.param}.mov"
    tags = ("-color_primaries", "bt2020", "-color_trc", str(request.param), "-colorspace", "bt2020nc", "-color_range", "tv")
    picture = ("-f", "lavfi", "-i", f"testsrc2=size=640x360:rate=25:duration={FRAMES / 25}")
    sound = ("-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={FRAMES / 25}")
    params = f"setparams=color_primaries=bt2020:color_trc={request.param}:colorspace=bt2020nc:range=tv"
    codec = ("-c:v", "prores_ks", "-profile:v", "3", "-pix_fmt", "yuv422p10le", "-c:a", "pcm_s16le")
    ffmpeg(*picture, *sound, "-vf", f"scale=out_range=tv,{params}", *codec, *tags, path)
    return path


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("codec", "container", "matrix"), [("dnxhr", "mov", "bt2020nc"), ("dnxhr", "mxf", "bt2020nc"), ("dnxhd", "mxf", "bt709")]
)
def test_container_and_frames_say_one_matrix(
    proxx: Command, wide_clip: Path, tmp_path: Path, codec: str, container: str, matrix: str
) -> None:
    source = wide_clip
    if codec == "dnxhd":  # its header has no word for BT.2020: the picture is converted
        source = tmp_path / "large.mov"
        ffmpeg("-i", wide_clip, "-vf", "scale=1920:1080", "-c:v", "prores_ks", "-c:a", "copy", source)
    output = made(proxx, tmp_path, source, codec, container)
    entries = ("-show_entries", "stream=color_space,color_primaries,color_transfer:frame=color_space", "-select_streams", "v")
    said = subprocess.run(
        ("ffprobe", "-v", "error", *entries, "-of", "compact=nk=0:p=1", output), check=True, capture_output=True, text=True
    ).stdout
    frames = re.findall(r"^frame\|.*?color_space=(\w+)", said, re.MULTILINE)
    assert frames == [matrix] * FRAMES
    for tag in (f"color_space={matrix}", "color_primaries=bt2020", f"color_transfer={wide_clip.stem}"):
        assert re.search(rf"^stream\|.*{tag}", said, re.MULTILINE), tag


@pytest.mark.one_in(2)
@pytest.mark.parametrize("container", ["mov", "mxf"])
def test_the_picture_is_not_converted(proxx: Command, wide_clip: Path, tmp_path: Path, container: str) -> None:
    output = made(proxx, tmp_path, wide_clip, "dnxhr", container)
    bare = "format=yuv422p,setparams=colorspace=bt709"
    compared = subprocess.run(
        (
            "ffmpeg", "-nostdin", "-i", output, "-i", wide_clip, "-lavfi", f"[0:v]{bare}[a];[1:v]{bare}[b];[a][b]psnr",
            "-map_metadata", "-1", "-f", "null", "-",
        ),
        check=True, capture_output=True, text=True,
    ).stderr  # fmt: skip
    planes = re.search(r"PSNR y:([\d.inf]+) u:([\d.inf]+) v:([\d.inf]+)", compared)
    assert planes is not None, compared[-400:]
    assert min(map(float, planes.groups())) > LEAST_PSNR


def made(proxx: Command, folder: Path, source: Path, codec: str, container: str) -> Path:
    proxies = folder / "proxies"
    proxies.mkdir()
    spec = folder / "spec.json"
    spec.write_bytes(encode(jobspec(source, proxies, **explicit(codec, container))))
    result = parse_result(proxx("run", spec).stdout)
    assert result["error"] is None, result["error"]
    output = Path(result["tasks"][0]["output"])
    assert next(check for check in result["tasks"][0]["checks"] if check["name"] == "color_matrix")["ok"] is True
    return output
