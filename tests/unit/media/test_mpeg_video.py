"""The rate of MPEG-1 and MPEG-2 video, and its frames as they are counted. Streams are written by hand from the standards."""

from fractions import Fraction

import pytest

from proxx_worker.media.bits import OutOfBitsError
from proxx_worker.media.mpeg_video import WANTED, MpegVideo
from proxx_worker.media.start_codes import units
from proxx_worker.media.uncountable import PicturesMissing, Uncountable
from tests.unit.media.bitstreams import frame, group, picture, sequence, sequence_extension, unit

HEAD = sequence() + sequence_extension()
IPBB = frame("I", 0) + frame("P", 3) + frame("B", 1) + frame("B", 2)
OPEN = group() + frame("I", 2) + frame("B", 0) + frame("B", 1)
TOP, BOTTOM = 1, 2


def counted(stream: bytes) -> tuple[Fraction | None, int, int]:
    counter = MpegVideo()
    for found in units(lambda at, size: stream[at : at + size], WANTED):
        counter.feed(found)
    rate = counter.finish()
    return rate, counter.frames, counter.left_out


@pytest.mark.parametrize(
    ("code", "extension", "rate"),
    [
        (1, (0, 0), Fraction(24000, 1001)),
        (3, (0, 0), Fraction(25)),
        (4, (0, 0), Fraction(30000, 1001)),
        (8, (0, 0), Fraction(60)),
        (3, (1, 3), Fraction(25, 2)),
        (0, (0, 0), None),
        (9, (1, 0), None),
    ],
)
def test_the_rate_is_the_sequence_header_s_with_its_extension(
    code: int, extension: tuple[int, int], rate: Fraction | None
) -> None:
    assert counted(sequence(code) + sequence_extension(*extension) + IPBB) == (rate, 4, 0)


def test_mpeg_1_has_no_extensions() -> None:
    assert counted(sequence(2) + group() + picture("I", 0) + picture("P", 1)) == (Fraction(24), 2, 0)


def test_a_sequence_header_may_come_again_and_must_say_the_same() -> None:
    again = HEAD + group(closed=True) + IPBB
    assert counted(again + again) == (Fraction(25), 8, 0)
    with pytest.raises(Uncountable, match="whose rate changes"):
        counted(again + sequence(4) + sequence_extension() + group() + IPBB)
    with pytest.raises(Uncountable, match="whose rate changes"):
        counted(again + sequence() + sequence_extension(1, 0))


@pytest.mark.parametrize(
    ("stream", "frames", "left_out"),
    [
        (b"", 0, 0),
        (HEAD, 0, 0),
        (HEAD + OPEN, 1, 2),
        (HEAD + group(closed=True) + OPEN[len(group()) :], 3, 0),
        (HEAD + OPEN + OPEN, 4, 2),
        (HEAD + OPEN + unit(b"\xb7") + HEAD + OPEN, 4, 2),
    ],
)
def test_what_no_decoder_gives_of_an_open_group_is_left_out(stream: bytes, frames: int, left_out: int) -> None:
    assert counted(stream)[1:] == (frames, left_out)


def test_two_fields_are_one_frame() -> None:
    fields = frame("I", 0, TOP) + frame("P", 0, BOTTOM) + frame("B", 1, BOTTOM) + frame("B", 1, TOP)
    assert counted(HEAD + group(closed=True) + fields)[1:] == (2, 0)


@pytest.mark.parametrize(
    "fields",
    [
        frame("I", 0, TOP),
        frame("I", 0, TOP) + frame("P", 0, TOP),
        frame("I", 0, TOP) + frame("P", 1),
    ],
)
def test_a_single_field_is_no_frame(fields: bytes) -> None:
    with pytest.raises(Uncountable, match="single field"):
        counted(HEAD + fields)


def test_pulldown_is_told() -> None:
    with pytest.raises(Uncountable, match="pulldown"):
        counted(HEAD + frame("I", 0) + frame("P", 1, repeat=True))


@pytest.mark.parametrize("stream", [frame("I", 0), HEAD + frame("P", 0), HEAD + frame("B", 0)])
def test_a_stream_that_begins_between_keyframes_is_told(stream: bytes) -> None:
    with pytest.raises(Uncountable, match="between two keyframes"):
        counted(stream + HEAD)


@pytest.mark.parametrize(
    ("pictures", "frame_number"),
    [
        (frame("I", 0) + frame("P", 3) + frame("B", 1), 4),  # cut off, or one lost
        (frame("I", 0) + frame("P", 2) + frame("B", 2), 4),
    ],
)
def test_a_picture_that_is_not_there_is_told_by_the_others(pictures: bytes, frame_number: int) -> None:
    for more in (b"", group() + IPBB):
        with pytest.raises(PicturesMissing) as missing:
            counted(HEAD + group() + IPBB + group() + pictures + more)
        assert missing.value.frame == frame_number


def test_pictures_that_an_edit_took_from_a_group_are_not_missing() -> None:
    assert counted(HEAD + group() + IPBB + group() + frame("I", 2) + frame("P", 3))[1] == 6


def test_without_a_group_nothing_is_held_to_the_numbers_of_pictures() -> None:
    assert counted(HEAD + frame("I", 0) + frame("P", 3))[1] == 2
    many = b"".join(frame("P", number % 1024) for number in range(1, 1030))
    assert counted(HEAD + group() + frame("I", 0) + many)[1] == 1030


@pytest.mark.parametrize("cut", [b"\0", b"\0\0", b"\xb3\0", b"\xb8", b"\xb5\x10", b"\xb5\x80"])
def test_a_header_that_ends_early_is_told(cut: bytes) -> None:
    with pytest.raises(OutOfBitsError):
        counted(HEAD + unit(cut))
