"""Start timecodes of sources whose rate varies, and at rates that a container cannot count."""

import struct
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


def count(clock: str, frames: int, base: int) -> int:
    """The number of a drop-frame label, in its first hour's first minute: 108 labels are dropped in an hour at 29.97."""
    hours, minutes, seconds = map(int, clock.split(":"))
    assert (hours, minutes) == (1, 0)
    return (3600 + seconds) * base + frames - 108 * base // 30


def counted_at_half(path: Path, clock: str, frames: int) -> Path:
    """A clip of 59.94 pictures a second whose timecode track counts 29.97, as some cameras write it."""
    clip(path, "60000/1001", f"{clock};{frames}")
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"tmcd", 0, data.rindex(b"stts"))
    assert struct.unpack_from(">IIB", data, entry + 20) == (60000, 1001, 60)
    struct.pack_into(">IIB", data, entry + 20, 30000, 1001, 30)
    place = data.index(struct.pack(">I", count(clock, frames, 60)))
    struct.pack_into(">I", data, place, count(clock, frames, 30))
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(("fields", "wanted"), [({}, "01:00:01;40"), ({**CONVERT, "fps_explicit": 29.97}, "01:00:01;20")])
def test_a_track_that_counts_every_second_picture_tells_the_same_moment(
    proxx: Command, tmp_path: Path, fields: dict[str, Any], wanted: str
) -> None:
    source = counted_at_half(tmp_path / "clip.mov", "01:00:01", 20)
    assert timecodes(probe(source)) == {"01:00:01;20"}
    result = run(proxx, tmp_path, source, **fields)
    assert result["error"] is None
    (task,) = result["tasks"]
    assert task["source_media"]["timecode"]["text"] == "01:00:01;40"
    assert task["source_media"]["notes"] == [
        "stream timecode '01:00:01;20' counts 30000/1001 frames/s: 01:00:01;40 at the video's 60000/1001"
    ]
    assert timecodes(probe(Path(task["output"]))) == {wanted}
