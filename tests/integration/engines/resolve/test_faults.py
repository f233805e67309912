"""Every fault that Resolve is known for, on the stand-in: its code and message, nothing published, nothing left behind."""

import re
from pathlib import Path

import pytest

from proxx_worker.contract.output_settings import Engine
from proxx_worker.contract.result import JobResult, TaskStatus
from proxx_worker.process.stop import StopFlag
from tests.integration.engines.resolve.cases import LEFT, Case, all_cases
from tests.support.engine import Log
from tests.support.jobs import execute, spec
from tests.support.resolve.world import PRESET, StandIn, alive

REMEDY = re.compile(
    r"(?i)\b(restart|check|see|make sure|start it|install|import it|close it|wait for|quit that one|add one|allow|correct"
    r"|render on|give clips|conform it|nothing was published)\b"
)
"""What a message tells to do; of a proxy that does not match, that none was published."""

SETTINGS: dict[str, object] = {"proxy_profile": "proxy_prores_proxy_resolve", "resolve_preset": PRESET}


def run(case: Case, standin: StandIn, clip: Path, out: Path, stop: StopFlag) -> tuple[JobResult, Log]:
    log = Log()
    result = execute(
        standin.engine(starts=case.starts, limits=case.limits, argv=case.child),
        spec([clip], out, **SETTINGS),
        stop,
        stall_seconds=case.stall_seconds,
        kind=Engine.RESOLVE,
        log=log,
    )
    return result, log


@pytest.mark.one_in(9)
@pytest.mark.parametrize("case", list(all_cases()), ids=str)
def test_a_fault_has_its_code_and_leaves_nothing(
    case: Case, clips: dict[str, Path], out: Path, tmp_path: Path, stop: StopFlag
) -> None:
    with StandIn.made(tmp_path / "standin", projects=case.projects) as standin:
        standin.configure(**case.config)
        if case.child is None and case.runs and (not case.starts or case.name == "another one runs"):
            standin.start()
        before = standin.pids()
        result, _ = run(case, standin, clips[case.clip], out, stop)
        if case.code is None:
            assert result.error is None, result.error
            assert [task.status for task in result.tasks] == [TaskStatus.COMPLETED]
            verdicts = {check.name: check.ok for check in result.tasks[0].checks}
            assert {name: verdicts[name] for name in case.unknown} == dict.fromkeys(case.unknown)
            assert [entry.suffix for entry in out.iterdir()] == [".mov"]
            assert LEFT not in standin.projects(), "what an earlier child left is removed"
        else:
            assert result.error is not None
            assert (result.error.code, [word for word in case.says if word not in result.error.message]) == (case.code, []), (
                result.error.message
            )
            hung = any("StopRendering" in word for word in case.says)
            assert ("StopRendering" in result.error.message) == hung, "the call that it hung in, and none of its end"
            assert REMEDY.search(result.error.message), "it says what to do"
            assert list(out.iterdir()) == []
        if case.before_a_project:
            assert "ProjectManager.CreateProject" not in {name for name, _ in standin.calls()}
        assert not [client for client in standin.clients() if alive(client)], "no child is left"
        assert [pid for pid in standin.pids() if pid not in before] == [], "what the worker started has ended"


def test_the_table_has_every_case_once() -> None:
    names = [case.name for case in all_cases()]
    assert len(names) == len(set(names)) >= 90
