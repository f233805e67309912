"""Slices of the tests: each test in exactly one, by its name alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.slices import Slice


@given(st.text(), st.integers(1, 50))
def test_a_test_is_in_exactly_one_slice(name: str, count: int) -> None:
    assert [Slice(number, count).holds(name) for number in range(1, count + 1)].count(True) == 1


def test_a_test_stays_where_it_is_on_every_machine() -> None:
    names = ("tests/a.py::test_b", "tests/a.py::test_b[c]", "tests/ä.py::test_b")
    assert [[Slice(number, 3).holds(name) for number in (1, 2, 3)].index(True) + 1 for name in names] == [3, 1, 2]


def test_slices_are_of_about_one_size() -> None:
    names = [f"tests/test_{letter}.py::test_{number}" for letter in "abcdefghij" for number in range(100)]
    sizes = [sum(map(Slice(number, 10).holds, names)) for number in range(1, 11)]
    assert sum(sizes) == 1000
    assert all(70 <= size <= 130 for size in sizes)


def test_what_is_written() -> None:
    assert Slice.parse("3/12") == Slice(3, 12)
    assert Slice.parse("1/1") == Slice(1, 1)


@pytest.mark.parametrize("text", ["", "1", "0/3", "4/3", "1/0", "-1/3", "1/3/5", " 1/3", "a/b", "1/3\n"])
def test_what_is_no_slice(text: str) -> None:
    with pytest.raises(ValueError, match="is no slice"):
        Slice.parse(text)
