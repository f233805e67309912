"""Every state that a power cut may leave of a run: put on a real disk, recovered by the worker's own code, and judged."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from proxx_worker.contract.errors import JsonValue, ProxxError
from proxx_worker.contract.path_map import NO_MAPPINGS
from proxx_worker.contract.result import WorkerRecord
from proxx_worker.observe.joblog import Level
from proxx_worker.recovery import Recoverer
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.requests import Requests
from proxx_worker.workspace.spool import Spool
from tests.faults import traces
from tests.faults.disk_model import DIRECTORY, Create, Disk, Rename, Step, Sync, Wreck, Write
from tests.faults.invariants import Expected, digest, violations
from tests.faults.laboratory import Bench
from tests.support.slices import WHOLE, Slice
from tests.support.stops import NEVER

Recovery = Callable[[Path], None]
WORKER = WorkerRecord(version="0", ffmpeg=None, ffprobe=None, declared_versions={})


class NoLog:
    """A log that nobody reads."""

    def event(self, action: str, message: str = "", *, level: Level = "INFO", **fields: JsonValue) -> None:
        """Nothing."""

    def encoder_lines(self, lines: Sequence[str]) -> None:
        """Nothing."""


def recover(workspace: Path) -> None:
    """What a start does before it claims anything."""
    layout = Workspace(workspace)
    owner = layout.prepare()
    Recoverer(
        spool=Spool(layout, NEVER),
        requests=Requests(layout.inbox, settle_seconds=0),
        owner=owner,
        output_roots=None,
        paths=NO_MAPPINGS,
        worker=WORKER,
        log=NoLog(),
        count=(),
        stop=NEVER,
    ).finish_jobs()


@dataclass(frozen=True)
class Recording:
    """A run on a bench: what was on the disk before it, its steps, and what was put in."""

    root: Path
    workspace: Path
    outputs: Path
    before: dict[str, tuple[int, bytes]]
    steps: tuple[Step, ...]
    specs: tuple[bytes, ...]
    kept: dict[str, bytes]
    executed_before: frozenset[str]

    @classmethod
    def make(cls, bench: Bench, prepare: Callable[[Bench], None]) -> "Recording":
        """Record what `watch --once` does after `prepare`. What the encoders will write is learned from a first run."""
        prepare(bench)
        bench.watch()
        contents = {path.name: path.read_bytes() for path in bench.outputs.iterdir() if path.name not in bench.kept}
        prepare(bench)
        before = snapshot(bench.root)
        executed = frozenset(spec for spec, times in bench.executions().items() if times)
        bench.watch(*traces.OPTIONS)
        steps = traces.steps_of(bench.last_trace(), str(bench.root), contents)
        kept = dict(bench.kept)
        return cls(bench.root, bench.workspace, bench.outputs, before, tuple(steps), tuple(bench.specs), kept, executed)

    def with_steps(self, steps: Sequence[Step]) -> "Recording":
        """The same with other steps: a run of a worker with a fault."""
        return replace(self, steps=tuple(steps))


def snapshot(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every path under `root`: its inode's number and its data; DIRECTORY for a folder."""
    return {
        str(path): (DIRECTORY, b"") if path.is_dir() else (path.stat().st_ino, path.read_bytes())
        for path in [root, *sorted(root.rglob("*"))]
    }


@dataclass
class Judge:
    """Judges wrecks, each kind once: many moments and many faulty runs leave the same."""

    recovery: Recovery = recover
    part: Slice = WHOLE
    """Of the moments of a run, those that are looked at."""
    known: dict[object, tuple[str, ...]] = field(default_factory=dict)

    def faults(self, recording: Recording, *, after: int = 0) -> Iterator[str]:
        """What is wrong in any state that a power cut after step number `after` or later may leave."""
        moments = self.part.of(range(max(after, 1), len(recording.steps) + 1))
        for number, step, disk in _replayed(recording):
            if number in moments and not isinstance(step, Write):
                where = f"cut after {number} {_shown(step)}"
                yield from (f"{where}: {fault}" for fault in self._judged(recording, disk, _Context.at(recording, number)))

    def last_faults(self, recording: Recording, gone: frozenset[str]) -> Iterator[str]:
        """What is wrong if the power goes after the last step; `gone`: specs (SHA-256) that somebody has collected."""
        *_, (number, _, disk) = _replayed(recording)
        yield from self._judged(recording, disk, _Context.at(recording, number, gone))

    def _judged(self, recording: Recording, disk: Disk, context: "_Context") -> Iterator[str]:
        for wreck in disk.wrecks():
            key = wreck.fingerprint(), context
            if key not in self.known:
                put_on_disk(wreck, recording.root)
                self.known[key] = tuple(self._examine(recording, wreck, context))
            yield from self.known[key]

    def _examine(self, recording: Recording, wreck: Wreck, context: "_Context") -> Iterator[str]:
        try:
            self.recovery(recording.workspace)
        except ProxxError as error:
            yield f"recovery stopped: {error.code} {error}"
            return
        specs = [spec for spec in recording.specs if digest(spec) not in context.gone]
        outputs = {} if context.gone else {recording.outputs: recording.kept}
        yield from violations(recording.workspace, Expected(specs, outputs), settled=True)
        inbox = {digest(path.read_bytes()) for path in (recording.workspace / "inbox").glob("*.json")}
        yield from (f"spec {spec[:12]} would be executed again" for spec in sorted(inbox & context.executed))
        yield from _decisions_kept(recording, wreck)
        yield from _nothing_torn(recording)
        yield from _logs_kept(recording, wreck)


@dataclass(frozen=True)
class _Context:
    """What had happened before the power went: specs by their SHA-256."""

    executed: frozenset[str]
    gone: frozenset[str]

    @classmethod
    def at(cls, recording: Recording, number: int, gone: frozenset[str] = frozenset()) -> "_Context":
        """After step number `number`."""
        jobs = {_job(step.path) for step in recording.steps[:number] if isinstance(step, Create) and "/outputs/" in step.path}
        executed = {digest(spec) for spec in recording.specs if json.loads(spec)["job_id"] in jobs}
        return cls(recording.executed_before | executed, gone)


def _job(path: str) -> str:
    """The job of an output or of a job file: in these benches its name up to the first `_` or `.`."""
    return re.split(r"[_.]", PurePosixPath(path).name)[0]


def _replayed(recording: Recording) -> Iterator[tuple[int, Step, Disk]]:
    """The disk after each step, with the step's number from 1."""
    private = f"{recording.workspace}/.proxx/"
    judged = (f"{private}next.", f"{private}workspace-id", f"{private}.tmp-")
    disk = Disk(lambda path: path.endswith("/.proxx-probe") or (path.startswith(private) and not path.startswith(judged)))
    numbers: dict[int, int] = {}
    for path, (inode, data) in recording.before.items():
        numbers[inode] = disk.put(path, DIRECTORY if inode == DIRECTORY else numbers.get(inode), data)
    synced = {path for path in recording.before if "/running/" in path}
    for number, step in enumerate(recording.steps, start=1):
        if isinstance(step, Sync):
            synced.add(step.path)
        disk.apply(step)
        if isinstance(step, Rename) and step.target.endswith(".result.json") and "/running/" in step.target:
            # Whoever dropped the spec may not have synced it. Once a result speaks of it, that is the worker's concern.
            spec = f"{recording.workspace}/running/{_job(step.target)}.json"
            if spec not in synced:
                disk.never_synced(spec)
        yield number, step, disk


def _decisions_kept(recording: Recording, wreck: Wreck) -> Iterator[str]:
    """A decision that was on the disk stays as it was."""
    for path in wreck.names:
        if not (path.startswith(f"{recording.workspace}/running/") and path.endswith(".result.json")):
            continue
        record, name = wreck.read(path) or b"", PurePosixPath(path).name
        folder = {"COMPLETED": "done", "FAILED": "failed"}.get(_status(record) or "")
        name_taken = any(kept.encode() in record for kept in recording.kept)  # then it fails after all
        if folder is not None and not name_taken and not (recording.workspace / folder / name).exists():
            yield f"{name} had been decided for {folder} and is not there"


def _nothing_torn(recording: Recording) -> Iterator[str]:
    """A result that is not whole can come from a failing disk, never from a power cut."""
    before = {data for path, (_, data) in recording.before.items() if path.endswith(".result.json")}
    for folder in ("running", "done", "failed"):
        for path in (recording.workspace / folder).glob("*.corrupt"):
            if path.read_bytes() not in before:
                yield f"{path.name} was written where a result belongs"


def _status(record: bytes | None) -> str | None:
    try:
        return str(json.loads(record or b"")["status"])
    except (ValueError, KeyError):
        return None


def _logs_kept(recording: Recording, wreck: Wreck) -> Iterator[str]:
    """The log of a job that had reached its folder is all there."""
    for folder in ("done", "failed"):
        for path in wreck.names:
            log = wreck.read(path)
            if path.startswith(f"{recording.workspace}/{folder}/") and path.endswith(".log") and log is not None:
                spec = f"{path.removesuffix('.log')}.json"
                if spec in wreck.names and not re.search(rb"job_completed|job_failed", log):
                    yield f"{PurePosixPath(path).name} has lost its lines"


def put_on_disk(wreck: Wreck, root: Path) -> None:
    """Make `root` what `wreck` says, and nothing else."""
    shutil.rmtree(root)
    first: dict[int, str] = {}
    for path, number in sorted(wreck.names.items()):
        if number == DIRECTORY:
            Path(path).mkdir()
        elif number in first:
            os.link(first[number], path)
        else:
            first[number] = path
            Path(path).write_bytes(wreck.data[number])


def _shown(step: Step) -> str:
    return f"{type(step).__name__} {' -> '.join(PurePosixPath(it).name for it in vars(step).values() if isinstance(it, str))}"
