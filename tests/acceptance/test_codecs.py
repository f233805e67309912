"""Every codec in every container of the contract and every FFmpeg profile, as ffprobe sees what came out."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.clips import DROP_FRAME_TIMECODE, TIMECODE, ffmpeg, probe, streams, timecodes
from tests.acceptance.command import Command
from tests.acceptance.results import Result, audit, names, parse_result, read_result
from tests.acceptance.specs import CONTAINERS, FFMPEG_PROFILES, Workspace, encode, explicit, jobspec

CODEC_NAMES = {
    "h264": "h264",
    "h265": "hevc",
    "hevc": "hevc",
    "dnxhd": "dnxhd",
    "dnxhr": "dnxhd",
    "vp9": "vp9",
    "av1": "av1",
    **dict.fromkeys(("prores_proxy", "prores_lt", "prores_standard", "prores_hq", "prores_4444"), "prores"),
}
PROFILES = {
    "prores_proxy": "Proxy",
    "prores_lt": "LT",
    "prores_standard": "Standard",
    "prores_hq": "HQ",
    "prores_4444": "4444",
    "dnxhr": "DNXHR HQ",
    "dnxhd": "DNXHD",
}
FORMATS = {"mov": "mov", "mp4": "mp4", "mkv": "matroska", "webm": "webm", "mxf": "mxf"}
AUDIO = {
    "mp4": ("aac",),
    "mkv": ("aac",),
    "mov": ("pcm_s16le", "pcm_s24le"),
    "mxf": ("pcm_s16le", "pcm_s24le"),
    "webm": ("opus",),
}
BRANDS = {"mov": "qt", "mp4": "isom"}


@dataclass(frozen=True, slots=True)
class Made:
    """One job of the table. `size`: (width, height) expected."""

    name: str
    fields: dict[str, Any]
    codec: str
    container: str
    size: tuple[int, int]


SIZES = {"same": (320, 180), "half": (160, 90), "quarter": (80, 44)}
TABLE = [
    Made(f"{codec}-{container}", explicit(codec, container), codec, container, (1280, 720) if codec == "dnxhd" else SIZES["same"])
    for codec, containers in CONTAINERS.items()
    for container in containers
] + [
    Made(profile, {"proxy_profile": profile}, codec, container, SIZES[resolution])
    for profile, (codec, container, resolution) in FFMPEG_PROFILES.items()
]


@dataclass(frozen=True, slots=True)
class Drained:
    """A workspace after `watch --once`, and the output directory of its jobs."""

    workspace: Workspace
    proxies: Path


@pytest.fixture(scope="module")
def drained(proxx: Command, clip: Path, hd_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Drained:
    """The whole table through one worker."""
    folder = tmp_path_factory.mktemp("codecs")
    workspace, proxies = Workspace(folder / "workspace"), folder / "proxies"
    proxies.mkdir()
    for made in TABLE:
        source = hd_clip if made.codec == "dnxhd" else clip
        workspace.drop(made.name, jobspec(source, proxies, naming_template=f"{{source_name}}-{made.name}", **made.fields))
    specs = [path.read_bytes() for path in workspace.inbox.iterdir()]
    ended = proxx("watch", workspace, "--once")
    assert names(workspace.failed) == [], ended.stderr
    assert ended.exit_code == 0
    audit(workspace.root, specs, [proxies])
    return Drained(workspace, proxies)


@pytest.mark.heavy
def test_the_sandbox_changes_no_byte(
    proxx: Command, drained: Drained, clip: Path, hd_clip: Path, proxies: Path, workspace: Workspace
) -> None:
    """All of the table again, with FFmpeg and ffprobe free to do what they like."""
    for made in TABLE:
        source = hd_clip if made.codec == "dnxhd" else clip
        workspace.drop(made.name, jobspec(source, proxies, naming_template=f"{{source_name}}-{made.name}", **made.fields))
    assert proxx("watch", workspace, "--once", "--sandbox", "off").exit_code == 0
    free, confined = ({path.name: path.read_bytes() for path in it.iterdir()} for it in (proxies, drained.proxies))
    assert free.keys() == confined.keys()
    assert [name for name in free if free[name] != confined[name]] == []
    said = {read_result(drained.workspace.done, made.name)["worker"]["sandbox"].split(" ")[0] for made in TABLE}
    assert said == {"Landlock" if sys.platform == "linux" else "off"}


@pytest.mark.one_in(2)
@pytest.mark.parametrize("made", TABLE, ids=lambda made: made.name)
def test_what_comes_out(drained: Drained, made: Made) -> None:
    result = read_result(drained.workspace.done, made.name)
    assert result["status"] == "COMPLETED"
    assert result["engine"] == "ffmpeg"
    assert result["proxy_profile"] == (made.name if made.name in FFMPEG_PROFILES else None)
    assert (result["settings"]["codec"], result["settings"]["container"]) == (made.codec, made.container)
    (task,) = result["tasks"]
    stem = "A001C002" if made.codec == "dnxhd" else "A001C001"
    path = drained.proxies / f"{stem}-{made.name}.{made.container}"
    assert task["output"] == str(path)
    assert task["output_size_bytes"] == path.stat().st_size
    assert task["exit_code"] == 0
    assert task["command"][0].endswith("ffmpeg")
    assert task["checks"]
    assert [check for check in task["checks"] if check["ok"] is False] == []
    media = probe(path)
    assert FORMATS[made.container] in media["format"]["format_name"].split(",")
    if made.container in BRANDS:
        assert media["format"]["tags"]["major_brand"].strip() == BRANDS[made.container]
    _picture(media, made)
    audio = streams(media, "audio")
    assert [stream["channels"] for stream in audio] == [2, 1]
    assert {stream["codec_name"] for stream in audio} <= set(AUDIO[made.container])
    assert {stream["sample_rate"] for stream in audio} == {"48000"}
    assert timecodes(media) == {TIMECODE}


def _picture(media: dict[str, Any], made: Made) -> None:
    (video,) = streams(media, "video")
    assert video["codec_name"] == CODEC_NAMES[made.codec]
    assert (video["width"], video["height"]) == made.size
    profile = "DNXHR LB" if made.name == "proxy_dnxhr_lb" else PROFILES.get(made.codec)
    assert profile is None or video["profile"] == profile
    assert int(video["nb_read_frames"]) == (10 if made.codec == "dnxhd" else 25)
    assert video["avg_frame_rate"] == "25/1"
    if made.codec in {"h265", "hevc"} and made.container in {"mp4", "mov"}:
        assert video["codec_tag_string"] == "hvc1"


SAME_BOTH_WAYS = [
    "h264-mp4",
    "hevc-mkv",
    "prores_4444-mov",
    "dnxhr-mxf",
    "vp9-webm",
    "proxy_h264_low",
    "proxy_prores_proxy",
    "proxy_dnxhr_lb",
]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", SAME_BOTH_WAYS)
def test_run_does_exactly_what_watch_did(proxx: Command, drained: Drained, tmp_path: Path, name: str) -> None:
    watched = read_result(drained.workspace.done, name)
    spec = drained.workspace.done / f"{name}.json"
    watched_bytes = Path(watched["tasks"][0]["output"]).read_bytes()
    document = _elsewhere(spec, tmp_path)
    ended = proxx("run", document, environment={"TZ": "Asia/Tokyo", "LANG": "de_DE.UTF-8", "HOME": "/nonexistent"}, cwd=tmp_path)
    assert ended.exit_code == 0, ended.stderr
    ran = parse_result(ended.stdout)
    assert _argv_without_places(ran, tmp_path) == _argv_without_places(watched, drained.proxies)
    assert Path(ran["tasks"][0]["output"]).read_bytes() == watched_bytes
    assert ran["tasks"][0]["output_sha256"] == watched["tasks"][0]["output_sha256"]
    assert ran["settings"] == watched["settings"]
    assert ran["tasks"][0]["checks"] == watched["tasks"][0]["checks"]


def _elsewhere(spec: Path, folder: Path) -> Path:
    """The same spec for another output directory."""
    document = folder / spec.name
    document.write_bytes(encode({**json.loads(spec.read_bytes()), "output_directory": str(folder)}))
    return document


def _argv_without_places(result: Result, output_directory: Path) -> list[str]:
    argv: list[str] = result["tasks"][0]["command"]
    return ["(output)" if str(output_directory) in argument else argument for argument in argv]


def test_2997_drop_frame_is_neither_30_nor_non_drop(proxx: Command, ntsc_clip: Path, proxies: Path, workspace: Workspace) -> None:
    kinds = {"mp4": "h264", "mov": "prores_proxy", "mxf": "dnxhr", "mkv": "h265"}
    for container, codec in kinds.items():
        workspace.drop(container, jobspec(ntsc_clip, proxies, **explicit(codec, container)))
    assert proxx("watch", workspace, "--once").exit_code == 0
    for container in kinds:
        media = probe(proxies / f"A001C003_proxy.{container}")
        (video,) = streams(media, "video")
        assert video["r_frame_rate"] == "30000/1001"
        assert int(video["nb_read_frames"]) == 30
        assert timecodes(media) == {DROP_FRAME_TIMECODE}


def test_a_source_without_timecode_gets_none(proxx: Command, clips: Path, proxies: Path, workspace: Workspace) -> None:
    """Never invented. FFmpeg's MXF cannot go without one, and the check says that it is the container's."""
    source = clips / "no-timecode.mov"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=0.4", "-c:v", "libx264", "-pix_fmt", "yuv420p", source)
    kinds = {"mp4": "h264", "mov": "prores_proxy", "mxf": "dnxhr", "mkv": "h265", "webm": "vp9"}
    for container, codec in kinds.items():
        workspace.drop(container, jobspec(source, proxies, **explicit(codec, container)))
    assert proxx("watch", workspace, "--once").exit_code == 0
    for container in kinds:
        assert timecodes(probe(proxies / f"no-timecode_proxy.{container}")) == ({"00:00:00:00"} if container == "mxf" else set())
        (task,) = read_result(workspace.done, container)["tasks"]
        (check,) = [check for check in task["checks"] if check["name"] == "timecode"]
        assert check["expected"] is None
        assert check["ok"] is not False


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("fps", "rate", "frames"),
    [(23.976, "24000/1001", 24), (29.97, "30000/1001", 30), (59.94, "60000/1001", 60), (50, "50/1", 50), (12.5, "25/2", 12)],
)
def test_an_explicit_rate_is_exact(
    proxx: Command, clip: Path, proxies: Path, tmp_path: Path, fps: float, rate: str, frames: int
) -> None:
    spec = tmp_path / "spec.json"
    spec.write_bytes(encode(jobspec(clip, proxies, fps_mode="explicit", fps_explicit=fps)))
    ended = proxx("run", spec)
    assert ended.exit_code == 0, ended.stderr
    (video,) = streams(probe(Path(parse_result(ended.stdout)["tasks"][0]["output"])), "video")
    assert video["r_frame_rate"] == rate
    assert abs(int(video["nb_read_frames"]) - frames) <= 1


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("resolution", "size"),
    [("half", (160, 90)), ("quarter", (80, 44)), ("160x160", (160, 90)), ("200x50", (88, 50)), ("1920x1080", (320, 180))],
)
def test_sizes(proxx: Command, clip: Path, proxies: Path, tmp_path: Path, resolution: str, size: tuple[int, int]) -> None:
    spec = tmp_path / "spec.json"
    spec.write_bytes(encode(jobspec(clip, proxies, **explicit("h264", "mp4", resolution))))
    ended = proxx("run", spec)
    assert ended.exit_code == 0, ended.stderr
    (video,) = streams(probe(Path(parse_result(ended.stdout)["tasks"][0]["output"])), "video")
    assert (video["width"], video["height"]) == size
    shown = Any if "x" in resolution else "16:9"
    assert shown is Any or video["display_aspect_ratio"] == shown
