from fractions import Fraction

import pytest

from proxx_worker.contract.errors import ErrorCode, JsonValue, ProxxError
from proxx_worker.media.ffprobe_json import Section
from proxx_worker.media.orientation import (
    Orientation,
    field_order_note,
    field_order_of,
    mirrors,
    orientation_note,
    orientation_of,
    oriented_by_frames,
    refuse_single_fields,
    sample_aspect_of,
)
from tests.unit.media.documents import matrix

ONE = 65536
NO_FRAME = Section({})
UPRIGHT, QUARTER, THREE_QUARTERS, SELFIE = (ONE, 0, 0, ONE), (0, ONE, -ONE, 0), (0, -ONE, ONE, 0), (-ONE, 0, 0, ONE)
Matrix = tuple[int, int, int, int]


def stream_of(*matrices: Matrix) -> Section:
    return Section({"side_data_list": [{"side_data_type": "Spherical Mapping"}, *(matrix(*entries) for entries in matrices)]})


def frame_of(*matrices: Matrix) -> Section:
    unregistered: dict[str, JsonValue] = {"side_data_type": "H.26[45] User Data Unregistered SEI message"}
    return Section({"side_data_list": [unregistered, *(matrix(*entries, kind="3x3 displaymatrix") for entries in matrices)]})


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
    assert orientation_of(Section({"side_data_list": [matrix(*entries)]}), NO_FRAME) == orientation


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
    assert orientation_of(Section({}), NO_FRAME) == Orientation(0)


@pytest.mark.parametrize(
    ("stream", "frame", "orientation", "by_frames"),
    [
        ((), (QUARTER,), Orientation(90), True),
        ((), (SELFIE,), Orientation(0, mirrored=True), True),
        ((), (UPRIGHT,), Orientation(0), False),  # EXIF may say so, too
        ((), (), Orientation(0), False),
        ((QUARTER,), (), Orientation(90), False),  # FFmpeg 5.1 leaves the stream's matrix in the stream
        ((QUARTER,), (QUARTER,), Orientation(90), False),  # 7.1 gives it to each frame, too
        ((QUARTER,), ((0, 2 * ONE, -2 * ONE, 0),), Orientation(90), False),
        ((QUARTER,), (QUARTER, QUARTER), Orientation(90), False),
    ],
)
def test_a_frame_orients_what_its_stream_does_not(
    stream: tuple[Matrix, ...], frame: tuple[Matrix, ...], orientation: Orientation, *, by_frames: bool
) -> None:
    said, shown = stream_of(*stream), frame_of(*frame)
    assert orientation_of(said, shown) == orientation
    assert oriented_by_frames(said, shown) is by_frames
    assert (orientation_note(said, shown) is not None) is by_frames


@pytest.mark.parametrize(
    ("entries", "said"),
    [(THREE_QUARTERS, "270 degrees"), (SELFIE, "mirrored and 0 degrees"), ((0, ONE, ONE, 0), "mirrored and 270 degrees")],
)
def test_an_orientation_that_only_frames_state_is_noted(entries: Matrix, said: str) -> None:
    assert orientation_note(Section({}), frame_of(entries)) == (
        f"the pictures state an orientation ({said} clockwise), the container none: the first one's is taken"
    )


@pytest.mark.parametrize(
    ("stream", "frame", "stated"),
    [
        ((QUARTER,), (THREE_QUARTERS,), ["90 degrees", "270 degrees"]),
        ((QUARTER,), (QUARTER, THREE_QUARTERS), ["90 degrees", "270 degrees"]),  # the stream's, and its own
        ((QUARTER,), (UPRIGHT,), ["90 degrees", "0 degrees"]),
        ((UPRIGHT,), (SELFIE,), ["0 degrees", "mirrored and 0 degrees"]),
    ],
)
def test_two_orientations_are_refused(stream: tuple[Matrix, ...], frame: tuple[Matrix, ...], stated: list[str]) -> None:
    with pytest.raises(ProxxError) as refusal:
        orientation_of(stream_of(*stream), frame_of(*frame))
    assert refusal.value.code is ErrorCode.SOURCE_UNSUPPORTED
    assert refusal.value.error.message == (
        f"the container and the pictures state different orientations ({' and '.join(stated)} clockwise), and which is right is "
        "not known; render the video upright first"
    )
    assert refusal.value.error.details["orientations"] == stated


def test_a_tilted_frame_is_refused() -> None:
    with pytest.raises(ProxxError, match="multiple of 90 degrees"):
        orientation_of(Section({}), frame_of((46341, 46341, -46341, 46341)))


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
        orientation_of(Section({"side_data_list": [side_data]}), NO_FRAME)
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
