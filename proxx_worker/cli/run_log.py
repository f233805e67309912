"""The log of a `run`, which has no workspace to keep one: on stderr, in a file if requested, and the encoder's last lines."""

import os
from collections import deque
from collections.abc import Sequence
from typing import Final

from proxx_worker.cli.console import UsageError, reason_of
from proxx_worker.contract.errors import ProxxError
from proxx_worker.observe.logs import EventLog, JobLogFile

_LAST_LINES: Final = 20


class RunLog:
    """Passes everything on, and keeps the encoder's last lines: a terminal shows them only if the job failed.

    Satisfies `JobLog`.
    """

    def __init__(self, job: str, path: str | None) -> None:
        """`path`: where the whole log goes, too; what is there is replaced. Raises `UsageError` if that is not possible."""
        self._file = None if path is None else JobLogFile(job, _opened(path))
        self._log = self._file or EventLog()
        self.event = self._log.event
        """See `JobLog.event`."""
        self._last: deque[str] = deque(maxlen=_LAST_LINES)

    def encoder_lines(self, lines: Sequence[str]) -> None:
        """See `JobLog.encoder_lines`."""
        self._last.extend(lines)
        self._log.encoder_lines(lines)

    @property
    def last_lines(self) -> tuple[str, ...]:
        """The encoder's last lines."""
        return tuple(self._last)

    def close(self) -> ProxxError | None:
        """Close the file. Returns why it is incomplete if a line could not be written."""
        if self._file is None:
            return None
        try:
            self._file.close()
        except ProxxError as fault:
            return fault
        return None


def _opened(path: str) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--log {path} cannot be written: {reason_of(error)}; name a file in a folder that exists and is writable"
        ) from error
