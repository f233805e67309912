"""Jobs executed in this process, with real files, a real ffprobe and any engine."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from proxx_worker.contract.output_settings import Engine
from proxx_worker.contract.result import JobResult, JobStatus, TaskRecord, TaskStatus, WorkerRecord
from proxx_worker.contract.status import Stage
from proxx_worker.engines.media_probe import FfprobeProbe
from proxx_worker.engines.port import EnginePort
from proxx_worker.engines.tools import locate_tools
from proxx_worker.execution.executor import Executor, Job
from proxx_worker.execution.preflight import Environment, Roots
from proxx_worker.observe.observer import JobInfo, TaskInfo
from proxx_worker.process.stop import StopSignal
from proxx_worker.verification.progress import Progress
from tests.support.engine import Log

TOOLS = locate_tools(None, None, os.environ["PATH"])
RECORD = WorkerRecord(version="0", ffmpeg=TOOLS.ffmpeg, ffprobe=TOOLS.ffprobe, declared_versions={})


@dataclass
class Journal:
    """Keeps every decision. `refuse`: raised instead of making room."""

    decisions: list[JobResult] = field(default_factory=list)
    refuse: Exception | None = None

    def reserve_space(self, tasks: int) -> None:
        """See `executor.Journal`."""
        if self.refuse is not None:
            raise self.refuse

    def commit(self, result: JobResult) -> None:
        """See `executor.Journal`."""
        self.decisions.append(result)


Moment: TypeAlias = "tuple[Stage | TaskStatus | JobStatus | Literal['progressed'], int]"
"""What an observer is told, and of which task, counted from 1; 0 for the job."""


_OF_A_TASK: Sequence[Stage | TaskStatus | Literal["progressed"]] = (
    Stage.ENCODING, "progressed", Stage.VERIFYING, Stage.SEALING, TaskStatus.COMPLETED,
)  # fmt: skip
MOMENTS: Sequence[Moment] = [
    (Stage.PROBING, 0),
    (Stage.SURVEYING, 0),
    *((what, number) for number in (1, 2) for what in _OF_A_TASK),
    (Stage.PUBLISHING, 0),
    (JobStatus.COMPLETED, 0),
]
"""All moments of a job of two tasks that goes well."""


@dataclass
class Watcher:
    """Notes each moment the first time that it is told of it, and does then what the test wants done `at` it."""

    at: Mapping[Moment, Callable[[], object]] = field(default_factory=dict)
    told: list[Moment] = field(default_factory=list)

    def job_entered(self, job: JobInfo, stage: Stage) -> None:
        """See `JobObserver`."""
        self._note(stage, 0)

    def task_entered(self, task: TaskInfo, stage: Stage) -> None:
        """See `JobObserver`."""
        self._note(stage, task.number)

    def progressed(self, task: TaskInfo, progress: Progress) -> None:
        """See `JobObserver`."""
        self._note("progressed", task.number)

    def task_ended(self, task: TaskInfo, outcome: TaskRecord) -> None:
        """See `JobObserver`."""
        self._note(outcome.status, task.number)

    def job_ended(self, job: JobInfo, outcome: JobResult) -> None:
        """See `JobObserver`."""
        self._note(outcome.status, 0)

    def _note(self, what: "Stage | TaskStatus | JobStatus | Literal['progressed']", number: int) -> None:
        moment = what, number
        if moment not in self.told:
            self.told.append(moment)
            self.at.get(moment, lambda: None)()


def environment(engine: EnginePort | None, kind: Engine = Engine.FFMPEG, stall_seconds: float = 60.0) -> Environment:
    """An environment with one engine, or with none."""
    engines = {} if engine is None else {kind: engine}
    return Environment(FfprobeProbe(lambda: TOOLS), engines, Roots(), stall_seconds)


def executor(world: Environment, watcher: Watcher | None = None, record: WorkerRecord = RECORD) -> Executor:
    """An executor in `world`."""
    return Executor(world, record, watcher or Watcher(), ())


def spec(sources: Sequence[Path], out: Path, **fields: object) -> bytes:
    """The bytes of a spec with a number in each output's name."""
    settings = {} if "codec" in fields else {"proxy_profile": "proxy_prores_proxy"}
    document = {
        "jobspec_version": "2.1",
        "sources": [str(source) for source in sources],
        "output_directory": str(out),
        "naming_template": "{source_name}_{index}",
        **settings,
        **fields,
    }
    return json.dumps(document).encode()


def execute(
    engine: EnginePort,
    data: bytes,
    stop: StopSignal,
    *,
    watcher: Watcher | None = None,
    stall_seconds: float = 60.0,
    kind: Engine = Engine.FFMPEG,
    log: Log | None = None,
) -> JobResult:
    """The result of one job, which is also the last decision."""
    journal = Journal()
    job = Job.of("job", data, "run")
    result = executor(environment(engine, kind, stall_seconds), watcher).execute(job, journal, log or Log(), stop)
    assert journal.decisions[-1] == result
    return result
