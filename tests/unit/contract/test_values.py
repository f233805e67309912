"""Moments as the spec writes them, read by value."""

import re
import time
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest

from proxx_worker.contract.strict_json import Number
from proxx_worker.contract.values import has_time_of_day, rate_as_number, read_moment, read_rate, timestamp


@pytest.mark.parametrize(
    ("rate", "number"),
    [
        (Fraction(25), "25"),
        (Fraction(100), "100"),
        (Fraction(1000), "1000"),
        (Fraction(1, 1_000_000), "0.000001"),
        (Fraction(25, 2), "12.5"),
        (Fraction(24000, 1001), "23.976"),
        (Fraction(120000, 1001), "119.88"),
        (Fraction(15000, 1001), None),
        # 29.97 means another rate.
        (Fraction(2997, 100), None),
        (Fraction(1001), None),
        (Fraction(1, 3), None),
        (Fraction(1, 2_000_000), None),
    ],
)
def test_a_rate_is_told_as_the_number_that_means_it(rate: Fraction, number: str | None) -> None:
    assert rate_as_number(rate) == number
    assert number is None or read_rate(Number(number)) == rate


OUT_OF_RANGE = "a rate is greater than 0 and at most 1000"
NOT_EXACT = "no exact rate: write at most 3 decimals (23.976, 29.97, 59.94 and 119.88 mean n*1000/1001)"


@pytest.mark.parametrize(
    ("literal", "said"),
    [("0", OUT_OF_RANGE), ("1000.001", OUT_OF_RANGE), ("1e-7", NOT_EXACT), ("29.97003", NOT_EXACT), ("1." + "0" * 63, NOT_EXACT)],
)
def test_a_rate_is_refused_with_the_reason(literal: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        read_rate(Number(literal))


def test_the_longest_literal_of_a_rate() -> None:
    assert read_rate(Number("1." + "0" * 62)) == 1


DAY = (2025, 12, 29)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-12-29", datetime(*DAY)),  # noqa: DTZ001 - it says no zone
        ("2025-12-29t14:30:05z", datetime(*DAY, 14, 30, 5, tzinfo=UTC)),
        ("2025-12-29T14:30:05+05", datetime(*DAY, 14, 30, 5, tzinfo=timezone(timedelta(hours=5)))),
        ("2025-12-29 14:30-0330", datetime(*DAY, 14, 30, tzinfo=timezone(-timedelta(hours=3, minutes=30)))),
    ],
)
def test_a_moment_is_what_it_says(text: str, moment: datetime) -> None:
    assert read_moment(text) == moment


@pytest.mark.parametrize("mark", ["T", "t", " "])
def test_a_time_of_day_comes_after_a_mark(mark: str) -> None:
    assert has_time_of_day(f"2025-12-29{mark}14:30")
    assert not has_time_of_day("2025-12-29")


def test_a_timestamp_is_utc_with_milliseconds_and_z_wherever_the_machine_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        try:
            said = timestamp(datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC))
        finally:
            elsewhere.undo()
            time.tzset()
    assert said == "2026-01-02T03:04:05.678Z"


def test_a_timestamp_is_utc_from_any_zone() -> None:
    when = datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC)
    assert timestamp(when) == "2026-01-02T03:04:05.678Z"
    assert timestamp(when.astimezone(timezone(timedelta(hours=9)))) == "2026-01-02T03:04:05.678Z"
