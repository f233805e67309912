"""Start timecodes of sources whose rate varies, and at rates that a container cannot count."""

from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.clips import ffmpeg, probe, timecodes
from tests.acceptance.command import Command
from tests.acceptance.results import Result, parse_result
from tests.acceptance.specs import encode, explicit, jobspec


def run(proxx: Command, folder: Path, source: Path, **fields: Any) -> Result:  # noqa: ANN401 - any JSON value
    proxies = folder / "proxies"
    proxies.mkdir(exist_ok=True)
    spec = folder / "spec.json"
    settings = explicit("prores_proxy", "mov", **fields)
    spec.write_bytes(encode(jobspec(source, proxies, naming_template="{source_name}", **settings)))
    return parse_result(proxx("run", spec).stdout)


def clip(path: Path, rate: str, timecode: str, *, frames: str = "1") -> Path:
    """Two seconds, of which those `frames` are there for which the expression is true."""
    ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=size=320x180:rate={rate}:duration=2", "-vf", f"select={frames}",
        "-fps_mode", "passthrough", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "0",
        "-timecode", timecode, path,
    )  # fmt: skip
    return path


VARYING = "not(between(n\\,20\\,22))"
CONVERT = {"fps_mode": "explicit"}


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("rate", "said", "fields", "wanted"),
    [
        ("30", "01:00:00:29", {}, "01:00:00:29"),
        ("30", "01:00:00:29", {**CONVERT, "fps_explicit": 25}, "01:00:00:24"),
        ("30000/1001", "01:01:00;10", {}, "01:01:00;10"),
        ("30000/1001", "01:01:00;10", {**CONVERT, "fps_explicit": 59.94}, "01:01:00;20"),
        # Whole numbers of frames drop no labels.
        ("30000/1001", "01:01:00;02", {**CONVERT, "fps_explicit": 30}, "01:01:00:02"),
    ],
)
def test_a_timecode_is_counted_as_its_track_counts(
    proxx: Command, tmp_path: Path, rate: str, said: str, fields: dict[str, Any], wanted: str
) -> None:
    source = clip(tmp_path / "varying.mov", rate, said, frames=VARYING)
    result = run(proxx, tmp_path, source, **fields)
    assert result["error"] is None
    (task,) = result["tasks"]
    assert (task["source_media"]["video"]["constant_rate"], task["source_media"]["notes"]) == (False, [])
    assert task["source_media"]["timecode"]["text"] == said
    assert timecodes(probe(Path(task["output"]))) == {wanted}


def test_rates_that_a_movie_cannot_count_are_refused_before_the_encode(proxx: Command, tmp_path: Path) -> None:
    source = clip(tmp_path / "clip.mov", "25", "01:00:00:02")
    for rate in (256, 0.4):
        result = run(proxx, tmp_path, source, **CONVERT, fps_explicit=rate)
        assert result["error"] is not None
        assert result["error"]["code"] == "SOURCE_UNSUPPORTED"
        assert "choose h264 in mkv, or ask for a fps_explicit from 0.5 to 255" in result["error"]["message"]
        assert result["tasks"][0]["started_at"] is None
    for rate, wanted in ((255, 20), (0.5, 0)):
        result = run(proxx, tmp_path, source, **CONVERT, fps_explicit=rate)
        assert result["error"] is None
        output = Path(result["tasks"][0]["output"])
        # FFmpeg prints the frames with one digit to three, by version and rate.
        assert [[int(part) for part in text.split(":")] for text in timecodes(probe(output))] == [[1, 0, 0, wanted]]
        output.unlink()
