"""What a job's observer hears: every stage in order, and how each task and the job ended."""

from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.result import JobResult, JobStatus, TaskRecord, TaskStatus, WorkerRecord
from proxx_worker.contract.status import Stage
from proxx_worker.delivery.names import RUN_OWNER
from proxx_worker.execution.executor import Executor, Job
from proxx_worker.execution.preflight import Environment, Roots
from proxx_worker.observe.observer import JobInfo, TaskInfo
from proxx_worker.process.stop import StopFlag
from proxx_worker.verification.progress import Progress
from tests.support.logs import NoLog
from tests.support.probing import PICTURE, TOOLS, make

WORKER = WorkerRecord(version="0", ffmpeg=TOOLS.ffmpeg, ffprobe=TOOLS.ffprobe, declared_versions={})


@dataclass
class Ear:
    """Notes what it hears; asks for a stop once it hears of the stage `stop_at`."""

    stop: StopFlag
    stop_at: Stage | None = None
    heard: list[str] = field(default_factory=list)
    results: list[JobResult] = field(default_factory=list)

    def job_entered(self, job: JobInfo, stage: Stage) -> None:
        self._at(stage, f"{job.name} {stage}")

    def task_entered(self, task: TaskInfo, stage: Stage) -> None:
        self._at(stage, f"{task.number}/{task.tasks} {stage}")

    def progressed(self, task: TaskInfo, progress: Progress) -> None:
        assert self.heard[-1] == f"{task.number}/{task.tasks} encoding", "progress is the encoder's alone"

    def task_ended(self, task: TaskInfo, outcome: TaskRecord) -> None:
        assert outcome.source == task.source
        self.heard.append(f"{task.number}/{task.tasks} {outcome.status}")

    def job_ended(self, job: JobInfo, outcome: JobResult) -> None:
        self.heard.append(f"{job.name} {outcome.status}")
        self.results.append(outcome)

    def _at(self, stage: Stage, what: str) -> None:
        self.heard.append(what)
        if stage is self.stop_at:
            self.stop.request()


class Memory:
    """A journal that forgets."""

    def make_room(self, tasks: int) -> None:
        """Nothing to reserve."""

    def commit(self, result: JobResult) -> None:
        """Nothing to keep."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("clip") / "clip.mov", *PICTURE, "-c:v", "mpeg4")


def execute(ear: Ear, folder: Path, sources: list[Path]) -> JobResult:
    spec = {
        "jobspec_version": "2.1",
        "sources": [str(source) for source in sources],
        "output_directory": str(folder),
        "proxy_profile": "proxy_h264_quarter",
        "naming_template": "proxy_{index}",
    }
    executor = Executor(Environment(lambda: TOOLS, Roots(), 300), WORKER, ear, ())
    return executor.execute(Job.of("clip", orjson.dumps(spec), RUN_OWNER), Memory(), NoLog(), ear.stop)


TASK = ("encoding", "verifying", "sealing", "COMPLETED")


def test_a_job_that_goes_well(stop: StopFlag, tmp_path: Path, clip: Path) -> None:
    ear = Ear(stop)
    result = execute(ear, tmp_path, [clip, clip])
    assert ear.heard == [
        "clip probing",
        "clip surveying",
        *(f"1/2 {it}" for it in TASK),
        *(f"2/2 {it}" for it in TASK),
        "clip publishing",
        "clip COMPLETED",
    ]
    assert ear.results == [result]


def test_a_spec_that_is_refused(stop: StopFlag, tmp_path: Path) -> None:
    ear = Ear(stop)
    execute(ear, tmp_path, [])
    assert ear.heard == ["clip probing", "clip FAILED"]


@pytest.mark.parametrize(
    ("stop_at", "heard"),
    [
        (Stage.PROBING, ["clip probing"]),
        (Stage.SURVEYING, ["clip probing", "clip surveying", "1/2 encoding", "1/2 FAILED"]),
        (Stage.ENCODING, ["clip probing", "clip surveying", "1/2 encoding", "1/2 FAILED"]),
        (Stage.VERIFYING, ["clip probing", "clip surveying", "1/2 encoding", "1/2 verifying", "1/2 FAILED"]),
        (Stage.SEALING, ["clip probing", "clip surveying", "1/2 encoding", "1/2 verifying", "1/2 sealing", "1/2 FAILED"]),
    ],
)
def test_a_stop_is_heard_at_every_stage(stop: StopFlag, tmp_path: Path, clip: Path, stop_at: Stage, heard: list[str]) -> None:
    ear = Ear(stop, stop_at)
    result = execute(ear, tmp_path, [clip, clip])
    assert ear.heard == [*heard, "clip FAILED"]
    assert result.error is not None
    assert result.error.code is ErrorCode.INTERRUPTED
    assert TaskStatus.COMPLETED not in {task.status for task in result.tasks}
    assert list(tmp_path.iterdir()) == []


def test_a_stop_after_the_decision_comes_too_late(stop: StopFlag, tmp_path: Path, clip: Path) -> None:
    result = execute(Ear(stop, Stage.PUBLISHING), tmp_path, [clip])
    assert result.status is JobStatus.COMPLETED
    assert [entry.name for entry in tmp_path.iterdir()] == ["proxy_000.mp4"]
