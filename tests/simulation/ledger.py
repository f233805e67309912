"""What was put into a simulated world, what is promised of it, and what is wrong: read from its disk alone."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from tests.faults.invariants import Expected, digest, violations
from tests.simulation.inodes import Inode
from tests.simulation.kernel import Kernel

_FOLDERS = ("inbox", "running", "done", "failed")
_ENDED = re.compile(rb"job_completed|job_failed")


class Promise(Enum):
    """Whether a spec must be there."""

    NOT_YET = auto()
    """Somebody is putting it in."""
    UNTIL_POWER_CUT = auto()
    """It was seen there; whoever put it in has not waited for the disk."""
    FOR_GOOD = auto()
    GONE = auto()
    """Lost before it was promised, or collected."""


@dataclass(eq=False)
class Spec:
    """A spec that somebody puts in. `inode`: of the file in the inbox, where it was written there in place."""

    job_id: str
    data: bytes
    promise: Promise = Promise.NOT_YET
    inode: Inode | None = None
    name: str = ""
    """What it is to be called in the inbox, without `.json`; another may be called so, too."""


@dataclass
class Place:
    """A workspace with its output directory, and what was put into both."""

    root: str
    outputs: str
    specs: list[Spec] = field(default_factory=list)
    foreign: dict[str, bytes] = field(default_factory=dict)
    """Files of somebody else's in the output directory: another place with the same directory has the same ones."""
    decided: dict[str, tuple[str, str | None, int]] = field(default_factory=dict)
    """Of jobs with a durable record at a power cut, by the spec's SHA-256: status, error, how many refusals there had been."""
    cut_short: set[str] = field(default_factory=set)
    """The names of jobs that were in `running/` when a worker was killed or the power was cut."""
    again: set[str] = field(default_factory=set)
    """The SHA-256 of specs that were put in a second time, after their cancel."""


@dataclass
class Ledger:
    """The books of a world."""

    kernel: Kernel
    path: type[Path]
    places: list[Place]
    encodes: Counter[tuple[str, int]] = field(default_factory=Counter)
    """By job id and task: how often its encoder was started."""

    def audit(self, *, settled: bool) -> Iterator[str]:
        """Everything that is wrong now."""
        for place in self.places:
            found = self._found(place)
            for spec in place.specs:
                if spec.promise is Promise.NOT_YET and spec.inode is not None:
                    spec.data = bytes(spec.inode.data)  # it is being written
            expected = [
                spec.data
                for spec in place.specs
                if spec.promise in {Promise.UNTIL_POWER_CUT, Promise.FOR_GOOD}
                or (spec.promise is Promise.NOT_YET and digest(spec.data) in found)
            ]
            outputs = {self.path(place.outputs): {**place.foreign, **self._outputs_of_others(place)}}
            for fault in violations(self.path(place.root), Expected(expected, outputs, self._executions(place)), settled=settled):
                # On a share a move is two steps, and a kill in between leaves both names, as a power cut does: the next start
                # knows that as a move.
                moves = self.kernel.network or self.kernel.boot > 1
                if (self.kernel.boot > 1 or self.kernel.refusals) and fault.endswith("/.proxx-lock is left"):
                    continue  # its removal was not durable, or was refused; the next job there removes it
                if "its result is of another spec" in fault and self._unreadable(place, fault):
                    continue
                if settled or not (moves and " is in 2 places" in fault):
                    yield fault
            yield from self._never_again(place)
            yield from (f"{name} stands where a result belongs" for name in self._names(place) if name.endswith(".corrupt"))
            if settled:
                yield from self._decisions_kept(place)
                yield from self._cancelled_again(place)
                yield from (f"{name} was never answered" for name in self._names(place) if name.endswith(".cancel"))

    def _unreadable(self, place: Place, fault: str) -> bool:
        """Whether the fault is of a job whose spec could not be read: then its result tells no digest."""
        name, _, _ = fault.partition(":")
        result = json.loads(self.kernel.disk.find(f"{place.root}/{name}.result.json".encode()).data)
        return result["jobspec"]["sha256"] is None and result["error"]["code"] == "IO_ERROR"

    def left(self, place: Place, spec: Spec) -> None:
        """Whoever was putting the spec in was killed, or was told that it failed. It can be there all the same."""
        if spec.inode is not None and spec.promise is not Promise.GONE:
            self._look_at_raw(place, spec)
        if spec.promise is not Promise.GONE:
            spec.promise = Promise.UNTIL_POWER_CUT if digest(spec.data) in self._found(place) else Promise.GONE

    def after_power_cut(self) -> Iterator[str]:
        """What was half done is what it now is. Yields what is wrong already."""
        for place in self.places:
            yield from self._logs_kept(place)
            self._take_stock(place)
            self._note_decisions(place)

    def _take_stock(self, place: Place) -> None:
        doubtful = [spec for spec in place.specs if spec.promise in {Promise.NOT_YET, Promise.UNTIL_POWER_CUT}]
        for spec in doubtful:
            if spec.inode is not None:
                self._look_at_raw(place, spec)
        known = self._found(place) | {sha256 for sha256, _, _ in self._records(place)}
        for spec in [spec for spec in doubtful if spec.promise is not Promise.GONE]:
            spec.promise = Promise.FOR_GOOD if digest(spec.data) in known else Promise.GONE

    def _look_at_raw(self, place: Place, spec: Spec) -> None:
        """A file written in place may be torn now: what is there of it is the spec. Of two that cannot be told apart one goes."""
        assert spec.inode is not None
        data = bytes(spec.inode.data)
        if spec.inode.links == 0:
            return
        twins = [other for other in place.specs if other is not spec and digest(data) == digest(other.data)]
        if not twins:
            spec.data = data
            return
        for one in (spec, *twins):
            where = b"" if one.inode is None or one.inode.links != 1 else self.kernel.disk.path_of(one.inode)
            if where.startswith(f"{place.root}/inbox/".encode()):
                self.kernel.disk.take(where)
                one.data, one.promise = b"", Promise.GONE
                break
        if spec.promise is not Promise.GONE:
            spec.data = data

    def _executions(self, place: Place) -> dict[str, int]:
        most: Counter[str] = Counter()
        for (job_id, _), times in self.encodes.items():
            most[job_id] = max(most[job_id], times)
        return {digest(spec.data): most[spec.job_id] for spec in place.specs}

    def _never_again(self, place: Place) -> Iterator[str]:
        executed = {job_id for job_id, _ in self.encodes}
        inbox = {digest(data) for name, data in self.files(place, "inbox") if name.endswith(".json")}
        for spec in place.specs:
            if spec.job_id in executed and digest(spec.data) in inbox:
                move = (self.kernel.network or self.kernel.boot > 1) and any(
                    digest(data) == digest(spec.data) for name, data in self.files(place, "running")
                )
                if not move:
                    yield f"{spec.job_id} would be executed again"

    def _note_decisions(self, place: Place) -> None:
        for sha256, status, error in self._records(place, "running"):
            place.decided[sha256] = status, error, self.kernel.refusals
        self.note_running(place)

    def let_work(self, place: Place) -> None:
        """Take away the hold of somebody who was killed before they could."""
        hold = f"{place.root}/inbox/.hold".encode()
        if hold.rpartition(b"/")[2] in (self._inbox(place).entries or {}):
            self.kernel.disk.take(hold)

    def _inbox(self, place: Place) -> Inode:
        root = self.kernel.disk.find(place.root.encode())
        return (root.entries or {}).get(b"inbox", root)

    def note_running(self, place: Place) -> None:
        """A worker was killed: the log of the job that it had may end anywhere."""
        place.cut_short.update(name.split(".")[0] for name, _ in self.files(place, "running"))

    def put_in_again(self, place: Place, spec: Spec) -> None:
        """A spec whose job was cancelled and collected is in the inbox once more: another job."""
        spec.promise, spec.inode = Promise.FOR_GOOD, None
        place.again.add(digest(spec.data))
        place.decided.pop(digest(spec.data), None)
        for encode in [it for it in self.encodes if it[0] == spec.job_id]:
            del self.encodes[encode]

    def _cancelled_again(self, place: Place) -> Iterator[str]:
        for sha256, _, error in self._records(place, "done", "failed"):
            if error == "CANCELLED" and sha256 in place.again:
                yield f"{sha256[:12]} was put in again, and met the cancel of the time before"

    def _decisions_kept(self, place: Place) -> Iterator[str]:
        ends = {sha256: (status, error) for sha256, status, error in self._records(place, "done", "failed")}
        for sha256, (status, error, refusals) in place.decided.items():
            end = ends.get(sha256)
            undisturbed = self.kernel.refusals == refusals
            overtaken = end is not None and end[1] == "OUTPUT_EXISTS"
            excused = status == "COMPLETED" and (overtaken or (not undisturbed and end is not None and end[1] != "INTERRUPTED"))
            if end is not None and end != (status, error) and not excused:
                yield f"a job that was decided as {status}, {error} ended as {end[0]}, {end[1]}"

    def _logs_kept(self, place: Place) -> Iterator[str]:
        if self.kernel.refusals:
            return
        for folder in ("done", "failed"):
            names = dict(self.files(place, folder))
            for name, data in names.items():
                stem = name.removesuffix(".log")
                if name != stem and f"{stem}.json" in names and stem not in place.cut_short and not _ENDED.search(data):
                    yield f"{folder}/{name} has lost its lines"

    def _outputs_of_others(self, place: Place) -> dict[str, bytes]:
        """The outputs of another workspace in the same output directory, as its results speak of them."""
        found: dict[str, bytes] = {}
        for other in self.places:
            if other is not place and other.outputs == place.outputs:
                for path in self._promised(other):
                    if path.is_file():
                        found[path.name] = path.read_bytes()
        return found

    def _promised(self, place: Place) -> Iterator[Path]:
        for folder in ("running", "done"):
            for name, data in self.files(place, folder):
                if name.endswith(".result.json"):
                    with suppress(ValueError):  # that it is torn is told elsewhere
                        yield from [self.path(task["output"]) for task in json.loads(data)["tasks"] if task["output"]]

    def _records(self, place: Place, *folders: str) -> Iterator[tuple[str, str, str | None]]:
        """The SHA-256, status and error code of each whole result in these folders, or in all."""
        for folder in folders or _FOLDERS:
            for name, data in self.files(place, folder):
                if name.endswith(".result.json"):
                    try:
                        result = json.loads(data)
                    except ValueError:
                        continue
                    error = result["error"]
                    yield result["jobspec"]["sha256"], result["status"], error and error["code"]

    def _names(self, place: Place) -> Iterator[str]:
        for folder in _FOLDERS:
            yield from (f"{folder}/{name}" for name, _ in self.files(place, folder))

    def _found(self, place: Place) -> set[str]:
        return {digest(data) for folder in _FOLDERS for name, data in self.files(place, folder) if name.endswith(".json")}

    def files(self, place: Place, folder: str) -> Iterator[tuple[str, bytes]]:
        """What is in a folder of the workspace: names and data."""
        try:
            inode = self.kernel.disk.find(f"{place.root}/{folder}".encode())
        except OSError:
            return  # no worker has been there yet
        for name, inside in (inode.entries or {}).items():
            if not name.startswith(b"."):
                yield name.decode(), bytes(inside.data)
