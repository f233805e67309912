"""The inbox: which job is next. The scan is the truth, events are hints, and a claim never costs a listing.

Names wait in two queues, the sorted backlog of the last scan and a heap of what has arrived since; the lower of the two heads is
next. A file is examined only when its turn comes. One that is not yet provably complete waits in a third queue, ordered by its
next check, and blocks no other.
"""

import heapq
import os
import stat
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from proxx_worker.contract.candidates import display_name, is_cancel_name, is_candidate_name, is_stray_name, stem_too_long
from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.strict_json import MAX_SPEC_BYTES, is_whole_json_object
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.workspace.claimed import read_if_regular
from proxx_worker.workspace.entries import status_of
from proxx_worker.workspace.strays import Strays
from proxx_worker.workspace.wakeups import NO_WAKEUPS, Wakeups

_FIRST_RECHECK_SECONDS: Final = 0.1
_SCAN_SECONDS_PER_NAME: Final = 40e-6
"""A listing costs about 2 microseconds a name: this far apart, listings take at most a twentieth of the time."""

_TRIM_AT: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Candidate:
    """The next job to claim. `whole` is False for a settled file that is not a JSON object of at most 1 MiB."""

    name: bytes
    size: int
    whole: bool


@dataclass(frozen=True, slots=True)
class _Sighting:
    """A file that was incomplete when examined: its size and time, and since when (monotonic) they have not changed."""

    size: int
    modified_ns: int
    since: float


class Inbox:
    """The candidates of one inbox, in order. The clock is the caller's: every `now` is in monotonic seconds."""

    def __init__(self, folder: bytes, *, settle_seconds: float, poll_seconds: float, events_trusted: bool) -> None:
        """Touches nothing yet. `events_trusted`: whether events tell of every change (a local filesystem, watched)."""
        self._folder = folder
        self._settle_seconds = settle_seconds
        self._poll_seconds = poll_seconds
        self._events_trusted = events_trusted
        self._identity: tuple[int, int] | None = None
        self._scanned_at: float | None = None
        self._backlog: list[bytes] = []
        self._head = 0
        self._arrivals: list[bytes] = []
        self._arrived: set[bytes] = set()
        self._rechecks: list[tuple[float, bytes]] = []
        self._waiting: dict[bytes, float] = {}
        self._sightings: dict[bytes, _Sighting] = {}
        self._others: set[bytes] = set()
        self._too_long: set[bytes] = set()
        self._unreported: set[bytes] = set()
        self._strays = Strays()
        self._cancels: set[bytes] = set()
        self._taken: bytes | None = None

    @property
    def count(self) -> int:
        """How many candidates there are, as far as events and the last scan tell."""
        return self._queued() + len(self._waiting)

    @property
    def scanned_at(self) -> float | None:
        """When the last scan was, by its caller's clock; None before the first."""
        return self._scanned_at

    def count_files(self) -> int:
        """How many candidates are regular files; each is examined.

        For an inbox on hold, whose names are not taken out one by one. Raises WORKSPACE_INVALID or IO_ERROR.
        """
        names = {*self._backlog[self._head :], *self._arrived, *self._waiting}
        with translate_os_errors("read the inbox", self._folder, state_folder=True):
            found = (status_of(os.path.join(self._folder, name)) for name in names)
            return sum(status is not None and stat.S_ISREG(status.st_mode) for status in found)

    def is_empty(self) -> bool:
        """Whether no candidate is left, not even an incomplete one. Certain only right after `rescan`."""
        return self.count == 0

    @property
    def too_long(self) -> tuple[bytes, ...]:
        """The names that would be candidates if they were shorter, sorted."""
        return tuple(sorted(self._too_long))

    def take_unreported(self) -> tuple[bytes, ...]:
        """Those of `too_long` that this has not returned before, sorted: to be reported once."""
        names = tuple(sorted(self._unreported))
        self._unreported.clear()
        return names

    def take_strays(self) -> tuple[bytes, ...]:
        """Names that two scans have seen and that belong to no job, each returned once, sorted."""
        return self._strays.take()

    def take_cancels(self) -> tuple[bytes, ...]:
        """The names of cancels that were seen since the last call, sorted. Some may be gone again, or be no files."""
        names = tuple(sorted(self._cancels))
        self._cancels.clear()
        return names

    def refresh(self, now: float, wakeups: Wakeups = NO_WAKEUPS) -> None:
        """Take in what the watcher saw, and scan if due. Raises WORKSPACE_INVALID or IO_ERROR as `rescan` does."""
        self.arrived(wakeups.names)
        if self._scan_is_due(now, wakeups):
            self.rescan(now)

    def rescan(self, now: float) -> None:
        """List the inbox again. Raises WORKSPACE_INVALID if it is missing, unreadable or another folder than before."""
        self._require_same_folder()
        self._backlog, self._head = [], 0  # before the listing, so that two of a million names are never in memory at once
        with translate_os_errors("list the inbox", self._folder, state_folder=True):
            names = self._list_others_apart() if self._others else os.listdir(self._folder)
        backlog = [name for name in names if is_candidate_name(name)]
        others = len(backlog) < len(names)
        too_long = {name for name in names if stem_too_long(name)} if others else set()
        self._cancels |= {name for name in names if is_cancel_name(name)} if others else set()
        self._unreported = (self._unreported | (too_long - self._too_long)) & too_long
        self._too_long = too_long
        self._strays.seen(filter(is_stray_name, names) if others else ())
        if self._others or self._waiting:
            # Waiting files keep waiting: a listing does not change when their next check is due.
            self._waiting = {name: self._waiting[name] for name in backlog if name in self._waiting}
            backlog = [name for name in backlog if name not in self._others and name not in self._waiting]
        else:
            self._rechecks.clear()
        backlog.sort()
        self._backlog = backlog
        self._arrivals.clear()
        self._arrived.clear()
        self._sightings = {
            name: seen for name, seen in self._sightings.items() if name in self._waiting or self._is_in_backlog(name)
        }
        self._scanned_at = now

    def arrived(self, names: Iterable[bytes]) -> None:
        """Take in names from events. They may be of any kind and may repeat."""
        for name in names:
            if not is_candidate_name(name):
                if stem_too_long(name):
                    self._note_too_long((name,))
                elif is_cancel_name(name):
                    self._cancels.add(name)
                continue
            if name == self._taken and not os.path.lexists(os.path.join(self._folder, name)):
                continue  # an event of the arrival that was claimed since: nothing waits
            self._waiting.pop(name, None)
            if name not in self._arrived and not self._is_in_backlog(name):
                self._queue(name)

    def next_candidate(self, now: float, stop_requested: Callable[[], bool] = lambda: False) -> Candidate | None:
        """The lowest name that can be claimed now, taken out of the queue; None if there is none, or once a stop is requested.

        Raises `ProxxError` (WORKSPACE_INVALID, IO_ERROR) for an inbox that cannot be read: that is never "empty".
        """
        while self._rechecks and self._rechecks[0][0] <= now:
            check_at, name = heapq.heappop(self._rechecks)
            if self._waiting.get(name) == check_at:
                del self._waiting[name]
                self._queue(name)
        while not stop_requested() and (lowest := self._pop()) is not None:
            with translate_os_errors("inspect", os.path.join(self._folder, lowest), state_folder=True):
                candidate = self._examine(lowest, now)
            if candidate is not None:
                self._taken = candidate.name
                return candidate
        return None

    def seconds_until_wake(self, now: float) -> float:
        """Seconds until there is something to do without an event: the next check of a waiting file, or the next scan."""
        if self._scanned_at is None or self._queued():
            return 0.0
        wake_at = self._scanned_at + self._poll_seconds
        if self._rechecks:
            wake_at = min(wake_at, self._rechecks[0][0])
        return max(0.0, wake_at - now)

    def _scan_is_due(self, now: float, wakeups: Wakeups) -> bool:
        if self._scanned_at is None or wakeups.lost:
            return True
        since = now - self._scanned_at
        queued = self._queued()
        if not queued:
            return wakeups.changed or since >= self._poll_seconds
        # With events the queue is complete. Without them, scans must not use up the time for a large backlog.
        return not self._events_trusted and since >= max(self._poll_seconds, queued * _SCAN_SECONDS_PER_NAME)

    def _queued(self) -> int:
        return len(self._backlog) - self._head + len(self._arrivals)

    def _queue(self, name: bytes) -> None:
        heapq.heappush(self._arrivals, name)
        self._arrived.add(name)

    def _is_in_backlog(self, name: bytes) -> bool:
        at = bisect_left(self._backlog, name, self._head)
        return at < len(self._backlog) and self._backlog[at] == name

    def _pop(self) -> bytes | None:
        """The lower of the two heads. A name is never in both queues."""
        in_backlog = self._head < len(self._backlog)
        if self._arrivals and not (in_backlog and self._backlog[self._head] < self._arrivals[0]):
            name = heapq.heappop(self._arrivals)
            self._arrived.discard(name)
            return name
        if not in_backlog:
            return None
        name = self._backlog[self._head]
        self._head += 1
        if self._head >= _TRIM_AT:
            del self._backlog[: self._head]
            self._head = 0
        return name

    def _examine(self, name: bytes, now: float) -> Candidate | None:
        path = os.path.join(self._folder, name)
        status = status_of(path)
        if status is None:
            self._sightings.pop(name, None)
            self._require_same_folder()
            return None
        if not stat.S_ISREG(status.st_mode):
            self._sightings.pop(name, None)
            self._others.add(name)
            return None
        if status.st_size <= MAX_SPEC_BYTES and _is_whole(path):
            self._sightings.pop(name, None)
            return Candidate(name, status.st_size, whole=True)
        return self._wait_or_settle(name, status, now)

    def _wait_or_settle(self, name: bytes, status: os.stat_result, now: float) -> Candidate | None:
        seen = self._sightings.get(name)
        if seen is None or (seen.size, seen.modified_ns) != (status.st_size, status.st_mtime_ns):
            seen = self._sightings[name] = _Sighting(status.st_size, status.st_mtime_ns, now)
        settled_at = seen.since + self._settle_seconds
        if now >= settled_at:
            del self._sightings[name]
            return Candidate(name, status.st_size, whole=False)
        # Soon at first, then at doubling intervals: most are complete a moment later, and there may be no event.
        check_at = min(settled_at, now + max(_FIRST_RECHECK_SECONDS, now - seen.since))
        self._waiting[name] = check_at
        heapq.heappush(self._rechecks, (check_at, name))
        return None

    def _list_others_apart(self) -> list[bytes]:
        """List the inbox, and drop from `_others` names that are gone or have become regular files: the listing has the type."""
        names, still = [], set()
        with os.scandir(self._folder) as entries:
            for entry in entries:
                names.append(entry.name)
                # One that has gone by now is not a file either: the next listing drops it.
                if entry.name in self._others and not entry.is_file(follow_symlinks=False):
                    still.add(entry.name)
        self._others = still
        return names

    def _note_too_long(self, names: Iterable[bytes]) -> None:
        new = set(names) - self._too_long
        self._too_long |= new
        self._unreported |= new

    def _require_same_folder(self) -> None:
        with translate_os_errors("read the inbox", self._folder, state_folder=True):
            status = os.stat(self._folder, follow_symlinks=False)
        identity = status.st_dev, status.st_ino
        if self._identity is None:
            self._identity = identity
        if not stat.S_ISDIR(status.st_mode) or identity != self._identity:
            shown = display_name(self._folder)
            raise ProxxError(
                ErrorCode.WORKSPACE_INVALID,
                f"{shown} must stay the folder it was at the start, but it was replaced. Check the workspace, then start again.",
                path=shown,
            )


def _is_whole(path: bytes) -> bool:
    data = read_if_regular(path, MAX_SPEC_BYTES + 1)
    return data is not None and len(data) <= MAX_SPEC_BYTES and is_whole_json_object(data)
