"""What the first pictures say of their fields: read out of streams written by hand, and compared with the plan."""

from dataclasses import replace

import pytest
from pydantic import JsonValue

from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.contract.result import Check
from proxx_worker.planning.expectation import Expectation
from proxx_worker.planning.plan import plan_task
from proxx_worker.verification.evidence import Evidence
from proxx_worker.verification.ffmpeg_evidence import FfmpegEvidence
from proxx_worker.verification.first_pictures import (
    FirstPictures,
    first_pictures_argv,
    first_pictures_checks,
    read_structures,
)
from proxx_worker.verification.verdict import judge
from tests.unit.media.bitstreams import avc_message, avc_set
from tests.unit.planning.sources import clip, settings
from tests.unit.verification.proxies import perfect_encode, perfect_proxy

SAYS = avc_set(fields=True, structured=True, buffered=1)


def stream(*structures: int) -> bytes:
    """As FFmpeg copies it: the parameter set stands behind the first picture's message."""
    first, *others = (avc_message(structure) for structure in structures)
    return first + SAYS + b"".join(others)


def expected(order: str | None = "tt", codec: Codec = Codec.H264, container: Container = Container.MOV) -> Expectation:
    return plan_task(settings(codec, container), clip(field_order=order)).expected


def check(look: FirstPictures | None, *, order: str = "tt", frames: int = 25) -> Check:
    (found,) = first_pictures_checks(expected(order), look, frames)
    assert found.name == "field_order_first_pictures"
    return found


def test_every_message_is_read() -> None:
    assert read_structures(stream(3, 3, 4, 0, 5, 3)) == (3, 3, 4, 0, 5, 3)


def test_a_set_in_front_is_read_too() -> None:
    assert read_structures(SAYS + avc_message(4)) == (4,)


def test_a_stream_that_says_nothing() -> None:
    silent = avc_set(fields=True)
    assert read_structures(silent + avc_message(4)) == ()
    assert read_structures(avc_message(4)) == ()
    assert read_structures(b"") == ()


def test_no_stump_of_a_stream_is_more_than_it_says() -> None:
    whole = stream(3, 4)
    for length in range(len(whole)):
        assert read_structures(whole[:length]) in {(), (3,), (3, 4)}


@pytest.mark.parametrize(
    ("order", "frames", "structures", "wanted", "said", "ok"),
    [
        ("tt", 25, (3,) * 6, ["tt"] * 6, ["tt"] * 6, True),
        ("bb", 25, (4,) * 6, ["bb"] * 6, ["bb"] * 6, True),
        ("tt", 25, (4,) * 6, ["tt"] * 6, ["bb"] * 6, False),
        ("bb", 25, (3, 3, 3, 4, 4, 4), ["bb"] * 6, ["tt", "tt", "tt", "bb", "bb", "bb"], False),
        ("tt", 25, (3, 3, 3, 3, 3, 0), ["tt"] * 6, ["tt"] * 5 + ["progressive"], False),
        ("tt", 25, (5, 3, 3, 3, 3, 3), ["tt"] * 6, ["pic_struct 5"] + ["tt"] * 5, False),
        ("tt", 25, (1, 2, 1, 2, 1, 2), ["tt"] * 6, ["pic_struct 1", "pic_struct 2"] * 3, False),
        ("tt", 2, (3, 3), ["tt"] * 2, ["tt"] * 2, True),
        ("tt", 25, (3, 3, 3, 3, 3), ["tt"] * 6, ["tt"] * 5, None),
        ("tt", 25, (3, 4), ["tt"] * 6, ["tt", "bb"], False),
        ("tt", 25, (), ["tt"] * 6, [], None),
        ("tt", 0, (), ["tt"], [], None),
    ],
)
def test_the_first_pictures_say_the_planned_order(
    order: str,
    frames: int,
    structures: tuple[int, ...],
    wanted: JsonValue,
    said: JsonValue,
    ok: bool | None,
) -> None:
    found = check(FirstPictures(0, structures), order=order, frames=frames)
    assert (found.expected, found.actual, found.ok) == (wanted, said, ok)


@pytest.mark.parametrize(
    ("look", "said"),
    [
        (FirstPictures(1, (3,) * 6), "exit 1"),
        (FirstPictures(-9, ()), "exit -9"),
        (FirstPictures(1, (), "[mov @ 0x55d8] moov atom not found\nfile:clip.mov: Invalid data\n"), "[mov] moov atom not found"),
    ],
)
def test_a_look_that_fails_is_told(look: FirstPictures, said: str) -> None:
    found = check(look)
    assert (found.expected, found.actual, found.ok) == (["tt"] * 6, said, False)


def test_without_a_look_nothing_is_known() -> None:
    found = check(None)
    assert (found.expected, found.actual, found.ok) == (["tt"] * 6, None, None)


@pytest.mark.parametrize(
    ("order", "codec"), [("progressive", Codec.H264), (None, Codec.H264), ("tt", Codec.PRORES_LT), ("bb", Codec.PRORES_LT)]
)
def test_other_proxies_have_no_such_check(order: str | None, codec: Codec) -> None:
    assert list(first_pictures_checks(expected(order, codec), FirstPictures(1, ()), 25)) == []


@pytest.mark.parametrize(("container", "demuxer"), [(Container.MOV, "mov"), (Container.MP4, "mov"), (Container.MKV, "matroska")])
def test_the_command_copies_headers_alone(container: Container, demuxer: str) -> None:
    assert first_pictures_argv("/bin/ffmpeg", "clip", expected(container=container)) == [
        "/bin/ffmpeg", "-hide_banner", "-nostdin", "-v", "error", "-protocol_whitelist", "file", "-f", demuxer, "-i", "file:clip",
        "-map", "0:v:0", "-c", "copy", "-frames:v", "6", "-bsf:v", "h264_mp4toannexb,filter_units=pass_types=6|7",
        "-f", "h264", "pipe:1",
    ]  # fmt: skip


def test_the_verdict_is_the_checks() -> None:
    plan = plan_task(settings(Codec.H264, Container.MOV), clip(field_order="bb"))
    evidence: Evidence = FfmpegEvidence(plan, perfect_encode(plan))
    proxy = replace(perfect_proxy(plan).observation(), first_pictures=FirstPictures(0, (3, 3, 3, 4, 4, 4)))
    verdict = judge(plan.expected, proxy, evidence)
    assert [item.name for item in verdict.checks if item.ok is False] == ["field_order_first_pictures"]
    assert verdict.error is not None
    assert verdict.error.code == "OUTPUT_INVALID"
    good = judge(plan.expected, replace(proxy, first_pictures=FirstPictures(0, (4,) * 6)), evidence)
    assert (good.error, [item.ok for item in good.checks if item.name == "field_order_first_pictures"]) == (None, [True])
