"""Errors as data: a code, its class, a message for an operator, and details.

One table maps every code to its class, and a class is its exit code. Nothing else in the project decides an exit code of a job.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TypeAlias

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
"""Anything that JSON can say."""


class ErrorClass(IntEnum):
    """What kind of failure it was. The value is the process's exit code."""

    VALIDATION = 1
    EXECUTION = 2
    ENVIRONMENT = 4


class ErrorCode(StrEnum):
    """Every code that a result, a message or `validate` can carry."""

    SPEC_NOT_JSON = "SPEC_NOT_JSON"
    SPEC_TOO_LARGE = "SPEC_TOO_LARGE"
    SPEC_VERSION = "SPEC_VERSION"
    SPEC_INVALID = "SPEC_INVALID"
    PROFILE_UNKNOWN = "PROFILE_UNKNOWN"
    OUTPUT_NAME_INVALID = "OUTPUT_NAME_INVALID"
    OUTPUT_NAME_COLLISION = "OUTPUT_NAME_COLLISION"
    SOURCE_MISSING = "SOURCE_MISSING"
    SOURCE_NOT_A_FILE = "SOURCE_NOT_A_FILE"
    SOURCE_UNREADABLE = "SOURCE_UNREADABLE"
    SOURCE_NO_VIDEO = "SOURCE_NO_VIDEO"
    SOURCE_UNSUPPORTED = "SOURCE_UNSUPPORTED"
    PATH_NOT_ALLOWED = "PATH_NOT_ALLOWED"
    ENGINE_MISMATCH = "ENGINE_MISMATCH"
    MIXED_ENGINES = "MIXED_ENGINES"

    ENCODE_FAILED = "ENCODE_FAILED"
    ENCODE_STALLED = "ENCODE_STALLED"
    SOURCE_DAMAGED = "SOURCE_DAMAGED"
    OUTPUT_INVALID = "OUTPUT_INVALID"
    RESOLVE_FAILED = "RESOLVE_FAILED"
    INTERRUPTED = "INTERRUPTED"
    CANCELLED = "CANCELLED"
    INTERNAL_ERROR = "INTERNAL_ERROR"

    FFMPEG_MISSING = "FFMPEG_MISSING"
    FFPROBE_MISSING = "FFPROBE_MISSING"
    RESOLVE_UNAVAILABLE = "RESOLVE_UNAVAILABLE"
    OUTPUT_DIRECTORY_MISSING = "OUTPUT_DIRECTORY_MISSING"
    OUTPUT_DIRECTORY_NOT_WRITABLE = "OUTPUT_DIRECTORY_NOT_WRITABLE"
    OUTPUT_DIRECTORY_BUSY = "OUTPUT_DIRECTORY_BUSY"
    OUTPUT_EXISTS = "OUTPUT_EXISTS"
    SOURCE_CHANGED = "SOURCE_CHANGED"
    NO_SPACE = "NO_SPACE"
    WORKSPACE_INVALID = "WORKSPACE_INVALID"
    WORKSPACE_BUSY = "WORKSPACE_BUSY"
    RENAME_NOT_ATOMIC = "RENAME_NOT_ATOMIC"
    UNSUPPORTED_FILESYSTEM = "UNSUPPORTED_FILESYSTEM"
    IO_ERROR = "IO_ERROR"

    @property
    def error_class(self) -> ErrorClass:
        """The class that the contract's table gives this code."""
        return ERROR_CLASSES[self]


_VALIDATION = """SPEC_NOT_JSON SPEC_TOO_LARGE SPEC_VERSION SPEC_INVALID PROFILE_UNKNOWN OUTPUT_NAME_INVALID
    OUTPUT_NAME_COLLISION SOURCE_MISSING SOURCE_NOT_A_FILE SOURCE_UNREADABLE SOURCE_NO_VIDEO SOURCE_UNSUPPORTED
    PATH_NOT_ALLOWED ENGINE_MISMATCH MIXED_ENGINES"""
_EXECUTION = """ENCODE_FAILED ENCODE_STALLED SOURCE_DAMAGED OUTPUT_INVALID RESOLVE_FAILED INTERRUPTED CANCELLED
    INTERNAL_ERROR"""
_ENVIRONMENT = """FFMPEG_MISSING FFPROBE_MISSING RESOLVE_UNAVAILABLE OUTPUT_DIRECTORY_MISSING
    OUTPUT_DIRECTORY_NOT_WRITABLE OUTPUT_DIRECTORY_BUSY OUTPUT_EXISTS SOURCE_CHANGED NO_SPACE WORKSPACE_INVALID
    WORKSPACE_BUSY RENAME_NOT_ATOMIC UNSUPPORTED_FILESYSTEM IO_ERROR"""

ERROR_CLASSES: Mapping[ErrorCode, ErrorClass] = {
    ErrorCode(name): error_class
    for names, error_class in (
        (_VALIDATION, ErrorClass.VALIDATION),
        (_EXECUTION, ErrorClass.EXECUTION),
        (_ENVIRONMENT, ErrorClass.ENVIRONMENT),
    )
    for name in names.split()
}
"""The one table: code -> class (contract section 5)."""

EXIT_OK = 0
EXIT_USAGE = 64
EXIT_SIGINT = 130
EXIT_SIGTERM = 143


@dataclass(frozen=True, slots=True)
class JobError:
    """One error as a result carries it.

    `message` is for an operator: the violated assumption, then what to do. `details` is for machines, JSON values only.
    """

    code: ErrorCode
    message: str
    details: Mapping[str, JsonValue] = field(default_factory=dict)


class ProxxError(Exception):
    """The one exception that carries a `JobError`. Raised where the fault is classified, caught where it is recorded."""

    def __init__(self, code: ErrorCode, message: str, **details: JsonValue) -> None:
        """Wrap `JobError(code, message, details)`; `str()` is the message."""
        super().__init__(message)
        self.error = JobError(code, message, details)

    @classmethod
    def of(cls, error: JobError) -> "ProxxError":
        """The exception that carries `error`."""
        exception = cls(error.code, error.message)
        exception.error = error
        return exception

    @property
    def code(self) -> ErrorCode:
        """The error's code."""
        return self.error.code


def exit_code(codes: Iterable[ErrorCode]) -> int:
    """The highest class among `codes` as an exit code; 0 when there are none."""
    return max((int(code.error_class) for code in codes), default=EXIT_OK)
