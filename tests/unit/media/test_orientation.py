from fractions import Fraction

import pytest

from proxx_worker.contract.errors import ErrorCode, JsonValue, ProxxError
from proxx_worker.media.ffprobe_json import Section
from proxx_worker.media.orientation import (
    Orientation,
    field_order_note,
    field_order_of,
    mirrors,
    orientation_of,
    refuse_single_fields,
    sample_aspect_of,
)
from tests.unit.media.documents import matrix

ONE = 65536


@pytest.mark.parametrize(
    ("entries", "orientation"),
    [
        ((ONE, 0, 0, ONE), Orientation(0)),
        ((0, ONE, -ONE, 0), Orientation(90)),  # an upright phone; ffprobe calls it rotation -90
        ((-ONE, 0, 0, -ONE), Orientation(180)),
        ((0, -ONE, ONE, 0), Orientation(270)),
        ((-ONE, 0, 0, ONE), Orientation(0, mirrored=True)),  # a selfie
        ((0, -ONE, -ONE, 0), Orientation(90, mirrored=True)),
        ((ONE, 0, 0, -ONE), Orientation(180, mirrored=True)),  # upside down, left and right as they were
        ((0, ONE, ONE, 0), Orientation(270, mirrored=True)),
        ((2 * ONE, 0, 0, ONE), Orientation(0)),  # scaled: FFmpeg puts that into the pixel aspect
        ((3, ONE, -ONE, -3), Orientation(90)),  # the rounding of 16.16 sines
    ],
)
def test_rotation_is_clockwise(entries: tuple[int, int, int, int], orientation: Orientation) -> None:
    assert orientation_of(Section({"side_data_list": [matrix(*entries)]})) == orientation


@pytest.mark.parametrize(
    ("entries", "mirrored"),
    [
        ((ONE, 0, 0, ONE), False), ((0, ONE, -ONE, 0), False), ((-ONE, 0, 0, -ONE), False), ((0, -ONE, ONE, 0), False),
        ((-ONE, 0, 0, ONE), True), ((ONE, 0, 0, -ONE), True), ((0, ONE, ONE, 0), True), ((0, -ONE, -ONE, 0), True),
    ],
)  # fmt: skip
def test_a_matrix_mirrors(entries: tuple[int, int, int, int], mirrored: bool) -> None:
    printed = matrix(*entries)["displaymatrix"]
    assert isinstance(printed, str)
    assert mirrors(printed) is mirrored
    assert mirrors("") is None


def test_without_a_matrix_the_picture_stands() -> None:
    assert orientation_of(Section({})) == Orientation(0)


@pytest.mark.parametrize(
    ("side_data", "reason"),
    [
        (matrix(46341, 46341, -46341, 46341), "multiple of 90 degrees"),
        (matrix(0, 0, 0, 0), "multiple of 90 degrees"),
        (matrix(ONE, 0, 0, 0), "multiple of 90 degrees"),
        ({"side_data_type": "Display Matrix"}, "cannot be read"),
        ({"side_data_type": "Display Matrix", "displaymatrix": "\n00000000: 1 2 x\n"}, "cannot be read"),
        ({"side_data_type": "Display Matrix", "displaymatrix": f"\n00000000: {'9' * 5000} 0 0\n" * 3}, "cannot be read"),
    ],
)
def test_what_is_no_quarter_turn_is_refused(side_data: dict[str, JsonValue], reason: str) -> None:
    with pytest.raises(ProxxError, match=reason) as refusal:
        orientation_of(Section({"side_data_list": [side_data]}))
    assert refusal.value.code is ErrorCode.SOURCE_UNSUPPORTED


@pytest.mark.parametrize(("value", "expected"), [("10:11", Fraction(10, 11)), ("0:1", Fraction(1)), ("N/A", Fraction(1))])
def test_sample_aspect_is_one_where_unsaid(value: str, expected: Fraction) -> None:
    assert sample_aspect_of(Section({"sample_aspect_ratio": value})) == expected


@pytest.mark.parametrize(
    ("stream", "frame", "expected"),
    [
        ("tb", {"interlaced_frame": 0}, "tb"),
        ("bt", {}, "bt"),
        ("progressive", {}, "progressive"),
        ("progressive", {"interlaced_frame": 0}, "progressive"),
        ("progressive", {"interlaced_frame": 1, "top_field_first": 1}, "tt"),
        ("unknown", {"interlaced_frame": 1, "top_field_first": 0}, "bb"),
        ("unknown", {"interlaced_frame": 0}, "progressive"),
        ("unknown", {}, None),
    ],
)
def test_the_first_frame_tells_the_fields_that_the_stream_does_not(
    stream: str, frame: dict[str, JsonValue], expected: str | None
) -> None:
    assert field_order_of(Section({"field_order": stream}), Section(frame)) == expected


@pytest.mark.parametrize("top", [0, 1])
def test_hevc_in_single_fields_is_refused(top: int) -> None:
    field = Section({"interlaced_frame": 1, "top_field_first": top})
    with pytest.raises(ProxxError, match="field-coded HEVC") as refused:
        refuse_single_fields(Section({"codec_name": "hevc", "field_order": "progressive"}), field)
    assert refused.value.code is ErrorCode.SOURCE_UNSUPPORTED
    refuse_single_fields(Section({"codec_name": "hevc"}), Section({"interlaced_frame": 0}))
    refuse_single_fields(Section({"codec_name": "h264"}), field)


@pytest.mark.parametrize(
    ("stream", "frame", "note"),
    [
        ("tt", {"interlaced_frame": 1, "top_field_first": 1}, None),
        ("bt", {"interlaced_frame": 1, "top_field_first": 0}, None),
        ("progressive", {"interlaced_frame": 0, "top_field_first": 0}, None),
        ("tt", {}, None),
        (None, {"interlaced_frame": 1, "top_field_first": 1}, None),
        (
            "tb", {"interlaced_frame": 1, "top_field_first": 0},
            "the container declares top field first, but the first frame is bottom field first: taken as top field first",
        ),
        (
            "progressive", {"interlaced_frame": 1, "top_field_first": 1},
            "the container declares progressive, but the first frame is top field first: taken as top field first",
        ),
        (
            "bb", {"interlaced_frame": 0, "top_field_first": 0},
            "the container declares bottom field first, but the first frame is progressive: taken as bottom field first",
        ),
    ],
)  # fmt: skip
def test_field_orders_that_differ_are_told(stream: str | None, frame: dict[str, JsonValue], note: str | None) -> None:
    said: dict[str, JsonValue] = {} if stream is None else {"field_order": stream}
    assert field_order_note(Section(said), Section(frame)) == note
