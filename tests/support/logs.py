"""A job log that nobody reads."""

from collections.abc import Sequence

from proxx_worker.contract.errors import JsonValue
from proxx_worker.observe.joblog import Level


class NoLog:
    """Satisfies `JobLog`."""

    def event(self, action: str, message: str = "", *, level: Level = "INFO", **fields: JsonValue) -> None:
        """Nothing."""

    def encoder_lines(self, lines: Sequence[str]) -> None:
        """Nothing."""
