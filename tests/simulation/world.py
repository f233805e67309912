"""A simulated world: workspaces, their output directories, and the worker's real code on them, through kills and power cuts."""

import random
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from proxx_worker.contract.errors import ErrorClass, ProxxError
from proxx_worker.contract.output_settings import Engine
from proxx_worker.contract.path_map import NO_MAPPINGS
from proxx_worker.contract.result import WorkerRecord
from proxx_worker.delivery.publishing import PublishingStuckError
from proxx_worker.execution.executor import Executor
from proxx_worker.execution.preflight import Environment, Roots
from proxx_worker.observe.observer import Observers
from proxx_worker.observe.status import StatusFile
from proxx_worker.process.stop import BeatingStop
from proxx_worker.recovery import Recoverer
from proxx_worker.worker import Stops, Worker
from proxx_worker.workspace.inbox import Inbox
from proxx_worker.workspace.layout import Workspace
from proxx_worker.workspace.lock import WorkspaceLock
from proxx_worker.workspace.requests import Requests
from proxx_worker.workspace.spool import Spool
from proxx_worker.workspace.watcher import NoEvents
from tests.simulation.engine import SimulatedEngine, SimulatedProbe
from tests.simulation.inodes import Inode
from tests.simulation.kernel import Kernel, Process
from tests.simulation.ledger import Ledger, Place, Spec
from tests.simulation.parts import SimulatedEvents, SimulatedLog, SimulatedStop, Witness
from tests.simulation.system import System
from tests.simulation.weather import CALM, Weather

RECORD = WorkerRecord(version="0", ffmpeg=None, ffprobe=None, declared_versions={})
LIVES = 4
"""How often a worker is started, before the last start, which nothing befalls."""
POWER_CUTS = 3
CALLS = 40_000
"""More than any schedule makes: one that makes more comes to no end."""
_SETTLE_SECONDS = 5.0
_POLL_SECONDS = 2.0
_SOURCES = {"clip0.mov": b"clip0", "clip1.mov": b"clip1", "bad.mov": b"bad"}
_KEPT = {"kept.mov": b"was here before"}


@dataclass
class World:
    """One schedule: all that happens in it is drawn from `seed`. `weather`: what may befall it; `actors`: who takes part."""

    seed: int
    weather: Weather
    actors: Sequence[Callable[["World"], object]]
    faults: list[str] = field(default_factory=list)
    when_finished: list[Callable[[Place, str], object]] = field(default_factory=list)
    """Who hears of each job that has reached its folder."""
    when_publishing: list[Callable[[], object]] = field(default_factory=list)
    """Who hears that a job is decided, and its outputs are about to be published."""
    when_recovered: list[Callable[[Place], object]] = field(default_factory=list)
    """Who hears that a worker has started, and has finished what the last one left."""
    bringing: dict[int, tuple[Place, Spec]] = field(default_factory=dict)
    """By the pid of whoever puts it in: a spec, and where it goes."""
    rng: random.Random = field(init=False)
    kernel: Kernel = field(init=False)
    system: System = field(init=False)
    ledger: Ledger = field(init=False)
    _watchers: list[SimulatedEvents] = field(default_factory=list)
    _lives: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)  # noqa: S311 - the same seed is to give the same schedule
        self.kernel = Kernel(self.rng, network=self.chance(0.35))
        self.kernel.disk.changed = self._changed
        self.kernel.killed = self._killed
        self.system = System(self.kernel)
        self._engine = SimulatedEngine(self.kernel, {})
        self._environment = Environment(SimulatedProbe(self.kernel), {Engine.FFMPEG: self._engine}, Roots(), stall_seconds=60.0)
        self._put({"/specs": None, "/media": None, **{f"/media/{name}": data for name, data in _SOURCES.items()}})
        self.ledger = Ledger(self.kernel, self.system.path, self._places())
        self._witness = Witness(self.kernel, self.ledger.encodes, self.faults, self.when_publishing)

    def chance(self, likelihood: float) -> bool:
        """Whether something of that likelihood, from 0 to 1, happens."""
        return self.rng.random() < likelihood

    def _put(self, files: dict[str, bytes | None]) -> None:
        for path, data in files.items():
            self.kernel.disk.put(path.encode(), data)

    def _places(self) -> list[Place]:
        """One workspace, or two, which may have one output directory."""
        count, shared = self.rng.choice((1, 1, 1, 2)), self.chance(0.5)
        places: list[Place] = []
        for number in range(count):
            outputs = "/out0" if shared else f"/out{number}"
            foreign = places[0].foreign if shared and number else dict(_KEPT)
            if not (shared and number):
                self._put({outputs: None, **{f"{outputs}/{name}": data for name, data in _KEPT.items()}})
            root = f"/work{number}"
            folders = ("inbox", "running", "done", "failed") if self.chance(0.8) else ("inbox",) if self.chance(0.5) else ()
            self._put({root: None, **{f"{root}/{folder}": None for folder in folders}})
            places.append(Place(root, outputs, foreign=foreign))
        return places

    def run(self) -> list[str]:
        """Let it happen. Returns what was wrong."""
        self.kernel.set_weather(self.weather)
        for actor in self.actors:
            actor(self)
        for place in self.ledger.places:
            self._serve(place)
            if self.chance(0.2):
                self.kernel.start(f"rival on {place.root}", partial(self._live, place), party=place, delay=self.rng.random() * 3)
        while self.kernel.processes and not self.faults:
            boot = self.kernel.boot
            self.kernel.run(CALLS)
            if self.kernel.boot != boot:
                self._boot()
            elif self.kernel.processes:
                self.faults.append("it comes to no end")
        if not self.faults:
            self._end()
        return self.faults

    def _end(self) -> None:
        """The last start of each worker, which nothing befalls; then nothing may be half done."""
        self.kernel.set_weather(CALM)
        for place in self.ledger.places:
            self.ledger.let_work(place)
            self.kernel.tell(f"the last start on {place.root}")
            self.kernel.start(f"last on {place.root}", partial(self._live, place, last=True), party=place)
            self.kernel.run(2 * CALLS)
        self.faults += self.ledger.audit(settled=True)

    def _boot(self) -> None:
        self.kernel.tell("the power is back")
        self._watchers.clear()
        self.bringing.clear()
        self.faults += self.ledger.after_power_cut()
        if self.kernel.boot > POWER_CUTS:
            self.kernel.set_weather(CALM)
        for place in self.ledger.places:
            self._serve(place)

    def _killed(self, process: Process) -> None:
        """A kill of one process; a power cut kills them all, and is judged once the power is back."""
        if self.kernel.cut:
            return
        self._engine.orphan(process)
        if process.pid in self.bringing:
            self.ledger.left(*self.bringing.pop(process.pid))
        self.faults += self.ledger.audit(settled=False)
        for place in self.ledger.places:
            self.ledger.note_running(place)
            if process.name == f"worker on {place.root}":
                self._serve(place, delay=1.0)

    def _serve(self, place: Place, delay: float = 0.0) -> None:
        """Start the worker, as the system's supervisor does, as long as it has lives."""
        lives = self._lives.setdefault(place.root, LIVES)
        if lives:
            self._lives[place.root] = lives - 1
            self.kernel.start(f"worker on {place.root}", partial(self._live, place), party=place, delay=delay)

    def _live(self, place: Place, *, last: bool = False) -> None:
        """What `watch` does from its start to its end."""
        try:
            code = self._own(place, last=last)
        except (ProxxError, PublishingStuckError) as fault:
            self.kernel.tell(f"worker stopped: {fault.error.code} {fault}")
            if last:
                self.faults.append(f"the last start stopped: {fault.error.code} {fault}")
        except Exception:  # noqa: BLE001 - whatever it is, it is a fault of the worker
            self.faults.append(f"it fell over: {traceback.format_exc()}")
        else:
            self.kernel.tell(f"worker ended with {code}")

    def _own(self, place: Place, *, last: bool) -> int:
        workspace = Workspace(self.system.path(place.root))
        workspace.require()
        with WorkspaceLock.acquire(workspace, since="2026-01-01T00:00:00Z") as lock:
            owner = workspace.prepare()
            now, after_job = SimulatedStop(self.kernel), SimulatedStop(self.kernel)
            once = last or self.chance(0.7)
            if not once or self.chance(0.1):
                stop = self.rng.choice((now, after_job))
                self.kernel.start("operator", stop.request, delay=self.rng.random() * 8)
            watcher = self._watch(workspace)
            status = StatusFile(workspace.status_file, is_stopping=now.requested)
            beating = BeatingStop(now, status.beat)
            observer = Observers((status, self._witness))
            log = SimulatedLog(self.kernel, partial(self._finished, place))
            spool = Spool(workspace, beating)
            inbox = Inbox(
                workspace.inbox,
                settle_seconds=_SETTLE_SECONDS,
                poll_seconds=_POLL_SECONDS,
                events_trusted=isinstance(watcher, SimulatedEvents),
            )
            requests = Requests(workspace.inbox, settle_seconds=_SETTLE_SECONDS)
            worker = Worker(
                spool=spool,
                inbox=inbox,
                requests=requests,
                watcher=watcher,
                lock=lock,
                executor=Executor(self._environment, RECORD, observer, lock.filenos()),
                status=status,
                observer=observer,
                log=log,
                stops=Stops(beating, after_job),
                require_tools=lambda: None,
                require_start=lambda: None,
                owner=owner,
            )
            status.idle(0)
            exit_code = int(ErrorClass.ENVIRONMENT)
            try:
                Recoverer(spool, requests, owner, None, NO_MAPPINGS, RECORD, log, (worker.count,), beating).finish_jobs()
                for hears in self.when_recovered:
                    hears(place)
                exit_code = worker.work(once=once)
            finally:
                status.end(worker.waiting(), exit_code)
                watcher.close()
            return exit_code

    def _finished(self, place: Place, job: str) -> None:
        for hears in self.when_finished:
            hears(place, job)

    def _watch(self, workspace: Workspace) -> SimulatedEvents | NoEvents:
        if self.kernel.network or self.chance(0.3):
            return NoEvents("a share, or a limit of the system")
        watcher = SimulatedEvents(self.kernel, self.kernel.disk.find(workspace.inbox))
        self._watchers.append(watcher)
        return watcher

    def _changed(self, folder: Inode, name: bytes) -> None:
        for watcher in self._watchers:
            if watcher.folder is folder:
                watcher.report(name)
