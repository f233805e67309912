"""Which names in an inbox are jobs, and the names of a claimed job's files. Names are bytes, as in the file system."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import chain, count

from proxx_worker.contract.text import display_name

__all__ = [
    "CANCEL_SUFFIX",
    "HOLD_NAME",
    "LOG_SUFFIX",
    "MAX_STEM_BYTES",
    "RESULT_SUFFIX",
    "SPEC_SUFFIX",
    "JobFiles",
    "display_name",
    "dropped_stem",
    "is_cancel_name",
    "is_candidate_name",
    "is_job_stem",
    "is_spec_name",
    "is_stray_name",
    "job_names",
    "lowest_free_job_name",
    "stem_of",
    "stem_too_long",
    "strays_text",
]

SPEC_SUFFIX = b".json"
RESULT_SUFFIX = b".result.json"
LOG_SUFFIX = b".log"
CANCEL_SUFFIX = b".cancel"
"""The suffix of a request to cancel a job, in the inbox. The file contains the SHA-256 of the spec to cancel, in hex."""

HOLD_NAME = b".hold"
"""A file in the inbox: while it exists, nothing is claimed."""

_NAMES_TOLD = 10
_NAME_BYTES = 255  # NAME_MAX

MAX_STEM_BYTES = 235
"""The longest stem of a candidate: with `~NNNNNNN` and `.result.json` appended, it still fits a file name (255 bytes)."""


def is_candidate_name(name: bytes) -> bool:
    """Whether a regular file of this name in the inbox is a job. One with too long a stem is not; see `stem_too_long`."""
    return is_spec_name(name) and len(name) - len(SPEC_SUFFIX) <= MAX_STEM_BYTES


def stem_too_long(name: bytes) -> bool:
    """Whether only the length of its stem keeps `name` from being a candidate: left alone, and reported."""
    return is_spec_name(name) and len(name) - len(SPEC_SUFFIX) > MAX_STEM_BYTES


def is_cancel_name(name: bytes) -> bool:
    """Whether a regular file of this name in the inbox asks to cancel a job. With a leading dot it is still being written."""
    return name.endswith(CANCEL_SUFFIX) and not name.startswith(b".")


def is_stray_name(name: bytes) -> bool:
    """Whether a file of this name in the inbox does not belong to a job: a clip, `spec.JSON`. Hidden files are left alone."""
    return not (is_spec_name(name) or name.startswith(b".") or is_cancel_name(name))


def strays_text(names: Collection[bytes]) -> str:
    """`3 files are not JobSpecs: a.mov, b.JSON, c.txt`, with what to do; the first few names of many."""
    told = [display_name(name) for name in sorted(names)[:_NAMES_TOLD]]
    more = f" and {len(names) - len(told)} more" if len(names) > len(told) else ""
    subject = "1 file is not a JobSpec" if len(names) == 1 else f"{len(names)} files are not JobSpecs"
    return f"{subject}, left alone: {', '.join(told)}{more}. Name JobSpecs NAME.json; `proxx-worker spec` makes one of a clip."


def stem_of(name: bytes) -> bytes:
    """`clip.json` -> `clip`. Raises `ValueError` for a name that does not end in `.json`."""
    if not name.endswith(SPEC_SUFFIX):
        raise ValueError(f"not the name of a spec: {display_name(name)}")
    return name[: -len(SPEC_SUFFIX)]


@dataclass(frozen=True, slots=True)
class JobFiles:
    """The names of one job's three files, without a folder."""

    spec: bytes
    result: bytes
    log: bytes

    @classmethod
    def of(cls, job: bytes) -> "JobFiles":
        """The files of the job `job` (`clip`, `clip~2`)."""
        return cls(job + SPEC_SUFFIX, job + RESULT_SUFFIX, job + LOG_SUFFIX)


def job_names(stem: bytes) -> Iterator[bytes]:
    """The names that a spec with this stem may be claimed as, in order: `clip`, `clip~2`, `clip~3`, ... without end."""
    return chain([stem], (b"%s~%d" % (stem, number) for number in count(2)))


def lowest_free_job_name(stem: bytes, is_taken: Callable[[bytes], bool]) -> bytes:
    """The first of `job_names` that is not taken. `is_taken` is asked for whole job names."""
    return next(name for name in job_names(stem) if not is_taken(name))


def dropped_stem(job: bytes) -> bytes:
    """The stem under which a job was dropped, as far as its name shows: `clip~2` -> `clip`."""
    base, tilde, number = job.rpartition(b"~")
    return base if tilde and base and number.isdigit() else job


def is_job_stem(stem: bytes) -> bool:
    """Whether a job may have this name in some folder of a workspace: not a path, nor an impossible file name."""
    is_plain = b"/" not in stem and b"\0" not in stem
    return is_plain and is_spec_name(stem + SPEC_SUFFIX) and len(stem) + len(RESULT_SUFFIX) <= _NAME_BYTES


def is_spec_name(name: bytes) -> bool:
    """Whether a file of this name is a spec, in any folder: the number of a claimed one may make it too long for the inbox."""
    return name.endswith(SPEC_SUFFIX) and not name.startswith(b".") and not name.endswith(RESULT_SUFFIX)
