"""Lines for systemd's journal, each prefixed with its priority, which journald removes. It adds the time itself."""

import os
from collections.abc import Mapping
from datetime import datetime

from proxx_worker.contract.errors import JsonValue
from proxx_worker.observe.records import event_text, json_line

PRIORITIES: Mapping[str, int] = {"CRITICAL": 2, "ERROR": 3, "WARNING": 4, "INFO": 6, "DEBUG": 7}
"""The priorities of syslog(3) for our levels. A line without one gets INFO's (SyslogLevel= in systemd.exec(5))."""


def is_journal(descriptor: int, journal_stream: str | None) -> bool:
    """Whether what is written to `descriptor` goes to the journal.

    `journal_stream`: the variable JOURNAL_STREAM, with the device and inode of the journal's socket. Every process of the service
    inherits it, so its presence proves nothing: the descriptor itself must be that socket (systemd.exec(5)).
    """
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return journal_stream == f"{found.st_dev}:{found.st_ino}"


def prefix(level: str) -> str:
    """`<3>` for an ERROR, and so on (sd-daemon(3))."""
    return f"<{PRIORITIES[level]}>"


def journal_text(_when: datetime, level: str, action: str, message: str, fields: Mapping[str, JsonValue]) -> str:
    """`<N>LEVEL action message key=value ...`."""
    return prefix(level) + event_text(level, action, message, fields)


def journal_json(when: datetime, level: str, action: str, message: str, fields: Mapping[str, JsonValue]) -> str:
    """`<N>` and the usual JSON object, including `time`, because readers rely on all of its fields."""
    return prefix(level) + json_line(when, level, action, message, fields)
