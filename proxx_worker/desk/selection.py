"""Which jobs a list shows, and how it groups them. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from proxx_worker.desk.jobs import JobState, JobSummary

NO_CODE: Final = "unreadable"
"""The group of failed jobs whose result says nothing."""

_AGE: Final = re.compile(r"(\d{1,6})([mhd])")
_UNITS: Final[Mapping[str, str]] = {"m": "minutes", "h": "hours", "d": "days"}


def since_of(text: str, now: datetime) -> datetime:
    """A moment: ISO 8601 (UTC if it has no offset), or an age such as `90m`, `2h`, `3d`. Raises `ValueError`."""
    if age := _AGE.fullmatch(text):
        return now - timedelta(**{_UNITS[age[2]]: int(age[1])})
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which jobs are wanted. `since`: those that ended then or later. Only finished jobs have a code, an end or a remedy."""

    states: frozenset[JobState]
    code: str | None = None
    since: datetime | None = None
    resubmittable: bool = False

    def wants(self, job: JobSummary) -> bool:
        """Whether `job` is one of them."""
        if job.state not in self.states:
            return False
        if self.code is not None and job.code != self.code:
            return False
        if self.since is not None and not _ended_since(job, self.since):
            return False
        return job.resubmittable or not self.resubmittable

    def read_states(self) -> tuple[JobState, ...]:
        """The states whose folders must be looked at, in the order of the list."""
        finished = self.code is not None or self.since is not None or self.resubmittable
        return tuple(
            state
            for state in JobState
            if state in self.states and not (finished and state in {JobState.WAITING, JobState.RUNNING})
        )


def by_code(failed: Iterable[JobSummary]) -> Iterator[tuple[str, list[JobSummary]]]:
    """Failed jobs by their code, the most frequent first."""
    groups: dict[str, list[JobSummary]] = {}
    for job in failed:
        groups.setdefault(job.code or NO_CODE, []).append(job)
    yield from sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))


def _ended_since(job: JobSummary, since: datetime) -> bool:
    ended = moment_of(job.finished_at)
    return ended is not None and ended >= since


def moment_of(text: str | None) -> datetime | None:
    """The time in a result; None if it has none."""
    try:
        moment = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo is not None else moment.replace(tzinfo=UTC)
