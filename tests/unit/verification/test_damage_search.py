"""A pass over the whole of a damaged source: what becomes a place, and when."""

from dataclasses import replace

import pytest

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.planning.plan import plan_task
from proxx_worker.verification.damage_places import DamageSearchResult, Place
from proxx_worker.verification.damage_search import DamageSearch
from proxx_worker.verification.encode_fault import encode_error
from proxx_worker.verification.ffmpeg_evidence import FfmpegEvidence
from tests.unit.planning.sources import CLIP, settings
from tests.unit.verification.proxies import perfect_encode

PLAN = plan_task(settings(Codec.PRORES_PROXY, Container.MOV), CLIP)
START = "[info] Stream mapping:"
VIDEO = "[h264 @ 0x1] [error] error while decoding MB 21 4, bytestream -30"
AUDIO = "[aac @ 0x1] [error] Input buffer exhausted"
READING = f"[{','.join(CLIP.formats)} @ 0x1] [error] partial file"


def frame(seconds: float, of: str = "video") -> tuple[str, str]:
    return f"frame:7    pts:1       pts_time:{seconds:g}", f"of={of}"


def searched(*lines: str, complete: bool = True) -> DamageSearchResult:
    search = DamageSearch(CLIP)
    for line in lines:
        search.feed_line(line)
    return search.finish(PLAN, complete=complete)


def test_places_have_the_time_of_the_last_frame_of_their_stream_since_the_first_picture() -> None:
    found = searched(
        START, *frame(10), *frame(10.02, "audio1"), *frame(11), VIDEO, *frame(11.04), *frame(11.5, "audio1"), AUDIO,
        *frame(12), *frame(12.3, "audio1"), READING,
    )  # fmt: skip
    assert found == DamageSearchResult(
        (Place("1.000", 0, "decoding"), Place("1.500", 1, "decoding"), Place("2.000", None, "reading")), complete=True
    )


def test_what_is_said_within_half_a_second_is_one_place() -> None:
    lines = [line for tenth in range(0, 30, 4) for line in (*frame(tenth / 10), VIDEO)]
    assert searched(START, *lines).places == (Place("0.000", 0, "decoding"),)
    assert searched(START, *frame(0), VIDEO, *frame(0.5), VIDEO, *frame(1.1), VIDEO, VIDEO).places == (
        Place("0.000", 0, "decoding"), Place("1.100", 0, "decoding")
    )  # fmt: skip


def test_places_of_two_streams_stand_in_the_order_of_time() -> None:
    found = searched(START, *frame(0), *frame(2), VIDEO, *frame(1.5, "audio1"), AUDIO)
    assert [place.seconds for place in found.places] == ["1.500", "2.000"]


@pytest.mark.parametrize(
    "lines",
    [
        (*frame(0), VIDEO),  # FFmpeg looks into the file: nothing is decoded yet
        (START, *frame(0), "[h264 @ 0x1] [warning] something odd"),
        (START, *frame(0), "[hevc] [error] SEI type 5 size 12 truncated at 8"),
        (START, *frame(0), "[null @ 0x1] [error] a muxer's word"),
        (START, "of=video", VIDEO.replace("[error]", "[info]")),
    ],
)
def test_what_is_no_damage(lines: tuple[str, ...]) -> None:
    assert searched(*lines).places == ()


def test_damage_before_the_first_picture_is_at_zero() -> None:
    assert searched(START, VIDEO, AUDIO).places == (Place("0.000", 0, "decoding"), Place("0.000", 1, "decoding"))


def test_a_file_of_noise_does_not_fill_the_memory() -> None:
    search = DamageSearch(CLIP)
    search.feed_line(START)
    for second in range(20_000):
        for line in (*frame(second), VIDEO):
            search.feed_line(line)
    assert len(search.finish(PLAN, complete=True).places) == 10_000
    assert search.frames == 20_000


DAMAGED = replace(perfect_encode(PLAN), exit_code=1, complaints=(VIDEO,), complained_at=3, heard_at=(3,))


def test_the_error_has_what_was_found() -> None:
    found = DamageSearchResult((Place("0.040", 0, "decoding"), Place("7.000", 1, "decoding")), complete=True)
    error = FfmpegEvidence(PLAN, DAMAGED, search=found).fault()
    assert error is not None
    assert error.code is ErrorCode.SOURCE_DAMAGED
    assert "first near 0.040 s (2 places, the last near 7.000 s): [h264] [error] error while" in error.message
    assert error.details == {
        "near_seconds": "0.040",
        "lines": ["[h264] [error] error while decoding MB 21 4, bytestream -30"],
        "places": [
            {"near_seconds": "0.040", "stream": 0, "kind": "decoding"},
            {"near_seconds": "7.000", "stream": 1, "kind": "decoding"},
        ],
        "places_count": 2,
        "places_complete": True,
    }


def test_a_search_that_found_nothing_leaves_what_the_encode_met() -> None:
    error = encode_error(PLAN, DAMAGED, DamageSearchResult((), complete=False))
    assert error is not None
    assert "first near 0.080 s: " in error.message
    assert (error.details["places_count"], error.details["places_complete"]) == (1, False)


@pytest.mark.parametrize(
    ("encode", "stopped"),
    [
        (DAMAGED, True),
        (replace(DAMAGED, exit_code=0), False),
        (replace(DAMAGED, complaints=("[out#0 @ 0x1] [error] x",)), False),
        (perfect_encode(PLAN), False),
    ],
)
def test_only_an_encode_that_stopped_at_damage_leaves_more_to_find(encode: object, stopped: bool) -> None:
    assert FfmpegEvidence(PLAN, encode).stopped_at_damage() is stopped  # type: ignore[arg-type]
