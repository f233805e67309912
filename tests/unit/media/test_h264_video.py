"""The rate of bare H.264, and its frames as they are counted. Streams are written by hand from the standard."""

from collections.abc import Sequence
from fractions import Fraction

import pytest

from proxx_worker.media.bits import OutOfBitsError
from proxx_worker.media.h264_video import WANTED, H264Video
from proxx_worker.media.parameter_sets import MOST
from proxx_worker.media.start_codes import units
from proxx_worker.media.uncountable import PicturesMissing, Uncountable
from tests.unit.media.bitstreams import DESCRIBED, PARTLY, UNDESCRIBED, Field, avc_message, avc_picture, avc_set, se, ue, unit

TOP, BOTTOM = 1, 2
BY_NUMBER = (ue(2),)
"""pic_order_cnt_type 2: pictures are shown as they are coded."""


def counted(stream: bytes) -> tuple[Fraction | None, int]:
    counter = H264Video()
    for found in units(lambda at, size: stream[at : at + size], WANTED):
        counter.feed(found)
    rate = counter.finish()
    assert counter.left_out == 0
    return rate, counter.frames


def run(places: Sequence[int], *, step: int = 2) -> bytes:
    """An IDR picture at 0, then reference pictures at these places."""
    rest = (avc_picture(1 + number, step * place % 64) for number, place in enumerate(places))
    return avc_picture(0, 0, idr=True) + b"".join(rest)


@pytest.mark.parametrize(
    ("ticks", "rate"),
    [((1, 50), Fraction(25)), ((1001, 60000), Fraction(30000, 1001)), ((0, 50), None), ((1, 0), None), (None, None)],
)
@pytest.mark.parametrize("description", [UNDESCRIBED, DESCRIBED, PARTLY])
def test_a_frame_has_two_ticks(ticks: tuple[int, int] | None, rate: Fraction | None, description: tuple[Field, ...]) -> None:
    assert counted(avc_set(ticks, description=description) + run([2, 1])) == (rate, 3)


FORMATS: list[tuple[Field, ...]] = [
    (ue(1), ue(2), ue(2), (0, 1), (0, 1)),
    (ue(3), (0, 1), ue(0), ue(0), (0, 1), (0, 1)),
    (ue(1), ue(0), ue(0), (0, 1), (1, 1), *(8 * [(0, 1)])),
    (ue(1), ue(0), ue(0), (0, 1), (1, 1), (1, 1), se(-8), *(7 * [(0, 1)])),
    (ue(1), ue(0), ue(0), (0, 1), (1, 1), *(6 * [(0, 1)]), (1, 1), *(64 * [se(1)]), (0, 1)),
    (ue(3), (0, 1), ue(0), ue(0), (0, 1), (1, 1), *(11 * [(0, 1)]), (1, 1), *(10 * [se(2)]), se(-28)),
]


@pytest.mark.parametrize("chroma", FORMATS)
def test_formats_and_scaling_lists_are_passed_over(chroma: tuple[Field, ...]) -> None:
    for cropped in (True, False):
        assert counted(avc_set(profile=100, chroma=chroma, cropped=cropped) + run([1, 2])) == (Fraction(25), 3)


def test_colours_that_are_coded_apart_are_told() -> None:
    with pytest.raises(Uncountable, match="separately coded"):
        counted(avc_set(profile=100, chroma=(ue(3), (1, 1), ue(0), ue(0), (0, 1), (0, 1))) + run([1]))


def test_without_pictures_there_are_none() -> None:
    assert counted(b"") == (None, 0)
    assert counted(avc_set()) == (Fraction(25), 0)


def test_a_parameter_set_may_come_again_and_must_say_the_same() -> None:
    assert counted(avc_set() + run([1]) + avc_set() + avc_set(description=DESCRIBED) + run([1])) == (Fraction(25), 4)
    for other in (avc_set((1, 60)), avc_set(fields=True), avc_set(order=BY_NUMBER)):
        with pytest.raises(Uncountable, match="changes partway"):
            counted(avc_set() + run([1]) + other)


def test_so_many_different_parameter_sets_are_no_encoder_s() -> None:
    sets = [avc_set() + unit(b"\x09\xf0") for _ in range(2 * MOST)]
    assert counted(b"".join(sets) + run([1])) == (Fraction(25), 2)
    many = [avc_set().replace(b"\x67\x4d\x00\x28", b"\x67\x4d\x00" + bytes([level])) for level in range(2, 255)]
    more = [avc_set().replace(b"\x67\x4d\x00\x28", b"\x67\x4d\x40" + bytes([level])) for level in range(2, 255)]
    with pytest.raises(Uncountable, match="more than 300 parameter sets"):
        counted(b"".join(many + more))


@pytest.mark.parametrize("step", [1, 2])
def test_pictures_are_held_to_their_places_in_the_order_of_display(step: int) -> None:
    assert counted(avc_set() + 2 * run([4, 2, 1, 3], step=step)) == (Fraction(25), 10)
    for places in ([4, 2, 1], [4, 1, 3], [1, 1]):
        for before in (0, 1):
            with pytest.raises(PicturesMissing) as missing:
                counted(avc_set() + before * run([1]) + run(places, step=step) + run([1]))
            assert missing.value.frame == 2 * before


def test_places_go_on_where_their_numbers_begin_anew() -> None:
    frames = range(1, 200)
    pictures = b"".join(avc_picture(number % 16, 2 * number % 64) for number in frames)
    assert counted(avc_set() + avc_picture(0, 0, idr=True) + pictures)[1] == 200
    # One that is shown before those around it, whose numbers have restarted already.
    ends = b"".join(avc_picture(number % 16, 2 * number % 64) for number in range(1, 31)) + avc_picture(15, 0)
    back = avc_picture(0, 62, reference=False) + avc_picture(0, 2)
    assert counted(avc_set() + avc_picture(0, 0, idr=True) + ends + back)[1] == 34


def test_pictures_that_others_do_not_need_count_too() -> None:
    pictures = avc_picture(1, 4) + avc_picture(2, 2, reference=False) + avc_picture(2, 8) + avc_picture(3, 6, reference=False)
    assert counted(avc_set() + avc_picture(0, 0, idr=True) + pictures)[1] == 5


CYCLES = (ue(1), (0, 1), se(-1), se(1), ue(2), se(2), se(2))


@pytest.mark.parametrize("order", [BY_NUMBER, CYCLES])
def test_a_picture_that_others_need_is_missed_by_number(order: tuple[Field, ...]) -> None:
    head = avc_set(order=order) + avc_picture(0, idr=True) + avc_picture(1)
    assert counted(head + avc_picture(2) + avc_picture(3))[1] == 4
    with pytest.raises(PicturesMissing) as missing:
        counted(head + avc_picture(3))
    assert missing.value.frame == 2
    with pytest.raises(Uncountable, match="picture numbers restart"):
        counted(head + avc_picture(2) + avc_picture(1))


def test_a_stream_may_leave_out_numbers_where_it_says_so() -> None:
    assert counted(avc_set(order=BY_NUMBER, skips=True) + avc_picture(0, idr=True) + avc_picture(5))[1] == 2


def test_two_fields_are_one_frame() -> None:
    head = avc_set(fields=True) + avc_picture(0, 0, idr=True, field=TOP) + avc_picture(0, 1, field=BOTTOM)
    assert counted(head)[1] == 1
    more = avc_picture(1, 3, field=BOTTOM) + avc_picture(1, 2, field=TOP) + avc_picture(2, 4, field=0)
    assert counted(head + more) == (Fraction(25), 3)


@pytest.mark.parametrize(
    "second",
    [
        b"",
        avc_picture(0, 2, field=TOP),
        avc_picture(1, 1, field=BOTTOM),
        avc_picture(1, 2, field=0),
    ],
)
def test_a_single_field_is_no_frame(second: bytes) -> None:
    with pytest.raises(Uncountable, match="single field"):
        counted(avc_set(fields=True) + avc_picture(0, 0, idr=True, field=TOP) + second)


@pytest.mark.parametrize("stream", [avc_picture(0, 0, idr=True), avc_set() + avc_picture(1, 2)])
def test_a_stream_that_begins_elsewhere_is_told(stream: bytes) -> None:
    with pytest.raises(Uncountable, match="begin"):
        counted(stream + avc_set() + run([1]))


@pytest.mark.parametrize("buffered", [0, 1, 2])
def test_pulldown_is_told(buffered: int) -> None:
    known, delays = avc_set(structured=True, buffered=buffered), 15 if buffered else 0
    for structure in (0, 1, 2, 3, 4):
        assert counted(known + avc_message(structure, delays) + run([1]))[1] == 2
    for structure in (5, 6, 7, 8):
        with pytest.raises(Uncountable, match="pulldown"):
            counted(known + run([1]) + avc_message(structure, delays))


def test_messages_say_nothing_where_the_parameter_set_does_not_tell_of_them() -> None:
    assert counted(avc_message(7) + avc_set() + avc_message(7) + run([1]))[1] == 2
    for empty in (b"\x06", b"\x06\x05", b"\x06\xff\xff\xff", b"\x06\x80"):
        assert counted(avc_set(structured=True) + unit(empty) + run([1]))[1] == 2


@pytest.mark.parametrize(
    "cut",
    [avc_set()[:12], avc_set() + unit(b"\x65\xf0"), avc_set(order=(ue(0), ue(13))), avc_set(structured=True) + unit(b"\x06\1\0")],
)
def test_a_header_that_ends_early_is_told(cut: bytes) -> None:
    with pytest.raises(OutOfBitsError):
        counted(cut + unit(b"\x09\xf0"))
