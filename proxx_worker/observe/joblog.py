"""The interface for log events. Its users do not know where they are written."""

from collections.abc import Sequence
from typing import Literal, Protocol

from proxx_worker.contract.errors import JsonValue

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class JobLog(Protocol):
    """A job's log: every step with a stable `action`, and the encoder's own lines."""

    def event(self, action: str, message: str = "", *, level: Level = "INFO", **fields: JsonValue) -> None:
        """Log one step. `action`: a stable snake_case name that programs may match on; `fields`: JSON values."""
        ...

    def encoder_lines(self, lines: Sequence[str]) -> None:
        """Log lines of the encoder's stderr, already decoded; the writer escapes control characters."""
        ...
