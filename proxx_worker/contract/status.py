"""`.proxx/status.json`: what a worker is doing. The model, and the only code that writes and reads it.

The order of the fields is the order in the file. Dataclasses, because `status` reads this and must start fast: pydantic alone
takes longer to load than the whole command runs.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import orjson

from proxx_worker.contract.errors import JsonValue
from proxx_worker.contract.text import steady_json, writable

MAX_STATUS_BYTES: Final = 1 << 16
"""More than any status has: its longest field is one path."""


class WorkerState(StrEnum):
    """What the worker as a whole does."""

    IDLE = "idle"
    RUNNING = "running"
    HELD = "held"
    """No job runs, and none is claimed while `inbox/.hold` is there."""
    STOPPING = "stopping"
    """It was asked to stop and has not ended yet."""
    ENDED = "ended"


class Stage(StrEnum):
    """How far the running job is. The three from `ENCODING` to `SEALING` are repeated for each of its tasks."""

    CLAIMED = "claimed"
    PROBING = "probing"
    """The spec, its sources and its output directory are checked."""
    SURVEYING = "surveying"
    """All sources are good: whatever else must be known before the first encode."""
    ENCODING = "encoding"
    """Up to the complete file, what is written into it after the encode included."""
    VERIFYING = "verifying"
    SEALING = "sealing"
    """The proxy is made durable and hashed."""
    PUBLISHING = "publishing"
    """The decision is durable, and the outputs get their names."""


@dataclass(frozen=True, slots=True)
class RunningJob:
    """The running job. `task`: from 1, 0 before the first. Position and duration in seconds; `speed` times real time."""

    name: str
    job_id: str
    stage: Stage
    task: int
    tasks: int
    source: str | None = None
    position_seconds: float | None = None
    duration_seconds: float | None = None
    frames: int | None = None
    speed: float | None = None


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """A worker at one moment. Times are UTC RFC 3339. `heartbeat_at`: when this was written. `inbox`: how many jobs wait.

    `exit_code`: what the worker ended with; None before its end, and in the status of a worker that did not write it yet.
    """

    state: WorkerState
    pid: int
    host: str
    started_at: str
    heartbeat_at: str
    inbox: int
    job: RunningJob | None
    exit_code: int | None = None


def encode_status(status: WorkerStatus) -> bytes:
    """The status's bytes: UTF-8, two-space indent, trailing newline; nothing in it steers the terminal that shows it."""
    return encode_document(status_fields(status))


def encode_document(document: Mapping[str, JsonValue]) -> bytes:
    """Any JSON object in the same layout: `status --json` adds fields of its own."""
    return steady_json(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def status_fields(status: WorkerStatus) -> dict[str, JsonValue]:
    """The status as a JSON object."""
    return {name: writable(value) for name, value in asdict(status).items()}


def status_field_names() -> tuple[str, ...]:
    """The names that `status_fields` gives, in order."""
    return tuple(field.name for field in fields(WorkerStatus))


def decode_status(data: bytes) -> WorkerStatus:
    """Read a status back; unknown fields are ignored.

    Raises `ValueError` for anything else that `encode_status` would not have written.
    """
    match _read(data):
        case {
            "state": str(state),
            "pid": int(pid),
            "host": str(host),
            "started_at": str(started_at),
            "heartbeat_at": str(heartbeat_at),
            "inbox": int(inbox),
            "job": job,
            **others,
        } if isinstance(exit_code := others.get("exit_code"), int | None):
            running = None if job is None else _job_of(job)
            return WorkerStatus(WorkerState(state), pid, host, _utc(started_at), _utc(heartbeat_at), inbox, running, exit_code)
        case _:
            raise ValueError("a field is missing or has another type")


def _read(data: bytes) -> JsonValue:
    if len(data) > MAX_STATUS_BYTES:
        raise ValueError(f"it has more than {MAX_STATUS_BYTES} bytes")
    document: JsonValue = orjson.loads(data)
    return _without_booleans(document)


def _without_booleans(document: JsonValue) -> JsonValue:
    """`document`; no field of a status is true or false, which Python takes for 1 and 0. Raises `ValueError`."""
    if isinstance(document, dict) and any(isinstance(value, bool) for value in document.values()):
        raise ValueError("a field is true or false")
    return document


def _job_of(document: JsonValue) -> RunningJob:
    match _without_booleans(document):
        case {
            "name": str(name),
            "job_id": str(job_id),
            "stage": str(stage),
            "task": int(task),
            "tasks": int(tasks),
            "source": (str() | None) as source,
            "position_seconds": (float() | int() | None) as position,
            "duration_seconds": (float() | int() | None) as duration,
            "frames": (int() | None) as frames,
            "speed": (float() | int() | None) as speed,
        }:
            return RunningJob(name, job_id, Stage(stage), task, tasks, source, position, duration, frames, speed)
        case _:
            raise ValueError("a field of the job is missing or has another type")


def _utc(text: str) -> str:
    """`text`, where it is a time in UTC. Raises `ValueError`."""
    if datetime.fromisoformat(text).utcoffset() != timedelta(0):
        raise ValueError("a time is not in UTC")
    return text
