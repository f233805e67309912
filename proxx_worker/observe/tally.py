"""What a worker's jobs came to: counts, and the failed ones by code. For the end of `watch --once`."""

from proxx_worker.contract.errors import ErrorCode, exit_code
from proxx_worker.contract.result import JobResult
from proxx_worker.observe.joblog import JobLog

_NAMES_TOLD = 10
"""Of each code. The counts are of all; a worker that runs for months must not remember every name."""


class Tally:
    """Counts results."""

    def __init__(self) -> None:
        """No job has ended yet."""
        self._completed = 0
        self._failed: dict[ErrorCode, int] = {}
        self._names: dict[ErrorCode, list[str]] = {}

    def add(self, result: JobResult) -> None:
        """A job has ended."""
        if result.error is None:
            self._completed += 1
            return
        code = result.error.code
        self._failed[code] = self._failed.get(code, 0) + 1
        names = self._names.setdefault(code, [])
        if len(names) < _NAMES_TOLD:
            names.append(result.jobspec.name)

    @property
    def exit_code(self) -> int:
        """The highest class of the failed jobs; 0 where none failed."""
        return exit_code(self._failed)

    def report(self, log: JobLog) -> None:
        """One line with the counts, and one per code with the jobs that failed by it, the most frequent first."""
        failed = sum(self._failed.values())
        log.event("once_ended", f"{self._completed} completed, {failed} failed", completed=self._completed, failed=failed)
        for code, count in sorted(self._failed.items(), key=lambda item: (-item[1], item[0])):
            names = self._names[code]
            more = f" and {count - len(names)} more" if count > len(names) else ""
            message = f"{count} failed with {code}: {', '.join(names)}{more}"
            log.event("failed_jobs", message, level="ERROR", code=code, count=count)
