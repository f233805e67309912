"""One job, with a fake engine: what refuses it and when, and what its result then says."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, JobError, JsonValue, ProxxError
from proxx_worker.contract.output_settings import Engine, OutputSettings
from proxx_worker.contract.result import JobResult, JobStatus, TaskStatus
from proxx_worker.delivery.output_directory import OutputDirectory
from proxx_worker.engines.port import Accepted, Encoded, EngineContext, Media, Plan, Refused, StagingArea, Unfinished, Usage
from proxx_worker.engines.source_file import OpenSource
from proxx_worker.execution.executor import Job
from proxx_worker.execution.preflight import AcceptedJob, RefusedJob, inspect
from proxx_worker.process.stop import StopFlag
from tests.support.engine import Log
from tests.support.fake_engine import FakeEngine, FakePlan
from tests.support.jobs import Journal, Watcher, environment, execute, executor, spec

R3D = b"\0\0\0\x40RED1" + bytes(4096)


def told(result: JobResult) -> tuple[ErrorCode | None, list[TaskStatus], list[ErrorCode | None]]:
    """The job's error, and each task's status and error."""
    errors = [None if task.error is None else task.error.code for task in result.tasks]
    return None if result.error is None else result.error.code, [task.status for task in result.tasks], errors


def failing(code: ErrorCode) -> ProxxError:
    return ProxxError(code, "as the test wants it", reason="a test")


def run(engine: FakeEngine, clip: Path, out: Path, stop: StopFlag, watcher: Watcher | None = None) -> JobResult:
    return execute(engine, spec([clip, clip], out), stop, watcher=watcher)


class RefusesFirst(FakeEngine):
    """It cannot plan what it sees first."""

    def plan(self, settings: OutputSettings, media: Media, preset: str | None) -> FakePlan:
        raise failing(ErrorCode.SOURCE_UNSUPPORTED)


class Absent(FakeEngine):
    """It is not installed here."""

    def require_available(self) -> None:
        raise failing(ErrorCode.RESOLVE_UNAVAILABLE)


class Surveyor(FakeEngine):
    """It finds out before the first encode that the second source is offline."""

    def survey(self, tasks: Sequence[Accepted], context: EngineContext) -> Sequence[Accepted | Refused]:  # type: ignore[override]
        assert context.output_directory.endswith("/out")
        return [tasks[0], Refused(tasks[1].source, JobError(ErrorCode.SOURCE_UNSUPPORTED, "it is offline"))]


class Unreachable(FakeEngine):
    """It cannot be asked."""

    def survey(self, tasks: Sequence[Accepted], context: EngineContext) -> Sequence[Accepted]:
        raise failing(ErrorCode.RESOLVE_UNAVAILABLE)


class Buggy(FakeEngine):
    """It has a fault that nobody foresaw."""

    def survey(self, tasks: Sequence[Accepted], context: EngineContext) -> Sequence[Accepted]:
        raise ZeroDivisionError


class Cancelled(StopFlag):
    """A stop that nobody asks for, and a cancel that only the last look finds."""

    def cancelled(self) -> bool:
        return True

    def error(self, work: str, **details: JsonValue) -> ProxxError:
        return ProxxError(ErrorCode.CANCELLED, f"cancelled while {work}", **details)


NOT_RUN = [TaskStatus.NOT_RUN, TaskStatus.NOT_RUN]


@pytest.mark.parametrize(
    ("kind", "statuses", "codes", "counts"),
    [
        (FakeEngine, [TaskStatus.DISCARDED] * 2, [None, None], ". 2 finished proxies were discarded."),
        (RefusesFirst, NOT_RUN, [ErrorCode.SOURCE_UNSUPPORTED] * 2, ""),
    ],
    ids=["would-be-completed", "would-be-refused"],
)
def test_a_cancel_that_is_there_before_the_record_decides(
    kind: type[FakeEngine], statuses: list[TaskStatus], codes: list[ErrorCode | None], counts: str, clip: Path, out: Path
) -> None:
    stop = Cancelled()
    result = run(kind(clip.read_bytes()), clip, out, stop)
    assert told(result) == (ErrorCode.CANCELLED, statuses, codes)
    assert result.error is not None
    assert result.error.message == f"cancelled while its result was about to be recorded{counts}"
    assert [path.name for path in out.iterdir()] == []
    stop.close()


@pytest.mark.parametrize(
    ("kind", "code", "errors"),
    [
        (RefusesFirst, ErrorCode.SOURCE_UNSUPPORTED, [ErrorCode.SOURCE_UNSUPPORTED] * 2),
        (Absent, ErrorCode.RESOLVE_UNAVAILABLE, [None, None]),
        (Surveyor, ErrorCode.SOURCE_UNSUPPORTED, [None, ErrorCode.SOURCE_UNSUPPORTED]),
        (Unreachable, ErrorCode.RESOLVE_UNAVAILABLE, [None, None]),
        (Buggy, ErrorCode.INTERNAL_ERROR, [None, None]),
    ],
)
def test_an_engine_refuses_before_anything_is_written(
    clip: Path, out: Path, stop: StopFlag, kind: type[FakeEngine], code: ErrorCode, errors: list[ErrorCode | None]
) -> None:
    result = run(kind(clip.read_bytes()), clip, out, stop)
    assert told(result) == (code, NOT_RUN, errors)
    assert list(out.iterdir()) == []


def test_the_error_of_a_single_source_names_it(clip: Path, out: Path, stop: StopFlag) -> None:
    result = run(Surveyor(clip.read_bytes()), clip, out, stop)
    assert result.error is not None
    assert (result.error.message, result.error.details) == (f"{clip}: it is offline", {"source": str(clip)})


def test_without_its_engine_camera_raw_is_not_taken_on(fake: FakeEngine, out: Path, stop: StopFlag, tmp_path: Path) -> None:
    raw = tmp_path / "A001.R3D"
    raw.write_bytes(R3D)
    data = spec([raw], out, codec="prores_lt", container="mov", resolution="same", resolve_preset="Proxy")
    assert told(execute(fake, data, stop))[0] is ErrorCode.RESOLVE_UNAVAILABLE
    result = execute(fake, data, stop, kind=Engine.RESOLVE)
    assert (result.status, result.engine, result.tasks[0].source_media) == (JobStatus.COMPLETED, "resolve", None)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"codec": "prores_lt", "container": "mov", "resolution": "same"}, ErrorCode.SPEC_INVALID),
        ({"proxy_profile": "proxy_prores_lt"}, ErrorCode.ENGINE_MISMATCH),
    ],
)
def test_camera_raw_needs_a_preset_and_its_own_profile(
    fake: FakeEngine, out: Path, stop: StopFlag, tmp_path: Path, fields: dict[str, str], code: ErrorCode
) -> None:
    raw = tmp_path / "A001.R3D"
    raw.write_bytes(R3D)
    assert told(execute(fake, spec([raw], out, **fields), stop, kind=Engine.RESOLVE))[0] is code


def test_one_engine_makes_a_whole_job(fake: FakeEngine, clip: Path, out: Path, stop: StopFlag, tmp_path: Path) -> None:
    raw = tmp_path / "A001.R3D"
    raw.write_bytes(R3D)
    data = spec([clip, raw], out, codec="prores_lt", container="mov", resolution="same")
    result = execute(fake, data, stop)
    assert told(result)[0] is ErrorCode.MIXED_ENGINES
    assert result.error is not None
    assert result.error.details == {"resolve": [str(raw)], "ffmpeg": [str(clip)]}


def test_a_source_s_own_error_goes_before_a_missing_engine(out: Path, stop: StopFlag, clip: Path, tmp_path: Path) -> None:
    result = execute(Absent(b""), spec([clip, tmp_path / "none.mov"], out), stop)
    assert told(result) == (ErrorCode.SOURCE_MISSING, NOT_RUN, [None, ErrorCode.SOURCE_MISSING])


def test_a_stop_while_sources_are_looked_at_is_no_source_s_error(fake: FakeEngine, clip: Path, out: Path, stop: StopFlag) -> None:
    stop.request()
    assert told(run(fake, clip, out, stop)) == (ErrorCode.INTERRUPTED, NOT_RUN, [None, None])


@pytest.mark.parametrize(
    ("content", "code", "tasks"),
    [(b"{", ErrorCode.SPEC_NOT_JSON, 0), (b'{"jobspec_version": "9", "sources": ["/a"]}', ErrorCode.SPEC_VERSION, 1)],
)
def test_a_spec_that_is_refused(fake: FakeEngine, stop: StopFlag, content: bytes, code: ErrorCode, tasks: int) -> None:
    result = execute(fake, content, stop)
    assert told(result) == (code, [TaskStatus.NOT_RUN] * tasks, [None] * tasks)
    assert (result.engine, result.settings) == (None, None)


def test_a_spec_that_was_not_taken_in_is_refused_with_its_reason(fake: FakeEngine, stop: StopFlag) -> None:
    journal, watcher = Journal(), Watcher()
    reason = JobError(ErrorCode.SPEC_TOO_LARGE, "too much")
    job = Job.refused("job", "run", None, reason)
    result = executor(environment(fake), watcher).execute(job, journal, Log(), stop)
    assert told(result) == (ErrorCode.SPEC_TOO_LARGE, [], [])
    assert watcher.told == [(JobStatus.FAILED, 0)]


def with_journal(journal: Journal, fake: FakeEngine, clip: Path, out: Path, stop: StopFlag) -> JobResult:
    return executor(environment(fake)).execute(Job.of("job", spec([clip], out), "run"), journal, Log(), stop)


def test_no_room_for_the_result_refuses_the_job(fake: FakeEngine, clip: Path, out: Path, stop: StopFlag) -> None:
    result = with_journal(Journal(refuse=failing(ErrorCode.NO_SPACE)), fake, clip, out, stop)
    assert told(result) == (ErrorCode.NO_SPACE, [TaskStatus.NOT_RUN], [None])
    assert list(out.iterdir()) == []


def test_a_journal_that_fails_ends_more_than_the_job(fake: FakeEngine, clip: Path, out: Path, stop: StopFlag) -> None:
    with pytest.raises(ProxxError) as caught:
        with_journal(Journal(refuse=failing(ErrorCode.IO_ERROR)), fake, clip, out, stop)
    assert caught.value.code is ErrorCode.IO_ERROR


def test_a_directory_that_another_job_holds(fake: FakeEngine, clip: Path, out: Path, stop: StopFlag) -> None:
    with OutputDirectory.hold(str(out)):
        assert told(run(fake, clip, out, stop))[0] is ErrorCode.OUTPUT_DIRECTORY_BUSY
    assert told(run(fake, clip, out, stop))[0] is None


def test_a_decision_is_taken_back_where_publishing_is_refused(fake: FakeEngine, clip: Path, out: Path, stop: StopFlag) -> None:
    journal = Journal()
    watcher = Watcher({("progressed", 1): lambda: (out / "clip_000.mov").write_bytes(b"precious")})
    job = Job.of("job", spec([clip], out), "run")
    executor(environment(fake), watcher).execute(job, journal, Log(), stop)
    assert [result.status for result in journal.decisions] == [JobStatus.COMPLETED, JobStatus.FAILED]


def test_nothing_is_inspected_twice_or_written(fake: FakeEngine, clip: Path, out: Path, stop: StopFlag) -> None:
    looked: list[tuple[str, list[str]]] = []
    data = spec([clip, clip], out)
    found = inspect(data, environment(fake), stop, lambda path, names: looked.append((path, list(names))))
    assert isinstance(found, AcceptedJob)
    assert (found.kind, found.engine) == (Engine.FFMPEG, fake)
    assert looked == [(str(out), ["clip_000.mov", "clip_001.mov"])]
    assert [(task.source, task.output_name) for task in found.tasks] == [(str(clip), f"clip_00{at}.mov") for at in (0, 1)]
    named_twice = json.loads(data) | {"naming_template": "same"}
    refused = inspect(json.dumps(named_twice).encode(), environment(fake), stop, lambda _path, _names: None)
    assert isinstance(refused, RefusedJob)
    assert (refused.error.code, refused.errors) == (ErrorCode.OUTPUT_NAME_COLLISION, {})


def test_an_output_directory_that_is_refused_is_the_last_thing_to_be_found(
    fake: FakeEngine, clip: Path, stop: StopFlag, tmp_path: Path
) -> None:
    result = run(fake, clip, tmp_path / "none", stop)
    assert told(result) == (ErrorCode.OUTPUT_DIRECTORY_MISSING, NOT_RUN, [None, None])
    assert result.engine == "ffmpeg"


class Damaged(FakeEngine):
    """It cannot make the output of the third source."""

    def encode(
        self, plan: Plan, source: OpenSource, staging: StagingArea, name: str, context: EngineContext
    ) -> Encoded | Unfinished:
        if name == "clip_002.mov":
            return Unfinished(JobError(self.code, "FFmpeg found damage. Check the file."), Usage())
        return super().encode(plan, source, staging, name, context)

    code = ErrorCode.SOURCE_DAMAGED


class OutOfSpace(Damaged):
    """It runs out of space at the third source, which is no fault of that source."""

    code = ErrorCode.NO_SPACE


@pytest.mark.parametrize(
    ("kind", "sources", "said"),
    [
        (
            Damaged,
            4,
            "Check the file. 2 finished proxies were discarded, 1 never ran; remove this source or make one spec per clip.",
        ),
        (Damaged, 3, "Check the file. 2 finished proxies were discarded; remove this source or make one spec per clip."),
        (OutOfSpace, 4, "Check the file. 2 finished proxies were discarded, 1 never ran."),
    ],
)
def test_a_damaged_clip_among_others_says_what_it_cost(
    clip: Path, out: Path, stop: StopFlag, kind: type[Damaged], sources: int, said: str
) -> None:
    result = execute(kind(clip.read_bytes()), spec([clip] * sources, out), stop)
    assert result.error is not None
    assert result.error.message == f"{clip}: FFmpeg found damage. {said}"
    failed = result.tasks[2].error
    assert failed is not None
    assert failed.message == f"{clip}: FFmpeg found damage. Check the file.", "the task's own error is about itself"
    assert list(out.iterdir()) == []


def test_a_single_clip_costs_no_other(clip: Path, out: Path, stop: StopFlag) -> None:
    result = execute(Lone(clip.read_bytes()), spec([clip], out), stop)
    assert result.error is not None
    assert result.error.message == f"{clip}: FFmpeg found damage. Check the file."


class Lone(Damaged):
    """It cannot make any output."""

    def encode(
        self, plan: Plan, source: OpenSource, staging: StagingArea, name: str, context: EngineContext
    ) -> Encoded | Unfinished:
        return super().encode(plan, source, staging, "clip_002.mov", context)
