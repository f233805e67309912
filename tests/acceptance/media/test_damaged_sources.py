"""Sources that are damaged, cut off, locked, or no clips: each is refused by the code that fits, with where or why; none is guessed at."""  # noqa: E501

import json
import random
import shlex
import signal
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.clips import ffmpeg, tool
from tests.acceptance.command import Command
from tests.acceptance.results import names, parse_result
from tests.acceptance.specs import encode, jobspec
from tests.acceptance.stand_ins import program

FASTSTART = ("-movflags", "+faststart")
KINDS = {
    "h264.mp4": ("-c:v", "libx264", "-preset", "veryfast", "-c:a", "aac", *FASTSTART),
    "hevc.mp4": ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", "-c:a", "aac", *FASTSTART),
    "av1.mp4": ("-c:v", "libsvtav1", "-preset", "12", "-c:a", "aac", *FASTSTART),
    "prores.mov": ("-c:v", "prores_ks", "-c:a", "pcm_s16le", *FASTSTART),
    "h264.mkv": ("-c:v", "libx264", "-preset", "veryfast", "-c:a", "aac"),
    "mpeg2.ts": ("-c:v", "mpeg2video", "-b:v", "4M", "-c:a", "mp2"),
    "mpeg2.mxf": ("-c:v", "mpeg2video", "-b:v", "4M", "-pix_fmt", "yuv422p", "-c:a", "pcm_s16le"),
    "dnxhr.mxf": ("-c:v", "dnxhd", "-profile:v", "dnxhr_lb", "-pix_fmt", "yuv422p", "-c:a", "pcm_s16le"),
    "mjpeg.avi": ("-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj422p", "-c:a", "pcm_s16le"),
}
QUICK = ("h264.mp4", "dnxhr.mxf")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Three seconds of a kind, made when asked for."""
    folder = tmp_path_factory.mktemp("whole")

    def make(name: str) -> Path:
        path = folder / name
        if not path.exists():
            ffmpeg(
                "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=3,noise=alls=8:allf=t:all_seed=1,format=yuv420p",
                "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=3", *KINDS[name], path,
            )  # fmt: skip
        return path

    return make


@dataclass(frozen=True, slots=True)
class Outcome:
    """A job's end: what it published, its error (None: completed), its result."""

    published: list[str]
    error: dict[str, Any] | None
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bench:
    """Runs jobs of one source."""

    proxx: Command
    folder: Path

    def spoiled(self, name: str, data: bytes) -> Path:
        """A source of these bytes."""
        path = self.folder / name
        path.write_bytes(data)
        return path

    def run(self, source: Path, **fields: Any) -> Outcome:  # noqa: ANN401 - any JSON value
        """One job, ProRes Proxy unless told otherwise."""
        proxies = self.folder / "proxies"
        proxies.mkdir(exist_ok=True)
        spec = self.folder / "spec.json"
        spec.write_bytes(encode(jobspec(source, proxies, **{"proxy_profile": "proxy_prores_proxy", **fields})))
        ended = self.proxx("run", spec)
        result = parse_result(ended.stdout)
        return Outcome(names(proxies), result["error"], result)


@pytest.fixture
def bench(proxx: Command, tmp_path: Path) -> Bench:
    """Room for a job."""
    return Bench(proxx, tmp_path)


def cases() -> list[Any]:
    """Every kind; most of them take their time."""
    return [pytest.param(name, marks=() if name in QUICK else pytest.mark.heavy) for name in KINDS]


def is_refused(outcome: Outcome, code: str, *words: str) -> dict[str, Any]:
    """That nothing was published, and why; gives the error's details."""
    assert outcome.published == []
    assert outcome.error is not None
    assert outcome.error["code"] == code
    for word in words:
        assert word in outcome.error["message"]
    details: dict[str, Any] = outcome.error["details"]
    return details


@pytest.mark.parametrize("name", cases())
def test_bits_flipped_in_the_middle(bench: Bench, whole: Callable[[str], Path], name: str) -> None:
    data = bytearray(whole(name).read_bytes())
    chance = random.Random(5)  # noqa: S311 - the same bits every time
    for _ in range(40):
        data[len(data) // 3 + chance.randrange(len(data) // 3)] ^= 1 << chance.randrange(8)
    details = is_refused(bench.run(bench.spoiled(name, bytes(data))), "SOURCE_DAMAGED", "near", "deliver the clip again")
    assert 0 <= float(details["near_seconds"]) <= 3
    assert details["places_complete"] is True


@pytest.mark.parametrize("name", cases())
def test_cut_off_at_sixty_hundredths(bench: Bench, whole: Callable[[str], Path], name: str) -> None:
    data = whole(name).read_bytes()
    outcome = bench.run(bench.spoiled(name, data[: len(data) * 6 // 10]))
    if name == "mpeg2.ts":
        # A transport stream promises no length: nobody can know that there was more. All that is there is in the proxy.
        assert outcome.error is None
        (frames,) = (c for c in outcome.result["tasks"][0]["checks"] if c["name"] == "frames")
        assert frames["ok"] is True
        return
    is_refused(outcome, "SOURCE_DAMAGED", "deliver the clip again")


@pytest.mark.parametrize("name", cases())
def test_whole_it_is_fine(bench: Bench, whole: Callable[[str], Path], name: str) -> None:
    outcome = bench.run(whole(name))
    assert outcome.error is None
    assert len(outcome.published) == 1


@pytest.fixture
def two_sounds(tmp_path: Path) -> tuple[bytes, list[list[tuple[int, int]]]]:
    """An MP4 of two AAC streams: its bytes, and the place and size of every packet of each of them."""
    path = tmp_path / "two.mp4"
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=3",
        "-f", "lavfi", "-i", "anoisesrc=r=48000:d=3:a=0.3:seed=7", "-map", "0", "-map", "1", "-map", "1",
        *KINDS["h264.mp4"], path,
    )  # fmt: skip
    listed = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "a", "-show_entries", "packet=stream_index,pos,size", "-of", "json", path],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    packets: list[list[tuple[int, int]]] = [[], []]
    for packet in json.loads(listed)["packets"]:
        packets[packet["stream_index"] - 1].append((int(packet["pos"]), int(packet["size"])))
    return path.read_bytes(), packets


COPIED = {"proxy_profile": "proxy_h264_low"}


# The first packet of AAC is its priming: the packet at n decodes to what is heard from (n - 1) * 1024 samples on.
@pytest.mark.one_in(2)
@pytest.mark.parametrize(("stream", "damaged", "near"), [(0, [60], 59), (1, [60, 61], 59), (0, [140], 139), (1, [1, 2, 3], 0)])
def test_damaged_sound_that_is_copied(
    bench: Bench, two_sounds: tuple[bytes, list[list[tuple[int, int]]]], stream: int, damaged: list[int], near: int
) -> None:
    """Nothing decodes it before the proxy is verified; still it is known to be the source's fault, in which stream, and where.

    One or two packets at the very start that decode to nothing without a complaint pass for silent ones of an encoder.
    """
    data, packets = bytearray(two_sounds[0]), two_sounds[1][stream]
    for place in damaged:
        at, size = packets[place]
        data[at : at + size] = b"\xa5" * size
    outcome = bench.run(bench.spoiled("sound.mp4", bytes(data)), **COPIED)
    details = is_refused(outcome, "SOURCE_DAMAGED", f"audio stream {stream + 1}: ", "deliver the clip again")
    assert details["stream"] == stream + 1
    assert float(details["near_seconds"]) == pytest.approx(near * 1024 / 48000, abs=0.001)


def test_damaged_sound_that_looks_like_another_packing_of_aac(
    bench: Bench, two_sounds: tuple[bytes, list[list[tuple[int, int]]]]
) -> None:
    """The first packet overwritten by ones begins as an ADTS frame does, and FFmpeg looks into it while it copies."""
    data, ((at, size), *_) = bytearray(two_sounds[0]), two_sounds[1][0]
    data[at : at + size] = b"\xff" * size
    details = is_refused(bench.run(bench.spoiled("sound.mp4", bytes(data)), **COPIED), "SOURCE_DAMAGED", "near")
    assert 0 <= float(details["near_seconds"]) <= 3  # where the picture is by then, which other threads work on


@pytest.mark.parametrize("name", ["h264.mp4", pytest.param("hevc.mp4", marks=pytest.mark.heavy)])
def test_a_movie_with_copied_audio_that_was_cut_off(bench: Bench, whole: Callable[[str], Path], name: str) -> None:
    data = whole(name).read_bytes()
    outcome = bench.run(bench.spoiled(name, data[: len(data) * 6 // 10]), **COPIED)
    is_refused(outcome, "SOURCE_DAMAGED", "deliver the clip again")


def test_a_movie_whose_index_was_cut_away(bench: Bench, tmp_path: Path) -> None:
    late = tmp_path / "late.mov"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=1", "-c:v", "libx264", late)
    data = late.read_bytes()
    is_refused(bench.run(bench.spoiled("cut.mov", data[: data.index(b"moov") - 4])), "SOURCE_UNSUPPORTED", "moov atom not found")


def test_a_picture_shorter_than_its_container_says(bench: Bench, whole: Callable[[str], Path]) -> None:
    """Matroska keeps its length as a float of milliseconds; here it says ten seconds."""
    data = whole("h264.mkv").read_bytes()
    at = data.index(b"\x44\x89\x88") + 3
    assert 2900 < struct.unpack_from(">d", data, at)[0] < 3200
    longer = data[:at] + struct.pack(">d", 10_000.0) + data[at + 8 :]
    details = is_refused(bench.run(bench.spoiled("short.mkv", longer)), "SOURCE_DAMAGED", "promises 10.000 s")
    assert 2.9 < float(details["ends_at_seconds"]) < 3.2


def test_a_hole_in_a_transport_stream(bench: Bench, whole: Callable[[str], Path]) -> None:
    data = whole("mpeg2.ts").read_bytes()
    packet = 188
    start = len(data) // packet // 2 * packet
    is_refused(bench.run(bench.spoiled("hole.ts", data[:start] + data[start + 40 * packet :])), "SOURCE_DAMAGED", "near")


def test_a_picture_that_changes_its_size(bench: Bench, tmp_path: Path) -> None:
    parts = [tmp_path / "small.h264", tmp_path / "large.h264"]
    for path, size in zip(parts, ("320x180", "640x360"), strict=True):
        ffmpeg("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25:duration=1", "-c:v", "libx264", "-preset", "ultrafast", path)
    joined = bench.spoiled("joined.h264", b"".join(path.read_bytes() for path in parts))
    ffmpeg("-f", "h264", "-framerate", "25", "-i", joined, "-c", "copy", tmp_path / "joined.ts")
    is_refused(bench.run(tmp_path / "joined.ts"), "SOURCE_UNSUPPORTED", "changes size, format or orientation")


def test_an_encrypted_movie(bench: Bench, tmp_path: Path) -> None:
    locked = tmp_path / "locked.mp4"
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=1", "-c:v", "libx264",
        "-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb",
        "-encryption_kid", "a7e61c373e219033c21091fa607bf3b8", locked,
    )  # fmt: skip
    assert b"encv" in locked.read_bytes()
    is_refused(bench.run(locked), "SOURCE_UNSUPPORTED", "encrypted", "deliver it without protection")


def test_a_movie_whose_sound_alone_is_encrypted(bench: Bench, whole: Callable[[str], Path]) -> None:
    data = whole("h264.mp4").read_bytes()
    assert data.count(b"mp4a") == 1
    is_refused(bench.run(bench.spoiled("drm.m4v", data.replace(b"mp4a", b"drms"))), "SOURCE_UNSUPPORTED", "encrypted")


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("still.png", (), "PNG"),
        ("still.jpg", (), "JPEG"),
        ("still.tif", (), "TIFF"),
        ("still.dpx", (), "DPX"),
        ("still.exr", ("-pix_fmt", "gbrpf32le"), "OpenEXR"),
        ("still.bmp", (), "BMP"),
        ("still.webp", ("-c:v", "libwebp"), "WebP"),
        ("still.mov", ("-f", "image2", "-c:v", "png"), "PNG"),
    ],
)
def test_a_still(bench: Bench, tmp_path: Path, name: str, options: tuple[str, ...], said: str) -> None:
    still = tmp_path / name
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180", "-frames:v", "1", *options, still)
    is_refused(bench.run(still), "SOURCE_UNSUPPORTED", said, "still")


def test_an_animated_png_is_refused_as_such(bench: Bench, tmp_path: Path) -> None:
    animation = tmp_path / "titles.png"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=5:duration=1", "-f", "apng", animation)
    is_refused(bench.run(animation), "SOURCE_UNSUPPORTED", "an animated PNG; convert it to a movie first")


def test_a_name_says_nothing_of_the_content(bench: Bench, whole: Callable[[str], Path]) -> None:
    assert bench.run(bench.spoiled("clip.jpg", whole("h264.mp4").read_bytes())).error is None


def packets_of(path: Path, stream: str) -> list[tuple[float, int, int]]:
    """Time, place and size of each packet, in the order of their times."""
    entries = ("-select_streams", stream, "-show_entries", "packet=pts_time,pos,size", "-of", "json")
    said = subprocess.run([tool("ffprobe"), "-v", "error", *entries, path], check=True, capture_output=True).stdout
    found = json.loads(said)["packets"]
    return sorted((float(it["pts_time"]), int(it["pos"]), int(it["size"])) for it in found)


def spoil_video(data: bytearray, at: int, size: int, name: str) -> None:
    if name.endswith(".ts"):
        for packet in range(at + 3 * 188, at + 11 * 188, 188):
            data[packet + 20 : packet + 180] = bytes((37 * number) % 256 for number in range(160))
    elif name == "prores.mov":
        data[at : at + 60] = b"\x13" * 60
    else:
        data[at + size // 3 : at + 2 * size // 3] = bytes((73 * number) % 256 for number in range(size // 3))


def spoil_audio(data: bytearray, at: int, size: int, _: str) -> None:
    data[at : at + size] = b"\xff" * size


SPOTS = (2.0, 4.0, 6.0)
LONG = (
    *("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=8,noise=alls=8:allf=t:all_seed=1,format=yuv420p"),
    *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=8", "-g", "12"),
)


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A source in which one packet is spoiled at each of `SPOTS`. `truth`: when those packets begin, from the first picture."""

    path: Path
    truth: list[float]


def spoiled_in_three_places(bench: Bench, name: str, stream: str, spoil: Callable[..., None]) -> Spoiled:
    source = bench.folder / f"whole-{name}"
    if not source.exists():
        ffmpeg(*LONG, *KINDS[name], source)
    first = packets_of(source, "v:0")[0][0]
    data = bytearray(source.read_bytes())
    truth: list[float] = []
    for spot in SPOTS:
        time, at, size = min(packets_of(source, stream), key=lambda packet: abs(packet[0] - first - spot))
        spoil(data, at, size, name)
        truth.append(time - first)
    return Spoiled(bench.spoiled(name, bytes(data)), truth)


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("name", "stream", "spoil"),
    [
        ("h264.mp4", "v:0", spoil_video),
        ("h264.mp4", "a:0", spoil_audio),
        ("prores.mov", "v:0", spoil_video),
        ("mpeg2.ts", "v:0", spoil_video),
        pytest.param("h264.mkv", "v:0", spoil_video, marks=pytest.mark.heavy),
        pytest.param("dnxhr.mxf", "v:0", spoil_video, marks=pytest.mark.heavy),
        pytest.param("mjpeg.avi", "v:0", spoil_video, marks=pytest.mark.heavy),
    ],
)
def test_every_damaged_place_is_listed_at_its_time(bench: Bench, name: str, stream: str, spoil: Callable[..., None]) -> None:
    spoiled = spoiled_in_three_places(bench, name, stream, spoil)
    details = is_refused(bench.run(spoiled.path), "SOURCE_DAMAGED", "in 3 places (", "deliver the clip again")
    assert (details["places_count"], details["places_complete"]) == (3, True)
    assert [float(place["near_seconds"]) for place in details["places"]] == pytest.approx(spoiled.truth, abs=0.001)
    assert [place["until_seconds"] for place in details["places"]] == [place["near_seconds"] for place in details["places"]]
    assert {(place["stream"], place["kind"]) for place in details["places"]} == {(int(stream == "a:0"), "decoding")}
    assert details["near_seconds"] == details["places"][0]["near_seconds"]


def test_damage_of_picture_and_sound_is_listed_in_the_order_of_time(bench: Bench) -> None:
    pictures = spoiled_in_three_places(bench, "h264.mp4", "v:0", spoil_video)
    data, (time, at, size) = bytearray(pictures.path.read_bytes()), packets_of(bench.folder / "whole-h264.mp4", "a:0")[140]
    spoil_audio(data, at, size, "h264.mp4")
    details = is_refused(bench.run(bench.spoiled("both.mp4", bytes(data))), "SOURCE_DAMAGED", "in 4 places (video near 2.000, ")
    found = [(place["stream"], float(place["near_seconds"])) for place in details["places"]]
    assert found == [(0, 2.0), (1, pytest.approx(time, abs=0.001)), (0, 4.0), (0, 6.0)]


def test_lost_packets_of_a_transport_stream_are_listed(bench: Bench) -> None:
    source = bench.folder / "whole.ts"
    ffmpeg(*LONG, *KINDS["mpeg2.ts"], source)
    packets, data = packets_of(source, "v:0"), bytearray(source.read_bytes())
    truth: list[float] = []
    for spot in reversed(SPOTS):  # from the end on, so that the places before it stay
        time, at, _ = min(packets, key=lambda packet: abs(packet[0] - packets[0][0] - spot))
        del data[at + 10 * 188 : at + 22 * 188]
        truth.insert(0, time - packets[0][0])
    details = is_refused(bench.run(bench.spoiled("lost.ts", bytes(data))), "SOURCE_DAMAGED", "in 3 places (")
    # FFmpeg 5.1 does not report which packet is not whole: there the decoder's complaint of the next one tells the place.
    assert [float(place["near_seconds"]) for place in details["places"]] == pytest.approx(truth, abs=0.041)


@pytest.mark.heavy
def test_a_picture_that_the_decoder_conceals_is_damage_in_every_run(bench: Bench) -> None:
    """A B picture of H.264 that nothing else needs. FFmpeg 5.1 flagged it in some runs, by how its threads came to run."""
    source = bench.folder / "whole.mp4"
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=4,noise=alls=8:allf=t:all_seed=1,format=yuv420p",
        "-c:v", "libx264", "-preset", "veryfast", "-g", "50", source,
    )  # fmt: skip
    for _, at, size in packets_of(source, "v:0")[10:90]:
        data = bytearray(source.read_bytes())
        spoil_video(data, at, size, source.name)
        spoiled = bench.spoiled("spoiled.mp4", bytes(data))
        decode = [tool("ffmpeg"), "-loglevel", "level+info", "-threads", "1", "-i", str(spoiled), "-f", "null", "-"]
        said = subprocess.run(decode, check=False, capture_output=True, text=True).stderr
        if "concealing" in said and "[error]" not in said:
            break
    else:
        pytest.fail("no picture is concealed without an error")
    for _ in range(12):
        is_refused(bench.run(spoiled), "SOURCE_DAMAGED")


def test_a_stop_ends_the_search_for_damage(proxx: Command, whole: Callable[[str], Path], proxies: Path, tmp_path: Path) -> None:
    data = bytearray(whole("h264.mp4").read_bytes())
    data[len(data) // 3 : len(data) // 2] = b"\xff" * (len(data) // 2 - len(data) // 3)
    source, reached = tmp_path / "damaged.mp4", tmp_path / "reached"
    source.write_bytes(data)
    real = shlex.quote(tool("ffprobe"))
    search = f"case \" $* \" in *' -show_log '*) >'{reached}'; exec sleep 600;; esac"
    patient = program(tmp_path / "ffprobe", f'{search}\nexec {real} "$@"')
    spec = tmp_path / "spec.json"
    spec.write_bytes(encode(jobspec(source, proxies)))
    with proxx.start("run", spec, "--json", "--sandbox", "off", "--ffprobe", patient) as running:
        running.until(reached.exists, "the search")
        running.signal(signal.SIGTERM)
        ended = running.wait()
    assert ended.exit_code == 143
    assert parse_result(ended.stdout)["error"]["code"] == "INTERRUPTED"
    assert names(proxies) == []
