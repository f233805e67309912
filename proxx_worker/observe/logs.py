"""The worker's log on stderr, and the log file of each job, with the same events.

Events reach the worker's log through loguru. A job's log is written directly: adding and removing a loguru sink per job costs
4 ms of CPU, and the encoder's own lines, some fifty per task, another 4 (docs/decisions/0006).
"""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from loguru import logger

from proxx_worker.contract.errors import JsonValue
from proxx_worker.files.durable import write_all
from proxx_worker.files.errnos import classify_os_error
from proxx_worker.observe.joblog import Level
from proxx_worker.observe.journal import journal_json, journal_text
from proxx_worker.observe.records import ENCODER, encoder_text, json_line, text_line

if TYPE_CHECKING:
    from loguru import Message, Record

LogFormat = Literal["text", "json"]
_LINES = {"text": text_line, "json": json_line}
_JOURNAL_LINES = {"text": journal_text, "json": journal_json}


def start_worker_log(
    write: Callable[[str], object], log_format: LogFormat, *, encoder_lines: bool, journal: bool = False
) -> None:
    """Send every event to `write`, one line each. `encoder_lines`: include the encoder's output (`run` has no log file).

    `journal`: the output goes to systemd's journal.
    """
    line = (_JOURNAL_LINES if journal else _LINES)[log_format]

    def sink(message: "Message") -> None:
        record = message.record
        extra = record["extra"]
        fields: dict[str, JsonValue] = extra["fields"]
        if job := extra.get("job"):
            fields = {"job": job, **fields}
        write(line(extra["when"], record["level"].name, extra["action"], record["message"], fields))

    def wanted(record: "Record") -> bool:
        return encoder_lines or record["extra"]["action"] != ENCODER

    logger.remove()
    # A closed stderr must not fail the job: loguru's `catch` swallows the error.
    logger.add(sink, format="{message}", level="INFO", filter=wanted, catch=True)


class EventLog:
    """Events of the worker, or of the job named `job`. Satisfies `JobLog`."""

    def __init__(self, job: str | None = None) -> None:
        """Add the job's name to every event."""
        self._logger = logger.bind(job=job)

    def event(self, action: str, message: str = "", *, level: Level = "INFO", **fields: JsonValue) -> None:
        """See `JobLog.event`."""
        self._log(datetime.now(UTC), action, message, level, fields)

    def encoder_lines(self, lines: Sequence[str]) -> None:
        """See `JobLog.encoder_lines`."""
        when = datetime.now(UTC)
        for line in lines:
            self._log(when, ENCODER, line, "INFO", {})

    def _log(self, when: datetime, action: str, message: str, level: Level, fields: dict[str, JsonValue]) -> None:
        self._logger.bind(when=when, action=action, fields=fields).log(level, message)


class JobLogFile(EventLog):
    """A job's events, also written to its log file (a descriptor that the caller opened for appending).

    The encoder's lines go to the file only. `close` raises the first write error, so that the job itself continues and its
    decision is committed.
    """

    def __init__(self, job: str, descriptor: int) -> None:
        """Take over `descriptor`; `close` closes it."""
        super().__init__(job)
        self._descriptor = descriptor
        self._failure: OSError | None = None
        self._job = job

    def event(self, action: str, message: str = "", *, level: Level = "INFO", **fields: JsonValue) -> None:
        """See `JobLog.event`."""
        when = datetime.now(UTC)
        self._write(text_line(when, level, action, message, fields))
        self._log(when, action, message, level, fields)

    def encoder_lines(self, lines: Sequence[str]) -> None:
        """See `JobLog.encoder_lines`."""
        self._write(encoder_text(datetime.now(UTC), lines))

    def _write(self, lines: str) -> None:
        if self._failure is None:
            try:
                write_all(self._descriptor, lines.encode())
            except OSError as error:
                self._failure = error

    def close(self) -> None:
        """Close the log. Raises NO_SPACE, WORKSPACE_INVALID or IO_ERROR if any line could not be written.

        Not durable by itself: `Spool.finish` syncs the log before it moves it.
        """
        os.close(self._descriptor)
        if self._failure is not None:
            raise classify_os_error(self._failure, "write the log of the job", self._job, state_folder=True) from self._failure

    def __enter__(self) -> Self:
        """Nothing to do: the log is open."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()
