"""What `validate --json` prints: one document, with every file and every source that was checked."""

from enum import StrEnum
from typing import Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

from proxx_worker.contract.record import Text
from proxx_worker.contract.result import ErrorRecord
from proxx_worker.contract.text import steady_json

VALIDATION_VERSION: Literal["1.0"] = "1.0"


class Validity(StrEnum):
    """What was found of one file."""

    OK = "ok"
    REFUSED = "refused"
    UNREADABLE = "unreadable"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_serialization_defaults_required=True)


class SourceValidation(_Record):
    """One source of a JobSpec."""

    index: int = Field(description="The place in the spec's sources, from 0.")
    source: Text = Field(description="The path, as the spec gives it.")
    source_path: Text | None = Field(description="Where it is read, if `path_map` applied; else null.")
    error: ErrorRecord | None = Field(description="What is wrong with this source; null if no fault is known.")


class FileValidation(_Record):
    """One file that was named on the command line."""

    file: Text = Field(description="As it was named; bytes that are not UTF-8 as \\xNN.")
    status: Validity = Field(description="ok: it would run. refused: it would fail, see `error`. unreadable: exit code 64.")
    error: ErrorRecord | None = Field(description="What a job of this spec would fail with; null unless it is refused.")
    reason: Text | None = Field(description="Why the file cannot be read; null unless it is unreadable.")
    sources: list[SourceValidation] = Field(description="The spec's sources, in order; empty if it holds no list of them.")


class ValidationDocument(_Record):
    """The whole document."""

    validation_version: Literal["1.0"] = Field(default=VALIDATION_VERSION, description="The version of this format.")
    files: list[FileValidation] = Field(description="One per file, in the order of the command line.")


def encode_validation(document: ValidationDocument) -> bytes:
    """The document's bytes: UTF-8, two-space indent, a trailing newline; nothing in it steers the terminal that shows it."""
    return steady_json(orjson.dumps(document.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
