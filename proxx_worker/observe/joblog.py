"""The port through which the packages below report what they do. They never know where it ends up."""

from collections.abc import Sequence
from typing import Literal, Protocol

from proxx_worker.contract.errors import JsonValue

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class JobLog(Protocol):
    """A job's log: every step with a stable `action`, and the encoder's own lines."""

    def event(self, action: str, message: str = "", *, level: Level = "INFO", **fields: JsonValue) -> None:
        """One step. `action` is a stable snake_case word that programs may match on; `fields` are JSON values."""
        ...

    def encoder_lines(self, lines: Sequence[str]) -> None:
        """Lines of the encoder's stderr, already decoded; control characters are escaped by the writer."""
        ...
