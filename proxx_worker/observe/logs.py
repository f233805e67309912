"""The worker's log on stderr and the log of one job, both fed by the same events.

loguru carries an event to its sinks; the lines themselves are made in `records`.
"""

import os
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from loguru import logger

from proxx_worker.contract.errors import JsonValue
from proxx_worker.files.errnos import classify_os_error
from proxx_worker.observe.joblog import Level
from proxx_worker.observe.records import json_line, text_line

if TYPE_CHECKING:
    from loguru import Message, Record

LogFormat = Literal["text", "json"]
_LINES = {"text": text_line, "json": json_line}


def start_worker_log(write: Callable[[str], object], log_format: LogFormat, *, encoder_lines: bool) -> None:
    """Send every event to `write`, one line each. `encoder_lines`: the encoder's own output too (`run` has no log file)."""
    line = _LINES[log_format]

    def sink(message: "Message") -> None:
        record = message.record
        fields = _fields(record)
        if job := record["extra"].get("job"):
            fields = {"job": job, **fields}
        write(line(record["time"], record["level"].name, record["extra"]["action"], record["message"], fields))

    def wanted(record: "Record") -> bool:
        return encoder_lines or record["extra"]["action"] != "encoder"

    logger.remove()
    # Losing a log line to a closed stderr must not cost the job: loguru's `catch` keeps the fault away from the work.
    logger.add(sink, format="{message}", level="INFO", filter=wanted, catch=True)


def _fields(record: "Record") -> dict[str, JsonValue]:
    fields: dict[str, JsonValue] = record["extra"]["fields"]
    return fields


class EventLog:
    """Events of the worker, or of one job when `job` names it. Satisfies `JobLog`."""

    def __init__(self, job: str | None = None) -> None:
        """Bind the job's name to every event."""
        self._logger = logger.bind(job=job)

    def event(self, action: str, message: str = "", *, level: Level = "INFO", **fields: JsonValue) -> None:
        """See `JobLog.event`."""
        self._logger.bind(action=action, fields=fields).log(level, message)

    def encoder_line(self, line: str) -> None:
        """See `JobLog.encoder_line`."""
        self.event("encoder", line)


class JobLogFile(EventLog):
    """A job's events, also written to its log file (a descriptor that the caller opened for appending).

    A write that fails is remembered and raised by `close`: the work itself goes on, and its decision is committed.
    """

    def __init__(self, job: str, descriptor: int) -> None:
        """Take over `descriptor`; `close` closes it."""
        super().__init__(job)
        self._descriptor = descriptor
        self._failure: OSError | None = None
        self._sink = logger.add(self._write, format="{message}", level="DEBUG", filter=self._mine, catch=False)
        self._job = job

    def _mine(self, record: "Record") -> bool:
        return bool(record["extra"].get("job") == self._job)

    def _write(self, message: "Message") -> None:
        record = message.record
        line = text_line(record["time"], record["level"].name, record["extra"]["action"], record["message"], _fields(record))
        if self._failure is None:
            try:
                _write_all(self._descriptor, line.encode())
            except OSError as error:
                self._failure = error

    def close(self) -> None:
        """Close the log. Raises NO_SPACE, WORKSPACE_INVALID or IO_ERROR if any line could not be written.

        Not durable by itself: `Spool.finish` syncs the log before it moves it.
        """
        logger.remove(self._sink)
        os.close(self._descriptor)
        if self._failure is not None:
            raise classify_os_error(self._failure, "write the log of the job", self._job, state_folder=True) from self._failure

    def __enter__(self) -> Self:
        """Nothing to do: the log is open."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
