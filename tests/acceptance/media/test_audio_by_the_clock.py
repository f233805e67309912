"""Audio of every kind of source stands in every kind of proxy where the source's clock puts it, and a hole is silence.

The sources are noise, so that a correlation tells to the sample what lies where; each frame of both files is placed by the time
that ffprobe gives it.
"""

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg, probe
from tests.acceptance.command import Command
from tests.acceptance.media.clock import lag, loudness, timeline, write_noise
from tests.acceptance.results import parse_result
from tests.acceptance.specs import encode, explicit, jobspec

PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=4")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")

WITH_HOLE = ("-af", "asetnsamples=1024:p=0", "-bsf:a", "noise=drop=between(n\\,57\\,79)")
"""From 1.216 to 1.707 s. Packets are left out, since FFmpeg from 8 on closes a hole of frames by itself."""

FRAGMENTS = ("-g", "5", "-movflags", "frag_keyframe+empty_moov+default_base_moof")

PROXIES = {
    "mov": explicit("prores_proxy", "mov"),
    "mp4": explicit("h264", "mp4"),
    "mkv": explicit("h264", "mkv"),
    "webm": explicit("vp9", "webm"),
    "mxf": explicit("dnxhr", "mxf"),
}
NONE = frozenset({("priming.mp4", "mxf")})
"""Pairs that no proxy is made of: FFmpeg's fragments move all pictures but the first by the priming, which is a variable rate."""


@pytest.fixture(scope="module")
def webm_is_late(tmp_path_factory: pytest.TempPathFactory) -> float:
    """By how many milliseconds FFmpeg's own WebM is late, without the worker: 5.1 counts Opus's priming twice, and is early."""
    folder = tmp_path_factory.mktemp("webm")
    plain, made = folder / "plain.mov", folder / "made.webm"
    ffmpeg(*PICTURE, "-i", write_noise(folder / "noise.wav"), "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-c:a", "pcm_s16le", plain)
    picture = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8")
    ffmpeg("-i", plain, *picture, "-c:a", "libopus", "-b:a", "192k", "-avoid_negative_ts", "disabled", made)
    return lag(timeline(plain), timeline(made), 2.0)


@dataclass(frozen=True, slots=True)
class Source:
    """`before`: options before each input of picture and noise. `options`: of the output. `hole`: whether it has one."""

    name: str
    options: tuple[str, ...]
    picture: tuple[str, ...] = ()
    noise: tuple[str, ...] = ()
    hole: bool = False
    rate: int = 48000
    quick: tuple[str, ...] = ()


SOURCES = (
    Source("priming.mp4", (*H264, "-c:a", "aac", "-b:a", "192k", "-movflags", "frag_keyframe+empty_moov")),
    Source("priming.mkv", (*H264, "-c:a", "aac", "-b:a", "192k")),
    Source("priming-mp3.mov", (*H264, "-c:a", "libmp3lame", "-b:a", "192k")),
    Source("starts-silent.asf", ("-c:v", "msmpeg4v3", "-pix_fmt", "yuv420p", "-c:a", "wmav2", "-b:a", "192k"), quick=("mxf",)),
    Source("opus.webm", ("-c:v", "libvpx", "-pix_fmt", "yuv420p", "-deadline", "realtime", "-c:a", "libopus", "-b:a", "192k")),
    Source("broadcast.ts", ("-c:v", "mpeg2video", "-pix_fmt", "yuv420p", "-b:v", "2M", "-c:a", "mp2", "-b:a", "256k")),
    Source("pcm-hole.mkv", (*H264, "-c:a", "pcm_s16le", *WITH_HOLE), hole=True, quick=("mov", "mxf")),
    Source("pcm-hole.mov", (*H264, "-c:a", "pcm_s16le", *WITH_HOLE, *FRAGMENTS), hole=True),
    Source("aac-hole.mp4", (*H264, "-c:a", "aac", "-b:a", "192k", *WITH_HOLE), hole=True, quick=("mp4",)),
    Source("late.mp4", (*H264, "-c:a", "aac", "-b:a", "192k"), noise=("-itsoffset", "0.5"), quick=("mp4",)),
    Source("late.mov", (*H264, "-c:a", "pcm_s16le"), noise=("-itsoffset", "0.3333")),
    Source("early.mov", (*H264, "-c:a", "pcm_s16le"), picture=("-itsoffset", "0.1234")),
    Source("early.mkv", (*H264, "-c:a", "aac", "-b:a", "192k"), picture=("-itsoffset", "0.213"), quick=("mkv",)),
    Source("music.mov", (*H264, "-c:a", "pcm_s16le"), rate=44100, quick=("mxf",)),
    Source("music-late.mp4", (*H264, "-c:a", "aac", "-b:a", "192k"), noise=("-itsoffset", "0.25"), rate=44100),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Source], Path]:
    """The file of a source, made when it is asked for."""
    folder = tmp_path_factory.mktemp("by-the-clock")
    noises = {rate: write_noise(folder / f"noise-{rate}.wav", rate=rate) for rate in (44100, 48000)}

    def make(source: Source) -> Path:
        path = folder / source.name
        if not path.exists():
            ffmpeg(*source.picture, *PICTURE, *source.noise, "-i", noises[source.rate], *source.options, path)
        return path

    return make


def job(proxx: Command, folder: Path, source: Path, fields: Mapping[str, object]) -> tuple[Path, dict[str, object]]:
    """The one proxy of a job that must complete, and its checks: what was compared, and whether it was as it should be."""
    proxies = folder / "proxies"
    proxies.mkdir()
    spec = folder / "spec.json"
    spec.write_bytes(encode(jobspec(source, proxies, **fields)))
    result = parse_result(proxx("run", spec).stdout)
    assert result["error"] is None, result["error"]
    (task,) = result["tasks"]
    return Path(task["output"]), {check["name"]: check["ok"] for check in task["checks"]}


LEADS = (
    # Seconds before the first sample, the source, and the proxies that are made without --heavy.
    (3, "pcm_s16le", "mov", ("mxf",)),
    (10, "pcm_s16le", "mov", ()),
    (3, "aac", "mp4", ("mkv",)),
    (10, "aac", "mp4", ("mov",)),
    (10, "aac", "mov", ()),
)


def _leads() -> list[object]:
    return [
        pytest.param(
            seconds,
            codec,
            suffix,
            container,
            id=f"{codec}-{seconds}.{suffix}-{container}",
            marks=() if container in quick else pytest.mark.heavy,
        )
        for seconds, codec, suffix, quick in LEADS
        for container in ("mov", "mp4", "mkv", "mxf")
    ]


@pytest.mark.one_in(9)
@pytest.mark.parametrize(("seconds", "codec", "suffix", "container"), _leads())
def test_audio_that_begins_seconds_after_the_picture_is_led_in_by_silence(
    proxx: Command, tmp_path: Path, seconds: int, codec: str, suffix: str, container: str
) -> None:
    source, noise = tmp_path / f"late.{suffix}", write_noise(tmp_path / "noise.wav")
    picture = ("-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=25:duration={seconds + 4}")
    ffmpeg(*picture, "-itsoffset", str(seconds), "-i", noise, *H264, "-c:a", codec, source)
    assert source.read_bytes().count(b"elst") == 2
    proxy, checks = job(proxx, tmp_path, source, PROXIES[container])
    assert [checks[f"audio_0_{name}"] for name in ("start", "duration", "holes")] == [True, True, True]
    theirs, ours = timeline(source), timeline(proxy)
    assert loudness(ours, 0.0, seconds - 0.1) == 0
    places = (seconds + 0.1, seconds + 2.0, seconds + 3.5)
    assert all(abs(lag(theirs, ours, second)) <= 0.5 for second in places)


def first_packet(path: Path) -> tuple[int, int]:
    """Where the first packet of the audio lies in the file, and its size."""
    command = ("ffprobe", "-v", "error", "-select_streams", "a:0", "-show_entries", "packet=pos,size", "-of", "csv=p=0", path)
    first = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[0]
    size, place = first.split(",")[:2]
    return int(place), int(size)


def _cases() -> list[object]:
    return [
        pytest.param(
            source, container, id=f"{source.name}-{container}", marks=() if container in source.quick else pytest.mark.heavy
        )
        for source in SOURCES
        for container in PROXIES
        if (source.name, container) not in NONE
    ]


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("source", "container"), _cases())
def test_audio_stands_where_the_sources_clock_puts_it(
    proxx: Command, tmp_path: Path, made: Callable[[Source], Path], webm_is_late: float, source: Source, container: str
) -> None:
    path = made(source)
    proxy, checks = job(proxx, tmp_path, path, PROXIES[container])
    assert [checks[f"audio_0_{name}"] for name in ("start", "duration", "holes")] == [True, True, True]
    theirs, ours = timeline(path, source.rate), timeline(proxy, 48000 if container in {"mxf", "webm"} else source.rate)
    places = [0.6, *([1.0, 1.85] if source.hole else [2.0]), 3.5]
    lags = {second: lag(theirs, ours, second) for second in places}
    said = ", ".join(f"{late:.2f} ms at {second} s" for second, late in lags.items())
    sys.stdout.write(f"{source.name} in {container}: late by {said}\n")
    own = webm_is_late if container == "webm" else 0.0
    # WebM and Matroska count milliseconds.
    most = 0.5 if path.suffix in {".mov", ".mp4", ".ts"} and container != "webm" else 1.0
    assert all(abs(late - own) <= most for late in lags.values()), (lags, own)
    if source.hole:
        assert loudness(ours, 1.35, 1.6) < loudness(ours, 0.5, 1.0) / 50


def jumping(path: Path, codec: str, channels: int) -> Path:
    """Noise at 192 kHz that stops after 2 s, and goes on 1500 s later: 2^28 samples are 1398 s."""
    picture = ("-f", "lavfi", "-i", "color=size=64x64:rate=1:duration=1504")
    noise = ("-f", "lavfi", "-i", "anoisesrc=r=192000:a=0.5:d=4:seed=1,asetnsamples=1920:p=0")
    whole = path.with_name("whole.mkv")
    ffmpeg(*picture, *noise, "-c:v", "mpeg4", "-c:a", codec, "-ac", str(channels), whole)
    # Matroska's ticks are milliseconds.
    ffmpeg("-i", whole, "-c", "copy", "-bsf:a", "setts=ts=TS+gte(N\\,200)*1500000", path)
    return path


@pytest.mark.heavy
def test_a_hole_is_silence_however_wide(proxx: Command, tmp_path: Path) -> None:
    proxy, checks = job(proxx, tmp_path, jumping(tmp_path / "jump.mkv", "pcm_s16le", 1), PROXIES["mov"])
    assert [checks[f"audio_0_{name}"] for name in ("start", "duration", "holes")] == [True, True, True]
    heard = {}
    for second in (1, 3, 700, 1501, 1503):
        cut = ("ffmpeg", "-v", "error", "-ss", str(second), "-t", "0.5", "-i", proxy, "-vn", "-f", "s16le", "-")
        heard[second] = any(subprocess.run(cut, check=True, capture_output=True).stdout)
    assert heard == {1: True, 3: False, 700: False, 1501: False, 1503: True}


@pytest.mark.heavy
def test_a_hole_that_ffmpeg_cannot_fill_is_refused(proxx: Command, tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    spec.write_bytes(encode(jobspec(jumping(tmp_path / "jump.mkv", "pcm_s24le", 2), tmp_path, **PROXIES["mov"])))
    error = parse_result(proxx("run", spec).stdout)["error"]
    assert error["code"] == "SOURCE_UNSUPPORTED"
    assert "audio stream 1 of the source jumps by 1500.000 s at 2.000 s" in error["message"]


def test_a_stream_that_no_proxy_has_leaves_nothing_in_front(proxx: Command, tmp_path: Path) -> None:
    noise = write_noise(tmp_path / "noise.wav")
    whole, blob, early = (tmp_path / name for name in ("whole.mp4", "data.klv", "early-data.ts"))
    ffmpeg(*PICTURE, "-i", noise, *H264, "-c:a", "aac", "-b:a", "192k", whole)
    blob.write_bytes(bytes.fromhex("060e2b34020b01010e01030101000000") + b"\x10" + bytes(16))
    ffmpeg("-f", "data", "-i", blob, "-itsoffset", "0.7", "-i", whole, "-map", "1", "-map", "0", "-c", "copy", early)
    starts = {stream["codec_type"]: float(stream["start_time"]) for stream in probe(early)["streams"]}
    assert min(starts["video"], starts["audio"]) - starts["data"] > 0.5
    proxy, _ = job(proxx, tmp_path, early, PROXIES["mov"])
    begins = {stream["codec_type"]: float(stream["start_time"]) for stream in probe(proxy)["streams"]}
    assert begins["audio"] == 0
    assert begins["video"] == pytest.approx(starts["video"] - starts["audio"], abs=0.001)
    theirs, ours = timeline(early), timeline(proxy)
    assert all(abs(lag(theirs, ours, second)) <= 0.5 for second in (0.5, 2.0, 3.5))


def test_a_first_packet_without_sound_is_copied_with_the_others(proxx: Command, tmp_path: Path) -> None:
    source = tmp_path / "filler.mp4"
    ffmpeg(*PICTURE, "-i", write_noise(tmp_path / "noise.wav"), *H264, "-c:a", "aac", "-b:a", "192k", source)
    place, size = first_packet(source)
    with source.open("r+b") as file:
        file.seek(place)
        # ID_END, and nothing before it: what libfaac's first packet comes to.
        file.write(b"\xe0" + bytes(size - 1))
    proxy, checks = job(proxx, tmp_path, source, PROXIES["mp4"])
    assert [checks[f"audio_0_{name}"] for name in ("start", "duration", "holes")] == [True, True, True]
    theirs, ours = timeline(source), timeline(proxy)
    assert [lag(theirs, ours, second) for second in (0.5, 2.0, 3.5)] == [0, 0, 0]


# In milliseconds, the first two lengths leave nothing for the last packet of AAC.
@pytest.mark.parametrize("samples", [47 * 1024 + 1, 47 * 1024 + 23, 47 * 1024 + 24])
def test_a_last_packet_of_a_few_samples_ends_no_later_in_matroska(proxx: Command, tmp_path: Path, samples: int) -> None:
    source, noise = tmp_path / "clip.mov", write_noise(tmp_path / "noise.wav")
    ffmpeg(*PICTURE, "-i", noise, "-af", f"atrim=end_sample={samples}", *H264, "-c:a", "pcm_s16le", source)
    _, checks = job(proxx, tmp_path, source, PROXIES["mkv"])
    assert [checks[f"audio_0_{name}"] for name in ("start", "duration", "holes")] == [True, True, True]


def test_vorbis_in_ogg_is_whole_where_ffmpeg_misplaces_a_block(proxx: Command, tmp_path: Path) -> None:
    source, noise = tmp_path / "clip.ogv", write_noise(tmp_path / "noise.wav", seconds=1)
    ffmpeg(*PICTURE, "-i", noise, "-t", "1", "-c:v", "libtheora", "-c:a", "libvorbis", "-b:a", "192k", source)
    proxy, _ = job(proxx, tmp_path, source, PROXIES["mov"])
    assert sound(proxy) == sound(source)


def sound(path: Path) -> bytes:
    """All samples that decode, without their times."""
    into = ("-map", "0:a:0", "-c:a", "pcm_s16le", "-f", "s16le", "-")
    return subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", path, *into], check=True, capture_output=True).stdout
