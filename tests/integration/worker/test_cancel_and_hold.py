"""A worker that is asked to cancel a job or to hold its workspace, with a fake engine: at every moment, and across crashes."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.result import TaskStatus, decode_result
from proxx_worker.contract.status import Stage
from proxx_worker.execution.preflight import Environment
from proxx_worker.process.stop import SUBMIT_AGAIN, StopFlag
from tests.faults.invariants import Expected, violations
from tests.support.engine import Log
from tests.support.jobs import MOMENTS, Moment, Watcher, spec
from tests.support.worker import CrashError, crash, live

DECIDED = MOMENTS.index((Stage.PUBLISHING, 0))


def drop(root: Path, name: str, data: bytes) -> bytes:
    (root / "inbox" / f"{name}.json").write_bytes(data)
    return data


def cancel(root: Path, name: str, data: bytes) -> None:
    (root / "inbox" / f"{name}.cancel").write_text(hashlib.sha256(data).hexdigest())


def cancelling(root: Path, name: str, data: bytes) -> Callable[[], None]:
    return lambda: cancel(root, name, data)


def code_of(root: Path, name: str) -> ErrorCode | None:
    result = decode_result((root / "failed" / f"{name}.result.json").read_bytes())
    return None if result.error is None else result.error.code


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.one_in(3)
@pytest.mark.parametrize("moment", [(Stage.CLAIMED, 0), *MOMENTS], ids=lambda it: f"{it[0]}-{it[1]}")
def test_at_any_moment_of_a_job(root: Path, world: Environment, stop: StopFlag, out: Path, clip: Path, moment: Moment) -> None:
    data = drop(root, "a", spec([clip, clip], out))
    other = drop(root, "b", spec([clip], out, naming_template="other"))
    too_late = moment in MOMENTS[DECIDED:]
    code = live(root, world, stop, Watcher({moment: cancelling(root, "a", data)}))
    assert code == (0 if too_late else 2)
    assert violations(root, Expected([data, other], {out: {}}), settled=True) == []
    assert entries(root / "inbox") == []
    made = ["clip_000.mov", "clip_001.mov"] if too_late else []
    assert entries(out) == [*made, "other.mov"]
    if not too_late:
        result = decode_result((root / "failed" / "a.result.json").read_bytes())
        assert result.error is not None
        assert result.error.code is ErrorCode.CANCELLED
        assert TaskStatus.COMPLETED not in {task.status for task in result.tasks}
    log = (root / ("done" if too_late else "failed") / "a.log").read_text()
    assert ("cancel_too_late" in log) is too_late


@pytest.mark.parametrize(
    ("moment", "interrupted", "counts"),
    [
        ((Stage.PROBING, 0), None, ""),
        ((Stage.ENCODING, 1), 0, " 2 never ran."),
        ((Stage.ENCODING, 2), 1, " 1 finished proxy was discarded, 1 never ran."),
        ((Stage.VERIFYING, 3), 2, " 2 finished proxies were discarded."),
    ],
    ids=str,
)
def test_a_signal_right_after_a_cancel_does_not_hide_it(
    root: Path,
    world: Environment,
    stop: StopFlag,
    out: Path,
    clip: Path,
    moment: Moment,
    interrupted: int | None,
    counts: str,
) -> None:
    def cancel_and_stop() -> None:
        cancel(root, "a", data)
        stop.request()

    data = drop(root, "a", spec([clip] * 3, out))
    live(root, world, stop, Watcher({moment: cancel_and_stop}))
    result = decode_result((root / "failed" / "a.result.json").read_bytes())
    assert result.error is not None
    assert result.error.code is ErrorCode.CANCELLED
    assert result.error.message == f"the job was cancelled while its result was about to be recorded. {SUBMIT_AGAIN}{counts}"
    codes = {task.index: task.error.code for task in result.tasks if task.error is not None}
    assert codes == ({} if interrupted is None else {interrupted: ErrorCode.INTERRUPTED}), "the task ended as it ended"
    assert entries(root / "inbox") == entries(out) == []


def test_a_waiting_job_is_claimed_and_fails_at_once(
    root: Path, world: Environment, stop: StopFlag, out: Path, clip: Path
) -> None:
    first = drop(root, "a", spec([clip], out))
    data = drop(root, "z", spec([clip, clip], out))
    cancel(root, "z", data)
    claimed: list[str] = []
    watcher = Watcher({(Stage.PROBING, 0): lambda: claimed.extend(entries(root / "failed"))})
    assert live(root, world, stop, watcher) == 2
    assert claimed == ["z.json", "z.log", "z.result.json"], "before any other is begun"
    result = decode_result((root / "failed" / "z.result.json").read_bytes())
    assert [task.status for task in result.tasks] == [TaskStatus.NOT_RUN] * 2
    assert code_of(root, "z") is ErrorCode.CANCELLED
    assert violations(root, Expected([first, data], {out: {}}), settled=True) == []
    assert entries(root / "inbox") == []


def test_a_job_that_was_claimed_under_another_name_is_meant_too(
    root: Path, world: Environment, stop: StopFlag, out: Path, clip: Path
) -> None:
    earlier = drop(root, "a", spec([clip], out, naming_template="earlier"))
    assert live(root, world, stop) == 0
    data = drop(root, "a", spec([clip], out))
    assert live(root, world, stop, Watcher({("progressed", 1): cancelling(root, "a", data)})) == 2
    assert code_of(root, "a~2") is ErrorCode.CANCELLED
    assert violations(root, Expected([earlier, data], {out: {}}), settled=True) == []


def test_a_cancel_that_fits_nothing_is_told_and_removed(
    root: Path, world: Environment, stop: StopFlag, out: Path, clip: Path
) -> None:
    data, log = drop(root, "a", spec([clip], out)), Log()
    cancel(root, "a", data + b" ")
    assert live(root, world, stop, log=log) == 0
    assert entries(root / "inbox") == []
    assert log.fields["cancel_removed"] == {"name": "a.cancel"}


@pytest.mark.parametrize("moment", [(Stage.PROBING, 0), (Stage.SEALING, 2), (Stage.PUBLISHING, 0)], ids=str)
def test_a_crash_keeps_the_cancel_for_the_next_start(
    root: Path, world: Environment, stop: StopFlag, out: Path, clip: Path, moment: Moment
) -> None:
    def cancel_and_crash() -> None:
        cancel(root, "a", data)
        crash()

    data = drop(root, "a", spec([clip, clip], out))
    with pytest.raises(CrashError):
        live(root, world, stop, Watcher({moment: cancel_and_crash}))
    late = moment[0] is Stage.PUBLISHING
    log = Log()
    assert live(root, world, stop, log=log) == (0 if late else 2)
    assert violations(root, Expected([data], {out: {}}), settled=True) == []
    assert entries(root / "inbox") == []
    if not late:
        assert code_of(root, "a") is ErrorCode.CANCELLED
    else:
        assert "cancel_too_late" in (root / "done" / "a.log").read_text()


class TestHold:
    def test_nothing_is_claimed_and_draining_ends_with_4(
        self, root: Path, world: Environment, stop: StopFlag, out: Path, clip: Path
    ) -> None:
        data = drop(root, "a", spec([clip], out))
        cancel(root, "a", data)
        (root / "inbox" / ".hold").touch()
        with pytest.raises(ProxxError, match="waiting: 1") as caught:
            live(root, world, stop)
        assert caught.value.code is ErrorCode.WORKSPACE_HELD
        assert entries(root / "inbox") == [".hold", "a.cancel", "a.json"]
        (root / "inbox" / ".hold").unlink()
        assert live(root, world, stop) == 2
        assert code_of(root, "a") is ErrorCode.CANCELLED

    def test_without_candidates_draining_ends_as_ever(self, root: Path, world: Environment, stop: StopFlag) -> None:
        (root / "inbox" / ".hold").touch()
        assert live(root, world, stop) == 0

    def test_the_running_job_goes_on(self, root: Path, world: Environment, stop: StopFlag, out: Path, clip: Path) -> None:
        for name in ("a", "b"):
            drop(root, name, spec([clip], out, naming_template=name))
        log = Log()
        with pytest.raises(ProxxError) as caught:
            live(root, world, stop, Watcher({(Stage.ENCODING, 1): (root / "inbox" / ".hold").touch}), log)
        assert caught.value.code is ErrorCode.WORKSPACE_HELD
        assert entries(out) == ["a.mov"]
        assert entries(root / "inbox") == [".hold", "b.json"]
        assert log.actions == ["finished", "held"]
        assert log.fields["held"] == {"waiting": 1}
        assert json.loads((root / ".proxx" / "status.json").read_bytes())["state"] in {"running", "held"}
