"""The rate of bare H.265, and its frames as they are counted. Streams are written by hand from the standard."""

from collections.abc import Sequence
from fractions import Fraction

import pytest

from proxx_worker.media.bits import OutOfBitsError
from proxx_worker.media.h265_video import WANTED, H265Video
from proxx_worker.media.start_codes import units
from proxx_worker.media.uncountable import PicturesMissing, Uncountable
from tests.unit.media.bitstreams import hevc_message, hevc_picture, hevc_picture_set, hevc_set, hevc_video_set, unit

TRAIL_N, TRAIL, RADL, RASL_N, RASL, BLA, IDR, IDR_ALONE, CRA = 0, 1, 7, 8, 9, 16, 19, 20, 21
HEAD = hevc_video_set() + hevc_set() + hevc_picture_set()
END = unit(b"\x48\x01")


def counted(stream: bytes) -> tuple[Fraction | None, int, int]:
    counter = H265Video()
    for found in units(lambda at, size: stream[at : at + size], WANTED):
        counter.feed(found)
    rate = counter.finish()
    return rate, counter.frames, counter.left_out


def pictures(*pieces: tuple[int, int]) -> bytes:
    """Pictures of these kinds at these places."""
    return b"".join(hevc_picture(kind, place % 16) for kind, place in pieces)


def run(places: Sequence[int]) -> bytes:
    return pictures((IDR, 0), *((TRAIL, place) for place in places))


@pytest.mark.parametrize(
    ("of_video", "of_sequence", "rate"),
    [
        (None, (1, 25), Fraction(25)),
        ((1001, 24000), None, Fraction(24000, 1001)),
        ((1, 25), (2, 50), Fraction(25)),
        (None, None, None),
        ((0, 1), (1, 0), None),
    ],
)
def test_a_picture_has_one_tick(
    of_video: tuple[int, int] | None, of_sequence: tuple[int, int] | None, rate: Fraction | None
) -> None:
    assert counted(hevc_video_set(of_video) + hevc_set(of_sequence) + hevc_picture_set() + run([1])) == (rate, 2, 0)


def test_two_rates_are_none() -> None:
    with pytest.raises(Uncountable, match="different rates"):
        counted(hevc_video_set((1, 30)) + hevc_set((1, 25)))


def test_everything_that_may_stand_in_parameter_sets_is_passed_over() -> None:
    full = hevc_video_set((1, 25), layers=2) + hevc_set(full=True, layers=2) + hevc_picture_set(extra=2)
    assert counted(full + hevc_picture(IDR, 0, extra=2) + hevc_picture(TRAIL, 1, extra=2)) == (Fraction(25), 2, 0)
    assert counted(hevc_set(usability=False) + hevc_picture_set() + run([1])) == (None, 2, 0)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (hevc_set(separate=True), "coded apart"),
        (hevc_set(fields=True), "single fields"),
        (hevc_picture_set(hides=True), "not all shown"),
        (HEAD + hevc_set(structured=True), "changes on the way"),
    ],
)
def test_what_cannot_be_counted_is_told(head: bytes, said: str) -> None:
    with pytest.raises(Uncountable, match=said):
        counted(head)


def test_parameter_sets_come_again() -> None:
    assert counted(HEAD + run([1]) + HEAD + hevc_picture_set(1) + run([1])) == (Fraction(25), 4, 0)


def test_pictures_are_held_to_their_places_in_the_order_of_display() -> None:
    assert counted(HEAD + 2 * run([4, 2, 1, 3])) == (Fraction(25), 10, 0)
    assert counted(HEAD + run([4, 2, 6]))[1] == 4
    for places in ([4, 2, 1], [4, 1, 3], [1, 1]):
        for before in (0, 1):
            with pytest.raises(PicturesMissing) as missing:
                counted(HEAD + before * run([1]) + run(places) + run([1]))
            assert missing.value.frame == 2 * before


def test_places_go_on_where_their_numbers_begin_anew() -> None:
    assert counted(HEAD + run(range(1, 100)))[1] == 100
    ends = (
        run(range(1, 15)) + hevc_picture(TRAIL, 0) + hevc_picture(TRAIL_N, 15) + hevc_picture(TRAIL, 2) + hevc_picture(TRAIL_N, 1)
    )
    assert counted(HEAD + ends)[1] == 19


def test_pictures_of_higher_layers_do_not_carry_the_numbers_on() -> None:
    layers = hevc_picture(TRAIL, 8) + hevc_picture(TRAIL, 4, layer=2)
    layers += b"".join(hevc_picture(TRAIL_N, place, layer=3) for place in (2, 1, 3, 6, 5, 7))
    assert counted(HEAD + hevc_picture(IDR, 0) + layers)[1] == 9


def test_what_no_decoder_gives_at_the_beginning_is_left_out() -> None:
    cut = pictures((CRA, 8), (RASL, 6), (RASL_N, 5), (RASL_N, 7), (TRAIL, 10), (TRAIL_N, 9))
    assert counted(HEAD + cut) == (Fraction(25), 3, 3)
    # In the middle all of them are shown; behind an end, or at a broken link, they are not.
    assert counted(HEAD + run([1, 2, 3, 4]) + cut) == (Fraction(25), 11, 0)
    assert counted(HEAD + run([1]) + END + cut) == (Fraction(25), 5, 3)
    assert counted(HEAD + run([1]) + pictures((BLA, 8), (RASL, 7), (TRAIL, 9))) == (Fraction(25), 4, 1)


def test_pictures_that_need_none_of_before_are_shown() -> None:
    assert counted(HEAD + pictures((IDR, 0), (RADL, -2), (RADL, -1), (TRAIL, 1)) + run([1])) == (Fraction(25), 6, 0)
    assert counted(HEAD + pictures((IDR_ALONE, 0), (TRAIL, 1)))[1] == 2


@pytest.mark.parametrize(
    "stream", [pictures((IDR, 0)), HEAD + pictures((TRAIL, 1)), HEAD + run([1]) + END + pictures((TRAIL, 2))]
)
def test_a_stream_that_begins_between_keyframes_is_told(stream: bytes) -> None:
    with pytest.raises(Uncountable, match="between two keyframes"):
        counted(stream + HEAD)


def test_pictures_that_are_fields_or_stand_longer_are_told() -> None:
    head = hevc_set(structured=True) + hevc_picture_set()
    for structure in (0, 3, 4):
        assert counted(head + hevc_message(structure) + run([1]))[1] == 2
    for structure in (1, 2, 5, 7, 8, 9, 12):
        with pytest.raises(Uncountable, match="pic_struct"):
            counted(head + run([1]) + hevc_message(structure))
    assert counted(hevc_message(7) + HEAD + hevc_message(7) + run([1]))[1] == 2


@pytest.mark.parametrize(
    "cut",
    [
        hevc_video_set()[:20],
        hevc_set()[:20],
        hevc_picture_set()[:5],
        HEAD + hevc_picture(TRAIL, 1, described_by=5) + hevc_picture(IDR, 0),
        hevc_set(structured=True) + unit(b"\x4e\1\1\0\x80"),
    ],
)
def test_a_header_that_ends_early_or_leads_nowhere_is_told(cut: bytes) -> None:
    with pytest.raises((OutOfBitsError, Uncountable)):
        counted(cut)


def test_a_slice_by_an_unknown_parameter_set_cannot_be_read() -> None:
    with pytest.raises(OutOfBitsError):
        counted(HEAD + run([1]) + hevc_picture(TRAIL, 2, described_by=5))
