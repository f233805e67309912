"""Headers that say what no proxy can: unknown HDR metadata, a frame wider than an encoder takes, colours of one maker's own."""

from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.clips import ffmpeg
from tests.acceptance.command import Command
from tests.acceptance.results import parse_result
from tests.acceptance.specs import encode, explicit, jobspec

DISPLAY = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)"
NOTHING = "G(0,0)B(0,0)R(0,0)WP(0,0)"
_COLR = b"colrnclc"
_PANASONIC = b"\1\0\1\0"
"""256 for primaries and transfer: FFmpeg 9's numbers for V-Gamut and V-Log."""


def run(proxx: Command, folder: Path, source: Path, codec: str, container: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    proxies = folder / "proxies"
    proxies.mkdir()
    spec = folder / "spec.json"
    spec.write_bytes(encode(jobspec(source, proxies, **explicit(codec, container), **fields)))
    return parse_result(proxx("run", spec).stdout)


@pytest.mark.parametrize(
    "display", [f"{NOTHING}L(0,0)", f"{NOTHING}L(10000000,1)", f"{DISPLAY}L(0,0)", f"{DISPLAY}L(10000000,1)"]
)
def test_hdr_metadata_that_says_unknown_is_not_stated(proxx: Command, tmp_path: Path, display: str) -> None:
    source = tmp_path / "hdr.mkv"
    picture = ("-f", "lavfi", "-i", "testsrc2=size=128x128:rate=25:duration=0.12")
    ffmpeg(*picture, "-c:v", "libx265", "-x265-params", f"log-level=none:master-display={display}:max-cll=0,0", source)
    result = run(proxx, tmp_path, source, "h265", "mp4")
    assert result["error"] is None, result["error"]
    checks = {check["name"]: check for check in result["tasks"][0]["checks"]}
    valid = display == f"{DISPLAY}L(10000000,1)"
    assert checks["mastering_display"]["expected"] == (display if valid else None)
    assert checks["mastering_display"]["ok"] is (True if valid else None)
    assert checks["content_light"]["expected"] is None


@pytest.mark.parametrize(("codec", "container"), [("h264", "mp4"), ("vp9", "webm"), ("av1", "mkv")])
def test_a_frame_that_is_too_wide_is_refused_before_it_is_encoded(
    proxx: Command, tmp_path: Path, codec: str, container: str
) -> None:
    source = tmp_path / "wide.mkv"
    ffmpeg("-f", "lavfi", "-i", "color=gray:size=17000x64:rate=25:duration=0.08", "-c:v", "ffv1", source)
    result = run(proxx, tmp_path, source, codec, container)
    assert result["error"]["code"] == "SOURCE_UNSUPPORTED"
    assert "choose a smaller resolution, or ProRes (proxy_prores_proxy, proxy_prores_lt)" in result["error"]["message"]
    assert result["tasks"][0]["command"] is None
    again = tmp_path / "again"
    again.mkdir()
    assert run(proxx, again, source, "prores_proxy", "mov")["status"] == "COMPLETED"


@pytest.mark.parametrize(("codec", "container"), [("h264", "mp4"), ("prores_proxy", "mov")])
def test_colours_that_no_encoder_has_a_name_for_are_not_stated(
    proxx: Command, tmp_path: Path, codec: str, container: str
) -> None:
    source = tmp_path / "log.mov"
    tags = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-movflags", "+write_colr")
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=128x72:rate=25:duration=0.12", "-c:v", "mpeg4", *tags, source)
    content = bytearray(source.read_bytes())
    at = content.index(_COLR) + len(_COLR)
    content[at : at + len(_PANASONIC)] = _PANASONIC
    source.write_bytes(content)
    result = run(proxx, tmp_path, source, codec, container)
    assert result["error"] is None, result["error"]
    checks = {check["name"]: check for check in result["tasks"][0]["checks"]}
    assert [checks[name]["expected"] for name in ("color_matrix", "color_primaries", "color_transfer")] == ["bt709", None, None]
