"""Movies whose picture or audio begins late and is trimmed at its end: an edit list with an empty edit and a short one.

The judge of an end is the proxy's own tables, not ffprobe, which counts the empty edit where the media is trimmed.
"""

import struct
from fractions import Fraction
from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg, probe
from tests.acceptance.command import Command
from tests.acceptance.results import Result, parse_result
from tests.acceptance.specs import encode, explicit, jobspec

UNEVEN = "select='not(eq(mod(n,7),3)+eq(mod(n,5),2))'"
EMPTY = -1


def run(proxx: Command, folder: Path, source: Path, codec: str, container: str) -> Result:
    proxies = folder / "proxies"
    proxies.mkdir()
    spec = folder / "spec.json"
    spec.write_bytes(encode(jobspec(source, proxies, **explicit(codec, container))))
    return parse_result(proxx("run", spec).stdout)


def edit_list(data: bytes) -> tuple[int, list[int]]:
    """The place of the only edit list with an empty edit, and the lengths of its edits in milliseconds."""
    (scale,) = struct.unpack_from(">I", data, data.index(b"mvhd") + 16)
    at = -1
    while (at := data.find(b"elst", at + 1)) >= 0:
        (count,) = struct.unpack_from(">I", data, at + 8)
        entries = [struct.unpack_from(">Ii", data, at + 12 + 12 * row) for row in range(count)]
        if entries[0][1] == EMPTY:
            return at + 12, [round(Fraction(1000 * length, scale)) for length, _ in entries]
    raise ValueError("no edit list begins with an empty edit")


def late(path: Path, *, audio: str, picture: str, delay: str, kept: int) -> Path:
    """Two seconds of both, one of which is late by `delay` (`video` or `audio`, seconds), and of that only `kept` ms."""
    kind, seconds = delay.split()
    whole = path.with_suffix(".whole.mov")
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=2",
        "-f", "lavfi", "-i", "anoisesrc=color=pink:sample_rate=48000:duration=2:seed=1",
        "-vf", picture, "-fps_mode", "passthrough", "-c:v", "prores_ks", "-profile:v", "0", "-c:a", audio, whole,
    )  # fmt: skip
    picture_of, audio_of = ("0:v", "1:a") if kind == "video" else ("1:v", "0:a")
    ffmpeg(
        "-itsoffset", seconds, "-i", whole, "-i", whole, "-map", picture_of, "-map", audio_of, "-c", "copy",
        "-movie_timescale", "1000", path,
    )  # fmt: skip
    data = bytearray(path.read_bytes())
    at, lengths = edit_list(bytes(data))
    struct.pack_into(">I", data, at + 12 * (len(lengths) - 1), kept)
    path.write_bytes(data)
    return path


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("codec", "container"), [("prores_proxy", "mov"), ("h264", "mp4")])
def test_the_last_picture_of_a_late_and_trimmed_track_lasts_as_long_as_in_the_source(
    proxx: Command, tmp_path: Path, codec: str, container: str
) -> None:
    source = late(tmp_path / "late.mov", audio="pcm_s16le", picture=UNEVEN, delay="video 0.5", kept=1000)
    result = run(proxx, tmp_path, source, codec, container)
    assert result["error"] is None
    (task,) = result["tasks"]
    facts = task["source_media"]["video"]
    assert (facts["constant_rate"], facts["duration"]) == (False, "1/1")
    assert edit_list(Path(task["output"]).read_bytes())[1] == [500, 1000]


@pytest.mark.one_in(2)
@pytest.mark.parametrize("audio", ["pcm_s16le", "aac"])
@pytest.mark.parametrize(("codec", "container"), [("prores_proxy", "mov"), ("dnxhr", "mxf")])
def test_late_audio_that_is_trimmed_is_not_cut_off(
    proxx: Command, tmp_path: Path, audio: str, codec: str, container: str
) -> None:
    source = late(tmp_path / "late.mov", audio=audio, picture="null", delay="audio 0.3", kept=1700)
    result = run(proxx, tmp_path, source, codec, container)
    assert result["error"] is None
    (task,) = result["tasks"]
    assert Fraction(task["source_media"]["audio"][0]["duration"]) == Fraction(17, 10)
    assert Fraction(task["source_media"]["duration"]) == 2
    sound = next(stream for stream in probe(Path(task["output"]))["streams"] if stream["codec_type"] == "audio")
    # FFmpeg plays whole packets.
    assert abs(float(sound["duration"]) - 2) < 2 * 1024 / 48000


def test_late_audio_that_was_cut_off_is_damaged(proxx: Command, tmp_path: Path) -> None:
    source = late(tmp_path / "late.mov", audio="pcm_s16le", picture="null", delay="audio 0.3", kept=1700)
    data = source.read_bytes()
    tables = data.index(b"moov") - 4
    start = data.index(b"mdat") - 4
    # The tables go before the media, of which the last tenth is then lost.
    moved = shifted(data[tables:], len(data) - tables)
    whole = data[:start] + moved + data[start:tables]
    source.write_bytes(whole[: len(whole) - (tables - start) // 10])
    result = run(proxx, tmp_path, source, "prores_proxy", "mov")
    assert result["error"] is not None
    assert result["error"]["code"] == "SOURCE_DAMAGED"


def shifted(tables: bytes, by: int) -> bytes:
    """The tables with their chunks `by` bytes further on."""
    moved, at = bytearray(tables), -1
    while (at := tables.find(b"stco", at + 1)) >= 0:
        (count,) = struct.unpack_from(">I", tables, at + 8)
        places = struct.unpack_from(f">{count}I", tables, at + 12)
        struct.pack_into(f">{count}I", moved, at + 12, *(place + by for place in places))
    return bytes(moved)
