"""Labels as frame counts, and back. The drop-frame cases are those of SMPTE ST 12-1's rule, worked out by hand."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.media.facts import Timecode
from proxx_worker.media.timecode_count import after, count_of, label_of, nominal

R25, R29, R59, R119 = Fraction(25), Fraction(30000, 1001), Fraction(60000, 1001), Fraction(120000, 1001)


@pytest.mark.parametrize(
    ("label", "rate", "count"),
    [
        ("00:00:00:00", R25, 0),
        ("10:00:00:00", R25, 900_000),
        ("01:00:00:00", Fraction(24000, 1001), 86_400),
        ("00:00:59;29", R29, 1799),
        ("00:01:00;02", R29, 1800),  # 00 and 01 do not exist
        ("00:09:59;29", R29, 17_981),
        ("00:10:00;00", R29, 17_982),
        ("01:00:00;00", R29, 107_892),
        ("00:01:00;04", R59, 3600),
        ("00:01:00;008", R119, 7200),
    ],
)
def test_a_label_is_a_count_and_a_count_its_label(label: str, rate: Fraction, count: int) -> None:
    drop = ";" in label
    assert count_of(Timecode(label, drop, "stream"), rate) == count
    assert label_of(count, rate, drop_frame=drop) == label


@given(st.integers(0, 2_589_407), st.sampled_from([(R25, False), (R29, True), (R29, False), (R59, True), (Fraction(24), False)]))
def test_every_count_has_one_label(count: int, kind: tuple[Fraction, bool]) -> None:
    rate, drop = kind
    day = {True: {30: 2_589_408, 60: 5_178_816}, False: {n: 86_400 * n for n in (24, 25, 30)}}[drop][nominal(rate)]
    label = label_of(count, rate, drop_frame=drop)
    assert count_of(Timecode(label, drop, "stream"), rate) == count % day


@pytest.mark.parametrize(
    ("rate", "labels"),
    [
        (R29, 30), (R119, 120), (Fraction(24000, 1001), 24), (Fraction(3002, 100), 30), (Fraction(292, 10), 29),
        (Fraction(25, 2), 13), (Fraction(2449, 100), 24), (Fraction(49, 2), 25), (Fraction(3, 2), 2),
        (Fraction(1, 2), 1), (Fraction(1, 4), 1),
    ],
)  # fmt: skip
def test_a_second_has_the_nearest_whole_number_of_labels(rate: Fraction, labels: int) -> None:
    assert nominal(rate) == labels


def test_an_hour_of_a_phones_thirty_is_an_hour_of_labels() -> None:
    start = Timecode("01:00:00:00", drop_frame=False, origin="stream")
    assert after(start, 108_072, Fraction(3002, 100)) == "02:00:02:12"


def test_a_day_later_the_clock_begins_anew() -> None:
    assert label_of(25 * 86_400 + 1, R25, drop_frame=False) == "00:00:00:01"
    assert label_of(2_589_408, R29, drop_frame=True) == "00:00:00;00"


def test_the_label_of_a_later_frame() -> None:
    assert after(Timecode("00:00:59;28", drop_frame=True, origin="stream"), 3, R29) == "00:01:00;03"
    assert after(None, 3, R29) is None
