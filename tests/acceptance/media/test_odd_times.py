"""Sources whose times or counts are odd: what completes is compared with the source by ffprobe, what is refused says why."""

import random
import struct
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg
from tests.acceptance.command import Command
from tests.acceptance.results import Result, parse_result
from tests.acceptance.specs import encode, explicit, jobspec

PICTURE = "testsrc2=size=320x180:rate={rate}:duration=2"
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "0")
DV_FRAME = 144_000
DEFAULT_DURATION = bytes.fromhex("23e383")


def run(proxx: Command, folder: Path, source: Path, codec: str = "prores_proxy", container: str = "mov") -> Result:
    proxies = folder / "proxies"
    proxies.mkdir()
    spec = folder / "spec.json"
    spec.write_bytes(encode(jobspec(source, proxies, **explicit(codec, container))))
    return parse_result(proxx("run", spec).stdout)


def times(path: Path) -> list[float]:
    """When each frame is shown, from the first one, as ffprobe reads it."""
    command = (
        "ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=pts_time", "-of", "csv=p=0", path,
    )  # fmt: skip
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    found = [float(word.strip(",")) for word in said]
    return [time - found[0] for time in found]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("more", [DV_FRAME // 3, DV_FRAME * 4 // 5, 0])
def test_bare_dv_that_ends_within_a_frame_is_cut_off(proxx: Command, tmp_path: Path, more: int) -> None:
    whole, cut = tmp_path / "whole.dv", tmp_path / "cut.dv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=720x576:rate=25:duration=0.2", "-c:v", "dvvideo", "-pix_fmt", "yuv420p", whole)
    cut.write_bytes(whole.read_bytes()[: 2 * DV_FRAME + more])
    error = run(proxx, tmp_path, cut)["error"]
    assert (error and error["code"]) == ("SOURCE_DAMAGED" if more else None)


def _without_frame_length(data: bytes) -> bytes:
    """Matroska whose picture has no DefaultDuration: padding stands in its place. FFmpeg 7.1 writes none for uneven times."""
    at = data.find(DEFAULT_DURATION)
    if at < 0:
        return data
    size = data[at + 3] & 0x7F
    return data[:at] + bytes([0xEC, 0x80 | (size + 2)]) + bytes(size + 2) + data[at + 4 + size :]


def _claiming(data: bytes, nanoseconds: int) -> bytes:
    at = data.index(DEFAULT_DURATION)
    size = data[at + 3] & 0x7F
    return data[: at + 4] + nanoseconds.to_bytes(size, "big") + data[at + 4 + size :]


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("codec", "container"), [("prores_proxy", "mov"), ("h264", "mp4"), ("h265", "mkv"), ("dnxhr", "mxf")])
def test_frames_on_every_second_place_have_half_the_claimed_rate(
    proxx: Command, tmp_path: Path, codec: str, container: str
) -> None:
    plain, source = tmp_path / "plain.mkv", tmp_path / "claims60.mkv"
    tone = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=2", "-c:a", "pcm_s16le")
    ffmpeg("-f", "lavfi", "-i", PICTURE.format(rate=30), *tone[:4], *H264, *tone[4:], plain)
    source.write_bytes(_claiming(plain.read_bytes(), 16_666_667))
    result = run(proxx, tmp_path, source, codec, container)
    assert result["error"] is None
    checks = {check["name"]: check for check in result["tasks"][0]["checks"]}
    assert checks["rate_of_source"] == {"name": "rate_of_source", "expected": "60", "actual": "30", "ok": None}
    shown = times(Path(result["tasks"][0]["output"]))
    assert len(shown) == 60
    assert max(abs(time - place / 30) for place, time in enumerate(shown)) <= 0.001


@pytest.mark.one_in(4)
@pytest.mark.parametrize(("codec", "container"), [("prores_proxy", "mov"), ("h264", "mp4"), ("h265", "mkv"), ("dnxhr", "mxf")])
@pytest.mark.parametrize("claims", [True, False])
def test_a_recording_of_uneven_times_keeps_each(proxx: Command, tmp_path: Path, codec: str, container: str, claims: bool) -> None:
    plain, source = tmp_path / "plain.webm", tmp_path / "screen.webm"
    ffmpeg(
        "-f", "lavfi", "-i", PICTURE.format(rate=30), "-vf", "settb=1/1000,setpts='N*33+mod(N*N,7)'", "-fps_mode", "passthrough",
        "-enc_time_base", "1/1000", "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", plain,
    )  # fmt: skip
    source.write_bytes(plain.read_bytes() if claims else _without_frame_length(plain.read_bytes()))
    result = run(proxx, tmp_path, source, codec, container)
    if container == "mxf":
        assert result["error"] is not None
        assert result["error"]["code"] == "SOURCE_UNSUPPORTED"
        assert "mov" in result["error"]["message"]
        return
    assert result["error"] is None
    theirs, ours = times(source), times(Path(result["tasks"][0]["output"]))
    assert len(theirs) == len(ours) == 60
    assert max(abs(one - other) for one, other in zip(theirs, ours, strict=True)) <= 0.001


def test_times_that_repeat_are_the_sources_damage(proxx: Command, tmp_path: Path) -> None:
    source = tmp_path / "repeats.mkv"
    backward = "setts=pts=PTS-40*eq(N\\,20):dts=DTS-40*eq(N\\,20)"
    ffmpeg("-f", "lavfi", "-i", PICTURE.format(rate=25), "-c:v", "mpeg4", "-bsf:v", backward, source)
    error = run(proxx, tmp_path, source)["error"]
    assert error is not None
    assert (error["code"], error["details"]["near_seconds"]) == ("SOURCE_DAMAGED", "0.760")


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("codec", "container"), [("prores_proxy", "mov"), ("dnxhr", "mov"), ("dnxhr", "mxf")])
@pytest.mark.parametrize(
    ("written", "meant", "said"),
    [
        ("2997/100", 30000 / 1001, "30000/1001"),
        ("2997/125", 24000 / 1001, "24000/1001"),
        ("1000000/33333", 30, "30"),
    ],
)
def test_rates_written_in_decimals_are_what_they_mean(
    proxx: Command, tmp_path: Path, written: str, meant: float, said: str, codec: str, container: str
) -> None:
    source = tmp_path / "decimal.mov"
    ffmpeg("-f", "lavfi", "-i", PICTURE.format(rate=written), "-c:v", "prores_ks", "-profile:v", "0", source)
    result = run(proxx, tmp_path, source, codec, container)
    assert result["error"] is None
    checks = {check["name"]: check for check in result["tasks"][0]["checks"]}
    assert checks["frame_rate"]["expected"] == checks["frame_rate"]["actual"] == said
    theirs, ours = times(source), times(Path(result["tasks"][0]["output"]))
    assert len(theirs) == len(ours)
    assert max(abs(one - other) for one, other in zip(theirs, ours, strict=True)) <= 0.1 / meant


def _bundled(data: bytes, frames: int) -> bytes:
    """A movie whose AMR has so many frames a packet, one packet a chunk. Its chunks hold that many frames already."""
    movie = bytearray(data)
    track = movie.rfind(b"trak", 0, movie.index(b"samr"))

    def table(name: bytes) -> int:
        return movie.index(name, track) + 8

    assert struct.unpack_from(">IIII", movie, table(b"stsc")) == (1, 1, frames, 1)
    size, count = struct.unpack_from(">II", movie, table(b"stsz"))
    struct.pack_into(">I", movie, table(b"stsc") + 8, 1)
    struct.pack_into(">II", movie, table(b"stsz"), size * frames, count // frames)
    struct.pack_into(">II", movie, table(b"stts") + 4, count // frames, 160 * frames)
    return bytes(movie)


@pytest.mark.parametrize("bundled", [True, False])
def test_amr_is_carried_whole_or_refused(proxx: Command, tmp_path: Path, bundled: bool) -> None:
    amr, source = tmp_path / "sound.amr", tmp_path / "clip.mov"
    noise = random.Random(7)  # noqa: S311 - the same every time
    amr.write_bytes(b"#!AMR\n" + b"".join(b"\x3c" + noise.randbytes(30) + b"\x00" for _ in range(100)))
    ffmpeg("-f", "lavfi", "-i", PICTURE.format(rate=10), "-i", amr, *H264, "-c:a", "copy", source)
    whole = _decoded_samples(source)
    if bundled:
        source.write_bytes(_bundled(source.read_bytes(), 5))
    error = run(proxx, tmp_path, source)["error"]
    carried = _decoded_samples(source) == whole
    assert (error and error["code"]) == (None if carried else "SOURCE_UNSUPPORTED")
    assert error is None or "5 AMR frames in each packet" in error["message"]


def _decoded_samples(path: Path) -> int:
    command = ("ffmpeg", "-nostdin", "-v", "error", "-i", path, "-map", "0:a", "-f", "s16le", "-")
    return len(subprocess.run(command, check=True, capture_output=True).stdout) // 2


def test_a_trimmed_movie_keeps_its_constant_rate(proxx: Command, tmp_path: Path) -> None:
    whole, source = tmp_path / "whole.mov", tmp_path / "trimmed.mov"
    ffmpeg("-f", "lavfi", "-i", PICTURE.format(rate="30000/1001"), *H264, "-g", "30", "-video_track_timescale", "600", whole)
    ffmpeg("-ss", "0.72", "-i", whole, "-t", "1", "-c", "copy", "-video_track_timescale", "600", source)
    result = run(proxx, tmp_path, source)
    assert result["error"] is None
    checks = {check["name"]: check for check in result["tasks"][0]["checks"]}
    assert checks["frame_rate"]["actual"] == "30000/1001"
    theirs, ours = times(source), times(Path(result["tasks"][0]["output"]))
    assert len(theirs) == len(ours)
    assert max(abs(one - other) for one, other in zip(theirs, ours, strict=True)) <= 2 / 600


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("codec", "container"), [("prores_proxy", "mov"), ("h264", "mp4"), ("dnxhr", "mxf")])
def test_sound_that_a_transport_stream_ends_early_is_as_long_as_it_is(
    proxx: Command, tmp_path: Path, codec: str, container: str
) -> None:
    source = tmp_path / "short.ts"
    tone = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=1.2")
    ffmpeg("-f", "lavfi", "-i", PICTURE.format(rate=25), *tone, "-c:v", "mpeg2video", "-q:v", "2", "-c:a", "mp2", source)
    result = run(proxx, tmp_path, source, codec, container)
    assert result["error"] is None
    if container == "mov":
        assert _decoded_samples(Path(result["tasks"][0]["output"])) == _decoded_samples(source)
