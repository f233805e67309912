"""Counts a worker's jobs, and the failed ones by code, for the summary of `watch --once`."""

from proxx_worker.contract.errors import ErrorCode, exit_code
from proxx_worker.contract.result import JobResult
from proxx_worker.observe.joblog import JobLog

_MAX_NAMES = 10
"""Per code. All jobs are counted, but a worker that runs for months must not remember every name."""


class Tally:
    """Counts results."""

    def __init__(self) -> None:
        """Starts empty."""
        self._completed = 0
        self._failed: dict[ErrorCode, int] = {}
        self._names: dict[ErrorCode, list[str]] = {}

    def add(self, result: JobResult) -> None:
        """Count a finished job."""
        if result.error is None:
            self._completed += 1
            return
        code = result.error.code
        self._failed[code] = self._failed.get(code, 0) + 1
        names = self._names.setdefault(code, [])
        if len(names) < _MAX_NAMES:
            names.append(result.jobspec.name)

    @property
    def exit_code(self) -> int:
        """The highest class of the failed jobs; 0 if none failed."""
        return exit_code(self._failed)

    def report(self, log: JobLog) -> None:
        """Log one line with the counts, and one per error code with the jobs that failed with it, most frequent first."""
        failed = sum(self._failed.values())
        log.event("once_ended", f"{self._completed} completed, {failed} failed", completed=self._completed, failed=failed)
        for code, count in sorted(self._failed.items(), key=lambda item: (-item[1], item[0])):
            names = self._names[code]
            more = f" and {count - len(names)} more" if count > len(names) else ""
            message = f"{count} failed with {code}: {', '.join(names)}{more}"
            log.event("failed_jobs", message, level="ERROR", code=code, count=count)
