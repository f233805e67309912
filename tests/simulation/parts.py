"""The parts of a simulated worker that are not its own code: its stop, what it is told of its inbox, who listens to it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from proxx_worker.contract.errors import ErrorCode, JsonValue
from proxx_worker.contract.result import JobResult
from proxx_worker.contract.status import Stage
from proxx_worker.observe.joblog import Level
from proxx_worker.observe.observer import JobInfo, SilentObserver, TaskInfo
from proxx_worker.process.stop import StopSignal
from proxx_worker.workspace.wakeups import Wakeups
from tests.simulation.inodes import Inode
from tests.simulation.kernel import Kernel

_EVENTS_LOST = 0.05


@dataclass(eq=False)
class SimulatedStop(StopSignal):
    """A stop that is requested without a signal."""

    kernel: Kernel
    asked: bool = False

    def requested(self) -> bool:
        return self.asked

    def fileno(self) -> int:
        return id(self)

    def request(self) -> None:
        """Ask for it, and end the wait of whoever waits for it."""
        self.kernel.tell("asks for a stop")
        self.asked = True
        self.kernel.wake(id(self))


class SimulatedEvents:
    """The events of a folder. Now and then some are lost, and it says so."""

    reason: str | None = None

    def __init__(self, kernel: Kernel, folder: Inode) -> None:
        self.folder = folder
        self._kernel = kernel
        self._names: set[bytes] = set()
        self._lost = False

    def fileno(self) -> int | None:
        return id(self)

    def read(self) -> Wakeups:
        wakeups = Wakeups(tuple(sorted(self._names)), lost=self._lost)
        self._names.clear()
        self._lost = False
        return wakeups

    def close(self) -> None:
        self._names.clear()

    def report(self, name: bytes) -> None:
        """Something happened to the entry `name`."""
        if self._kernel.rng.random() < _EVENTS_LOST:
            self._lost = True
        else:
            self._names.add(name)
        self._kernel.wake(id(self))


class SimulatedLog:
    """The worker's own log: lines of the story. `finished` hears of each job that has reached its folder."""

    def __init__(self, kernel: Kernel, finished: Callable[[str], object]) -> None:
        self._kernel = kernel
        self._finished = finished

    def event(self, action: str, message: str = "", *, level: Level = "INFO", **fields: JsonValue) -> None:
        told = " ".join(f"{key}={value}" for key, value in fields.items())
        self._kernel.tell(f"{action} {message} {told}")
        if action == "finished":
            self._finished(str(fields["job"]))

    def encoder_lines(self, lines: Sequence[str]) -> None: ...


@dataclass
class Witness(SilentObserver):
    """Counts the encodes, by job id and task, notes in `faults` what nobody foresaw, and tells of each job to be published."""

    kernel: Kernel
    encodes: Counter[tuple[str, int]]
    faults: list[str]
    publishing: Sequence[Callable[[], object]]

    def job_entered(self, job: JobInfo, stage: Stage) -> None:
        if stage is Stage.PUBLISHING:
            for hears in self.publishing:
                hears()

    def task_entered(self, task: TaskInfo, stage: Stage) -> None:
        if stage is Stage.ENCODING:
            self.encodes[task.job_id, task.number] += 1
            self.kernel.tell(f"encodes {task.job_id} {task.number}")

    def job_ended(self, job: JobInfo, outcome: JobResult) -> None:
        code = None if outcome.error is None else outcome.error.code
        self.kernel.tell(f"{job.job_id} ends as {outcome.status} {code or ''}")
        if code is ErrorCode.INTERNAL_ERROR:
            self.faults.append(f"{job.job_id} met an error that nobody foresaw: {outcome.error}")
