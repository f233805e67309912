"""A finished job as read by later commands: any result of version 1, whatever later versions add to it.

`contract.result` writes results and reads its own back exactly. A reader of old results needs less of it, and unknown
fields must not stop it: fields are only ever added (contract section 4).
"""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue, ValidationError

from proxx_worker.contract.result import Check, JobStatus, TaskStatus

_VERSION = re.compile(r"1\.[0-9]{1,3}")


def _version(value: object) -> object:
    if not (isinstance(value, str) and _VERSION.fullmatch(value)):
        raise ValueError(f"result_version is {value!r}, and only results of version 1 can be read")
    return value


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class FinishedError(_Read):
    """Why a job or a task failed."""

    code: str
    message: str


class FinishedSpec(_Read):
    """Which spec it was."""

    name: str


class FinishedWorker(_Read):
    """Who did it."""

    version: str
    ffmpeg: str | None = None


class FinishedTask(_Read):
    """One source's outcome. Where `path_map` applied, `source_path` and `output_path` are the paths on the worker's machine."""

    index: int
    source: str
    status: TaskStatus
    error: FinishedError | None = None
    output: str | None = None
    source_path: str | None = None
    output_path: str | None = None
    output_size_bytes: int | None = None
    output_sha256: str | None = None
    command: tuple[str, ...] | None = None
    source_media: Mapping[str, JsonValue] | None = None
    output_media: Mapping[str, JsonValue] | None = None
    checks: tuple[Check, ...] = ()
    started_at: str | None = None
    finished_at: str | None = None
    duration_seconds: float | None = None
    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None

    @property
    def source_file(self) -> str:
        """Where the source is on this machine."""
        return self.source_path or self.source

    @property
    def output_file(self) -> str | None:
        """Where the proxy is on this machine; None without one."""
        return self.output_path or self.output

    def check(self, name: str) -> Check | None:
        """The check of this name; None if it was not made."""
        return next((check for check in self.checks if check.name == name), None)

    def counted_frames(self) -> int | None:
        """How many frames the worker counted in the proxy; None if it did not get that far."""
        check = self.check("frames")
        return check.actual if check is not None and isinstance(check.actual, int) else None


class FinishedJob(_Read):
    """One job's result."""

    result_version: Annotated[str, BeforeValidator(_version)]
    job_id: str
    status: JobStatus
    error: FinishedError | None
    jobspec: FinishedSpec
    engine: Literal["ffmpeg", "resolve"] | None
    proxy_profile: str | None
    settings: Mapping[str, JsonValue] | None
    tasks: tuple[FinishedTask, ...]
    worker: FinishedWorker
    started_at: str
    finished_at: str
    duration_seconds: float


def read_finished(data: bytes) -> FinishedJob:
    """The job whose result has these bytes. Raises `ValueError`, whose message says what is wrong with them."""
    document: JsonValue = orjson.loads(data)
    try:
        return FinishedJob.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the document"
        reason = str(first["ctx"]["error"]) if first["type"] == "value_error" else first["msg"]
        raise ValueError(f"not a result: {place}: {reason}") from error
