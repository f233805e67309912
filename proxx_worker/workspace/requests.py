"""What whoever may submit may also ask for, by a file in the inbox: `NAME.cancel` for one job, `.hold` for all that wait.

A cancel is taken away only when it has been answered: by a commit record that says CANCELLED, by one that came before it was
seen, or because there is no such job. Until then it is there, whatever ends the worker.
"""

import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from proxx_worker.contract.candidates import CANCEL_SUFFIX, HOLD_NAME, JobFiles, dropped_stem, is_candidate_name
from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.result import JobResult
from proxx_worker.contract.strict_json import MAX_SPEC_BYTES
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.files.syncing import sync_directory
from proxx_worker.workspace.claimed import ClaimedJob, read_if_regular
from proxx_worker.workspace.entries import exists, status_of

LOOK_SECONDS: Final = 0.5
"""How often it is looked for a cancel of the running job: two names that are not there, twice a second."""

TOO_LATE: Final = "the job was decided before its cancel was seen"
"""What there is to say of a cancel that came too late."""

_CANCEL_BYTES: Final = 128
_SHA256: Final = re.compile(rb"\s*([0-9A-Fa-f]{64})\s*")
_NO_SUCH_JOB: Final = "no job of this name with this SHA-256 waits or runs"
_NO_SHA256: Final = "it does not hold the SHA-256 of a spec, 64 hex digits"


@dataclass(frozen=True, slots=True)
class Removed:
    """A cancel that nothing came of."""

    name: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class _Sighting:
    """A file that held no SHA-256 when it was looked at: its stamp, and since when (monotonic) it has had it."""

    size: int
    modified_ns: int
    since: float


class Requests:
    """The requests in one inbox. Only for the holder of the workspace's lock. Every method raises `ProxxError` alone."""

    def __init__(self, folder: bytes, *, settle_seconds: float, look_seconds: float = LOOK_SECONDS) -> None:
        """`settle_seconds`: how long a cancel without a SHA-256 must stand still before it counts as that."""
        self._folder = folder
        self._settle_seconds = settle_seconds
        self._look_seconds = look_seconds
        self._pending: set[bytes] = set()
        self._sightings: dict[bytes, _Sighting] = {}
        self._removed: list[Removed] = []

    def held(self) -> bool:
        """Whether nothing may be claimed. Any entry of that name counts."""
        path = os.path.join(self._folder, HOLD_NAME)
        with translate_os_errors("inspect", path, state_folder=True):
            return exists(path)

    def arrived(self, names: Iterable[bytes]) -> None:
        """Take in the names of cancels that somebody saw, any number of times. What is no regular file is left alone."""
        for name in names:
            path = os.path.join(self._folder, name)
            with translate_os_errors("look at the request", path, state_folder=True):
                status = status_of(path)
            if status is not None and stat.S_ISREG(status.st_mode):
                self._pending.add(name)

    @property
    def pending(self) -> bool:
        """Whether a cancel is known that has not been answered."""
        return bool(self._pending)

    def take_removed(self) -> tuple[Removed, ...]:
        """The cancels that were removed since the last call because they fit nothing: to be reported."""
        removed = tuple(self._removed)
        self._removed.clear()
        return removed

    def next_cancelled(self, now: float) -> bytes | None:
        """The name in the inbox of a waiting spec that is to be cancelled; None if there is none. Call it while no job runs.

        A cancel that fits no waiting spec is removed. `now`: in monotonic seconds.
        """
        for name in sorted(self._pending):
            path = os.path.join(self._folder, name)
            with translate_os_errors("look at the request", path, state_folder=True):
                spec = self._answer(name, path, now)
            if spec is not None:
                return spec
        return None

    def is_cancelled(self, job: ClaimedJob) -> bool:
        """Whether the cancel of a job in `running/` is there."""
        with translate_os_errors("look for a cancel of", job.stem, state_folder=True):
            return self._has_cancel(job)

    def watch(self, job: ClaimedJob) -> Callable[[], bool]:
        """A question that may be asked as often as one likes: whether `job`, which runs, is to be cancelled.

        Where the inbox does not answer, no cancel was seen: the job goes on, and the worker's own look tells what is wrong.
        """
        looked: float | None = None

        def is_cancelled() -> bool:
            nonlocal looked
            now = time.monotonic()
            if looked is not None and now - looked < self._look_seconds:
                return False
            looked = now
            with suppress(OSError):
                return self._has_cancel(job)
            return False

        return is_cancelled

    def settle(self, job: ClaimedJob, result: JobResult) -> bool:
        """Take away the cancel of a job in `running/` whose result is committed, durably. Returns whether it came too late."""
        found = False
        with translate_os_errors("remove the cancel of", job.stem, state_folder=True):
            for path in self._cancels_of(job):
                os.unlink(path)
                found = True
            if found:
                # Before the spec leaves `running/`: a cancel that came back with a power cut must not meet a later job.
                sync_directory(self._folder)
        return found and (result.error is None or result.error.code is not ErrorCode.CANCELLED)

    def _has_cancel(self, job: ClaimedJob) -> bool:
        return any(True for _ in self._cancels_of(job))

    def _cancels_of(self, job: ClaimedJob) -> Iterator[bytes]:
        """The cancels that mean `job`, under its own name and under the one that it had in the inbox."""
        for stem in dict.fromkeys((job.stem, dropped_stem(job.stem))):
            path = os.path.join(self._folder, stem + CANCEL_SUFFIX)
            if job.sha256 is not None and _meant(read_if_regular(path, _CANCEL_BYTES)) == job.sha256:
                yield path

    def _answer(self, name: bytes, path: bytes, now: float) -> bytes | None:
        """What the cancel `name` means: the spec's name, or None where it means nothing, or nothing yet."""
        status = status_of(path)
        if status is None or not stat.S_ISREG(status.st_mode):
            self._forget(name)  # gone, or a folder, a link, ...: not a request, and left alone
            return None
        meant = _meant(read_if_regular(path, _CANCEL_BYTES))
        if meant is None:
            if self._has_settled(name, status, now):
                self._remove(name, path, _NO_SHA256)
            return None
        spec = JobFiles.of(name.removesuffix(CANCEL_SUFFIX)).spec
        if is_candidate_name(spec) and self._sha256_of(spec) == meant:
            return spec
        self._remove(name, path, _NO_SUCH_JOB)
        return None

    def _sha256_of(self, spec: bytes) -> str | None:
        """Of a spec in the inbox; None where there is none, or one that is too large: that one fails when its turn comes."""
        data = read_if_regular(os.path.join(self._folder, spec), MAX_SPEC_BYTES + 1)
        return None if data is None or len(data) > MAX_SPEC_BYTES else sha256(data).hexdigest()

    def _has_settled(self, name: bytes, status: os.stat_result, now: float) -> bool:
        seen = self._sightings.get(name)
        if seen is None or (seen.size, seen.modified_ns) != (status.st_size, status.st_mtime_ns):
            seen = self._sightings[name] = _Sighting(status.st_size, status.st_mtime_ns, now)
        return now - seen.since >= self._settle_seconds

    def _remove(self, name: bytes, path: bytes, reason: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(path)
        self._forget(name)
        self._removed.append(Removed(name, reason))

    def _forget(self, name: bytes) -> None:
        self._pending.discard(name)
        self._sightings.pop(name, None)


def _meant(data: bytes | None) -> str | None:
    """The SHA-256 that a cancel holds, in lower case; None where it holds none."""
    found = None if data is None else _SHA256.fullmatch(data)
    return None if found is None else found[1].decode("ascii").lower()
