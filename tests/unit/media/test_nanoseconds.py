from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.media.frame_rate import timing_of
from proxx_worker.media.nanoseconds import means
from tests.unit.media.documents import section, video

_LARGEST_TERM = 30_000
RATES = [rate for whole in range(1, 241) for rate in (Fraction(whole), Fraction(whole * 1000, 1001))]


def reduced(number: int, over: int) -> Fraction:
    """FFmpeg's `av_reduce`: the nearest ratio with terms up to 30000, by continued fractions."""
    exact = Fraction(number, over)
    number, over = exact.numerator, exact.denominator
    if number <= _LARGEST_TERM and over <= _LARGEST_TERM:
        return exact
    before, last = (0, 1), (1, 0)
    while over:
        whole, rest = divmod(number, over)
        following = (whole * last[0] + before[0], whole * last[1] + before[1])
        if max(following) > _LARGEST_TERM:
            most = min((_LARGEST_TERM - low) // term for low, term in zip(before, last, strict=True) if term)
            if over * (2 * most * last[1] + before[1]) > number * last[1]:
                last = (most * last[0] + before[0], most * last[1] + before[1])
            break
        before, last, number, over = last, following, over, rest
    return Fraction(*last)


@pytest.mark.parametrize("rounded", [floor, ceil, round])
def test_every_rate_up_to_240_is_what_its_nanoseconds_mean(rounded: Callable[[Fraction], int]) -> None:
    for rate in RATES:
        text = "{}/{}".format(*reduced(10**9, rounded(10**9 / rate)).as_integer_ratio())
        timing = timing_of(section(video(r_frame_rate=text, avg_frame_rate=text, time_base="1/1000")), "matroska", None)
        assert timing is not None
        assert (timing.rate, timing.constant_rate) == (rate, True), text


@given(st.sampled_from(RATES), st.integers(1, _LARGEST_TERM), st.integers(1, _LARGEST_TERM))
def test_no_other_ratio_is_taken_for_it(rate: Fraction, number: int, over: int) -> None:
    found = Fraction(number, over)
    readings = {reduced(10**9, floor(10**9 / rate)), reduced(10**9, ceil(10**9 / rate))}
    assert means(found, rate) == (found in readings or abs(1 / found - 1 / rate) <= Fraction(2, 10**9))


@pytest.mark.parametrize(
    ("found", "exact", "same"),
    [
        ("29011/242", "120000/1001", True),  # 3.2 ns
        ("29919/149", "201000/1001", True),  # 13.5 ns
        ("29007/242", "120000/1001", False),
        ("2997/100", "30000/1001", False),
        ("1000000000/33366668", "30000/1001", True),
        ("1000000000/33366669", "30000/1001", False),  # 2.3 ns
        ("30", "30", True),
    ],
)
def test_rates_by_value(found: str, exact: str, same: bool) -> None:
    assert means(Fraction(found), Fraction(exact)) is same
