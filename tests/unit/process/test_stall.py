"""When a child counts as stalled: by watched time only."""

import math

from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.process.stall import StallDetector


def silent(seconds: float) -> StallDetector:
    """A child that never shows a sign of life; the first look is taken."""
    pulse = StallDetector(lambda: 1, seconds)
    assert not pulse.passed(pulse.tick)
    return pulse


def test_silence_for_long_enough_is_a_stall() -> None:
    pulse = silent(300.0)
    for _ in range(299):
        assert not pulse.passed(1.0)
    assert pulse.passed(1.0)


def test_time_that_was_not_watched_does_not_count() -> None:
    pulse = silent(300.0)
    assert not pulse.passed(86_400.0)
    for _ in range(298):
        assert not pulse.passed(86_400.0)
    assert pulse.passed(86_400.0)


def test_every_sign_of_life_starts_anew() -> None:
    signs = iter([1, 1, 1, 2, 2, 2, 2, 2])
    pulse = StallDetector(lambda: next(signs), 4.0)
    assert [pulse.passed(1.0) for _ in range(8)] == [False] * 7 + [True]


def test_what_is_heard_counts_where_nothing_else_tells() -> None:
    pulse = StallDetector(None, 4.0)
    for _ in range(100):
        pulse.record_output(1)
        assert not pulse.passed(1.0)
    assert [pulse.passed(1.0) for _ in range(4)] == [False, False, False, True]


def test_without_a_limit_nothing_is_a_stall() -> None:
    pulse = StallDetector(lambda: 1, None)
    assert not any(pulse.passed(math.inf) for _ in range(1000))


@given(st.floats(0.01, 1e5), st.lists(st.floats(0, 1e6), max_size=200))
def test_it_never_stalls_before_its_time_was_watched(limit: float, slices: list[float]) -> None:
    pulse = StallDetector(lambda: 1, limit)
    watched = 0.0
    for seconds in slices:
        watched += min(seconds, pulse.tick)
        if pulse.passed(seconds):
            assert watched >= limit * (1 - 1e-9)
            break
