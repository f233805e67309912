"""Errors as data: a code, its class, a message for an operator, and details.

Every code is listed once, with its class, what it means and what to do about it. The class is the exit code: nothing else in the
project decides a job's exit code.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Self, TypeAlias

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
"""Any JSON value."""

JOB_LOG = "the job's log (`run` writes one with `--log FILE`)"
"""Where the whole of an encoder's output is, in words that are true of `watch`, which always keeps that log, and of `run`."""


class ErrorClass(IntEnum):
    """What kind of failure it was. The value is the process's exit code."""

    VALIDATION = 1
    EXECUTION = 2
    ENVIRONMENT = 4


class Again(StrEnum):
    """Whether the same spec, submitted again, can end differently. The values complete "submitting it again ..."."""

    HELPS = "helps, once that is done"
    AFTER_SOURCE = "helps once the source has changed"
    NEVER = "ends the same way"


@dataclass(frozen=True, slots=True)
class Remedy:
    """`meaning`: when the code is given. `action`: what to do. `again`: whether submitting the same spec again can help."""

    meaning: str
    action: str
    again: Again


class ErrorCode(StrEnum):
    """Every code that a result, a message or `validate` can carry."""

    _value_: str
    error_class: ErrorClass
    remedy: Remedy

    def __new__(cls, text: str, error_class: ErrorClass, again: Again, meaning: str, action: str) -> Self:
        """A member is its text, with the class that the contract gives it (section 5) and the remedy."""
        member = str.__new__(cls, text)
        member._value_ = text
        member.error_class = error_class
        member.remedy = Remedy(meaning, action, again)
        return member

    # After text, class and "again": what it means and what to do, in the words of the tables in docs/integrator.md and
    # docs/operator.md, which the tests compare.
    # fmt: off
    SPEC_NOT_JSON = (
        "SPEC_NOT_JSON", ErrorClass.VALIDATION, Again.NEVER,
        "the spec is not one JSON object",
        "write the file again as one JSON object, UTF-8 without a byte-order mark; make sure that its writer finishes it",
    )
    SPEC_TOO_LARGE = (
        "SPEC_TOO_LARGE", ErrorClass.VALIDATION, Again.NEVER,
        "it has more than 1 MiB",
        "split the job: a spec may have at most 1 MiB",
    )
    SPEC_VERSION = (
        "SPEC_VERSION", ErrorClass.VALIDATION, Again.NEVER,
        "its version is missing or not supported",
        'write `"jobspec_version": "2.1"`',
    )
    SPEC_INVALID = (
        "SPEC_INVALID", ErrorClass.VALIDATION, Again.NEVER,
        "it has faults; all are listed",
        "correct every fault that the message lists; `details.faults` has them as data",
    )
    PROFILE_UNKNOWN = (
        "PROFILE_UNKNOWN", ErrorClass.VALIDATION, Again.NEVER,
        "its profile does not exist, and nothing else is wrong",
        "choose one of `proxx-worker profiles`",
    )
    OUTPUT_NAME_INVALID = (
        "OUTPUT_NAME_INVALID", ErrorClass.VALIDATION, Again.NEVER,
        "the template makes a name that is refused",
        "change the naming template or its tokens",
    )
    OUTPUT_NAME_COLLISION = (
        "OUTPUT_NAME_COLLISION", ErrorClass.VALIDATION, Again.NEVER,
        "two outputs would get one name, in one job or with a job that is known",
        "make the names differ in the naming template, or use another output directory",
    )
    SOURCE_MISSING = (
        "SOURCE_MISSING", ErrorClass.VALIDATION, Again.AFTER_SOURCE,
        "there is no such file",
        "check the path, and that its storage is mounted",
    )
    SOURCE_NOT_A_FILE = (
        "SOURCE_NOT_A_FILE", ErrorClass.VALIDATION, Again.AFTER_SOURCE,
        "it is a folder, a device, a pipe",
        "name the clip itself; folders and sequences of stills are not sources",
    )
    SOURCE_UNREADABLE = (
        "SOURCE_UNREADABLE", ErrorClass.VALIDATION, Again.AFTER_SOURCE,
        "the system refuses to open or read it",
        "give the worker's user read permission; check the storage",
    )
    SOURCE_NO_VIDEO = (
        "SOURCE_NO_VIDEO", ErrorClass.VALIDATION, Again.AFTER_SOURCE,
        "its format is known and has no video stream",
        "leave it out: it has no video stream",
    )
    SOURCE_UNSUPPORTED = (
        "SOURCE_UNSUPPORTED", ErrorClass.VALIDATION, Again.AFTER_SOURCE,
        "its format is not supported, or these settings cannot make a faithful proxy of it",
        "read the reason; choose another codec, container, size or rate, or convert the clip first",
    )
    PATH_NOT_ALLOWED = (
        "PATH_NOT_ALLOWED", ErrorClass.VALIDATION, Again.HELPS,
        "a path, with links resolved, lies outside the operator's roots",
        "move the file inside the roots, or extend `source_roots` or `output_roots`",
    )
    ENGINE_MISMATCH = (
        "ENGINE_MISMATCH", ErrorClass.VALIDATION, Again.NEVER,
        "the profile uses another engine than the source needs",
        "use a `_resolve` profile for camera RAW, on a machine where DaVinci Resolve Studio is configured; else one without",
    )
    MIXED_ENGINES = (
        "MIXED_ENGINES", ErrorClass.VALIDATION, Again.NEVER,
        "the sources need different engines",
        "submit camera RAW and the rest as separate jobs",
    )

    ENCODE_FAILED = (
        "ENCODE_FAILED", ErrorClass.EXECUTION, Again.NEVER,
        "the encoder ended with an error",
        f"read {JOB_LOG}: FFmpeg's own messages are in it",
    )
    ENCODE_STALLED = (
        "ENCODE_STALLED", ErrorClass.EXECUTION, Again.HELPS,
        "the encoder showed no sign of life for `stall_seconds`",
        "check that the storage of source and output answers; raise `stall_seconds` for a very slow machine",
    )
    ENCODE_OUT_OF_MEMORY = (
        "ENCODE_OUT_OF_MEMORY", ErrorClass.EXECUTION, Again.HELPS,
        "FFmpeg or ffprobe held more than `encoder_memory_bytes`, or did not get the memory that it asked for",
        "raise `encoder_memory_bytes`, or free memory; if there is enough for frames of this size, the source is damaged",
    )
    SOURCE_DAMAGED = (
        "SOURCE_DAMAGED", ErrorClass.EXECUTION, Again.AFTER_SOURCE,
        "the source could not be read and decoded to its end",
        ("deliver the clip again, or repair it; the message counts the damaged places and gives the time of the first six, "
         "in the video or an audio stream"),
    )
    OUTPUT_INVALID = (
        "OUTPUT_INVALID", ErrorClass.EXECUTION, Again.NEVER,
        "the proxy does not match its source",
        "the proxy did not match its source and was not published; keep the log and the result and report it",
    )
    RESOLVE_FAILED = (
        "RESOLVE_FAILED", ErrorClass.EXECUTION, Again.HELPS,
        "Resolve's render failed",
        "check Resolve, then submit again",
    )
    INTERRUPTED = (
        "INTERRUPTED", ErrorClass.EXECUTION, Again.HELPS,
        "the worker was stopped or died during the job",
        "submit again: the worker was stopped or died during the job",
    )
    CANCELLED = (
        "CANCELLED", ErrorClass.EXECUTION, Again.HELPS,
        "it was cancelled while waiting or running",
        "nothing: somebody cancelled it; submit it again if you want it after all",
    )
    INTERNAL_ERROR = (
        "INTERNAL_ERROR", ErrorClass.EXECUTION, Again.NEVER,
        "the worker hit an internal error",
        f"report it with {JOB_LOG}",
    )

    FFMPEG_MISSING = (
        "FFMPEG_MISSING", ErrorClass.ENVIRONMENT, Again.HELPS,
        "there is no FFmpeg",
        "install FFmpeg, or correct `ffmpeg`",
    )
    FFPROBE_MISSING = (
        "FFPROBE_MISSING", ErrorClass.ENVIRONMENT, Again.HELPS,
        "there is no ffprobe",
        "install FFmpeg, or correct `ffprobe`",
    )
    RESOLVE_UNAVAILABLE = (
        "RESOLVE_UNAVAILABLE", ErrorClass.ENVIRONMENT, Again.HELPS,
        "the job needs Resolve, and there is none that it can use",
        "the message says what is missing or in the way",
    )
    OUTPUT_DIRECTORY_MISSING = (
        "OUTPUT_DIRECTORY_MISSING", ErrorClass.ENVIRONMENT, Again.HELPS,
        "it does not exist, or is a file",
        "create the folder, or mount its volume; the worker never makes it",
    )
    OUTPUT_DIRECTORY_NOT_WRITABLE = (
        "OUTPUT_DIRECTORY_NOT_WRITABLE", ErrorClass.ENVIRONMENT, Again.HELPS,
        "the worker may not write to it",
        "give the worker's user permission; mount read-write",
    )
    OUTPUT_DIRECTORY_BUSY = (
        "OUTPUT_DIRECTORY_BUSY", ErrorClass.ENVIRONMENT, Again.HELPS,
        "another job writes to it",
        "wait for the other job, or use another output directory",
    )
    OUTPUT_EXISTS = (
        "OUTPUT_EXISTS", ErrorClass.ENVIRONMENT, Again.HELPS,
        "an output's name is taken",
        "move the old file away, or change the naming template or output directory",
    )
    SOURCE_CHANGED = (
        "SOURCE_CHANGED", ErrorClass.ENVIRONMENT, Again.HELPS,
        "the source changed while it was probed or encoded",
        "submit again when the clip is complete: something wrote to it while it was probed or encoded",
    )
    NO_SPACE = (
        "NO_SPACE", ErrorClass.ENVIRONMENT, Again.HELPS,
        "a disk or a quota is full",
        "free space or raise the quota, then submit again, or start the worker again",
    )
    WORKSPACE_INVALID = (
        "WORKSPACE_INVALID", ErrorClass.ENVIRONMENT, Again.HELPS,
        "the workspace is missing, unreadable or not whole",
        "make sure that the workspace is mounted, complete and writable, then start the worker again",
    )
    WORKSPACE_BUSY = (
        "WORKSPACE_BUSY", ErrorClass.ENVIRONMENT, Again.HELPS,
        "another worker owns it",
        "stop the process that the message names, or use another workspace",
    )
    WORKSPACE_HELD = (
        "WORKSPACE_HELD", ErrorClass.ENVIRONMENT, Again.HELPS,
        "`watch --once` found jobs, but the workspace is held",
        "release the workspace (`proxx-worker release WORKSPACE`), then start again",
    )
    RENAME_NOT_ATOMIC = (
        "RENAME_NOT_ATOMIC", ErrorClass.ENVIRONMENT, Again.HELPS,
        "the workspace's folders are on several filesystems",
        "put all folders of the workspace on one filesystem",
    )
    UNSUPPORTED_FILESYSTEM = (
        "UNSUPPORTED_FILESYSTEM", ErrorClass.ENVIRONMENT, Again.HELPS,
        "an object store, or a share without locks",
        "use a local disk, NFS or SMB with locks",
    )
    SANDBOX_UNAVAILABLE = (
        "SANDBOX_UNAVAILABLE", ErrorClass.ENVIRONMENT, Again.HELPS,
        "FFmpeg cannot be confined here, or does not start when confined",
        ("read the reason: name in `sandbox_read` what the tool needs, run the worker on a kernel with Landlock, or write "
         '`sandbox = "off"`'),
    )
    IO_ERROR = (
        "IO_ERROR", ErrorClass.ENVIRONMENT, Again.HELPS,
        "the system failed in some other way",
        "check the disk, the mount and the system's log; the message names the call that failed",
    )
    # fmt: on


EXIT_OK = 0
EXIT_USAGE = 64
EXIT_SIGHUP = 129
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
