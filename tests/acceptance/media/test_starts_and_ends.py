"""Recordings that begin between two keyframes, and ends that containers tell in several ways, complete; damage does not.

The judge of a beginning: every picture that the worker's own command presents is one of the whole clip's, byte for byte.
"""

import hashlib
import json
import struct
import subprocess
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg
from tests.acceptance.command import Command
from tests.acceptance.results import Result, parse_result
from tests.acceptance.specs import encode, explicit, jobspec

PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=2")
SOUND = ("-f", "lavfi", "-i", "anoisesrc=color=pink:sample_rate=48000:duration=2:seed=1")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
OPEN = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-x264-params", "open-gop=1:keyint=12:bframes=2:scenecut=0:b-adapt=0")
CLOSED = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-x264-params", "keyint=12:bframes=2:scenecut=0:b-adapt=0")
MPEG2 = ("-c:v", "mpeg2video", "-pix_fmt", "yuv420p", "-bf", "2", "-g", "12", "-c:a", "mp2")
PACKET = 188


def run(proxx: Command, folder: Path, source: Path, codec: str = "prores_proxy", container: str = "mov") -> Result:
    proxies = folder / "proxies"
    proxies.mkdir()
    spec = folder / "spec.json"
    spec.write_bytes(encode(jobspec(source, proxies, **explicit(codec, container))))
    return parse_result(proxx("run", spec).stdout)


def pictures(path: Path | str) -> Sequence[str]:
    """The decoded pictures' digests."""
    command = ("ffmpeg", "-nostdin", "-v", "quiet", "-i", path, "-map", "0:v", "-fps_mode", "passthrough", "-f", "framemd5", "-")
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.rpartition(",")[2].strip() for line in said.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("options", [OPEN, MPEG2], ids=["h264", "mpeg2"])
def test_a_recording_that_begins_between_keyframes_begins_with_its_first_whole_picture(
    proxx: Command, tmp_path: Path, options: tuple[str, ...]
) -> None:
    whole, cut = tmp_path / "whole.ts", tmp_path / "cut.ts"
    ffmpeg(*PICTURE, *(SOUND if options is MPEG2 else ()), *options, whole)
    data = whole.read_bytes()
    cut.write_bytes(data[len(data) // 3 // PACKET * PACKET :])
    result = run(proxx, tmp_path, cut)
    assert result["error"] is None
    checks = {check["name"]: check for check in result["tasks"][0]["checks"]}
    assert checks["frames"]["ok"]
    assert not [name for name, check in checks.items() if check["ok"] is False]
    # The same decoder as the worker's: what it gives of the cut clip is what it gives of the whole one.
    theirs, ours = pictures(whole), pictures(cut)
    assert len(ours) == checks["frames"]["actual"]
    assert list(ours) == list(theirs[len(theirs) - len(ours) :])
    assert hashlib.sha256(Path(result["tasks"][0]["output"]).read_bytes()).hexdigest() == result["tasks"][0]["output_sha256"]


HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-x265-params", "log-level=none:keyint=12")
AAC, MP2 = ("-c:a", "aac"), ("-c:a", "mp2")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Two seconds of picture and audio in a transport stream, made when asked for."""
    folder = tmp_path_factory.mktemp("recordings")
    kinds = {"h264": (*CLOSED, *AAC), "hevc": (*HEVC, *AAC), "mpeg2": MPEG2, "open": (*OPEN, *MP2)}

    def make(kind: str) -> Path:
        path = folder / f"{kind}.ts"
        if not path.exists():
            ffmpeg(*PICTURE, *SOUND, *kinds[kind], path)
        return path

    return make


def last_packet(data: bytes, stream: int) -> int:
    """How many transport packets stand behind the beginning of the last PES packet of the first or second stream."""
    packets = [data[at : at + PACKET] for at in range(0, len(data), PACKET)]
    begins = [place for place, it in enumerate(packets) if (it[1] & 0x5F, it[2]) == (0x41, stream)]
    return len(packets) - begins[-1] - 1


def within_picture(data: bytes, nth: int) -> int:
    """Where to cut so that the recording ends within a picture: the nth from the end of those that have three packets or more."""
    packets = [data[at : at + PACKET] for at in range(0, len(data), PACKET)]
    places = [place for place, it in enumerate(packets) if (it[1] & 0x1F, it[2]) == (1, 0)]
    begins = [at for at, place in enumerate(places) if packets[place][1] & 0x40]
    long = [begin for begin, following in pairwise([*begins, len(places)]) if following - begin > 2]
    return (places[long[-nth] + 1] + 1) * PACKET


@pytest.mark.one_in(3)
@pytest.mark.parametrize("kind", ["h264", "hevc", "mpeg2"])
@pytest.mark.parametrize("nth", [1, 4])
def test_a_recording_that_ends_within_a_picture_ends_with_the_one_before(
    proxx: Command, tmp_path: Path, recordings: Callable[[str], Path], kind: str, nth: int
) -> None:
    """FFmpeg's HEVC decoder shows such a picture, filled up, and says nothing."""
    whole, cut = recordings(kind), tmp_path / "cut.ts"
    data = whole.read_bytes()
    cut.write_bytes(data[: within_picture(data, nth)])
    result = run(proxx, tmp_path, cut)
    assert result["error"] is None
    (task,) = result["tasks"]
    checks = {check["name"]: check for check in task["checks"]}
    assert not [name for name, check in checks.items() if check["ok"] is False]
    shown = checks["frames"]["actual"]
    assert checks["frames_left_out_at_end"]["actual"] == f"1 of {shown + 1}, at the end and not known to be whole"
    assert (
        "the recording ends without a sign that its last frame is complete, so that frame was left out"
        in task["source_media"]["notes"]
    )
    # What the worker's own input gives, are pictures of the whole recording and no others.
    source = task["command"][task["command"].index("-i") + 1].replace("/dev/fd/0", str(cut))
    ours, theirs = pictures(source), pictures(whole)
    assert len(ours) == shown
    assert shown > len(theirs) // 2
    assert list(ours[:-3]) == list(theirs[: len(ours) - 3])
    assert set(ours) <= set(theirs)


@pytest.mark.parametrize("kind", ["h264", "mpeg2"])
def test_a_recording_that_ends_within_a_packet_of_audio_ends_with_the_one_before(
    proxx: Command, tmp_path: Path, recordings: Callable[[str], Path], kind: str
) -> None:
    whole, cut = recordings(kind), tmp_path / "cut.ts"
    data = whole.read_bytes()
    cut.write_bytes(data[: len(data) - (last_packet(data, 1) - 1) * PACKET])
    result = run(proxx, tmp_path, cut)
    assert result["error"] is None
    (task,) = result["tasks"]
    checks = {check["name"]: check["actual"] for check in task["checks"]}
    assert checks["audio_0_holes"] == 0
    assert 1.8 <= float(checks["audio_0_duration"]) < 2
    assert task["source_media"]["notes"][-1] == (
        "the recording ends within the last packets of audio or data (1), which were left out"
    )


@pytest.mark.parametrize("stream", [0, 1], ids=["picture", "audio"])
def test_packets_lost_further_in_are_damage_whatever_the_end(
    proxx: Command, tmp_path: Path, recordings: Callable[[str], Path], stream: int
) -> None:
    """The option that drops an incomplete last packet of audio would drop others, too."""
    data = recordings("open").read_bytes()
    data = data[: len(data) - (last_packet(data, 1) - 1) * PACKET]
    packets = [data[at : at + PACKET] for at in range(0, len(data), PACKET)]
    inside = [place for place, it in enumerate(packets) if (it[1] & 0x5F, it[2]) == (1, stream)]
    del packets[inside[len(inside) // 2]]
    lossy = tmp_path / "lossy.ts"
    lossy.write_bytes(b"".join(packets))
    result = run(proxx, tmp_path, lossy)
    assert result["error"] is not None
    assert result["error"]["code"] == "SOURCE_DAMAGED"


def test_packets_lost_in_the_middle_are_damage(proxx: Command, tmp_path: Path) -> None:
    whole, lossy = tmp_path / "whole.ts", tmp_path / "lossy.ts"
    ffmpeg(*PICTURE, *OPEN, whole)
    data = whole.read_bytes()
    half = len(data) // 2 // PACKET * PACKET
    lossy.write_bytes(data[:half] + data[half + 40 * PACKET :])
    result = run(proxx, tmp_path, lossy)
    assert result["error"] is not None
    assert result["error"]["code"] == "SOURCE_DAMAGED"


def test_subtitles_may_outlast_the_picture(proxx: Command, tmp_path: Path) -> None:
    titles, source = tmp_path / "titles.srt", tmp_path / "titled.mkv"
    titles.write_text("1\n00:00:00,500 --> 00:00:09,000\nhello\n")
    ffmpeg(*PICTURE, *SOUND, "-i", titles, *H264, "-c:a", "aac", "-c:s", "srt", "-map", "0", "-map", "1", "-map", "2", source)
    assert run(proxx, tmp_path, source)["error"] is None


def test_fragments_need_not_begin_at_0(proxx: Command, tmp_path: Path) -> None:
    source = tmp_path / "fragments.mp4"
    ffmpeg(
        *PICTURE, *SOUND, *H264, "-g", "5", "-c:a", "aac", "-output_ts_offset", "10", "-avoid_negative_ts", "disabled",
        "-movflags", "frag_keyframe+empty_moov+default_base_moof", source,
    )  # fmt: skip
    assert run(proxx, tmp_path, source)["error"] is None


def trimmed(path: Path, frames: int, *options: str) -> None:
    """A movie of 25 pictures whose edit begins so many of them later than its first one, and is as long as the whole."""
    ffmpeg(*PICTURE, "-frames:v", "25", *CLOSED, *options, path)
    data = bytearray(path.read_bytes())
    (edit,) = (at for at in range(len(data)) if data[at : at + 4] == b"elst")
    lasts, first = struct.unpack_from(">Ii", data, edit + 12)
    assert (lasts, first) == (1000, 1024)
    struct.pack_into(">i", data, edit + 16, first + frames * 512)
    path.write_bytes(data)


def emptied(path: Path, *packets: int) -> None:
    """A movie whose packets of these numbers have no bytes any more. Each of them lies in a chunk of its own."""
    ffmpeg(*PICTURE, *SOUND, "-t", "1", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-c:a", "pcm_s16le", path)
    data = bytearray(path.read_bytes())
    table = data.index(b"stsz")
    assert struct.unpack_from(">II", data, table + 8) == (0, 25)
    for packet in packets:
        struct.pack_into(">I", data, table + 16 + 4 * packet, 0)
    path.write_bytes(data)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("name", "frames"), [("b.mov", 1), ("b.mp4", 2), ("b.mp4", 3)])
def test_a_trim_that_begins_on_a_b_frame_was_not_cut_off(proxx: Command, tmp_path: Path, name: str, frames: int) -> None:
    whole, source = tmp_path / "whole.mp4", tmp_path / name
    trimmed(source, frames)
    trimmed(whole, 0)
    result = run(proxx, tmp_path, source)
    assert result["error"] is None
    checks = {check["name"]: check for check in result["tasks"][0]["checks"]}
    assert checks["frames_of_source"] == {
        "name": "frames_of_source", "expected": 25 - frames, "actual": 25 - frames, "ok": True
    }  # fmt: skip
    assert list(pictures(source)) == list(pictures(whole)[frames:])


@pytest.mark.parametrize("lost", [1, 2])
def test_a_trimmed_movie_that_a_copy_cut_off_is_damaged(proxx: Command, tmp_path: Path, lost: int) -> None:
    """Cut where a packet ends, so that FFmpeg says nothing of it."""
    source = tmp_path / "cut.mov"
    trimmed(source, 1, "-movflags", "+faststart")
    command = ("ffprobe", "-v", "error", "-show_entries", "packet=pos", "-of", "json", source)
    listed = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["packets"]
    source.write_bytes(source.read_bytes()[: sorted(int(packet["pos"]) for packet in listed)[-lost]])
    result = run(proxx, tmp_path, source)
    assert result["error"] is not None
    assert result["error"]["code"] == "SOURCE_DAMAGED"
    assert f"after {24 - lost} frames, but its container promises 24 frames: it was cut off" in result["error"]["message"]


def test_packets_that_only_repeat_the_picture_are_no_pictures(proxx: Command, tmp_path: Path) -> None:
    source = tmp_path / "drops.mov"
    emptied(source, 12, 22, 23, 24)
    result = run(proxx, tmp_path, source)
    assert result["error"] is None
    (task,) = result["tasks"]
    checks = {check["name"]: check for check in task["checks"]}
    assert checks["frames_of_source"]["expected"] == checks["frames_of_source"]["actual"] == 21
    assert task["source_media"]["notes"] == [
        "4 of 25 video packets are empty: they repeat the frame before them, and were left out"
    ]


def test_a_first_packet_without_a_picture_is_one_that_does_not_decode(proxx: Command, tmp_path: Path) -> None:
    source = tmp_path / "late.mov"
    emptied(source, 0)
    result = run(proxx, tmp_path, source)
    assert result["error"] is None
    (task,) = result["tasks"]
    checks = {check["name"]: check["actual"] for check in task["checks"]}
    assert checks["frames_left_out"] == "1 of 25, before the first that decodes"
    note = "frames left out at the beginning: 1; they do not decode, and no player shows them"
    assert note in task["source_media"]["notes"]


UNKNOWN = {"mvhd": (4, 16), "tkhd": (4, 20), "mdhd": (4, 16)}
"""Where the duration is in each header of version 0: its length, and its offset behind the header's name."""


@pytest.mark.one_in(3)
@pytest.mark.parametrize("headers", [("mvhd", "tkhd"), ("mvhd", "tkhd", "mdhd")])
# Not MXF of fragments: FFmpeg moves all their pictures but the first by the audio's priming, which is a variable rate.
@pytest.mark.parametrize(
    ("codec", "container", "fragmented"),
    [("prores_proxy", "mov", False), ("prores_proxy", "mov", True), ("dnxhr", "mxf", False)],
)
def test_a_duration_that_a_movie_does_not_know_promises_nothing(
    proxx: Command, tmp_path: Path, headers: tuple[str, ...], codec: str, container: str, fragmented: bool
) -> None:
    source = tmp_path / "live.mp4"
    tone = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=1")
    pieces = ("-movflags", "frag_keyframe+empty_moov") if fragmented else ()
    ffmpeg(*PICTURE, *tone, "-t", "1", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "0", "-c:a", "aac", *pieces, source)
    data = bytearray(source.read_bytes())
    for header in headers:
        length, behind = UNKNOWN[header]
        at = data.find(header.encode())
        while at >= 0:
            assert data[at + 4] == 0
            data[at + 4 + behind : at + 4 + behind + length] = b"\xff" * length
            at = data.find(header.encode(), at + 4)
    source.write_bytes(data)
    result = run(proxx, tmp_path, source, codec, container)
    assert result["error"] is None, result["error"]
    (task,) = result["tasks"]
    assert float(Fraction(task["source_media"]["duration"] or 0)) < 1.1
    checks = {check["name"]: check for check in task["checks"]}
    assert checks["frames"]["actual"] == 25


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("suffix", "options", "said"),
    [
        ("mxf", ("-c:v", "mpeg2video", "-q:v", "2"), "after 15 frames, but its container promises 25 frames"),
        ("mov", ("-c:v", "prores_ks"), "after 15 frames, but its container promises 25 frames"),
        ("avi", ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p"), "after 0.600 s, but its container promises 0."),
        # Its decoder complains about what there is of the last packet in some FFmpegs, and in others it does not see it.
        ("mov", (*H264, "-bf", "0"), "after 15 frames, but its container promises 25 frames"),
    ],
)
def test_a_file_that_ends_within_a_packet_ends_after_so_many_frames(
    proxx: Command, tmp_path: Path, suffix: str, options: tuple[str, ...], said: str
) -> None:
    source = tmp_path / f"cut.{suffix}"
    faststart = ("-movflags", "+faststart") if suffix == "mov" else ()
    ffmpeg(*PICTURE, "-t", "1", *options, *faststart, source)
    command = ("ffprobe", "-v", "error", "-show_entries", "packet=pos,size", "-of", "json", source)
    packet = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["packets"][15]
    source.write_bytes(source.read_bytes()[: int(packet["pos"]) + int(packet["size"]) // 2])
    error = run(proxx, tmp_path, source)["error"]
    assert error is not None
    assert error["code"] == "SOURCE_DAMAGED"
    assert said in error["message"]
    assert "it was cut off" in error["message"]
    assert "corrupt" not in error["message"]


def test_a_packet_of_a_wrong_size_in_the_middle_is_damage_there(proxx: Command, tmp_path: Path) -> None:
    """It has fewer bytes than the container says, as the last packet of a file that was cut off has. More packets follow.

    The audio between the frames gives each its own chunk, so that the size moves no other.
    """
    source = tmp_path / "middle.mov"
    ffmpeg(*PICTURE, *SOUND, "-t", "1", *H264, "-bf", "0", "-c:a", "aac", source)
    data = bytearray(source.read_bytes())
    struct.pack_into(">I", data, data.find(b"stsz") + 16 + 4 * 10, len(data))
    source.write_bytes(data)
    error = run(proxx, tmp_path, source)["error"]
    assert error is not None
    assert error["code"] == "SOURCE_DAMAGED"
    assert "in 1 place (video near 0.400 s)" in error["message"]
    assert "cut off" not in error["message"]


def test_audio_that_is_cut_off_after_the_last_picture_is_told_as_audio(proxx: Command, tmp_path: Path) -> None:
    """The rate in decimals is taken for 30000/1001, by which so many frames end a little before the stated duration."""
    source = tmp_path / "audio.mov"
    rate = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=29.97:duration=1")
    ffmpeg(*rate, *SOUND, *H264, "-c:a", "aac", "-t", "1.1", "-movflags", "+faststart", source)
    command = ("ffprobe", "-v", "error", "-select_streams", "a", "-show_entries", "packet=pos,size", "-of", "json", source)
    last = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["packets"][-1]
    source.write_bytes(source.read_bytes()[: int(last["pos"]) + int(last["size"]) // 2])
    error = run(proxx, tmp_path, source)["error"]
    assert error is not None
    assert error["code"] == "SOURCE_DAMAGED"
    assert "audio stream 1 near" in error["message"]
    assert "cut off" not in error["message"]


@pytest.mark.parametrize("proxy", [("prores_proxy", "mov"), ("dnxhr", "mxf")], ids=["mov", "mxf"])
@pytest.mark.parametrize("options", [("-c:v", "mpeg4", "-bf", "2"), ("-c:v", "mpeg2video", "-bf", "2"), CLOSED])
def test_an_avi_with_b_frames_leaves_none_out(
    proxx: Command, tmp_path: Path, options: tuple[str, ...], proxy: tuple[str, str]
) -> None:
    """It has no presentation times, so its first frame comes later by the decoder's delay."""
    source = tmp_path / "b.avi"
    ffmpeg(*PICTURE, "-t", "1", *options, source)
    result = run(proxx, tmp_path, source, *proxy)
    assert result["error"] is None
    (task,) = result["tasks"]
    checks = {check["name"]: check["actual"] for check in task["checks"]}
    assert checks["frames"] == 25
    assert "frames_left_out" not in checks
    assert not [note for note in task["source_media"]["notes"] if "left out" in note]


def test_an_avi_that_lost_its_beginning_tells_how_many_frames_beside_the_delay(proxx: Command, tmp_path: Path) -> None:
    """Its first five packets are gone, and with them the first keyframe: nothing decodes before the second, 12 pictures in."""
    whole, source = tmp_path / "whole.avi", tmp_path / "late.avi"
    ffmpeg(*PICTURE, *CLOSED, whole)
    ffmpeg("-i", whole, "-c", "copy", "-copyinkf", "-ss", "0.2", source)
    result = run(proxx, tmp_path, source)
    assert result["error"] is None
    (task,) = result["tasks"]
    checks = {check["name"]: check["actual"] for check in task["checks"]}
    assert (checks["frames"], checks["frames_left_out"]) == (38, "7 of 45, before the first that decodes")
    assert task["source_media"]["notes"] == ["frames left out at the beginning: 7; they do not decode, and no player shows them"]
    assert list(pictures(source)) == list(pictures(whole)[12:])


def test_chunks_of_an_avi_that_only_repeat_the_picture_are_no_pictures(proxx: Command, tmp_path: Path) -> None:
    source = tmp_path / "drops.avi"
    ffmpeg(*PICTURE, "-t", "1", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", source)
    data = bytearray(source.read_bytes())
    movie, index = data.index(b"movi"), data.rindex(b"idx1") + 8
    for packet in (12, 21, 22, 23, 24):
        entry = index + 16 * packet
        at, length = movie + struct.unpack_from("<I", data, entry + 8)[0], struct.unpack_from("<I", data, entry + 12)[0]
        assert data[at : at + 8] == b"00dc" + struct.pack("<I", length)
        struct.pack_into("<I4sI", data, at + 4, 0, b"JUNK", length - 8)
        struct.pack_into("<I", data, entry + 12, 0)
    source.write_bytes(data)
    result = run(proxx, tmp_path, source)
    assert result["error"] is None
    (task,) = result["tasks"]
    assert {check["name"]: check["actual"] for check in task["checks"]}["frames"] == 20
    assert task["source_media"]["notes"] == [
        "5 of 25 video packets are empty: they repeat the frame before them, and were left out"
    ]
