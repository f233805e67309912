"""Pictures without a real container: IVF has a time at each, MPEG-1, MPEG-2 and H.264 may say a rate; then they are taken.

All else is refused, with the remedy. Frames are counted, and their times read, by FFmpeg and ffprobe of the files themselves; the
pictures of a bare stream are held to those of the same stream in a container.
"""

import re
import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg
from tests.acceptance.command import Command
from tests.acceptance.results import Result, parse_result
from tests.acceptance.specs import encode, explicit, jobspec
from tests.unit.media.bitstreams import escaped

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


@pytest.mark.one_in(4)
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


@pytest.mark.one_in(2)
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


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("kept", "more"), [(49, 0), (40, 0), (40, 300)])
def test_an_ivf_that_lacks_a_frame_is_cut_off(proxx: Command, tmp_path: Path, kept: int, more: int) -> None:
    whole = made(tmp_path / "whole.ivf", *VP9).read_bytes()
    source = tmp_path / "cut.ivf"
    source.write_bytes(whole[: 32 + sum(12 + len(packet) for packet in packets(whole)[:kept]) + more])
    result = run(proxx, tmp_path, source, MOV)
    assert result["error"] is not None
    assert result["error"]["code"] == "SOURCE_DAMAGED"
    assert list((tmp_path / "proxies").iterdir()) == []


X264 = ("-c:v", "libx264", "-preset", "veryfast")
X265 = ("-c:v", "libx265", "-preset", "ultrafast")
QUIET = "log-level=none"
FIELDS = ("-flags", "+ildct+ilme")
BARE = {
    "progressive.m2v": (("-c:v", "mpeg2video", "-bf", "2"), "30000/1001"),
    "interlaced.m2v": (("-c:v", "mpeg2video", "-bf", "2", *FIELDS, "-vf", "setfield=tff"), "25"),
    "old.m1v": (("-c:v", "mpeg1video", "-bf", "2"), "24"),
    "open.h264": ((*X264, "-x264-params", "open-gop=1:keyint=12:bframes=5:b-pyramid=normal"), "24000/1001"),
    "buffered.h264": ((*X264, "-x264-params", "nal-hrd=vbr:vbv-maxrate=2000:vbv-bufsize=2000:pic-struct=1:slices=4"), "50"),
    "by-number.h264": ((*X264, "-bf", "0"), "25"),
    "adaptive.h264": ((*X264, *FIELDS, "-x264-params", "bff=1:bframes=3"), "25"),
}
"""File name: FFmpeg's options, and the rate."""

FORMATS = {".m2v": "mpeg2video", ".m1v": "mpeg1video", ".h264": "h264"}
PICTURES = {".m2v": rb"\0", ".h264": rb"[\x01\x41\x61\x65][\x80-\xff]"}
"""How a picture begins behind its start code."""


def in_a_container(folder: Path, name: str, frames: int = 50) -> Path:
    options, rate = BARE[name]
    return made(folder / f"{name}.mkv", *options, rate=rate, frames=frames)


def taken_out(source: Path, path: Path) -> Path:
    """The stream without its container."""
    ffmpeg("-i", source, "-map", "0:v", "-c", "copy", "-f", FORMATS[path.suffix], path)
    return path


def bare(folder: Path, name: str) -> Path:
    return taken_out(in_a_container(folder, name), folder / name)


def starts(path: Path) -> list[int]:
    """Where pictures begin."""
    pattern = rb"\x00\x00\x01" + PICTURES[path.suffix]
    return [match.start() for match in re.finditer(pattern, path.read_bytes(), re.DOTALL)]


def digests(path: Path) -> list[str]:
    command = ("ffmpeg", "-nostdin", "-v", "error", "-i", path, "-map", "0:v", "-f", "framemd5", "-")
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.rpartition(",")[2].strip() for line in said.splitlines() if not line.startswith("#")]


def refusal(result: Result, code: str) -> str:
    assert result["error"] is not None
    assert result["error"]["code"] == code, result["error"]
    return str(result["error"]["message"])


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", BARE)
def test_a_bare_stream_is_taken_as_frames_at_the_rate_that_it_says(proxx: Command, tmp_path: Path, name: str) -> None:
    rate, frames = Fraction(BARE[name][1]), 50
    wrapped = in_a_container(tmp_path, name, frames)
    source = taken_out(wrapped, tmp_path / name)
    fields = MOV if name.startswith(("interlaced", "adaptive")) else MXF if name.endswith("m2v") else MKV
    result = run(proxx, tmp_path, source, fields)
    proxy = proxy_of(result)
    assert times_of(proxy) == pytest.approx([float(number / rate) for number in range(frames)], abs=0.001)
    checks = {check["name"]: check for check in result["tasks"][0]["checks"]}
    assert (checks["frames_of_source"]["expected"], checks["frames_of_source"]["actual"]) == (frames, frames)
    assert any("states no duration" in note for note in result["tasks"][0]["source_media"]["notes"])
    (tmp_path / "beside").mkdir()
    assert digests(proxy) == digests(proxy_of(run(proxx, tmp_path / "beside", wrapped, fields)))


def test_two_pictures_of_one_field_each_are_a_frame(proxx: Command, tmp_path: Path, media: Path) -> None:
    """A camera's H.264: no encoder at hand codes so."""
    source = taken_out(media / "fixture-raw.mts", tmp_path / "fields.h264")
    result = run(proxx, tmp_path, source, MOV)
    assert times_of(proxy_of(result)) == pytest.approx([number * 1001 / 30000 for number in range(31)], abs=0.001)
    assert result["tasks"][0]["source_media"]["video"]["field_order"] == "tt"


def without_timing(content: bytes, header: bytes, scale: int, rest: str) -> bytes:
    """The stream with the timing taken out of the parameter sets that begin so. `rest`: bits that end it."""
    units = content.split(b"\0\0\1")
    for number, unit in enumerate(units):
        if unit.startswith(header):
            plain = b"\1" + unit.replace(b"\0\0\3", b"\0\0")
            bits = f"{int.from_bytes(plain):b}"[1:]
            timing = f"1{1:032b}{scale:032b}{rest}"
            assert bits.count(timing) == 1
            bits = bits.replace(timing, "0")
            bits += "0" * (-len(bits) % 8)
            units[number] = escaped(int(bits, 2).to_bytes(len(bits) // 8, "big"))
    return b"\0\0\1".join(units)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("by-number.h264", "a bare H.264 stream"),
        ("progressive.m2v", "a bare MPEG-2 stream"),
    ],
)
def test_a_stream_without_a_rate_is_refused_with_the_remedy(proxx: Command, tmp_path: Path, name: str, said: str) -> None:
    source = bare(tmp_path, name)
    content = source.read_bytes()
    source.write_bytes(
        without_timing(content, b"\x67", 50, "0")
        if name.endswith(".h264")
        else re.sub(rb"(\x00\x00\x01\xb3...)(.)", lambda found: found[1] + bytes([found[2][0] & 0xF0]), content, flags=re.DOTALL)
    )
    message = refusal(run(proxx, tmp_path, source, MOV), "SOURCE_UNSUPPORTED")
    assert f"{said} without a rate; wrap it in mov or mp4 at its rate" in message
    assert list((tmp_path / "proxies").iterdir()) == []


def test_pulldown_is_refused_with_the_reason(proxx: Command, tmp_path: Path) -> None:
    source = bare(tmp_path, "interlaced.m2v")
    content = bytearray(source.read_bytes())
    for match in re.finditer(rb"\x00\x00\x01\xb5[\x80-\x8f]", content):
        content[match.start() + 7] |= 0x02  # repeat_first_field
    source.write_bytes(content)
    message = refusal(run(proxx, tmp_path, source, MOV), "SOURCE_UNSUPPORTED")
    assert "a bare MPEG-2 stream with pulldown" in message


@pytest.mark.one_in(2)
@pytest.mark.parametrize("name", ["progressive.m2v", "interlaced.m2v", "open.h264", "by-number.h264"])
def test_a_picture_that_is_missing_in_the_middle_is_damage(proxx: Command, tmp_path: Path, name: str) -> None:
    source = bare(tmp_path, name)
    content, places = source.read_bytes(), starts(source)
    assert len(places) == 50
    source.write_bytes(content[: places[21]] + content[places[22] :])
    refusal(run(proxx, tmp_path, source, MOV), "SOURCE_DAMAGED")
    assert list((tmp_path / "proxies").iterdir()) == []


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", ["progressive.m2v", "interlaced.m2v", "old.m1v", "open.h264", "by-number.h264"])
@pytest.mark.parametrize("cut", [4, 20, 100])
def test_a_last_picture_that_is_cut_is_damage(proxx: Command, tmp_path: Path, name: str, cut: int) -> None:
    source = bare(tmp_path, name)
    source.write_bytes(source.read_bytes()[:-cut])
    refusal(run(proxx, tmp_path, source, MOV), "SOURCE_DAMAGED")


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("name", "frames"), [("progressive.m2v", 37), ("by-number.h264", 37), ("by-number.h264", 40)])
def test_what_ends_with_a_whole_picture_has_what_it_holds(proxx: Command, tmp_path: Path, name: str, frames: int) -> None:
    source = bare(tmp_path, name)
    source.write_bytes(source.read_bytes()[: starts(source)[frames]])
    assert frames_of(proxy_of(run(proxx, tmp_path, source, MOV))) == frames


def test_a_stream_that_is_cut_before_a_keyframe_begins_with_it(proxx: Command, tmp_path: Path) -> None:
    """Pictures that are shown before it and need others that are gone are left out, as by every player."""
    source = bare(tmp_path, "progressive.m2v")
    whole, held = source.read_bytes(), len(starts(source))
    source.write_bytes(whole[[match.start() for match in re.finditer(rb"\x00\x00\x01\xb3", whole)][1] :])
    left = len(starts(source))
    result = run(proxx, tmp_path, source, MOV)
    frames = frames_of(proxy_of(result))
    assert held > left > frames == frames_of(source)
    notes = result["tasks"][0]["source_media"]["notes"]
    assert any(note.startswith(f"frames left out at the beginning: {left - frames};") for note in notes)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("bare.m4v", ("-c:v", "mpeg4", "-f", "m4v"), "a bare MPEG-4 stream"),
        ("bare.hevc", (*X265, "-x265-params", QUIET), "a bare H.265 stream"),
        ("bare.obu", ("-c:v", "libaom-av1", "-cpu-used", "8"), "a bare AV1 stream"),
    ],
)
def test_other_streams_without_times_are_refused_with_the_remedy(
    proxx: Command, tmp_path: Path, name: str, options: tuple[str, ...], said: str
) -> None:
    message = refusal(run(proxx, tmp_path, made(tmp_path / name, *options, frames=10), MOV), "SOURCE_UNSUPPORTED")
    assert f"{said}: wrap it in mov or mp4 at its rate" in message
