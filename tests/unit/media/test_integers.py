"""A series of integers behaves as a list of them would, and takes little memory where its steps repeat."""

import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.media.integers import BLOCK, Integers

TIMES = [7 + 1001 * at + at % 3 for at in range(2 * BLOCK + 5)]
FARTHEST = 10**18 - 1
"""What 18 digits can say: the most that is read from FFmpeg and ffprobe."""


@given(st.lists(st.integers(-FARTHEST, FARTHEST)))
def test_a_short_series_is_its_list(values: list[int]) -> None:
    series = Integers(values)
    assert (list(series), len(series), bool(series)) == (values, len(values), bool(values))
    assert series == values
    assert values == series


@pytest.mark.parametrize("length", [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 5])
def test_blocks_are_not_seen_from_outside(length: int) -> None:
    series = Integers(TIMES[:length])
    assert list(series) == TIMES[:length]
    assert len(series) == length
    for at in (0, 1, BLOCK - 2, length // 2, length - 1, -1, -length):
        assert series[at] == TIMES[:length][at]
    assert series[:2] == TIMES[:2]
    assert series[length - 2 :] == TIMES[length - 2 : length]


@pytest.mark.parametrize("at", [3, -4])
def test_there_is_nothing_beyond_its_ends(at: int) -> None:
    with pytest.raises(IndexError):
        Integers([1, 2, 3])[at]


def test_the_farthest_apart_are_kept() -> None:
    values = [-FARTHEST, FARTHEST] * (BLOCK // 2) + [0]
    assert Integers(values) == values


def test_others_are_not_the_same() -> None:
    assert Integers([1, 2]) != Integers([1, 2, 3])
    assert Integers([1, 2]) != (1, 3)
    assert Integers([1]) != 1


def test_a_day_of_frames_takes_little() -> None:
    tracemalloc.start()
    try:
        series = Integers()
        for time in range(0, 20 * BLOCK * 1001, 1001):
            series.append(time)
        kept, _ = tracemalloc.get_traced_memory()
        sum(series)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < len(series) // 8, "8 bytes each would be 64 times as much"
    assert peak < 4 * 8 * BLOCK


@pytest.mark.parametrize(("length", "pauses"), [(0, 1), (BLOCK - 1, 1), (BLOCK, 2), (2 * BLOCK + 5, 3)])
def test_a_pass_pauses_before_each_block(length: int, pauses: int) -> None:
    heard = list[int]()
    series = Integers(TIMES[:length], lambda: heard.append(1))
    assert heard == []
    assert max(series, default=0) == (TIMES[length - 1] if length else 0)
    assert len(heard) == pauses
    if length:
        assert series[-1]
    assert len(heard) == pauses


def after(looks: int) -> Callable[[], None]:
    """A stop that is requested after so many looks."""
    left = iter(range(looks))

    def look() -> None:
        if next(left, None) is None:
            raise InterruptedError

    return look


def test_a_stop_ends_a_pass_at_the_next_block() -> None:
    passed = list[int]()
    with pytest.raises(InterruptedError):
        passed.extend(Integers(TIMES, after(1)))
    assert passed == TIMES[:BLOCK]
