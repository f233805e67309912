"""One simulated machine: its processes, descriptors, locks and clock, and everything that chance does to their calls.

Each process is a greenlet that runs the worker's real code. It goes on until chance lets another one run, at a call to the system
or where it waits. All chance is one `random.Random`, so a seed tells everything that happens.
"""

import errno
import os
import random
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from greenlet import getcurrent, greenlet

from tests.simulation.disk import Disk
from tests.simulation.inodes import Inode, refused
from tests.simulation.weather import CALM, OF_CALLS, Blow, Weather

TICK = 0.0001
"""Seconds that a call takes."""
STARTED_NS = 1_767_225_600_000_000_000
"""The wall clock at the beginning: 2026-01-01."""
ERRORS = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EMFILE, errno.ESTALE)
LOST_REPLIES = {
    "renameat2": (errno.ENOENT, errno.EEXIST, errno.EIO),
    "rename": (errno.ENOENT, errno.EEXIST, errno.EIO),
    "link": (errno.EEXIST, errno.EIO),
    "mkdir": (errno.EEXIST, errno.EIO),
    "open": (errno.EEXIST, errno.EIO),
    "rmdir": (errno.ENOENT, errno.EIO),
    "unlink": (errno.ENOENT, errno.EIO),
}
"""What is answered to a call that was done: by a share whose client asks again and finds it done, or gives up."""


class KilledError(BaseException):
    """The end of a process, which nothing in it may stop. What it still tries on the way has no effect."""


@dataclass(slots=True)
class Description:
    """An open file. Processes that inherited it share it: position and lock."""

    inode: Inode
    writable: bool
    appends: bool
    position: int = 0
    written: bool = False
    holders: int = 1


@dataclass(slots=True, eq=False)
class Process:
    """A process. `exposed`: whether errors and slow calls may befall it; crashes befall any. `party`: for whom it works."""

    pid: int
    name: str
    run: greenlet
    exposed: bool
    party: object
    alive: bool = True
    wake_at: float = 0.0
    waits_for: Sequence[object] = ()
    descriptors: dict[int, Description] = field(default_factory=dict)


_SOON = (1, 2, 4, 8, 16, 32)
"""Within how many calls a strike comes."""
_NOISE = (b".proxx-probe", b"status.json", b"/.proxx/next.")
"""What names a strike does not wait for: they change often, and nothing depends on them."""
_KILLS = 0.4
"""How many of the strikes are kills; the others are power cuts."""
_IDLE_CUTS = 0.5


@dataclass
class Kernel:
    """The machine. `network`: its one filesystem is a share, where a rename has no flag and a folder cannot be locked."""

    rng: random.Random
    network: bool = False
    weather: Weather = CALM
    disk: Disk = field(default_factory=Disk)
    clock: float = 1000.0
    boot: int = 1
    processes: list[Process] = field(default_factory=list)
    locks: dict[int, Description] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)
    """What chance did, and what the processes told."""
    tells_calls: bool = False
    """Whether the story has every call."""
    killed: Callable[[Process], object] = lambda _process: None
    cut: bool = False
    current: Process | None = None
    _hub: greenlet = field(default_factory=getcurrent)
    _pids: int = 100
    _descriptors: int = 1000
    calls: int = 0
    refusals: int = 0
    """How often a call was answered with an error by chance."""
    _lost: int = 0
    _next: int = 0
    _due: dict[str, int] = field(default_factory=dict)
    _plan: list[Blow] = field(default_factory=list)
    _until_strike: int = 0
    """How many changes from now the next strike is drawn; 0 for never."""

    def __post_init__(self) -> None:
        self.set_weather(self.weather)

    @property
    def now_ns(self) -> int:
        """The wall clock."""
        return STARTED_NS + int(self.clock * 1e9)

    def set_weather(self, weather: Weather) -> None:
        """From now on this may befall the processes."""
        self.weather = weather
        self._due = {}
        for what in OF_CALLS:
            self._draw(what)
        self._draw_strike()
        self._plan = list(weather.plan)
        self._next = min(self._due.values())

    def _draw(self, what: str) -> None:
        every: int | None = getattr(self.weather, what)
        if every is None:
            self._due.pop(what, None)
        else:
            self._due[what] = self.calls + self.rng.randint(1, 2 * every - 1)

    def _draw_strike(self) -> None:
        every = self.weather.strike
        self._until_strike = 0 if every is None else self.rng.randint(1, 2 * every - 1)

    def start(
        self, name: str, body: Callable[[], object], *, exposed: bool = True, party: object = None, delay: float = 0.0
    ) -> Process:
        """A new process. `party`: whoever it works for, as others do; None for itself."""
        self._pids += 1
        process = Process(self._pids, name, greenlet(body, self._hub), exposed, party or name, wake_at=self.clock + delay)
        self.processes.append(process)
        return process

    def run(self, calls: int) -> None:
        """Let the processes run until none is left, the power is gone, or so many calls were made in all."""
        while self.processes and not self.cut and self.calls < calls:
            ready = [it for it in self.processes if it.wake_at <= self.clock]
            if not ready:
                self.clock = min(it.wake_at for it in self.processes)
                continue
            self._resume(ready[self.rng.randrange(len(ready))])
        if not self.processes and self.weather.strike is not None and self.rng.random() < _IDLE_CUTS:
            self.tell("power cut of an idle machine")
            self.cut = True
        if self.cut:
            for process in list(self.processes):
                self.kill(process)
            self.cut = False
            self.boot += 1
            self.disk.lose_power(self.rng)

    def _resume(self, process: Process) -> None:
        self.current, self.disk.user = process, process.party
        with suppress(KilledError):
            process.run.switch()
        self.current = None
        if process.run.dead:
            self._bury(process)

    def kill(self, process: Process) -> None:
        """End a process that does not run at the moment."""
        process.alive = False
        self.current = process
        if process.run:
            with suppress(KilledError):
                process.run.throw(KilledError)
        self.current = None
        self._bury(process)

    def _bury(self, process: Process) -> None:
        if process in self.processes:
            self.processes.remove(process)
            if not process.alive:
                self.killed(process)
            process.alive = False
            for description in process.descriptors.values():
                self.let_go(description)
            process.descriptors.clear()

    def me(self) -> Process:
        """The process that runs."""
        assert self.current is not None
        return self.current

    def wait(self, seconds: float, waits_for: Sequence[object] = ()) -> None:
        """Let the others run for so long, or until one of `waits_for` wakes this process."""
        process = self.me()
        if not process.alive:
            raise KilledError
        process.wake_at, process.waits_for = self.clock + seconds, waits_for
        self._switch()
        process.waits_for = ()

    def _switch(self) -> None:
        process = self.me()
        self._hub.switch()
        self.current = process
        if not process.alive:
            raise KilledError

    def wake(self, what: object) -> None:
        """End the waits for `what`."""
        for process in self.processes:
            if what in process.waits_for:
                process.wake_at = self.clock

    def enter(self, call: str, path: object = "", *, reads: bool = False) -> None:
        """A process makes a call. Here chance has its say; raises `OSError` or `KilledError`."""
        process = self.current
        if process is None:
            return  # the auditor's look
        if not process.alive:
            raise KilledError
        self.clock += TICK
        if self.tells_calls:
            self._tell("calls", process, call, path)
        self._lost = 0
        self.calls += 1
        if self._plan and call == self._plan[0].call:
            self._follow_plan(process, call, path, reads=reads)
        if self.calls >= self._next:
            for what in [what for what, at in self._due.items() if at <= self.calls]:
                self._draw(what)
                self._next = min(self._due.values())
                self._happen(what, process, call, path, reads=reads)

    def _follow_plan(self, process: Process, call: str, path: object, *, reads: bool) -> None:
        if isinstance(path, bytes) and re.fullmatch(self._plan[0].path, path):
            what = self._plan.pop(0).what
            if what is not None:
                self._happen(what, process, call, path, reads=reads)

    def _happen(self, what: str, process: Process, call: str, path: object, *, reads: bool) -> None:
        match what:
            case "switch":
                process.wake_at = self.clock
                self._switch()
            case "kill" | "cut":
                self._tell(f"{'power cut' if what == 'cut' else 'kill'} before", process, call, path)
                process.alive = False
                self.cut = what == "cut"
                raise KilledError
            case "slow" if process.exposed:
                self._tell("slow", process, call, path)
                self.wait(self.rng.choice((0.3, 1.5, 20.0)))
            case "refuse" if process.exposed:
                number = self.rng.choice(ERRORS)
                self.refusals += 1
                self._tell(errno.errorcode[number], process, call, path)
                raise refused(number, path)
            case "lose_reply" if process.exposed and not reads:
                self._lost = self.rng.choice(LOST_REPLIES[call])
                self.refusals += 1
                self._tell(f"done and answered {errno.errorcode[self._lost]}", process, call, path)
            case _:
                pass

    def leave(self, path: "str | bytes | os.PathLike[str] | os.PathLike[bytes]" = "") -> None:
        """A call that changed a name ends. Raises `OSError` where its reply is lost."""
        if self._until_strike and not any(noise in os.fsencode(path) for noise in _NOISE):
            self._until_strike -= 1
            if not self._until_strike:
                self._draw_strike()
                what = "kill" if self.rng.random() < _KILLS else "cut"
                self._due[what] = self.calls + self.rng.randint(1, self.rng.choice(_SOON))
                self._next = min(self._due.values())
        if self._lost:
            number, self._lost = self._lost, 0
            raise refused(number, path)

    def _tell(self, what: str, process: Process, call: str, path: object) -> None:
        shown = path.decode("utf-8", "replace") if isinstance(path, bytes) else path
        self.story.append(f"{self.clock:10.4f} {process.name}: {what} {call}({shown})")

    def tell(self, words: str) -> None:
        """A line of the story."""
        name = "machine" if self.current is None else self.current.name
        self.story.append(f"{self.clock:10.4f} {name}: {words}")

    def open(self, inode: Inode, *, writable: bool, appends: bool) -> int:
        """A new descriptor of the process that runs."""
        self._descriptors += 1
        self.me().descriptors[self._descriptors] = Description(inode, writable, appends)
        return self._descriptors

    def description(self, descriptor: int) -> Description:
        """What a descriptor of the process that runs stands for."""
        found = self.me().descriptors.get(descriptor)
        if found is None:
            if not self.me().alive:
                raise KilledError
            raise refused(errno.EBADF)
        return found

    def let_go(self, description: Description) -> None:
        """One holder less. The last one takes the lock with it."""
        description.holders -= 1
        if description.holders == 0 and self.locks.get(description.inode.number) is description:
            del self.locks[description.inode.number]

    def lock(self, description: Description) -> None:
        """An exclusive lock, at once or not at all. Raises `OSError`."""
        holder = self.locks.setdefault(description.inode.number, description)
        if holder is not description:
            raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK))

    def process(self, pid: int) -> Process | None:
        """The living process of that number."""
        return next((it for it in self.processes if it.pid == pid), None)
