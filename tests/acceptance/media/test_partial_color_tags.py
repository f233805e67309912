"""Sources that state one or two of their colour tags: a mov says those, and no more."""

from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg
from tests.acceptance.command import Command
from tests.acceptance.results import parse_result
from tests.acceptance.specs import encode, explicit, jobspec

_TAGS_OF_FRAMES = slice(18, 21)
"""Primaries, transfer and matrix in a ProRes frame, counted from its identifier."""


@pytest.mark.parametrize(
    ("codec", "tags", "colr", "frames"),
    [
        ("dnxhr", "color_primaries=unknown:color_trc=unknown:colorspace=bt2020nc", "000200020009", None),
        ("dnxhr", "color_primaries=unknown:color_trc=smpte2084:colorspace=bt2020nc", "000200100009", None),
        ("dnxhr", "color_primaries=bt709:color_trc=bt709:colorspace=unknown", "000100010001", None),
        ("prores_proxy", "color_primaries=unknown:color_trc=unknown:colorspace=smpte240m", "000200020007", "020202"),
        ("prores_proxy", "color_primaries=unknown:color_trc=unknown:colorspace=ycgco", "000200020008", "020202"),
        ("prores_proxy", "color_primaries=film:color_trc=bt709:colorspace=bt709", "000800010001", "020101"),
    ],
)
def test_a_mov_says_the_known_tags(proxx: Command, tmp_path: Path, codec: str, tags: str, colr: str, frames: str | None) -> None:
    source, proxies, spec = tmp_path / "some.mkv", tmp_path / "proxies", tmp_path / "spec.json"
    picture = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=0.2")
    ffmpeg(*picture, "-vf", "format=yuv420p,setparams=range=tv", "-c:v", "ffv1", tmp_path / "plain.mkv")
    said = dict(pair.split("=") for pair in tags.split(":"))
    options = {"-color_primaries": said["color_primaries"], "-color_trc": said["color_trc"], "-colorspace": said["colorspace"]}
    known = [word for option, tag in options.items() if tag != "unknown" for word in (option, tag)]
    ffmpeg("-i", tmp_path / "plain.mkv", "-c:v", "copy", "-color_range", "tv", *known, source)
    proxies.mkdir()
    spec.write_bytes(encode(jobspec(source, proxies, **explicit(codec, "mov"))))
    result = parse_result(proxx("run", spec).stdout)
    assert result["error"] is None, result["error"]
    written = Path(result["tasks"][0]["output"]).read_bytes()
    place = written.index(b"colrnclc") + len(b"colrnclc")
    assert written[place : place + 6].hex() == colr
    if frames is not None:
        place = written.index(b"icpf")
        assert written[place:][_TAGS_OF_FRAMES].hex() == frames
