"""Times as whole numbers, beside the same with rationals."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.verification.frame_grid import Scale, places_on_grid

POSITIVE = st.fractions(min_value=Fraction(1, 1000), max_value=1000, max_denominator=90000)


def test_a_scale_holds_its_times_whole() -> None:
    scale = Scale.common(Fraction(1, 90000), Fraction(1001, 30000), Fraction(1, 1000))
    assert scale.per_second == 90000
    assert [scale.of(time) for time in (Fraction(1, 90000), Fraction(1001, 30000), Fraction(0))] == [1, 3003, 0]


def test_a_scale_does_not_round() -> None:
    with pytest.raises(ValueError, match="1/7 s is not a whole number of 1/25 s"):
        Scale.common(Fraction(1, 25)).of(Fraction(1, 7))


@given(st.lists(POSITIVE, min_size=1))
def test_every_time_is_whole_on_their_common_scale(times: list[Fraction]) -> None:
    scale = Scale.common(*times)
    assert [Fraction(scale.of(time), scale.per_second) for time in times] == times


@pytest.mark.parametrize(
    ("times", "tick", "rate", "places"),
    [
        ([], Fraction(1, 25), Fraction(25), []),
        ([100, 101, 103], Fraction(1, 25), Fraction(25), [0, 1, 3]),
        ([0, 3003, 6006], Fraction(1, 90000), Fraction(30000, 1001), [0, 1, 2]),
        # 23.976 in milliseconds, as Matroska rounds it.
        ([0, 42, 83, 125], Fraction(1, 1000), Fraction(24000, 1001), [0, 1, 2, 3]),
        ([0, 1, 3, 5, -1], Fraction(1, 2), Fraction(1), [0, 0, 2, 2, 0]),
    ],
)
def test_places(times: list[int], tick: Fraction, rate: Fraction, places: list[int]) -> None:
    assert list(places_on_grid(times, tick, rate)) == places


@given(st.lists(st.integers(-(10**12), 10**12)), POSITIVE, POSITIVE)
def test_places_are_those_of_rationals(times: list[int], tick: Fraction, rate: Fraction) -> None:
    assert list(places_on_grid(times, tick, rate)) == [round((time - times[0]) * tick * rate) for time in times]
