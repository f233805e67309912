"""What ffprobe 5.1, 7.1, 8.0 and 9.0 print of one proxy: all is read from each, and nothing passes because it is not there.

The printouts are of H.265 with HDR metadata, AAC and a timecode in MP4, made by the same command on each version.
"""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from proxx_worker.contract.output_settings import Codec
from proxx_worker.contract.result import Check
from proxx_worker.media.facts import ColorFacts, Timecode
from proxx_worker.planning.plan import TaskPlan, plan_task
from proxx_worker.verification.ffmpeg_evidence import FfmpegEvidence
from proxx_worker.verification.proxy_probe import ProxyObservation
from proxx_worker.verification.verdict import judge
from tests.support.printouts import parse_proxy
from tests.unit.planning.sources import STEREO, clip, settings
from tests.unit.verification.proxies import perfect_encode

PRINTOUTS = sorted((Path(__file__).parent / "printouts").glob("ffprobe-*.txt"))
VERSIONS = [path.stem.removeprefix("ffprobe-") for path in PRINTOUTS]
HDR = ColorFacts(
    range="tv",
    matrix="bt2020nc",
    primaries="bt2020",
    transfer="smpte2084",
    mastering_display="G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)",
    content_light="1000,400",
)
SHORT = Fraction(3, 25)
SOURCE = replace(
    clip(width=128, height=72, duration=SHORT, frames=3, bit_depth=10, color=HDR),
    audio=(replace(STEREO, codec="pcm_s16le", channels=1, layout="mono", duration=SHORT, gapless=False),),
    timecode=Timecode("01:00:00:00", drop_frame=False, origin="tmcd"),
    duration=SHORT,
)


SEEN = {
    "exit_code": 0, "file_size": 1000, "decodes": True, "container": "mov,mp4,m4a,3gp,3g2,mj2",
    "video_streams": 1, "audio_streams": 1, "other_streams": ["tmcd"],
    "video_codec": "hevc", "video_profile": "Main 10", "video_tag": "hvc1", "picture_size": "128x72", "display_aspect": "16/9",
    "rotation": 0, "field_order": "progressive", "field_order_said": "progressive",
    "color_range": "tv", "color_matrix": "bt2020nc", "color_primaries": "bt2020", "color_transfer": "smpte2084",
    "content_light": HDR.content_light, "mastering_display": HDR.mastering_display,
    "frames_encoded": 3, "frames": 3, "frames_of_source": 3, "frame_times": "3 frames on their times", "start": "0",
    "frame_rate": "25", "duration": "0.12", "timecode": "01:00:00:00", "reel": None,
    "audio_0_codec": "aac", "audio_0_channels": 1, "audio_0_layout": "mono", "audio_0_sample_rate": 48000,
    "audio_0_start": "0", "audio_0_duration": "0.12", "audio_0_holes": 0,
}  # fmt: skip
"""What each check says of the proxy."""


def plan() -> TaskPlan:
    return plan_task(settings(Codec.HEVC), SOURCE)


def checks(printout: str) -> dict[str, Check]:
    planned = plan()
    proxy = ProxyObservation(0, parse_proxy(printout.encode()), "")
    verdict = judge(planned.expected, proxy, FfmpegEvidence(planned, perfect_encode(planned, frames=3)))
    return {check.name: check for check in verdict.checks}


@pytest.fixture(params=PRINTOUTS, ids=VERSIONS)
def printout(request: pytest.FixtureRequest) -> str:
    path: Path = request.param
    return path.read_text()


def test_all_versions_are_here() -> None:
    assert VERSIONS == ["5.1", "7.1", "8.0", "9.0"]


def test_each_printout_proves_the_proxy(printout: str) -> None:
    found = checks(printout)
    assert [name for name, check in found.items() if check.ok is False] == []
    assert [name for name, check in found.items() if check.ok is None] == ["reel"]
    assert {name: check.actual for name, check in found.items()} == SEEN
    # The container has several names, and FFmpeg adds the track of the timecode.
    assert {name: check.expected for name, check in found.items()} == {**SEEN, "container": "mov", "other_streams": []}


def words(printout: str) -> list[str]:
    """Every key of the printout, with the prefix that ffprobe 7 and later give those of side data."""
    parts = (part for line in printout.splitlines() for part in line.split("|"))
    return sorted({part.partition("=")[0] for part in parts if "=" in part})


def edited(printout: str, key: str, value: str | None) -> str:
    """The printout with another value for `key` everywhere, or without the key."""
    lines = []
    for line in printout.splitlines():
        parts = [part for part in line.split("|") if value is not None or part.partition("=")[0] != key]
        if value is not None:
            parts = [f"{key}={value}" if part.partition("=")[0] == key else part for part in parts]
        lines.append("|".join(parts))
    return "\n".join(lines)


def wrong(printout: str, key: str) -> list[str]:
    """Other values than those of `key`, of the kind that it has."""
    values = {part.partition("=")[2] for line in printout.splitlines() for part in line.split("|") if part.startswith(f"{key}=")}
    number = all(value.replace("/", "").replace(":", "").replace(".", "").isdigit() for value in values)
    return ["7", "1000000", "3/7", "90"] if number else ["other", "unknown"]


WITHOUT = {"duration_ts": {"audio_0_duration"}}
"""What other input decides if this one is missing: where the container says no length of AAC, its decoded frames are counted."""


def test_no_check_passes_because_its_input_is_missing(printout: str) -> None:
    good = {name for name, check in checks(printout).items() if check.ok}
    for key in words(printout):
        without = checks(edited(printout, key, None))
        passes = {name for name in good if name in without and without[name].ok}
        for value in wrong(printout, key):
            seen = checks(edited(printout, key, value))
            caught = {name for name in good if name in seen and seen[name].ok is False}
            assert not (passes & caught) - WITHOUT.get(key, set()), (key, value)


ROTATED = {
    "5.1": "|side_data|side_data_type=Display Matrix|rotation=-90",
    "5.1, second of two": "|side_data|side_data_type=Stereo 3D\nside_data|side_data_type=Display Matrix|rotation=-90",
    "7.1 and later": "|side_datum/display_matrix:side_data_type=Display Matrix|side_datum/display_matrix:rotation=-90",
}


def with_side_data(said: str) -> str:
    lines = PRINTOUTS[0].read_text().splitlines()
    return "\n".join(line + said if line.startswith("stream|index=0") else line for line in lines)


@pytest.mark.parametrize("said", ROTATED.values(), ids=ROTATED.keys())
def test_a_turned_proxy_is_seen_in_every_form(said: str) -> None:
    seen = checks(with_side_data(said))["rotation"]
    assert (seen.ok, seen.expected, seen.actual) == (False, 0, "-90")
    upright = checks(with_side_data(with_matrix(said, IDENTITY)))["rotation"]
    assert (upright.ok, upright.actual) == (True, 0)
    unknown = checks(with_side_data(said.replace("-90", "0")))["rotation"]
    assert (unknown.ok, unknown.actual) == (None, None), "the matrix itself is missing"


UPSIDE_DOWN = (
    r"displaymatrix=\n00000000:        65536           0           0\n00000001:            0      -65536           0"
    r"\n00000002:            0           0  1073741824\n"
)
IDENTITY = UPSIDE_DOWN.replace("-65536", " 65536")


def with_matrix(said: str, matrix: str) -> str:
    prefix = "side_datum/display_matrix:" if "side_datum" in said else ""
    return said.replace(f"|{prefix}rotation=-90", f"|{prefix}{matrix}|{prefix}rotation=0")


@pytest.mark.parametrize("said", ROTATED.values(), ids=ROTATED.keys())
def test_a_proxy_that_is_mirrored_by_its_matrix_is_seen_in_every_form(said: str) -> None:
    """As printed of a MOV whose track header turns it upside down: its rotation is 0."""
    seen = checks(with_side_data(with_matrix(said, UPSIDE_DOWN)))["rotation"]
    assert (seen.ok, seen.expected, seen.actual) == (False, 0, "mirrored")


@pytest.mark.parametrize("said", ROTATED.values(), ids=ROTATED.keys())
def test_a_matrix_whose_rotation_is_not_told_is_not_known(said: str) -> None:
    unknown = said.partition("|side_datum/display_matrix:rotation")[0].replace("|rotation=-90", "")
    assert checks(with_side_data(unknown))["rotation"] == Check(name="rotation", expected=0, actual=None, ok=None)


def test_streams_that_are_printed_again_count_once() -> None:
    lines = PRINTOUTS[0].read_text().splitlines()
    frames = sum(line.startswith(("frame|", "side_data|", "")) and not line.startswith(("stream|", "format|")) for line in lines)
    below_a_group = ["stream_group|stream|index=0|codec_type=video", "stream|index=2|codec_tag_string=tmcd", ""]
    assert checks("\n".join([*lines[:frames], *below_a_group, *lines[frames:]])) == checks("\n".join(lines))
