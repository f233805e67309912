"""Result JSON 1.0: the models, and the one way to write and to read them.

The order of the fields is the order in the file. Times are UTC RFC 3339 strings, made by the caller.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

import orjson
from pydantic import BaseModel, ConfigDict, JsonValue

from proxx_worker.contract.errors import ErrorCode, JobError

RESULT_VERSION = "1.0"


class JobStatus(StrEnum):
    """How a job ended."""

    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class TaskStatus(StrEnum):
    """How a task ended. DISCARDED: it had finished, but a later one failed, so its output was not published."""

    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    DISCARDED = "DISCARDED"
    NOT_RUN = "NOT_RUN"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ErrorRecord(_Record):
    """An error as the result carries it."""

    code: ErrorCode
    message: str
    details: dict[str, JsonValue] = {}

    @classmethod
    def of(cls, error: JobError) -> "ErrorRecord":
        """The record of `error`."""
        return cls(code=error.code, message=error.message, details=dict(error.details))


class Check(_Record):
    """One comparison of the proxy with its source. `ok` is null where it could not be made."""

    name: str
    expected: JsonValue
    actual: JsonValue
    ok: bool | None


class SpecRecord(_Record):
    """Which spec it was: the claimed stem, the SHA-256 of its bytes (hex), the version it declared."""

    name: str
    sha256: str | None
    version: str | None


class TaskRecord(_Record):
    """One source's outcome. `output` is the final path and set only for COMPLETED."""

    index: int
    source: str
    status: TaskStatus
    error: ErrorRecord | None = None
    output: str | None = None
    output_size_bytes: int | None = None
    output_sha256: str | None = None
    command: list[str] | None = None
    exit_code: int | None = None
    fingerprint: str | None = None
    source_media: dict[str, JsonValue] | None = None
    output_media: dict[str, JsonValue] | None = None
    checks: list[Check] = []
    started_at: str | None = None
    finished_at: str | None = None
    duration_seconds: float | None = None
    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None


class WorkerRecord(_Record):
    """Who did it: the worker's version, the tools' paths, and the operator's declared pins (never checked)."""

    version: str
    ffmpeg: str | None
    ffprobe: str | None
    declared_versions: dict[str, str]


class JobResult(_Record):
    """The whole result of one job."""

    result_version: Literal["1.0"] = RESULT_VERSION
    job_id: str
    status: JobStatus
    error: ErrorRecord | None
    jobspec: SpecRecord
    engine: Literal["ffmpeg", "resolve"] | None
    proxy_profile: str | None
    settings: dict[str, JsonValue] | None
    tasks: list[TaskRecord]
    worker: WorkerRecord
    started_at: str
    finished_at: str
    duration_seconds: float


def encode_result(result: JobResult) -> bytes:
    """The result's bytes: UTF-8, two-space indent, trailing newline."""
    return orjson.dumps(result.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def decode_result(data: bytes) -> JobResult:
    """Read a result back. Raises `ValueError` for anything that `encode_result` would not have written."""
    document: Mapping[str, JsonValue] = orjson.loads(data)
    return JobResult.model_validate(document, strict=False)
