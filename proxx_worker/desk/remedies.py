"""What each error code means, what to do about it, and whether submitting the same spec again can help. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.hints import JOB_LOG


class Again(StrEnum):
    """Whether the same spec, submitted again, can end differently. The values complete "submitting it again ..."."""

    HELPS = "helps, once that is done"
    AFTER_SOURCE = "helps once the source has changed"
    NEVER = "ends the same way"


@dataclass(frozen=True, slots=True)
class Remedy:
    """`meaning`: when the code is given. `action`: what to do."""

    meaning: str
    action: str
    again: Again


REMEDIES: Final[Mapping[ErrorCode, Remedy]] = {
    ErrorCode.SPEC_NOT_JSON: Remedy(
        "the spec is not one JSON object",
        "write the file again as one JSON object, UTF-8 without a byte-order mark; see that its writer finishes it",
        Again.NEVER,
    ),
    ErrorCode.SPEC_TOO_LARGE: Remedy(
        "it has more than 1 MiB", "divide the job: a spec has at most 1 MiB", Again.NEVER,
    ),
    ErrorCode.SPEC_VERSION: Remedy(
        "its version is missing or another one", 'write `"jobspec_version": "2.1"`', Again.NEVER,
    ),
    ErrorCode.SPEC_INVALID: Remedy(
        "it has faults; all are listed",
        "correct every fault that the message lists; `details.faults` has them as data",
        Again.NEVER,
    ),
    ErrorCode.PROFILE_UNKNOWN: Remedy(
        "its profile does not exist, and nothing else is wrong", "choose one of `proxx-worker profiles`", Again.NEVER,
    ),
    ErrorCode.OUTPUT_NAME_INVALID: Remedy(
        "the template makes a name that is refused", "change the naming template or its tokens", Again.NEVER,
    ),
    ErrorCode.OUTPUT_NAME_COLLISION: Remedy(
        "two sources would get one name", "put `{index}` into the naming template, or make two jobs", Again.NEVER,
    ),
    ErrorCode.SOURCE_MISSING: Remedy(
        "there is no such file", "check the path, and that its storage is mounted", Again.AFTER_SOURCE,
    ),
    ErrorCode.SOURCE_NOT_A_FILE: Remedy(
        "it is a folder, a device, a pipe",
        "name the clip itself; folders and sequences of stills are not sources",
        Again.AFTER_SOURCE,
    ),
    ErrorCode.SOURCE_UNREADABLE: Remedy(
        "the system refuses to open or read it",
        "give the worker's user read permission; check the storage",
        Again.AFTER_SOURCE,
    ),
    ErrorCode.SOURCE_NO_VIDEO: Remedy(
        "its format is known and has no video stream", "leave it out: it has no video stream", Again.AFTER_SOURCE,
    ),
    ErrorCode.SOURCE_UNSUPPORTED: Remedy(
        "its format is not known, or these settings cannot make a true proxy of it",
        "read the reason; choose another codec, container, size or rate, or convert the clip first",
        Again.AFTER_SOURCE,
    ),
    ErrorCode.PATH_NOT_ALLOWED: Remedy(
        "a path really lies outside the operator's roots",
        "move the file inside the roots, or extend `source_roots` or `output_roots`",
        Again.HELPS,
    ),
    ErrorCode.ENGINE_MISMATCH: Remedy(
        "the profile's engine is not the source's",
        "camera RAW wants a `_resolve` profile, on a machine where DaVinci Resolve Studio is configured; all else one without",
        Again.NEVER,
    ),
    ErrorCode.MIXED_ENGINES: Remedy(
        "the sources need different engines", "make one job of the camera RAW and one of the rest", Again.NEVER,
    ),
    ErrorCode.ENCODE_FAILED: Remedy(
        "the encoder ended with an error",
        f"read {JOB_LOG}: FFmpeg's own words are in it",
        Again.NEVER,
    ),
    ErrorCode.ENCODE_STALLED: Remedy(
        "the encoder showed no sign of life for `stall_seconds`",
        "check that the storage of source and output answers; raise `stall_seconds` for a very slow machine",
        Again.HELPS,
    ),
    ErrorCode.ENCODE_OUT_OF_MEMORY: Remedy(
        "FFmpeg or ffprobe held more than `encoder_memory_bytes`, or did not get the memory that it asked for",
        "raise `encoder_memory_bytes`, or free memory; if there is enough for frames of this size, the source is damaged",
        Again.HELPS,
    ),
    ErrorCode.SOURCE_DAMAGED: Remedy(
        "the source could not be read and decoded to its end",
        "deliver the clip again, or repair it; the message says in how many places, and names the first six: near which second "
        "of the picture or of which audio stream",
        Again.AFTER_SOURCE,
    ),
    ErrorCode.OUTPUT_INVALID: Remedy(
        "the proxy does not match its source",
        "the proxy did not match its source and was not published; keep the log and the result and report it",
        Again.NEVER,
    ),
    ErrorCode.RESOLVE_FAILED: Remedy("Resolve's render failed", "check Resolve, then submit again", Again.HELPS),
    ErrorCode.INTERRUPTED: Remedy(
        "the worker was stopped or died in the middle",
        "submit again: the worker was stopped, or died, in the middle",
        Again.HELPS,
    ),
    ErrorCode.CANCELLED: Remedy(
        "it was cancelled, waiting or running",
        "nothing: somebody cancelled it; submit it again if you want it after all",
        Again.HELPS,
    ),
    ErrorCode.INTERNAL_ERROR: Remedy(
        "the worker met a fault of its own", f"report it with {JOB_LOG}", Again.NEVER,
    ),
    ErrorCode.FFMPEG_MISSING: Remedy("there is no FFmpeg", "install FFmpeg, or correct `ffmpeg`", Again.HELPS),
    ErrorCode.FFPROBE_MISSING: Remedy("there is no ffprobe", "install FFmpeg, or correct `ffprobe`", Again.HELPS),
    ErrorCode.RESOLVE_UNAVAILABLE: Remedy(
        "the job needs Resolve, and there is none that it can use",
        "the message says what is missing or in the way",
        Again.HELPS,
    ),
    ErrorCode.OUTPUT_DIRECTORY_MISSING: Remedy(
        "it does not exist, or is a file",
        "create the folder, or mount its volume; the worker never makes it",
        Again.HELPS,
    ),
    ErrorCode.OUTPUT_DIRECTORY_NOT_WRITABLE: Remedy(
        "the worker may not write to it", "give the worker's user permission; mount read-write", Again.HELPS,
    ),
    ErrorCode.OUTPUT_DIRECTORY_BUSY: Remedy(
        "another job writes to it", "wait for the other job, or use another output directory", Again.HELPS,
    ),
    ErrorCode.OUTPUT_EXISTS: Remedy(
        "an output's name is taken",
        "move the old file away, or change the naming template or output directory",
        Again.HELPS,
    ),
    ErrorCode.SOURCE_CHANGED: Remedy(
        "the source changed while it was probed or encoded",
        "submit again when the clip is complete: something wrote to it while it was probed or encoded",
        Again.HELPS,
    ),
    ErrorCode.NO_SPACE: Remedy(
        "a disk or a quota is full",
        "free space or raise the quota, then submit again, or start the worker again",
        Again.HELPS,
    ),
    ErrorCode.WORKSPACE_INVALID: Remedy(
        "the workspace is missing, unreadable or not whole",
        "see that the workspace is mounted, whole and writable, then start the worker again",
        Again.HELPS,
    ),
    ErrorCode.WORKSPACE_BUSY: Remedy(
        "another worker owns it", "stop the worker that the message names, or use another workspace", Again.HELPS,
    ),
    ErrorCode.WORKSPACE_HELD: Remedy(
        "`watch --once` found jobs, and the workspace is held",
        "release the workspace (`proxx-worker release WORKSPACE`), then start again",
        Again.HELPS,
    ),
    ErrorCode.RENAME_NOT_ATOMIC: Remedy(
        "the workspace's folders are on several filesystems",
        "put all folders of the workspace on one filesystem",
        Again.HELPS,
    ),
    ErrorCode.UNSUPPORTED_FILESYSTEM: Remedy(
        "an object store, or a share without locks", "use a local disk, NFS or SMB with locks", Again.HELPS,
    ),
    ErrorCode.SANDBOX_UNAVAILABLE: Remedy(
        "FFmpeg cannot be confined here, or does not start so",
        "read the reason: name in `sandbox_read` what the tool needs, run the worker on a kernel with Landlock, or write "
        '`sandbox = "off"`',
        Again.HELPS,
    ),
    ErrorCode.IO_ERROR: Remedy(
        "the system failed in some other way",
        "check the disk, the mount and the system's log; the message names the call that failed",
        Again.HELPS,
    ),
}  # fmt: skip
"""Every code. The words are those of the pages' tables, which the tests compare."""

_BY_TEXT: Final = {code.value: remedy for code, remedy in REMEDIES.items()}
_OF_A_NEWER_WORKER: Final = Remedy("a code that this version does not know", "read the message", Again.NEVER)


def remedy_of(code: str) -> Remedy:
    """The remedy for a code as a result says it, which a newer worker may have written."""
    return _BY_TEXT.get(code, _OF_A_NEWER_WORKER)
