"""AAC of a movie in an MP4 proxy: copied where both files then decode to the same samples at the same times, else encoded."""

import struct
import subprocess
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.clips import ffmpeg, probe, streams
from tests.acceptance.command import Command
from tests.acceptance.media.inspection import FLICK
from tests.acceptance.results import parse_result
from tests.acceptance.specs import encode, explicit, jobspec

QUARTER = {"proxy_profile": "proxy_h264_quarter"}
CONVERTED = explicit("h264", "mp4", "half") | {"fps_mode": "explicit", "fps_explicit": 23.976}
COUNTED = explicit("hevc", "mp4", "half")
H264 = ("-c:v", "libx264", "-preset", "veryfast")
FRAGMENTS = ("-movflags", "frag_keyframe+empty_moov+default_base_moof")

COPIED = {
    "stereo.mp4": ("stereo", 48000, ()),
    "index-first.mp4": ("stereo", 48000, ("-movflags", "+faststart")),
    "camera.mov": ("stereo", 48000, ()),
    "cd.mp4": ("stereo", 44100, ()),
    "phone.mp4": ("mono", 16000, ()),
    "fine.mp4": ("stereo", 96000, ()),
    "surround.mp4": ("5.1", 48000, ()),
}
ENCODED = {
    # The first packet stands for 80 ms, though it decodes to 21: the rest is silence (docs/decisions/0020-audio-by-the-clock.md).
    "no-edits.mp4": ("stereo", 48000, ("-use_editlist", "0")),
    "fragments.mp4": ("stereo", 48000, FRAGMENTS),
    "clip.mkv": ("stereo", 48000, ()),
    "clip.ts": ("stereo", 48000, ("-f", "mpegts")),
    "layout.mp4": ("5.1(side)", 48000, ()),
}
EDITS = {
    # Apple's encoder, and a cut in the middle of a packet.
    "2112": ([(1900, 2112)], True),
    "odd": ([(1000, 20001)], True),
    # Parts left out, played twice or in another order, silence before and between: packets that are copied cannot follow.
    "cut": ([(500, 1024), (500, 72000)], False),
    "twice": ([(500, 1024), (500, 1024)], False),
    "silence": ([(40, -1), (1000, 1024)], False),
    "pause": ([(500, 1024), (200, -1), (500, 25024)], False),
}
# Packet after packet without a hole; fire2.mp4 and hlg10-color-test.mp4 have holes and are encoded.
REAL = {
    "dolbyVision-hdr.MOV": 1,
    "max-heromode.mp4": 1,
    "svt-test-8mono.mp4": 8,
    "with-gps.mov": 1,
}


@pytest.fixture
def run(proxx: Command, tmp_path: Path) -> Callable[..., tuple[Path, list[str]]]:
    """One job of one source that must succeed: the proxy, and the encoder's command."""

    def job(source: Path, fields: dict[str, Any]) -> tuple[Path, list[str]]:
        proxies = tmp_path / "proxies"
        proxies.mkdir()
        spec = tmp_path / "spec.json"
        spec.write_bytes(encode(jobspec(source, proxies, **fields)))
        result = parse_result(proxx("run", spec).stdout)
        assert result["error"] is None
        (task,) = result["tasks"]
        return Path(task["output"]), task["command"]

    return job


def clip(path: Path, layout: str, rate: int, options: tuple[str, ...] = (), *, sound: tuple[str, ...] = ()) -> Path:
    """Two seconds with noise, so that no two packets are alike."""
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=2",
        *sound, "-f", "lavfi", "-i", f"anoisesrc=r={rate}:d=2:a=0.3:seed=7,aformat=channel_layouts={layout}",
        *H264, "-c:a", "aac", *options, path,
    )  # fmt: skip
    return path


def heard(path: Path, stream: int) -> list[tuple[Fraction, int, str]]:
    """Each decoded frame of an audio stream: its time in seconds from the file's start, its samples, a digest of them."""
    return list(_frames(path, f"0:a:{stream}", "-c:a", "pcm_f32le"))


def first_picture(path: Path) -> Fraction:
    """When the first frame is shown."""
    return next(_frames(path, "0:V:0", "-frames:v", "1", "-fps_mode", "passthrough", "-enc_time_base", FLICK))[0]


def _frames(path: Path, stream: str, *options: str) -> Iterator[tuple[Fraction, int, str]]:
    text = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-map", stream, *options, "-f", "framehash", "-hash", "md5", "-"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    (base,) = (Fraction(line.partition(": ")[2]) for line in text.splitlines() if line.startswith("#tb 0: "))
    for line in text.splitlines():
        if not line.startswith("#"):
            _, _, time, samples, _, digest = (part.strip() for part in line.split(","))
            yield int(time) * base, int(samples), digest


def assert_same_sound(source: Path, proxy: Path, sounds: int, fields: dict[str, Any]) -> None:
    """That every sample of every stream is the same, at the same time from the file's start and from the first picture."""
    # An MP4's edit list counts milliseconds: that is how exact a late picture stands. One of another rate stands on its own grid.
    slack = Fraction(1, 46) if fields is CONVERTED else Fraction(1, 1000)
    assert abs(first_picture(source) - first_picture(proxy)) < slack
    for stream in range(sounds):
        wanted = heard(source, stream)
        assert wanted
        assert heard(proxy, stream) == wanted


def modes(command: list[str]) -> list[str]:
    """What the command does with each sound."""
    return [word for option, word in pairwise(command) if option.startswith("-c:a:")]


def _quick(names: dict[str, Any], *quick: str) -> list[Any]:
    return [pytest.param(name, marks=() if name in quick else pytest.mark.heavy) for name in names]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", _quick(COPIED, "stereo.mp4"))
@pytest.mark.parametrize("fields", [QUARTER, CONVERTED, COUNTED], ids=["same rate", "other rate", "hevc"])
def test_every_sample_of_copied_audio_is_the_source_s(
    run: Callable[..., tuple[Path, list[str]]], tmp_path: Path, name: str, fields: dict[str, Any]
) -> None:
    source = clip(tmp_path / name, *COPIED[name])
    proxy, command = run(source, fields)
    assert modes(command) == ["copy"]
    assert not {word for word in command if word.startswith(("-b:a", "-ar:a", "-flags:a", "-filter:a"))}
    assert_same_sound(source, proxy, 1, fields)


@pytest.mark.parametrize("name", _quick(ENCODED, "fragments.mp4"))
def test_sound_that_is_not_proven_to_be_the_same_is_encoded(
    run: Callable[..., tuple[Path, list[str]]], tmp_path: Path, name: str
) -> None:
    source = clip(tmp_path / name, *ENCODED[name])
    proxy, command = run(source, QUARTER)
    # FFmpeg 9.0 calls what it wrote of 5.1(side) by AAC's own name: then nothing is in the way of a copy.
    named_by_aac = name == "layout.mp4" and streams(probe(source), "audio")[0].get("channel_layout") == "5.1"
    assert modes(command) == ["copy" if named_by_aac else "aac"]
    assert [stream["codec_name"] for stream in streams(probe(proxy), "audio")] == ["aac"]


@pytest.mark.heavy
def test_sound_that_starts_late_is_encoded(run: Callable[..., tuple[Path, list[str]]], tmp_path: Path) -> None:
    _, command = run(clip(tmp_path / "late.mp4", "stereo", 48000, sound=("-itsoffset", "0.5")), QUARTER)
    assert modes(command) == ["aac"]


@pytest.mark.heavy
@pytest.mark.parametrize("offset", ["0.3", "1.234"])
def test_a_trimmed_movie_keeps_its_sound(run: Callable[..., tuple[Path, list[str]]], tmp_path: Path, offset: str) -> None:
    """Cut without being encoded again: an edit list leaves out the pictures, and the sound, before the cut."""
    whole, trimmed = clip(tmp_path / "whole.mp4", "stereo", 48000), tmp_path / "trimmed.mp4"
    ffmpeg("-ss", offset, "-i", whole, "-c", "copy", trimmed)
    proxy, command = run(trimmed, QUARTER)
    assert modes(command) == ["copy"]
    assert_same_sound(trimmed, proxy, 1, QUARTER)


@pytest.mark.parametrize("name", _quick(EDITS, "2112", "cut"))
def test_an_edit_list(run: Callable[..., tuple[Path, list[str]]], tmp_path: Path, name: str) -> None:
    entries, copied = EDITS[name]
    whole, edited = clip(tmp_path / "whole.mp4", "stereo", 48000), tmp_path / "edited.mp4"
    edited.write_bytes(with_edits(whole.read_bytes(), entries))
    proxy, command = run(edited, QUARTER)
    assert modes(command) == ["copy" if copied else "aac"]
    if copied:
        assert_same_sound(edited, proxy, 1, QUARTER)


@pytest.mark.parametrize("name", _quick(REAL, "dolbyVision-hdr.MOV"))
@pytest.mark.parametrize("fields", [QUARTER, CONVERTED], ids=["same rate", "other rate"])
def test_a_real_clip(run: Callable[..., tuple[Path, list[str]]], media: Path, name: str, fields: dict[str, Any]) -> None:
    proxy, command = run(media / name, fields)
    assert modes(command) == ["copy"] * REAL[name]
    assert_same_sound(media / name, proxy, REAL[name], fields)


def with_edits(movie: bytes, entries: list[tuple[int, int]]) -> bytes:
    """A movie whose index stands at its end, with another edit list for its sound: lengths in ms, and places in its media."""
    content = b"".join(struct.pack(">Iii", length, place, 1 << 16) for length, place in entries)
    edits = _box(b"edts", _box(b"elst", struct.pack(">II", 0, len(entries)), content))
    tracks = b""
    index, start = next((body, at) for kind, body, at in _boxes(movie) if kind == b"moov")
    for kind, body, _ in _boxes(index):
        if kind == b"trak" and b"soun" in body:
            parts = [_box(part, inner) for part, inner, _ in _boxes(body) if part != b"edts"]
            tracks += _box(kind, parts[0], edits, *parts[1:])
        else:
            tracks += _box(kind, body)
    return movie[:start] + _box(b"moov", tracks)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    at = 0
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + length], at
        at += length


def _box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body
