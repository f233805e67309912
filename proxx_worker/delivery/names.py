"""Names in an output directory that are the worker's own, found again after a crash."""

import hashlib
import re
from typing import Final

from proxx_worker.files.locations import path_bytes

LOCK_NAME: Final = b".proxx-lock"
"""The lock file in a directory that cannot itself be locked for all hosts. Gone when the directory is released."""

RUN_OWNER: Final = "run"
"""The owner of a `run` job's staging: no workspace remembers it, so any later holder of the directory removes it."""

RUN_STAGING: Final = ".proxx-run"
"""Staging of every `run` job. One name is enough, since a directory is held for one job at a time, and it is found after a crash
without a listing, however many proxies the directory holds."""

_OWNER: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_DIGITS: Final = 16


def staging_name(owner: str, job: str) -> str:
    """The hidden folder of one job: `.proxx-OWNER-` and 16 hex digits of the job's name. The same after a crash.

    A job of `run` has `RUN_STAGING`.
    """
    if owner == RUN_OWNER or owner.startswith(f"{RUN_OWNER}-"):
        return RUN_STAGING
    if not _OWNER.fullmatch(owner):
        raise ValueError(f"not an owner of staging: {owner!r}")
    return f".proxx-{owner}-{hashlib.sha256(path_bytes(job)).hexdigest()[:_DIGITS]}"
