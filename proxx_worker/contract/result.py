"""Result JSON 1.1: the models, and the one way to write and to read them.

The order of the fields is the order in the file. Times are UTC RFC 3339 strings, made by the caller.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

import orjson
from pydantic import BeforeValidator, Field, JsonValue

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.contract.record import Facts, Record, Text
from proxx_worker.contract.source_media import SettingsRecord, SourceMedia
from proxx_worker.contract.text import steady_json, visible, writable

RESULT_VERSION: Literal["1.1"] = "1.1"


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


class ErrorRecord(Record):
    """An error as the result carries it."""

    code: ErrorCode
    message: Text
    details: Facts = Field(default_factory=dict)

    @classmethod
    def of(cls, error: JobError) -> "ErrorRecord":
        """The record of `error`. Its message, for people, is one line; its details name paths as they are."""
        return cls(code=error.code, message=visible(error.message), details=dict(error.details))


class Check(Record):
    """One comparison of the proxy with its source. `ok` is null if it could not be made."""

    name: Text
    expected: Annotated[JsonValue, BeforeValidator(writable)]
    actual: Annotated[JsonValue, BeforeValidator(writable)]
    ok: bool | None


class SpecRecord(Record):
    """Which spec it was: the claimed stem, the SHA-256 of its bytes (hex), the version it declared."""

    name: Text
    sha256: Text | None
    version: Text | None


class TaskRecord(Record):
    """One source's outcome. `output` is the final path and set only for COMPLETED."""

    index: int
    source: Text
    source_path: Text | None = None
    status: TaskStatus
    error: ErrorRecord | None = None
    output: Text | None = None
    output_path: Text | None = None
    output_size_bytes: int | None = None
    output_sha256: Text | None = None
    command: list[Text] | None = None
    exit_code: int | None = None
    source_media: SourceMedia | None = None
    output_media: Facts | None = None
    checks: list[Check] = Field(default_factory=list)
    started_at: Text | None = None
    finished_at: Text | None = None
    duration_seconds: float | None = None
    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None


class WorkerRecord(Record):
    """The worker: its version, the tools' paths, the operator's pins (never checked), and what confined its children."""

    version: Text
    ffmpeg: Text | None
    ffprobe: Text | None
    declared_versions: dict[Text, Text]
    sandbox: Text = "off"


class JobResult(Record):
    """The whole result of one job."""

    result_version: Literal["1.1"] = RESULT_VERSION
    job_id: Text
    status: JobStatus
    error: ErrorRecord | None
    jobspec: SpecRecord
    engine: Literal["ffmpeg", "resolve"] | None
    proxy_profile: Text | None
    settings: SettingsRecord | None
    tasks: list[TaskRecord]
    worker: WorkerRecord
    started_at: Text
    finished_at: Text
    duration_seconds: float


def encode_result(result: JobResult) -> bytes:
    """The result's bytes: UTF-8, two-space indent, trailing newline; nothing in it steers the terminal that shows it."""
    document = orjson.dumps(result.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return steady_json(document)


def decode_result(data: bytes) -> JobResult:
    """Read a result back. Raises `ValueError` for anything that `encode_result` would not have written, layout apart."""
    document: Mapping[str, JsonValue] = orjson.loads(data)
    result = JobResult.model_validate(document, strict=False)
    if result.model_dump(mode="json") != document:
        raise ValueError("not a result of this version: fields are missing or have other types")
    return result
