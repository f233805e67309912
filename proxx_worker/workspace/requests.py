"""Requests made with files in the inbox, by anyone who may submit: `NAME.cancel` for one job, `.hold` for all waiting jobs.

A cancel is removed only when it has been handled: the commit record says CANCELLED, the job was decided before the cancel was
seen, or there is no such job. Until then it stays, whatever happens to the worker.
"""

import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from proxx_worker.contract.candidates import CANCEL_SUFFIX, HOLD_NAME, JobFiles, dropped_stem, is_candidate_name
from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.result import JobResult
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.files.syncing import sync_directory
from proxx_worker.workspace.claimed import ClaimedJob, is_held, read_if_regular, sha256_if_regular
from proxx_worker.workspace.entries import exists, status_of

CHECK_SECONDS: Final = 0.5
"""How often to check for a cancel of the running job. It costs two failed lookups."""

TOO_LATE: Final = "the job's outcome was decided before its cancel was seen"
"""The message for a cancel that came too late."""

_CANCEL_BYTES: Final = 128
_SHA256: Final = re.compile(rb"\s*([0-9A-Fa-f]{64})\s*")
_NO_SUCH_JOB: Final = "no job with this name and SHA-256 is waiting or running"
_NO_SHA256: Final = "it does not contain the SHA-256 of a spec (64 hex digits)"


@dataclass(frozen=True, slots=True)
class Removed:
    """A cancel that was removed without effect."""

    name: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class _Sighting:
    """A file that contained no SHA-256 when examined: its size and time, and since when (monotonic) they have not changed."""

    size: int
    modified_ns: int
    since: float


class Requests:
    """The requests in one inbox. Only for the holder of the workspace's lock. Methods raise only `ProxxError`."""

    def __init__(self, folder: bytes, *, settle_seconds: float, check_seconds: float = CHECK_SECONDS) -> None:
        """`settle_seconds`: how long a file without a SHA-256 must stay unchanged before it is removed as invalid."""
        self._folder = folder
        self._settle_seconds = settle_seconds
        self._check_seconds = check_seconds
        self._pending: set[bytes] = set()
        self._sightings: dict[bytes, _Sighting] = {}
        self._removed: list[Removed] = []

    def held(self) -> bool:
        """Whether claiming is on hold. Any kind of entry with that name counts."""
        path = os.path.join(self._folder, HOLD_NAME)
        with translate_os_errors("inspect", path, state_folder=True):
            return exists(path)

    def arrived(self, names: Iterable[bytes]) -> None:
        """Record the names of cancels that were seen, any number of times. Only regular files count."""
        for name in names:
            path = os.path.join(self._folder, name)
            with translate_os_errors("inspect the request", path, state_folder=True):
                status = status_of(path)
            if status is not None and stat.S_ISREG(status.st_mode):
                self._pending.add(name)

    @property
    def pending(self) -> bool:
        """Whether any known cancel has not been handled yet."""
        return bool(self._pending)

    def take_removed(self) -> tuple[Removed, ...]:
        """The cancels removed without effect since the last call, to be reported."""
        removed = tuple(self._removed)
        self._removed.clear()
        return removed

    def next_cancelled(self, now: float, stop_requested: Callable[[], bool] = lambda: False) -> bytes | None:
        """The inbox name of a waiting spec to cancel; None if there is none, or once a stop is requested. For while no job runs.

        A cancel that matches no waiting spec is removed. `now`: in monotonic seconds.
        """
        for name in sorted(self._pending):
            path = os.path.join(self._folder, name)
            with translate_os_errors("inspect the request", path, state_folder=True):
                spec = self._evaluate(name, path, now, stop_requested)
            if spec is not None:
                return spec
        return None

    def is_cancelled(self, job: ClaimedJob) -> bool:
        """Whether there is a cancel for a job in `running/`."""
        with translate_os_errors("check for a cancel of", job.stem, state_folder=True):
            return self._has_cancel(job)

    def watch(self, job: ClaimedJob) -> Callable[[], bool]:
        """A cheap check, for frequent calls, of whether the running `job` is to be cancelled.

        If the inbox cannot be read, the job continues, and the worker's own scan reports the error.
        """
        checked: float | None = None

        def is_cancelled() -> bool:
            nonlocal checked
            now = time.monotonic()
            if checked is not None and now - checked < self._check_seconds:
                return False
            checked = now
            return self.look(job)

        return is_cancelled

    def look(self, job: ClaimedJob) -> bool:
        """Whether the running `job` is to be cancelled, by a look taken now. An inbox that cannot be read shows no cancel."""
        with suppress(OSError):
            return self._has_cancel(job)
        return False

    def settle(self, job: ClaimedJob, result: JobResult) -> bool:
        """Durably remove the cancel of a job in `running/` whose result is committed. Returns whether it came too late."""
        found = False
        with translate_os_errors("remove the cancel of", job.stem, state_folder=True):
            for path in self._cancels_of(job):
                os.unlink(path)
                found = True
            if found:
                # Before the spec leaves `running/`: a cancel that reappears after a power cut must not hit a later job.
                sync_directory(self._folder)
        return found and (result.error is None or result.error.code is not ErrorCode.CANCELLED)

    def _has_cancel(self, job: ClaimedJob) -> bool:
        return any(True for _ in self._cancels_of(job))

    def _cancels_of(self, job: ClaimedJob) -> Iterator[bytes]:
        """The cancels for `job`, under its own name and the one it had in the inbox."""
        for stem in dict.fromkeys((job.stem, dropped_stem(job.stem))):
            path = os.path.join(self._folder, stem + CANCEL_SUFFIX)
            if job.sha256 is not None and _sha256_in(read_if_regular(path, _CANCEL_BYTES)) == job.sha256:
                yield path

    def _evaluate(self, name: bytes, path: bytes, now: float, stop_requested: Callable[[], bool]) -> bytes | None:
        """The name of the spec that the cancel `name` is for; None if there is none, or the file may be incomplete."""
        status = status_of(path)
        if status is None or not stat.S_ISREG(status.st_mode):
            self._forget(name)  # gone, or a folder, a link, ...: not a request, and left alone
            return None
        wanted = _sha256_in(read_if_regular(path, _CANCEL_BYTES))
        if wanted is None:
            if self._has_settled(name, status, now):
                self._remove(name, path, _NO_SHA256)
            return None
        spec = JobFiles.of(name.removesuffix(CANCEL_SUFFIX)).spec
        try:
            found = sha256_if_regular(os.path.join(self._folder, spec), stop_requested) if is_candidate_name(spec) else None
        except OSError as error:
            if is_held(error):
                return None  # until the spec can be read, or is claimed
            raise
        if found == wanted:
            return spec
        if not stop_requested():  # which leaves a large spec unread, and its cancel for the next start
            self._remove(name, path, _NO_SUCH_JOB)
        return None

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


def _sha256_in(data: bytes | None) -> str | None:
    """The SHA-256 in a cancel, in lower case; None if there is none."""
    found = None if data is None else _SHA256.fullmatch(data)
    return None if found is None else found[1].decode("ascii").lower()
