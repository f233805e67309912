"""A pass over a damaged source where one tick, one packet or one word more decides: what is just a place, and what is not yet."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from proxx_worker.verification.damage_search import DamageSearch
from tests.unit.planning.sources import CLIP, PICTURE
from tests.unit.verification.test_damage_search import BLOCK, FRAME, TICKS, frame, packet, pictures, places, searched

VARIABLE = replace(CLIP, video=replace(PICTURE, constant_rate=False))
HALF_A_SECOND = TICKS // 2
LASTS = 500
"""Ticks of a packet, of which nine tenths are 450."""


@pytest.mark.parametrize(("away", "lost"), [(449, False), (450, True)])
def test_a_packet_nine_tenths_of_its_duration_from_each_frame_has_given_none(away: int, lost: bool) -> None:
    """Nearer it may be the second field of a frame."""
    between = [packet(0), frame(0), packet(away, lasts=LASTS), packet(2 * away), frame(2 * away)]
    at_the_end = [packet(0), frame(0), packet(away, lasts=LASTS)]
    for lines in (between, at_the_end):
        assert places(lines, VARIABLE) == ([("0.035", "0.035", 0, "decoding")] if lost else [])


def test_packets_that_say_no_duration_last_a_tick() -> None:
    coarse = replace(CLIP, video=replace(PICTURE, constant_rate=False, time_base=Fraction(1, 25)))
    lines = [packet(0, lasts="N/A"), frame(0), packet(1, lasts="N/A"), packet(2, lasts="N/A"), frame(2)]
    assert places(lines, coarse) == [("0.040", "0.040", 0, "decoding")]


def test_a_frame_that_comes_too_late_in_its_order_is_missed_behind_earlier_ones() -> None:
    reordered = [packet(0), frame(0), packet(3 * FRAME), packet(FRAME), frame(FRAME), packet(2 * FRAME), frame(2 * FRAME)]
    assert places([*reordered, packet(4 * FRAME), frame(4 * FRAME)]) == [("0.120", "0.120", 0, "decoding")]


def test_a_packet_that_is_to_be_discarded_gives_no_frame() -> None:
    assert places([packet(0), frame(0), packet(FRAME, flags="_D_"), packet(2 * FRAME), frame(2 * FRAME)]) == []


def test_two_frames_at_one_time_do_not_grow() -> None:
    assert places([*pictures(25), packet(24 * FRAME), frame(24 * FRAME)]) == [("0.960", "0.960", 0, "times")]


def test_a_frame_without_a_time_may_be_of_any_packet_before_it() -> None:
    waiting = [packet(0), frame(0), packet(FRAME), packet(2 * FRAME), frame(None)]
    assert places([*waiting, packet(3 * FRAME), frame(3 * FRAME)]) == []


def test_after_a_frame_without_a_time_the_packets_that_give_none_are_damaged() -> None:
    lines = [packet(None, dts=0), frame(None), packet(FRAME), packet(2 * FRAME)]
    assert places(lines) == [("0.040", "0.080", 0, "decoding")]


def test_frames_without_times_among_timed_ones_are_not_compared_with_them() -> None:
    late = [packet(None, dts=0), frame(None), packet(None, dts=1), frame(None), packet(1), frame(1), packet(FRAME), frame(FRAME)]
    assert places(late) == []
    again = [*pictures(2), packet(None, dts=2 * FRAME), frame(None), packet(None, dts=3 * FRAME), frame(FRAME)]
    assert places(again) == [("0.040", "0.040", 0, "times")]


def test_where_frames_have_no_times_the_first_packet_is_the_beginning() -> None:
    lines = [packet(None, dts=10 * TICKS), frame(None), packet(None, dts=12 * TICKS), frame(None, BLOCK)]
    assert places(lines) == [("2.000", "2.000", 0, "decoding")]
    coarse = replace(CLIP, video=replace(PICTURE, time_base=Fraction(1, 25)))
    unknown = [packet(None), frame(None), packet(None, dts=50), frame(None, BLOCK)]
    assert places(unknown, coarse) == [("2.000", "2.000", 0, "decoding")]


def test_a_complaint_about_an_empty_packet_is_at_the_time_of_its_decoding() -> None:
    assert places([packet(0), frame(0), packet(None, dts=50 * FRAME, size=0), frame(50 * FRAME, BLOCK)]) == [
        ("2.000", "2.000", 0, "decoding")
    ]


@pytest.mark.parametrize(
    ("times", "found"),
    [
        ((0, HALF_A_SECOND), [("0.000", "0.500")]),
        ((0, HALF_A_SECOND + 1), [("0.000", "0.000"), ("0.500", "0.500")]),
        ((HALF_A_SECOND, 0), [("0.000", "0.500")]),
        ((HALF_A_SECOND + 1, 0), [("0.000", "0.000"), ("0.500", "0.500")]),
    ],
)
def test_half_a_second_either_way_is_one_place(times: Sequence[int], found: list[tuple[str, str]]) -> None:
    assert places([packet(time, flags="__C") for time in times]) == [(begin, end, 0, "reading") for begin, end in found]


def test_two_frames_before_a_last_packet_at_0_is_at_the_end() -> None:
    """Sound may begin before the picture does, and so may end at 0."""
    before = [packet(-2 * FRAME, flags="K__"), frame(-2 * FRAME, BLOCK), packet(-FRAME), frame(-FRAME)]
    assert searched([*before, packet(0), frame(0)]).at_end


def test_a_decoder_s_words_may_be_any_bytes() -> None:
    search = DamageSearch(CLIP)
    search.feed(f"{packet(0)}\n".encode() + b"frame|stream_index=0|pts=0|log|level=16|message=\xff\xfe\n")
    assert [place.kind for place in search.finish(complete=True).places] == ["decoding"]
