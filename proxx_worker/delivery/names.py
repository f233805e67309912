"""The worker's own names in an output directory, by which it finds its files after a crash."""

import hashlib
import re
from typing import Final

from proxx_worker.files.locations import path_bytes

LOCK_NAME: Final = b".proxx-lock"
"""The lock file in a directory that cannot itself be locked across hosts. Removed when the directory is released."""

RUN_OWNER: Final = "run"
"""The owner of a `run` job's staging: no workspace keeps track of it, so the next holder of the directory removes it."""

RUN_STAGING: Final = ".proxx-run"
"""Staging of every `run` job. One name is enough, since a directory is held for one job at a time, and it is found after a crash
without listing a directory full of proxies."""

_OWNER: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_DIGITS: Final = 16


def staging_name(owner: str, job: str) -> str:
    """The name of a job's hidden folder: `.proxx-OWNER-` and 16 hex digits of the hashed job name, so the same after a crash.

    For a `run` job: `RUN_STAGING`.
    """
    if owner == RUN_OWNER or owner.startswith(f"{RUN_OWNER}-"):
        return RUN_STAGING
    if not _OWNER.fullmatch(owner):
        raise ValueError(f"not an owner of staging: {owner!r}")
    return f".proxx-{owner}-{hashlib.sha256(path_bytes(job)).hexdigest()[:_DIGITS]}"
