"""One task, with a fake engine: what is asked of an engine in which order, and what the record says of it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.contract.result import TaskRecord, TaskStatus
from proxx_worker.contract.status import Stage
from proxx_worker.engines.port import Encoded, EngineContext, Plan, StagingArea, Unfinished, Usage
from proxx_worker.engines.source_file import OpenSource
from proxx_worker.process.stop import StopFlag
from proxx_worker.verification.evidence import Evidence
from proxx_worker.verification.proxy_probe import ProxyObservation
from tests.support.engine import Log
from tests.support.fake_engine import FakeEngine
from tests.support.jobs import Watcher, execute, spec

ARGV = ("program", "argument")


class Blamed(Evidence):
    """The engine knows that its own output is bad."""

    def checks(self) -> tuple[()]:
        return ()

    def fault(self) -> JobError | None:
        return JobError(ErrorCode.RESOLVE_FAILED, "it said so", {"why": "a test"})

    def error(self, proxy: ProxyObservation) -> None: ...


@dataclass(frozen=True)
class Probing(FakeEngine):
    """`change`: what becomes of what the fake engine answers. `finish`: what happens when it finalizes."""

    change: Callable[[Encoded], Encoded | Unfinished] = lambda encoded: encoded
    finish: Callable[[Encoded], object] = lambda _: None
    asked: list[str] = field(default_factory=list)

    def encode(
        self, plan: Plan, source: OpenSource, staging: StagingArea, name: str, context: EngineContext
    ) -> Encoded | Unfinished:
        self.asked.append("encode")
        encoded = super().encode(plan, source, staging, name, context)
        assert isinstance(encoded, Encoded)
        return self.change(encoded)

    def finalize(self, plan: Plan, encoded: Encoded, context: EngineContext) -> None:
        self.asked.append("finalize")
        self.finish(encoded)


def record(engine: FakeEngine, clip: Path, out: Path, stop: StopFlag, watcher: Watcher | None = None) -> TaskRecord:
    (task,) = execute(engine, spec([clip], out), stop, watcher=watcher).tasks
    return task


def test_a_record_says_what_the_engine_said(clip: Path, out: Path, stop: StopFlag) -> None:
    def command(encoded: Encoded) -> Encoded:
        return Encoded(encoded.staged, encoded.evidence, Usage(1.2345, 99), ARGV, 0)

    engine = Probing(clip.read_bytes(), change=command)
    task = record(engine, clip, out, stop)
    assert (task.status, task.command, task.exit_code) == (TaskStatus.COMPLETED, list(ARGV), 0)
    assert (task.cpu_seconds, task.peak_memory_bytes) == (1.234, 99)
    assert task.source_media is not None
    assert engine.asked == ["encode", "finalize"]


def test_an_engine_that_was_ended_is_asked_nothing_more(clip: Path, out: Path, stop: StopFlag) -> None:
    def ended(_: Encoded) -> Unfinished:
        return Unfinished(JobError(ErrorCode.ENCODE_STALLED, "it hung"), Usage(2.0, 7), ARGV, -15)

    engine, watcher = Probing(clip.read_bytes(), change=ended), Watcher()
    task = record(engine, clip, out, stop, watcher)
    assert task.error is not None
    assert (task.error.code, task.command, task.exit_code, task.cpu_seconds) == (
        ErrorCode.ENCODE_STALLED, list(ARGV), -15, 2.0,
    )  # fmt: skip
    assert (task.checks, task.output_media, task.output) == ([], None, None)
    assert engine.asked == ["encode"]
    assert (Stage.VERIFYING, 1) not in watcher.told


def test_a_fault_that_the_engine_knows_spares_the_look_at_the_proxy(clip: Path, out: Path, stop: StopFlag) -> None:
    def blamed(encoded: Encoded) -> Encoded:
        return Encoded(encoded.staged, Blamed(), encoded.usage)

    task = record(Probing(clip.read_bytes(), change=blamed), clip, out, stop)
    assert task.error is not None
    assert (task.error.code, task.error.details) == (ErrorCode.RESOLVE_FAILED, {"source": str(clip), "why": "a test"})
    assert task.output_media is None


def test_what_finalizing_refuses_fails_the_task(clip: Path, out: Path, stop: StopFlag) -> None:
    def refuse(_: Encoded) -> None:
        raise ProxxError(ErrorCode.OUTPUT_INVALID, "it cannot be completed")

    task = record(Probing(clip.read_bytes(), finish=refuse), clip, out, stop)
    assert task.error is not None
    assert (task.error.code, task.checks) == (ErrorCode.OUTPUT_INVALID, [])
    assert list(out.iterdir()) == []


def test_what_finalizing_changes_is_verified_and_hashed(clip: Path, out: Path, stop: StopFlag) -> None:
    brand = 8  # offset of the major brand in the first box; readers of QuickTime do not mind which it is
    task = record(Probing(clip.read_bytes(), finish=lambda it: it.staged.write_at(brand, b"QT  ")), clip, out, stop)
    assert task.output is not None
    data = Path(task.output).read_bytes()
    assert data[brand : brand + 4] == b"QT  "
    assert task.output_sha256 == hashlib.sha256(data).hexdigest()


def test_what_finalizing_spoils_is_found(clip: Path, out: Path, stop: StopFlag) -> None:
    task = record(Probing(clip.read_bytes(), finish=lambda it: it.staged.write_at(0, bytes(1 << 16))), clip, out, stop)
    assert task.error is not None
    assert task.error.code is ErrorCode.OUTPUT_INVALID


def test_a_fault_that_nobody_foresaw_is_told_with_its_traceback(clip: Path, out: Path, stop: StopFlag) -> None:
    def fail(_: Encoded) -> Encoded:
        raise ZeroDivisionError("a bug")

    log = Log()
    result = execute(Probing(clip.read_bytes(), change=fail), spec([clip], out), stop, log=log)
    assert result.error is not None
    assert result.error.code is ErrorCode.INTERNAL_ERROR
    assert "internal_error" in log.actions
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("stage", [Stage.ENCODING, Stage.VERIFYING, Stage.SEALING])
def test_a_stop_is_heard_in_every_stage(clip: Path, out: Path, stop: StopFlag, stage: Stage) -> None:
    task = record(FakeEngine(clip.read_bytes()), clip, out, stop, Watcher({(stage, 1): stop.request}))
    assert task.error is not None
    assert task.error.code is ErrorCode.INTERRUPTED
    assert list(out.iterdir()) == []
