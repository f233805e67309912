"""Pictures without a real container: IVF, which has a time at each, is taken; streams without times are refused, with the remedy.

Frames are counted, and their times read, by FFmpeg and ffprobe of the files themselves.
"""

import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg
from tests.acceptance.command import Command
from tests.acceptance.results import Result, parse_result
from tests.acceptance.specs import encode, explicit, jobspec

VP8 = ("-c:v", "libvpx", "-deadline", "realtime")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime")
HIDDEN = ("-c:v", "libvpx", "-deadline", "good", "-cpu-used", "4", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-b:v", "200k")
AV1 = ("-c:v", "libaom-av1", "-cpu-used", "8")
MOV, MXF, MKV = explicit("prores_proxy", "mov"), explicit("dnxhr", "mxf"), explicit("h264", "mkv")


def made(path: Path, *options: str, rate: str = "25", frames: int = 50) -> Path:
    picture = ("-f", "lavfi", "-i", f"testsrc2=size=320x180:rate={rate}")
    ffmpeg(*picture, "-frames:v", str(frames), "-pix_fmt", "yuv420p", *options, path)
    return path


def packets(content: bytes) -> list[bytes]:
    found, at = [], 32
    while at < len(content):
        (size,) = struct.unpack_from("<I", content, at)
        found.append(content[at + 12 : at + 12 + size])
        at += 12 + size
    return found


def ivf(content: bytes, count: int, base: int, times: list[int]) -> bytes:
    """The first packets of `content` at other times of `base` ticks a second, with another count in the header."""
    head = content[:16] + struct.pack("<III", base, 1, count) + content[28:32]
    pieces = zip(packets(content), times, strict=False)
    return head + b"".join(struct.pack("<IQ", len(packet), time) + packet for packet, time in pieces)


def run(proxx: Command, folder: Path, source: Path, fields: dict[str, object]) -> Result:
    proxies = folder / "proxies"
    proxies.mkdir()
    spec = folder / "spec.json"
    spec.write_bytes(encode(jobspec(source, proxies, **fields)))
    return parse_result(proxx("run", spec).stdout)


def proxy_of(result: Result) -> Path:
    assert result["error"] is None, result["error"]
    return Path(result["tasks"][0]["output"])


def frames_of(path: Path) -> int:
    command = ("ffmpeg", "-nostdin", "-v", "error", "-i", path, "-map", "0:v", "-f", "framemd5", "-")
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return sum(not line.startswith("#") for line in said.splitlines())


def times_of(path: Path) -> list[float]:
    entries = ("-select_streams", "v", "-show_entries", "frame=pts_time", "-of", "csv=p=0")
    said = subprocess.run(("ffprobe", "-v", "error", *entries, path), check=True, capture_output=True, text=True).stdout
    return [float(line.strip(",")) for line in said.split()]


@pytest.mark.parametrize(
    ("options", "rate", "fields"),
    [
        pytest.param(VP8, "25", MOV, id="vp8-mov"),
        pytest.param(VP9, "30000/1001", MXF, id="vp9-mxf"),
        pytest.param(AV1, "24", MKV, id="av1-mkv"),
        pytest.param(HIDDEN, "25", MOV, id="vp8-with-hidden-packets-mov"),
    ],
)
def test_an_ivf_is_taken_with_all_its_frames(
    proxx: Command, tmp_path: Path, options: tuple[str, ...], rate: str, fields: dict[str, object]
) -> None:
    source = made(tmp_path / "clip.ivf", *options, rate=rate, frames=30)
    proxy = proxy_of(run(proxx, tmp_path, source, fields))
    assert frames_of(proxy) == frames_of(source) == 30
    assert times_of(proxy) == pytest.approx([float(number / Fraction(rate)) for number in range(30)], abs=0.001)


@pytest.mark.parametrize(
    ("base", "times"),
    [
        pytest.param(90_000, [3003 * number for number in range(50)], id="recorder-of-calls"),
        pytest.param(1000, [40 * number + (7 if number % 3 else 0) for number in range(50)], id="uneven"),
    ],
)
@pytest.mark.parametrize("count", [0, 50])
def test_its_frames_stand_where_its_packets_say(proxx: Command, tmp_path: Path, base: int, times: list[int], count: int) -> None:
    source = tmp_path / "call.ivf"
    source.write_bytes(ivf(made(tmp_path / "even.ivf", *VP9).read_bytes(), count, base, times))
    proxy = proxy_of(run(proxx, tmp_path, source, MKV))
    assert frames_of(proxy) == 50
    assert times_of(proxy) == pytest.approx([time / base for time in times], abs=0.001)


@pytest.mark.parametrize(("kept", "more"), [(49, 0), (40, 0), (40, 300)])
def test_an_ivf_that_lacks_a_frame_is_cut_off(proxx: Command, tmp_path: Path, kept: int, more: int) -> None:
    whole = made(tmp_path / "whole.ivf", *VP9).read_bytes()
    source = tmp_path / "cut.ivf"
    source.write_bytes(whole[: 32 + sum(12 + len(packet) for packet in packets(whole)[:kept]) + more])
    result = run(proxx, tmp_path, source, MOV)
    assert result["error"] is not None
    assert result["error"]["code"] == "SOURCE_DAMAGED"
    assert list((tmp_path / "proxies").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("bare.h264", ("-c:v", "libx264", "-preset", "ultrafast"), "a bare H.264 stream"),
        ("bare.hevc", ("-c:v", "libx265", "-preset", "ultrafast"), "a bare H.265 stream"),
        ("bare.m2v", ("-c:v", "mpeg2video"), "a bare MPEG-2 stream"),
    ],
)
def test_a_stream_without_times_is_refused_with_the_remedy(
    proxx: Command, tmp_path: Path, name: str, options: tuple[str, ...], said: str
) -> None:
    result = run(proxx, tmp_path, made(tmp_path / name, *options), MOV)
    assert result["error"] is not None
    assert result["error"]["code"] == "SOURCE_UNSUPPORTED"
    assert f"{said}: wrap it in mov or mp4 at its rate" in result["error"]["message"]
