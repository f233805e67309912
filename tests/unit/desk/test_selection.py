"""Which jobs a list shows, from values."""

from datetime import UTC, datetime

import pytest

from proxx_worker.desk.jobs import JobState, JobSummary
from proxx_worker.desk.selection import NO_CODE, Selection, by_code, moment_of, since_of

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
EVERY = frozenset(JobState)


def job(name: str, state: JobState, code: str | None = None, at: str | None = None) -> JobSummary:
    return JobSummary(name.encode(), state, code=code, finished_at=at)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", datetime(2026, 1, 10, 10, 30, tzinfo=UTC)),
        ("2h", datetime(2026, 1, 10, 10, 0, tzinfo=UTC)),
        ("3d", datetime(2026, 1, 7, 12, 0, tzinfo=UTC)),
        ("2026-01-05", datetime(2026, 1, 5, tzinfo=UTC)),
        ("2026-01-05T08:00:00Z", datetime(2026, 1, 5, 8, 0, tzinfo=UTC)),
        ("2026-01-05T08:00:00+02:00", datetime(2026, 1, 5, 6, 0, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_time_or_an_age(text: str, moment: datetime) -> None:
    assert since_of(text, NOW) == moment


@pytest.mark.parametrize("text", ["yesterday", "", "2 h", "-3d", "1y"])
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="Invalid isoformat"):
        since_of(text, NOW)


def test_states_are_chosen() -> None:
    selection = Selection(frozenset({JobState.WAITING}))
    assert selection.wants(job("a", JobState.WAITING))
    assert not selection.wants(job("a", JobState.DONE))
    assert selection.read_states() == (JobState.WAITING,)


def test_what_only_an_ended_job_has_leaves_the_others_unread() -> None:
    assert Selection(EVERY, code="NO_SPACE").read_states() == (JobState.FAILED, JobState.DONE)
    assert Selection(EVERY).read_states() == tuple(JobState)


def test_codes_times_and_ways_on_are_chosen() -> None:
    failed = job("a", JobState.FAILED, "NO_SPACE", "2026-01-05T08:00:00Z")
    assert Selection(EVERY, code="NO_SPACE").wants(failed)
    assert not Selection(EVERY, code="IO_ERROR").wants(failed)
    assert Selection(EVERY, since=datetime(2026, 1, 5, 8, tzinfo=UTC)).wants(failed)
    assert not Selection(EVERY, since=datetime(2026, 1, 5, 9, tzinfo=UTC)).wants(failed)
    assert not Selection(EVERY, since=datetime(2026, 1, 5, tzinfo=UTC)).wants(job("a", JobState.FAILED))
    assert not Selection(EVERY, resubmittable=True).wants(failed)


def test_the_most_frequent_code_comes_first() -> None:
    jobs = [job("a", JobState.FAILED), *(job(name, JobState.FAILED, code) for name, code in (("b", "X"), ("c", "Y"), ("d", "Y")))]
    assert [(code, [it.name for it in group]) for code, group in by_code(jobs)] == [
        ("Y", ["c", "d"]), ("X", ["b"]), (NO_CODE, ["a"]),
    ]  # fmt: skip


def test_a_time_without_an_offset_is_utc_and_nonsense_is_none() -> None:
    assert moment_of("2026-01-05T08:00:00") == datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert moment_of("soon") is None
    assert moment_of(None) is None
