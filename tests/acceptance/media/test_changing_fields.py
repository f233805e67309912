"""Sources that change between progressive and interlaced, or their field order, and telecine (decision 0032).

The judge: ffprobe's word on each frame, and the lines of the decoded proxy beside the source's.
"""

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.clips import ffmpeg, tool
from tests.acceptance.command import Command
from tests.acceptance.media.labels import parameter_sets
from tests.acceptance.media.machines import Machine
from tests.acceptance.results import Result, names, parse_result
from tests.acceptance.specs import encode, explicit, jobspec

WIDTH, HEIGHT = 320, 180
MPEG2, H264 = ("-c:v", "mpeg2video", "-q:v", "4", "-bf", "0"), ("-c:v", "libx264", "-preset", "superfast", "-bf", "0")
INTERLACED = {"mpeg2": ("-flags", "+ildct+ilme"), "h264": ("-x264-params", "{order}=1")}
CODECS = {"mpeg2": (MPEG2, "mov"), "h264": (H264, "mp4")}
HALF, SAME, PRORES = explicit("h264", "mp4", "half"), explicit("h264", "mp4"), explicit("prores_proxy", "mov")

Maker = Callable[[str, str], Path]

TIMING = re.compile(rb"\x06\x01\x01\x04\x80")
"""x264's SEI for a progressive picture: pic_timing, one byte (`pic_struct` 0 in its upper half, no clock), its end."""


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    """Seconds of one stream after another, 25 frames each: p progressive, t and b interlaced, top or bottom field first."""
    folder = tmp_path_factory.mktemp("changing")

    def second(kind: str, codec: str) -> Path:
        options, container = CODECS[codec]
        path = folder / f"{kind}.{container}"
        if not path.exists():
            order = {"t": "tff", "b": "bff"}.get(kind)
            fields = ("-vf", f"interlace=scan={order},setfield={order}") if order else ()
            more = (word.format(order=order) for word in INTERLACED[codec]) if order else ()
            picture = f"testsrc2=size={WIDTH}x{HEIGHT}:rate={50 if order else 25}:duration=1,scroll=h=0.03"  # fields differ much
            ffmpeg("-f", "lavfi", "-i", picture, *fields, *options, *more, "-pix_fmt", "yuv420p", path)
        return path

    def make(kinds: str, codec: str) -> Path:
        path, listed = folder / f"{kinds}-{codec}.{CODECS[codec][1]}", folder / f"{kinds}-{codec}.txt"
        listed.write_text("".join(f"file '{second(kind, codec)}'\n" for kind in kinds))
        ffmpeg("-f", "concat", "-safe", "0", "-i", listed, "-c", "copy", path)
        return path

    return make


def run(proxx: Command, folder: Path, source: Path, fields: dict[str, Any], *flags: str | Path) -> Result:
    proxies, spec = folder / "proxies", folder / "spec.json"
    proxies.mkdir()
    spec.write_bytes(encode(jobspec(source, proxies, **fields)))
    return parse_result(proxx("run", *flags, spec).stdout)


def checks_of(result: Result) -> dict[str, Any]:
    return {check["name"]: check for check in result["tasks"][0]["checks"]}


def kinds_of(path: Path) -> list[str]:
    """Of each frame, as ffprobe decodes it."""
    said = subprocess.run(
        [
            "ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=interlaced_frame,top_field_first",
            "-of", "compact=p=0", path,
        ],
        check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    kinds = [dict(part.split("=") for part in line.split("|") if "=" in part) for line in said if "interlaced_frame" in line]
    return ["progressive" if it["interlaced_frame"] == "0" else "tt" if it["top_field_first"] == "1" else "bb" for it in kinds]


def lines_apart(path: Path, other: Path) -> float:
    """How far apart two clips' luma is, line by line: the mean difference of the worst frame, of 255."""
    frames = [
        subprocess.run(
            [
                "ffmpeg", "-nostdin", "-v", "error", "-i", it, "-fps_mode", "passthrough", "-pix_fmt", "gray",
                "-f", "rawvideo", "-",
            ],
            check=True, capture_output=True,
        ).stdout
        for it in (path, other)
    ]  # fmt: skip
    size = WIDTH * HEIGHT
    assert len(frames[0]) == len(frames[1])
    sums = [
        sum(abs(a - b) for a, b in zip(frames[0][at : at + size], frames[1][at : at + size], strict=True))
        for at in range(0, len(frames[0]), size)
    ]
    return max(sums) / size


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("kinds", "codec", "fields", "near"),
    [
        ("pt", "mpeg2", HALF, "1.000"),
        ("pb", "h264", HALF, "1.000"),
        ("ppt", "h264", PRORES, "2.000"),  # not scaled, but its 4:2:0 becomes 4:2:2
        ("tb", "mpeg2", SAME, "1.000"),
        ("bt", "h264", HALF, "1.000"),
    ],
)
def test_fields_that_would_be_blended_or_swapped_are_refused_with_their_place(
    proxx: Command, tmp_path: Path, changing: Maker, kinds: str, codec: str, fields: dict[str, Any], near: str
) -> None:
    result = run(proxx, tmp_path, changing(kinds, codec), fields)
    error = result["error"]
    assert error is not None
    assert (error["code"], error["details"]["near_seconds"]) == ("SOURCE_UNSUPPORTED", near)
    assert f"the source's frame at {near} s is interlaced" in error["message"]
    assert names(tmp_path / "proxies") == []


@pytest.mark.one_in(2)
@pytest.mark.parametrize("codec", CODECS)
def test_interlaced_frames_in_a_progressive_source_keep_their_lines_where_nothing_is_scaled(
    proxx: Command, tmp_path: Path, changing: Maker, codec: str
) -> None:
    source = changing("pt", codec)
    result = run(proxx, tmp_path, source, SAME)
    assert result["error"] is None
    check = checks_of(result)["field_order_of_source"]
    assert (check["expected"], check["ok"]) == ("progressive", None)
    assert check["actual"] == "mixed: progressive from 0.000 s, tt from 1.000 s"
    proxy = Path(result["tasks"][0]["output"])
    assert kinds_of(source) == ["progressive"] * 25 + ["tt"] * 25
    assert lines_apart(source, proxy) < 3
    blended = tmp_path / "blended.mp4"
    ffmpeg("-i", source, "-vf", f"scale={WIDTH}:{HEIGHT // 2}:flags=area,scale={WIDTH}:{HEIGHT}", *H264, blended)
    assert lines_apart(source, blended) > 6


@pytest.mark.parametrize(("kinds", "codec", "order"), [("tp", "mpeg2", "tt"), ("bp", "h264", "bb")])
def test_progressive_frames_in_an_interlaced_source_are_kept(
    proxx: Command, tmp_path: Path, changing: Maker, kinds: str, codec: str, order: str
) -> None:
    result = run(proxx, tmp_path, changing(kinds, codec), HALF)
    assert result["error"] is None
    check = checks_of(result)["field_order_of_source"]
    assert (check["expected"], check["actual"]) == (order, f"mixed: {order} from 0.000 s, progressive from 1.000 s")
    assert set(kinds_of(Path(result["tasks"][0]["output"]))) == {order}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("container", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize(("kind", "order"), [("t", "tt"), ("b", "bb")])
def test_the_first_pictures_of_h264_say_the_order_in_every_container(
    proxx: Command, tmp_path: Path, changing: Maker, kind: str, order: str, container: str
) -> None:
    """The bare stream's word: in MOV and MKV ffprobe gives the container's for it, so the worker itself sees it in MP4 alone."""
    result = run(proxx, tmp_path, changing(kind, "mpeg2"), explicit("h264", container))
    assert result["error"] is None
    assert parameter_sets(Path(result["tasks"][0]["output"]), "h264")["field_order"] == order


def test_the_judge_sees_first_pictures_that_say_the_other_order(tmp_path: Path, changing: Maker) -> None:
    """x264 takes its order from the first frame, after its threads have begun: without `bff=1` the first pictures say top."""
    wrong = tmp_path / "wrong.mov"
    ffmpeg("-i", changing("b", "mpeg2"), *H264, "-flags", "+ildct+ilme", "-pix_fmt", "yuv420p", wrong)
    assert set(kinds_of(wrong)) == {"bb"}
    assert parameter_sets(wrong, "h264")["field_order"] == "tt"


@pytest.mark.one_in(2)
@pytest.mark.parametrize("codec", CODECS)
def test_hard_telecine_stays_the_interlaced_frames_that_it_is(proxx: Command, tmp_path: Path, codec: str) -> None:
    options, container = CODECS[codec]
    source = tmp_path / f"telecine.{container}"
    more = (word.format(order="tff") for word in INTERLACED[codec])
    film = ("-f", "lavfi", "-i", f"testsrc2=size={WIDTH}x{HEIGHT}:rate=24000/1001:duration=2")
    ffmpeg(*film, "-vf", "telecine=pattern=23,setfield=tff", *options, *more, "-pix_fmt", "yuv420p", source)
    result = run(proxx, tmp_path, source, HALF)
    assert result["error"] is None
    checks = checks_of(result)
    assert (checks["field_order"]["expected"], checks["field_order"]["ok"]) == ("tt", True)
    assert "field_order_of_source" not in checks
    assert kinds_of(Path(result["tasks"][0]["output"])) == ["tt"] * checks["frames"]["actual"]


def test_soft_telecine_stays_the_progressive_frames_that_it_is(proxx: Command, tmp_path: Path) -> None:
    """Every second picture says that its first field is repeated: FFmpeg decodes each once, and its time is the container's."""
    source = tmp_path / "film.mov"
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=size={WIDTH}x{HEIGHT}:rate=24000/1001:duration=1", *MPEG2, source)
    content = bytearray(source.read_bytes())
    for number, found in enumerate(re.finditer(rb"\x00\x00\x01\xb5[\x80-\x8f]", content)):
        if number % 2:
            content[found.start() + 7] |= 0x02  # repeat_first_field
    source.write_bytes(content)
    result = run(proxx, tmp_path, source, HALF)
    assert result["error"] is None
    assert "field_order_of_source" not in checks_of(result)
    assert set(kinds_of(Path(result["tasks"][0]["output"]))) == {"progressive"}


def film_in_h264(path: Path, structures: bytes) -> Path:
    """Twelve progressive frames whose `pic_struct` repeats `structures`, and which have no `ct_type`."""
    film = ("-f", "lavfi", "-i", f"testsrc2=size={WIDTH}x{HEIGHT}:rate=24000/1001:duration=0.5")
    ffmpeg(*film, *H264, "-x264-params", "pic-struct=1", "-pix_fmt", "yuv420p", path)
    content = bytearray(path.read_bytes())
    found = [*TIMING.finditer(content)]
    assert len(found) == 12
    for number, place in enumerate(found):
        structure = structures[number % len(structures)]
        # As many clock flags as fields, all 0, then the bit that ends the message.
        flags = {0: 1, 3: 2, 4: 2, 5: 3, 6: 3}[structure]
        content[place.start() + 3] = structure << 4 | 1 << (3 - flags)
    path.write_bytes(content)
    return path


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("structures", "actual"),
    [
        pytest.param(bytes((5, 4, 6, 3)), None, id="pulldown"),
        pytest.param(bytes((0, 3, 3, 3)), None, id="top-first-after-a-frame"),
        # The first frame is what a decoder starts with, the third says that it is one frame: two kinds for any number of threads.
        pytest.param(bytes((3, 3, 0, 3)), "mixed: tt from 0.000 s, progressive from 0.083 s", id="first"),
    ],
)
def test_h264_that_leaves_its_kinds_to_the_decoder_ends_the_same_on_one_cpu_and_on_many(
    proxx: Command, tmp_path: Path, structures: bytes, actual: str | None
) -> None:
    """FFmpeg has as many threads as CPUs, each with its own "frame before": alone they would call other frames interlaced."""
    source = film_in_h264(tmp_path / "film.mp4", structures)
    machines = {"one": shlex.join((*Machine(one_cpu=True).prefix, tool("ffmpeg")))}
    machines["many"] = f"{shlex.quote(tool('ffmpeg'))} -threads 4"
    ended = []
    for name, command in machines.items():
        folder = tmp_path / name
        folder.mkdir()
        program = folder / "ffmpeg"
        program.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        program.chmod(0o755)
        result = run(proxx, folder, source, HALF, "--ffmpeg", program)
        assert result["error"] is None
        ended.append((result["tasks"][0]["checks"], Path(result["tasks"][0]["output"]).read_bytes()))
    assert ended[0] == ended[1]
    kinds = [check["actual"] for check in ended[0][0] if check["name"] == "field_order_of_source"]
    assert kinds == ([] if actual is None else [actual])
