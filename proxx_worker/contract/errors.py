"""Errors as data: a code, its class, a message for an operator, and details.

Every code is listed with its class, and the class is the exit code. Nothing else in the project decides a job's exit code.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Self, TypeAlias

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
"""Any JSON value."""


class ErrorClass(IntEnum):
    """What kind of failure it was. The value is the process's exit code."""

    VALIDATION = 1
    EXECUTION = 2
    ENVIRONMENT = 4


class ErrorCode(StrEnum):
    """Every code that a result, a message or `validate` can carry."""

    _value_: str
    error_class: ErrorClass

    def __new__(cls, text: str, error_class: ErrorClass) -> Self:
        """A member is its text, with the class that the contract gives it (section 5)."""
        member = str.__new__(cls, text)
        member._value_ = text
        member.error_class = error_class
        return member

    SPEC_NOT_JSON = "SPEC_NOT_JSON", ErrorClass.VALIDATION
    SPEC_TOO_LARGE = "SPEC_TOO_LARGE", ErrorClass.VALIDATION
    SPEC_VERSION = "SPEC_VERSION", ErrorClass.VALIDATION
    SPEC_INVALID = "SPEC_INVALID", ErrorClass.VALIDATION
    PROFILE_UNKNOWN = "PROFILE_UNKNOWN", ErrorClass.VALIDATION
    OUTPUT_NAME_INVALID = "OUTPUT_NAME_INVALID", ErrorClass.VALIDATION
    OUTPUT_NAME_COLLISION = "OUTPUT_NAME_COLLISION", ErrorClass.VALIDATION
    SOURCE_MISSING = "SOURCE_MISSING", ErrorClass.VALIDATION
    SOURCE_NOT_A_FILE = "SOURCE_NOT_A_FILE", ErrorClass.VALIDATION
    SOURCE_UNREADABLE = "SOURCE_UNREADABLE", ErrorClass.VALIDATION
    SOURCE_NO_VIDEO = "SOURCE_NO_VIDEO", ErrorClass.VALIDATION
    SOURCE_UNSUPPORTED = "SOURCE_UNSUPPORTED", ErrorClass.VALIDATION
    PATH_NOT_ALLOWED = "PATH_NOT_ALLOWED", ErrorClass.VALIDATION
    ENGINE_MISMATCH = "ENGINE_MISMATCH", ErrorClass.VALIDATION
    MIXED_ENGINES = "MIXED_ENGINES", ErrorClass.VALIDATION

    ENCODE_FAILED = "ENCODE_FAILED", ErrorClass.EXECUTION
    ENCODE_STALLED = "ENCODE_STALLED", ErrorClass.EXECUTION
    ENCODE_OUT_OF_MEMORY = "ENCODE_OUT_OF_MEMORY", ErrorClass.EXECUTION
    SOURCE_DAMAGED = "SOURCE_DAMAGED", ErrorClass.EXECUTION
    OUTPUT_INVALID = "OUTPUT_INVALID", ErrorClass.EXECUTION
    RESOLVE_FAILED = "RESOLVE_FAILED", ErrorClass.EXECUTION
    INTERRUPTED = "INTERRUPTED", ErrorClass.EXECUTION
    CANCELLED = "CANCELLED", ErrorClass.EXECUTION
    INTERNAL_ERROR = "INTERNAL_ERROR", ErrorClass.EXECUTION

    FFMPEG_MISSING = "FFMPEG_MISSING", ErrorClass.ENVIRONMENT
    FFPROBE_MISSING = "FFPROBE_MISSING", ErrorClass.ENVIRONMENT
    RESOLVE_UNAVAILABLE = "RESOLVE_UNAVAILABLE", ErrorClass.ENVIRONMENT
    OUTPUT_DIRECTORY_MISSING = "OUTPUT_DIRECTORY_MISSING", ErrorClass.ENVIRONMENT
    OUTPUT_DIRECTORY_NOT_WRITABLE = "OUTPUT_DIRECTORY_NOT_WRITABLE", ErrorClass.ENVIRONMENT
    OUTPUT_DIRECTORY_BUSY = "OUTPUT_DIRECTORY_BUSY", ErrorClass.ENVIRONMENT
    OUTPUT_EXISTS = "OUTPUT_EXISTS", ErrorClass.ENVIRONMENT
    SOURCE_CHANGED = "SOURCE_CHANGED", ErrorClass.ENVIRONMENT
    NO_SPACE = "NO_SPACE", ErrorClass.ENVIRONMENT
    WORKSPACE_INVALID = "WORKSPACE_INVALID", ErrorClass.ENVIRONMENT
    WORKSPACE_BUSY = "WORKSPACE_BUSY", ErrorClass.ENVIRONMENT
    WORKSPACE_HELD = "WORKSPACE_HELD", ErrorClass.ENVIRONMENT
    RENAME_NOT_ATOMIC = "RENAME_NOT_ATOMIC", ErrorClass.ENVIRONMENT
    UNSUPPORTED_FILESYSTEM = "UNSUPPORTED_FILESYSTEM", ErrorClass.ENVIRONMENT
    SANDBOX_UNAVAILABLE = "SANDBOX_UNAVAILABLE", ErrorClass.ENVIRONMENT
    IO_ERROR = "IO_ERROR", ErrorClass.ENVIRONMENT


EXIT_OK = 0
EXIT_USAGE = 64
EXIT_SIGINT = 130
EXIT_SIGPIPE = 141
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
