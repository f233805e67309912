"""The points of a sweep in slices: each in exactly one, and a demand shared likewise."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.slices import WHOLE, Slice


@given(st.integers(0, 200), st.integers(1, 20))
def test_each_point_is_in_exactly_one_slice(points: int, count: int) -> None:
    slices = [Slice(number, count).of(range(points)) for number in range(1, count + 1)]
    assert sorted(point for part in slices for point in part) == list(range(points))
    assert max(map(len, slices)) - min(map(len, slices)) <= 1


@given(st.integers(0, 1000), st.integers(1, 20))
def test_what_is_demanded_of_a_slice_is_never_more_than_it_can_have(points: int, count: int) -> None:
    assert all(len(Slice(number, count).of(range(points))) >= Slice(1, count).share(points) for number in range(1, count + 1))


def test_the_whole_is_one_slice() -> None:
    assert WHOLE.of("abc") == "abc"
    assert WHOLE.share(400) == 400
    assert WHOLE.holds("any test")
