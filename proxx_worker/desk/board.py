"""Everything a console shows of a workspace, read repeatedly by one thread: names at once, results as they are read."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from proxx_worker.contract.candidates import is_candidate_name, is_spec_name, stem_of
from proxx_worker.contract.errors import ProxxError
from proxx_worker.desk.folders import folder_of, read_summary
from proxx_worker.desk.jobs import JobState, JobSummary
from proxx_worker.desk.worker import WorkerLook, look_at_worker
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.workspace.layout import Workspace

_PAUSE_SECONDS: Final = 1.0
_SHARE_OF_TIME: Final = 10
"""Looking takes at most a tenth of the time, however many jobs there are."""

_SHOW_EVERY_SECONDS: Final = 0.25
_YIELD_EVERY: Final = 20
"""Results that are read before the thread lets others run: drawing must never wait long for it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One spec in one folder. `changed_ns`: when it came there. The inode tells it from a later one of the same name."""

    state: JobState
    stem: bytes
    inode: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Board:
    """A workspace at one moment. `jobs`: newest first. `trouble`: why it cannot be read; the rest is then the last board's."""

    worker: WorkerLook
    jobs: Mapping[JobState, Sequence[JobSummary]]
    trouble: str | None
    unread: int
    """How many results are still to be read."""

    @classmethod
    def empty(cls) -> "Board":
        """Before the first look."""
        return cls(WorkerLook(None, alive=False, held=False), dict.fromkeys(JobState, ()), None, 0)


class BoardReader:
    """Reads boards of one workspace; keeps the results of jobs that still exist."""

    def __init__(self, workspace: Workspace) -> None:
        """Touches nothing yet."""
        self._workspace = workspace
        self._read: dict[Entry, JobSummary] = {}
        self._wanted: tuple[bytes, ...] = ()
        self._seen: set[JobState] = set()

    def want(self, stems: Sequence[bytes]) -> None:
        """The jobs on the screen: they are read before the others. May be called by any thread."""
        self._wanted = tuple(stems)

    def boards(self) -> Iterator[Board]:
        """One pass: a board with the names, more as results are read, and one with all of them. Raises nothing."""
        worker = look_at_worker(self._workspace)
        try:
            entries = [entry for state in JobState for entry in self._list(state)]
        except ProxxError as fault:
            yield self._board(worker, sorted(self._read, key=_newest_first), fault.error.message, 0)
            return
        entries.sort(key=_newest_first)
        there = set(entries)
        self._read = {entry: job for entry, job in self._read.items() if entry in there}
        unread = [entry for entry in entries if entry not in self._read]
        for entry in unread:
            self._read[entry] = JobSummary(entry.stem, entry.state)
        finished = [entry for entry in unread if entry.state in {JobState.DONE, JobState.FAILED}]
        yield self._board(worker, entries, None, len(finished))
        if finished:
            yield from self._boards_while_reading(worker, entries, finished)

    def _boards_while_reading(self, worker: WorkerLook, entries: list[Entry], finished: list[Entry]) -> Iterator[Board]:
        shown = time.monotonic()
        left = dict.fromkeys(finished)
        by_stem = {entry.stem: entry for entry in finished}
        queue = iter(finished)
        number = 0
        while left:
            wanted = next((by_stem[stem] for stem in self._wanted if by_stem.get(stem) in left), None)
            entry = wanted or next(it for it in queue if it in left)
            del left[entry]
            self._read[entry] = read_summary(self._workspace, entry.state, entry.stem) or self._read[entry]
            number += 1
            if number % _YIELD_EVERY == 0:
                time.sleep(0)
            if time.monotonic() - shown > _SHOW_EVERY_SECONDS and left:
                shown = time.monotonic()
                yield self._board(worker, entries, None, len(left))
        yield self._board(worker, entries, None, 0)

    def _board(self, worker: WorkerLook, entries: Sequence[Entry], trouble: str | None, unread: int) -> Board:
        jobs: dict[JobState, list[JobSummary]] = {state: [] for state in JobState}
        for entry in entries:
            jobs[entry.state].append(self._read[entry])
        return Board(worker, jobs, trouble, unread)

    def _list(self, state: JobState) -> list[Entry]:
        folder = folder_of(self._workspace, state)
        with translate_os_errors("list", folder, state_folder=True):
            try:
                found = list(_entries_in(folder, state))
            except FileNotFoundError:
                if state in self._seen:
                    raise  # an outage, not a folder that no worker has created yet
                return []
        self._seen.add(state)
        return found


def _entries_in(folder: bytes, state: JobState) -> Iterator[Entry]:
    is_job = is_candidate_name if state is JobState.WAITING else is_spec_name
    with os.scandir(folder) as entries:
        for it in entries:
            if is_job(it.name) and it.is_file(follow_symlinks=False):
                with suppress(FileNotFoundError):  # it has moved since; the next pass finds it there
                    status = it.stat(follow_symlinks=False)
                    yield Entry(state, stem_of(it.name), status.st_ino, status.st_ctime_ns)


def keep_reading(reader: BoardReader, show: Callable[[Board], object], stop: threading.Event, nudge: threading.Event) -> None:
    """Read board after board until `stop`; `show` each. A `nudge` requests the next pass at once. Runs in its own thread."""
    while not stop.is_set():
        began = time.monotonic()
        for board in reader.boards():
            if stop.is_set():
                return
            show(board)
        nudge.wait(max(_PAUSE_SECONDS, (time.monotonic() - began) * _SHARE_OF_TIME))
        nudge.clear()


def _newest_first(entry: Entry) -> tuple[int, bytes]:
    return (0, entry.stem) if entry.state is JobState.WAITING else (-entry.changed_ns, entry.stem)
