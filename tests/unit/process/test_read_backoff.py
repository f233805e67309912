"""How long a child's pipes are left alone, and that no child waits for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.process.read_backoff import FIRST_SECONDS, LONGEST_SECONDS, ReadBackoff

PIPE = 64 << 10
WAKING = 0.001


@pytest.mark.parametrize(
    ("looks", "rests"),
    [
        # A few words now and then: each rest three times the one before, up to the longest.
        ([(50, 0.1), (50, 0.2), (50, 0.3), (50, 0.6)], [0.03, 0.09, 0.25, 0.25]),
        # Nothing is there: the next word wakes.
        ([(-1, 0.1), (0, 0.2)], [0.0, 0.0]),
        # Half a pipe or more: the child may have waited, so it is listened to.
        ([(50, 0.1), (32 << 10, 0.2), (50, 0.3)], [0.03, 0.0, 0.03]),
        # 4 KiB a millisecond: rest until 16 KiB are there; eight times as fast: not at all.
        ([(4 << 10, 0.001), (16 << 10, 0.005)], [0.004, 0.004]),
        ([(31 << 10, 0.001)], [0.0]),
    ],
)
def test_rests(looks: list[tuple[int, float]], rests: list[float]) -> None:
    made = ReadBackoff(0.0)
    assert [made.next_delay(size, now) for size, now in looks] == pytest.approx(rests)


def test_no_rest_is_longer_than_it_may_be() -> None:
    made = ReadBackoff(0.0, longest=0.05)
    assert [made.next_delay(50, float(now)) for now in range(1, 4)] == pytest.approx([0.03, 0.05, 0.05])


@given(st.floats(10, 20e6), st.floats(0.001, 2))
def test_a_child_that_talks_steadily_waits_at_most_once_and_briefly(per_second: float, silent: float) -> None:
    """A pipe of 64 KiB, a child that talks at one rate after a silence, and a reader that takes a millisecond to wake."""
    now, found, waited, rests = silent, 1.0, 0.0, ReadBackoff(0.0)
    for _ in range(200):
        # Without a rest, the next word wakes.
        away = max(rests.next_delay(int(found), now), WAKING, 1 / per_second)
        said = away * per_second
        now, found, waited = now + away, min(said, PIPE), waited + max(0.0, said - PIPE) / per_second
        assert away <= max(LONGEST_SECONDS, 1 / per_second)
    assert waited <= FIRST_SECONDS
