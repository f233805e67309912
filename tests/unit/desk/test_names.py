"""Names as lists show them, and the jobs they mean."""

import pytest

from proxx_worker.desk.names import AmbiguousNameError, stem_shown_as


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        (rb"bad\xff\xfe", b"bad\xff\xfe"),
        (rb"esc\x1b", b"esc\x1b"),
        (rb"ab\u202e", "ab\u202e".encode()),
        (b"plain.json", b"plain"),
    ],
)
def test_a_shown_name_means_the_job_it_was_shown_for(name: bytes, stem: bytes) -> None:
    assert stem_shown_as(name, [b"other", stem]) == stem


def test_the_exact_name_wins_over_a_shown_one() -> None:
    assert stem_shown_as(rb"a\xff", [b"a\xff", rb"a\xff"]) == rb"a\xff"


def test_a_name_nobody_has_means_none() -> None:
    assert stem_shown_as(b"x", [b"y"]) is None


def test_a_shown_name_of_two_jobs_is_refused() -> None:
    with pytest.raises(AmbiguousNameError, match="2 jobs are shown as"):
        stem_shown_as(rb"a\x1b\xff", [b"a\x1b\xff", rb"a\x1b" + b"\xff"])
