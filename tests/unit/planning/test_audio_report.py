"""The numbers by which an encode tells of its decoded audio."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.planning.audio_report import MOST_STREAMS, FrameEdge, Placement, read_edge, reported
from tests.support.printouts import write_edge

FARTHEST = 1 << 42
STREAMS = st.integers(0, MOST_STREAMS - 1)
TIMES = st.integers(-FARTHEST, FARTHEST)
LENGTHS = st.integers(0, 1 << 24)


@given(STREAMS, TIMES, st.booleans(), st.booleans())
def test_a_number_says_what_was_put_into_it(stream: int, time: int, ends: bool, placed: bool) -> None:
    assert read_edge(write_edge(stream, time, ends=ends, placed=placed)) == FrameEdge(stream, placed, ends, time)


@pytest.mark.parametrize("number", [0, -1, 1 << 40, -(1 << 51), -(1 << 52), -(1 << 53) - 1, -(1 << 60)])
def test_the_time_of_a_picture_is_no_such_number(number: int) -> None:
    assert read_edge(number) is None


@pytest.mark.parametrize(("number", "time", "stream"), [(-(1 << 53), -(1 << 43), 0), (-(1 << 52) - 1, (1 << 43) - 1, 63)])
def test_the_first_and_the_last_number_are_such(number: int, time: int, stream: int) -> None:
    ends = stream == 63
    assert read_edge(number) == FrameEdge(stream, placed=ends, ends=ends, time=time)


class Filters:
    """The filters of a report, computed in doubles as libavutil/eval.c does; `lines` are the numbers that they print."""

    def __init__(self, stream: int = 0, *, placed: bool = False) -> None:
        self.lines: list[int] = []
        self._filters = reported(stream, placed=placed)
        self._cells = [[0.0] * 2 for _ in self._filters]
        self._rate = 48000

    def pass_on(self, time: int, samples: int) -> float:
        """The time with which a frame leaves them."""
        now = float(time)
        for cells, text in zip(self._cells, self._filters, strict=True):
            if text.startswith("asetpts="):
                now = self._computed(text.removeprefix("asetpts='").removesuffix("'"), cells, PTS=now, NB_SAMPLES=samples)
            elif "mode=print" in text:
                enable = text.partition("enable=")[2].strip("'")
                if not enable or self._computed(enable, cells, t=now / self._rate):
                    assert now == int(now)
                    self.lines.append(int(now))
        return now

    @staticmethod
    def _computed(expression: str, cells: list[float], **values: float) -> float:
        def store(cell: float, value: float) -> float:
            cells[int(cell)] = value
            return value

        names: dict[str, Callable[..., float] | float] = {
            **values, "eq": lambda a, b: a == b, "lt": lambda a, b: a < b, "clip": lambda x, low, high: min(max(x, low), high),
            "st": store, "ld": lambda cell: cells[int(cell)], "choose": lambda condition, yes, no: yes if condition else no,
        }  # fmt: skip
        return float(eval(expression.replace("if(", "choose("), {"__builtins__": {}}, names))  # noqa: S307 - the filter's own text


@given(STREAMS, st.booleans(), st.lists(st.tuples(TIMES, LENGTHS), max_size=5))
def test_the_filters_tell_every_frame_and_put_its_time_back(stream: int, placed: bool, frames: list[tuple[int, int]]) -> None:
    filters, end, told = Filters(stream, placed=placed), 0, list[int]()
    for time, samples in frames:
        assert filters.pass_on(time, samples) == time
        if time != end:
            told.append(write_edge(stream, time, ends=False, placed=placed))
        end = time + samples
        told.append(write_edge(stream, end, ends=True, placed=placed))
    assert filters.lines == told


def test_a_frame_that_follows_the_one_before_it_takes_one_line() -> None:
    filters = Filters()
    assert [filters.pass_on(time, 1024) for time in (0, 1024, 2048, 3073, 4097)] == [0, 1024, 2048, 3073, 4097]
    ends = [write_edge(0, time, ends=True) for time in (1024, 2048, 3072, 4097, 5121)]
    assert filters.lines == [*ends[:3], write_edge(0, 3073, ends=False), *ends[3:]]


@pytest.mark.parametrize(("time", "said"), [(FARTHEST + 1, FARTHEST), (1 << 60, FARTHEST), (-(1 << 60), -FARTHEST)])
def test_what_is_too_far_away_is_told_as_far_away(time: int, said: int) -> None:
    filters = Filters()
    filters.pass_on(0, 1024)
    assert [filters.pass_on(time, 1024), filters.pass_on(time + 1024, 1024)] == [said, said]
    assert filters.lines[1:] == [write_edge(0, said, ends=False), write_edge(0, said + 1024, ends=True)] * 2


@given(STREAMS, TIMES, LENGTHS, st.booleans())
def test_all_numbers_are_whole_in_doubles(stream: int, time: int, samples: int, ends: bool) -> None:
    number = write_edge(stream, time + samples * ends, ends=ends, placed=True)
    assert int(float(number)) == number
    assert -(1 << 53) <= number < -(1 << 52)


def test_the_slack_is_told_between_two_samples() -> None:
    assert Placement(0, 0, 25, 48000).seconds == "0.0005313"
    assert 25 < float(Placement(0, 0, 25, 48000).seconds) * 48000 < 26
    assert 211 < float(Placement(0, 0, 211, 192000).seconds) * 192000 < 212
