from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.contract.output_settings import Resolution, ScaleMode
from proxx_worker.planning.geometry import Geometry, plan_geometry, storable_aspect, upright
from tests.unit.planning.sources import clip

SAME, HALF, QUARTER = (Resolution(mode) for mode in (ScaleMode.SAME, ScaleMode.HALF, ScaleMode.QUARTER))
SIDES = st.integers(16, 8192)
ASPECTS = st.builds(Fraction, st.integers(1, 64), st.integers(1, 64))


def fit(width: int, height: int) -> Resolution:
    return Resolution(ScaleMode.FIT, width, height)


@pytest.mark.parametrize(
    ("source", "resolution", "planned"),
    [
        (Geometry(1920, 1080, Fraction(1)), SAME, Geometry(1920, 1080, Fraction(1))),
        (Geometry(1920, 1080, Fraction(1)), HALF, Geometry(960, 540, Fraction(1))),
        (Geometry(1920, 1080, Fraction(1)), QUARTER, Geometry(480, 270, Fraction(1))),
        (Geometry(3840, 2160, Fraction(1)), QUARTER, Geometry(960, 540, Fraction(1))),
        (Geometry(1440, 1080, Fraction(4, 3)), HALF, Geometry(720, 540, Fraction(4, 3))),
        (Geometry(321, 179, Fraction(1)), SAME, Geometry(320, 178, Fraction(3219, 3227))),
        (Geometry(850, 478, Fraction(1)), HALF, Geometry(424, 238, Fraction(3263, 3269))),
        (Geometry(720, 576, Fraction(64, 45)), fit(1920, 1080), Geometry(1024, 576, Fraction(1))),
        (Geometry(720, 480, Fraction(10, 11)), fit(1920, 1080), Geometry(654, 480, Fraction(1))),
        (Geometry(1920, 1080, Fraction(1)), fit(1000, 1000), Geometry(1000, 562, Fraction(1))),
        (Geometry(1080, 1920, Fraction(1)), fit(1280, 720), Geometry(404, 720, Fraction(1))),
        (Geometry(640, 360, Fraction(1)), fit(1920, 1080), Geometry(640, 360, Fraction(1))),
    ],
)
def test_sizes(source: Geometry, resolution: Resolution, planned: Geometry) -> None:
    assert plan_geometry(source, resolution) == planned


@given(SIDES, SIDES, ASPECTS, st.sampled_from([SAME, HALF, QUARTER]))
@example(16, 4271, Fraction(1), SAME)
@example(8191, 16, Fraction(1), SAME)
@example(8191, 8190, Fraction(1, 64), SAME)
def test_a_fraction_is_even_and_keeps_the_display_aspect(
    width: int, height: int, aspect: Fraction, resolution: Resolution
) -> None:
    source = Geometry(width, height, aspect)
    try:
        planned = plan_geometry(source, resolution)
    except ProxxError:
        assert max(aspect / height, 1 / (aspect * width)) > Fraction(1, 8)  # so thin that a quarter of it has less than a pixel
        return
    assert planned.width % 2 == planned.height % 2 == 0
    assert planned.width <= width
    assert planned.height <= height
    # Of 16x4271 with square pixels the exact aspect, 4270/4271, has too large terms. Next to a fraction p/q the nearest other one
    # with terms up to 4096 is 1/(q * (4096 - q)) away: half of that, and q up to 80 here.
    assert abs(planned.display_aspect / source.display_aspect - 1) < Fraction(1, 2 * (4096 - 80))
    exact = source.display_aspect * planned.height / planned.width
    if max(exact.numerator, exact.denominator) <= 4096:
        assert planned.display_aspect == source.display_aspect


@given(SIDES, SIDES, ASPECTS, st.integers(256, 4096), st.integers(256, 4096))
def test_a_box_holds_the_largest_even_square_pixel_picture(
    width: int, height: int, aspect: Fraction, box_width: int, box_height: int
) -> None:
    source = Geometry(width, height, aspect)
    try:
        planned = plan_geometry(source, fit(box_width, box_height))
    except ProxxError:
        return  # a strip so thin that a side has no pixels left
    assert planned.sample_aspect == 1
    assert planned.width % 2 == planned.height % 2 == 0
    assert planned.width <= box_width
    assert planned.width <= width * aspect
    assert planned.height <= min(box_height, height)
    scale = min(Fraction(1), box_width / (width * aspect), Fraction(box_height, height))
    assert width * aspect * scale - planned.width < 2
    assert height * scale - planned.height < 2


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 400), (400, 1)])
@pytest.mark.parametrize("resolution", [SAME, HALF, QUARTER, fit(1920, 1080)])
def test_a_picture_without_an_even_size_is_refused(width: int, height: int, resolution: Resolution) -> None:
    with pytest.raises(ProxxError) as refused:
        plan_geometry(Geometry(width, height, Fraction(1)), resolution)
    assert refused.value.error == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"{width}x{height} pixels leave no even size for resolution {resolution}: "
        "choose a larger resolution, or leave this clip without a proxy",
        {"width": width, "height": height, "resolution": str(resolution)},
    )


@pytest.mark.parametrize("box", [Resolution(ScaleMode.FIT, 100), Resolution(ScaleMode.FIT, None, 100)])
def test_a_box_needs_both_sides(box: Resolution) -> None:
    with pytest.raises(ValueError, match=r"^a box needs both its sides$"):
        plan_geometry(Geometry(16, 16, Fraction(1)), box)


@pytest.mark.parametrize(
    ("rotation", "expected"),
    [
        (0, Geometry(720, 576, Fraction(16, 15))),
        (180, Geometry(720, 576, Fraction(16, 15))),
        (90, Geometry(576, 720, Fraction(15, 16))),
        (270, Geometry(576, 720, Fraction(15, 16))),
    ],
)
def test_a_quarter_turn_swaps_sides_and_pixels(rotation: int, expected: Geometry) -> None:
    assert upright(clip(width=720, height=576, sample_aspect=Fraction(16, 15), rotation=rotation).video) == expected


@given(st.integers(2000, 8192), st.integers(2000, 8192))
def test_an_aspect_near_square_is_stored_to_half_a_pixel_of_4096(width: int, height: int) -> None:
    aspect = Fraction(width, width - 1) * Fraction(height - 1, height)
    stored = storable_aspect(aspect)
    assert max(stored.numerator, stored.denominator) <= 4096
    assert abs(stored / aspect - 1) <= Fraction(1, 2 * 4096)


@given(st.builds(Fraction, st.integers(1, 10**6), st.integers(1, 10**6)).filter(lambda value: Fraction(1, 64) < value < 64))
def test_any_aspect_is_stored_in_small_terms(aspect: Fraction) -> None:
    stored = storable_aspect(aspect)
    assert max(stored.numerator, stored.denominator) <= 4096
    assert abs(stored / aspect - 1) < Fraction(1, 10_000)


@pytest.mark.parametrize(
    ("source", "resolution", "size"),
    [
        (Geometry(1920, 1080, Fraction(1)), Resolution(ScaleMode.QUARTER), (480, 268)),
        (Geometry(720, 486, Fraction(10, 11)), Resolution(ScaleMode.HALF), (360, 240)),
        (Geometry(1920, 1080, Fraction(1)), Resolution(ScaleMode.SAME), (1920, 1080)),
        (Geometry(1920, 1080, Fraction(1)), Resolution(ScaleMode.FIT, 960, 541), (960, 540)),
        (Geometry(1920, 1080, Fraction(1)), Resolution(ScaleMode.FIT, 482, 271), (480, 268)),
    ],
)
def test_a_field_of_420_has_whole_lines_of_chroma(source: Geometry, resolution: Resolution, size: tuple[int, int]) -> None:
    planned = plan_geometry(source, resolution, 4)
    assert (planned.width, planned.height) == size
    if resolution.mode is not ScaleMode.FIT:
        assert planned.display_aspect == source.display_aspect


@pytest.mark.parametrize("aspect", [Fraction(32767), Fraction(4097), Fraction(1, 4097), Fraction(3, 40000)])
def test_an_aspect_that_no_file_can_hold_is_refused(aspect: Fraction) -> None:
    with pytest.raises(ProxxError) as caught:
        storable_aspect(aspect)
    assert caught.value.error == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        "a pixel aspect must lie between 1:4096 and 4096:1, but this proxy's would be "
        f"{aspect.numerator}:{aspect.denominator}: the source's own is probably wrong; correct it, then submit again",
        {"sample_aspect": str(aspect)},
    )


@pytest.mark.parametrize("aspect", [Fraction(4096), Fraction(1, 4096)])
def test_the_widest_aspects_are_kept(aspect: Fraction) -> None:
    assert storable_aspect(aspect) == aspect


@pytest.mark.parametrize(
    ("width", "height", "aspect", "mode", "shown"),
    [
        (320, 180, Fraction(1, 320), ScaleMode.SAME, True),
        (320, 180, Fraction(1, 321), ScaleMode.SAME, False),
        (320, 180, Fraction(180), ScaleMode.SAME, True),
        (320, 180, Fraction(181), ScaleMode.SAME, False),
        (320, 180, Fraction(1, 200), ScaleMode.HALF, False),
        (1920, 1080, Fraction(1, 1000), ScaleMode.SAME, True),
        (1920, 1080, Fraction(1, 2000), ScaleMode.SAME, False),
    ],
)
def test_a_picture_has_a_pixel_to_show(width: int, height: int, aspect: Fraction, mode: ScaleMode, *, shown: bool) -> None:
    source = Geometry(width, height, aspect)
    if shown:
        assert plan_geometry(source, Resolution(mode)) == source
        return
    with pytest.raises(ProxxError) as caught:
        plan_geometry(source, Resolution(mode))
    if mode is ScaleMode.HALF:
        width, height = width // 2, height // 2
    assert caught.value.error == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"a picture must be displayed as at least one pixel wide and high, but with its pixel aspect {aspect.numerator}:"
        f"{aspect.denominator} this proxy's {width}x{height} would not: the source's own is probably wrong; "
        "correct it, then submit again",
        {"sample_aspect": str(aspect), "width": width, "height": height},
    )
