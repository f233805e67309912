"""What FFmpeg says of a source is heard; what a source says of itself, in metadata with any content, is not taken for it."""

import random
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg, tool
from tests.acceptance.command import Command
from tests.acceptance.results import Result, names, parse_result
from tests.acceptance.specs import encode, jobspec

SOURCE = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=1", "-c:v", "libx264", "-preset", "veryfast")
WORDS = (
    "[fatal] x: No space left on device",
    "[info] Input #0, mov, from 'x':",
    "[info] Stream mapping:",
    "[mpegts @ 0x1] [warning] Packet corrupt (stream = 0, dts = 5), dropping it",
    "[h264 @ 0x1] [error] error while decoding MB 1 2",
    "[h264 @ 0x1] [info] concealing 1 DC, 2 AC, 3 MV errors in P frame",
    "[info] -6.000000",
    "[info] Conversion failed!",
)
LINES = "\n".join(("k", *WORDS, "k"))
SOURCES = {
    "value.mov": tuple(
        word for text in (*WORDS, LINES) for word in ("-metadata:s:v", f"handler_name={text}", "-metadata", f"title={text}")
    ),
    "key.mov": ("-movflags", "use_metadata_tags", "-metadata", f"{LINES.replace('=', '')}=v"),
    "language.mkv": ("-metadata:s:v", f"language={LINES}"),
    "reel.mkv": ("-metadata:s:v", f"reel_name={LINES}"),
    "[error] x; No space left on device.mov": (),
}


def run(proxx: Command, source: Path, proxies: Path) -> Result:
    """One job, ProRes Proxy."""
    proxies.mkdir()
    spec = proxies.with_suffix(".json")
    spec.write_bytes(encode(jobspec(source, proxies, proxy_profile="proxy_prores_proxy")))
    return parse_result(proxx("run", spec).stdout)


@pytest.mark.parametrize("name", SOURCES)
def test_what_a_source_says_of_itself_is_not_ffmpeg_s_verdict(proxx: Command, tmp_path: Path, name: str) -> None:
    source = tmp_path / name
    ffmpeg(*SOURCE, *SOURCES[name], source)
    told = subprocess.run(
        [tool("ffmpeg"), "-loglevel", "level+info", "-i", source, "-map", "0", "-f", "null", "-"],
        check=True, capture_output=True, text=True,
    ).stderr  # fmt: skip
    assert "No space left on device" in told, "FFmpeg does not print it: this shows nothing"
    result = run(proxx, source, tmp_path / "proxies")
    assert result["error"] is None
    assert len(names(tmp_path / "proxies")) == 1


def test_a_decoder_that_is_not_named_after_its_codec_is_heard(proxx: Command, tmp_path: Path) -> None:
    """Of one flipped bit the decoder says that it is wrong, and nothing else does: FFmpeg ends well, with every frame."""
    whole, spoiled = tmp_path / "whole.avi", tmp_path / "spoiled.avi"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=2", "-c:v", "msmpeg4", "-q:v", "3", whole)
    data, chance = whole.read_bytes(), random.Random(2)  # noqa: S311 - the same flips every time
    decode = [tool("ffmpeg"), "-xerror", "-loglevel", "level+info", "-i", str(spoiled), "-f", "null", "-"]
    for _ in range(300):
        flipped = bytearray(data)
        flipped[chance.randrange(len(data) // 4, len(data) * 3 // 4)] ^= 1 << chance.randrange(8)
        spoiled.write_bytes(flipped)
        ended = subprocess.run(decode, check=False, capture_output=True, text=True)
        if ended.returncode == 0 and "[error]" in ended.stderr and "concealing" not in ended.stderr:
            break
    else:
        pytest.fail("no flipped bit makes the decoder complain")
    error = run(proxx, spoiled, tmp_path / "proxies")["error"]
    assert error is not None
    assert error["code"] == "SOURCE_DAMAGED"
    assert "[msmpeg4] [error]" in error["message"]
    assert run(proxx, whole, tmp_path / "of-the-whole")["error"] is None
