"""The numbers by which an encode tells of its decoded audio."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.planning.audio_report import (
    MOST_SAMPLES,
    MOST_STREAMS,
    HeardFrame,
    Placement,
    read_frame,
    reported,
)
from tests.support.printouts import write_frame

STREAMS = st.integers(0, MOST_STREAMS - 1)
TIMES = st.integers(-(1 << 40), 1 << 40)
AWAY = st.integers(-(1 << 28), (1 << 28) - 1)


@given(STREAMS, TIMES, st.integers(0, MOST_SAMPLES), st.booleans(), AWAY)
def test_a_number_says_what_was_put_into_it(stream: int, time: int, samples: int, placed: bool, away: int) -> None:
    frame = read_frame(write_frame(stream, time, samples, placed=placed))
    assert frame is not None
    assert (frame.stream, frame.placed, frame.samples) == (stream, placed, samples)
    assert frame.near(time + away + 1) == time


def test_a_time_is_exact_however_far_away_it_is() -> None:
    frame = read_frame(write_frame(0, (1 << 60) + 3, 1024))
    assert frame is not None
    assert frame.near(1 << 60) == (1 << 60) + 3


def as_ffmpeg(text: str, **values: float) -> float:
    """The expression of a filter, computed in doubles as libavutil/eval.c does."""
    expression = text.removeprefix("asetpts='").removesuffix("'").replace("if(", "choose(")
    names = {
        **values, "mod": lambda a, b: a - math.floor(a / b) * b, "min": min, "floor": math.floor, "isnan": math.isnan,
        "choose": lambda condition, yes, no: yes if condition else no,
    }  # fmt: skip
    return float(eval(expression, {"__builtins__": {}}, names))  # noqa: S307 - the filter's own text, computed by other means


@given(STREAMS, TIMES, st.integers(0, 1 << 20), st.booleans())
def test_the_filter_computes_the_same_number(stream: int, time: int, samples: int, placed: bool) -> None:
    told = as_ffmpeg(reported(stream, placed=placed)[0], PTS=float(time), NB_SAMPLES=float(samples))
    assert told == write_frame(stream, time, samples, placed=placed)


@given(STREAMS, TIMES, st.integers(0, 1 << 20), AWAY)
def test_the_last_filter_puts_the_time_back(stream: int, time: int, samples: int, away: int) -> None:
    told = write_frame(stream, time, samples)
    assert as_ffmpeg(reported(stream)[-1], PTS=float(told), PREV_OUTPTS=float(time + away + 1)) == time
    first = write_frame(stream, away, samples)
    assert as_ffmpeg(reported(stream)[-1], PTS=float(first), PREV_OUTPTS=math.nan) == away


def test_a_frame_that_is_too_long_is_said_to_be_as_long_as_can_be() -> None:
    assert read_frame(write_frame(0, 0, 1 << 20)) == HeardFrame(0, placed=False, time=0, samples=MOST_SAMPLES)


@pytest.mark.parametrize("number", [0, -1, 1 << 40, -(1 << 51), -(1 << 52), -(1 << 53) - 1, -(1 << 60)])
def test_the_time_of_a_picture_is_no_such_number(number: int) -> None:
    assert read_frame(number) is None


@given(STREAMS, TIMES, st.integers(0, MOST_SAMPLES))
def test_all_numbers_are_whole_in_doubles(stream: int, time: int, samples: int) -> None:
    number = write_frame(stream, time, samples, placed=True)
    assert int(float(number)) == number
    assert -(1 << 53) <= number < -(1 << 52)


def test_the_slack_is_told_between_two_samples() -> None:
    assert Placement(0, 0, 25, 48000).seconds == "0.0005313"
    assert 25 < float(Placement(0, 0, 25, 48000).seconds) * 48000 < 26
    assert 211 < float(Placement(0, 0, 211, 192000).seconds) * 192000 < 212
