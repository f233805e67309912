"""What jobs came to, by value."""

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.result import ErrorRecord, JobStatus, SpecRecord
from proxx_worker.observe.tally import Tally
from tests.unit.observe.test_display import RESULT, Recorder


class Listener(Recorder):
    """Takes events of every level."""

    def event(self, action: str, message: str = "", *, level: str = "INFO", **fields: object) -> None:
        self.lines.append((level, action, message))

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str, str]] = []


def failed(tally: Tally, code: ErrorCode, *names: str) -> None:
    for name in names:
        error = ErrorRecord(code=code, message="as the test wants it")
        spec = SpecRecord(name=name, sha256=None, version=None)
        tally.add(RESULT.model_copy(update={"status": JobStatus.FAILED, "error": error, "jobspec": spec}))


def reported(tally: Tally) -> list[tuple[str, str, str]]:
    log = Listener()
    tally.report(log)
    return log.lines


def test_no_job_at_all() -> None:
    assert reported(Tally()) == [("INFO", "once_ended", "0 completed, 0 failed")]
    assert Tally().exit_code == 0


def test_failed_jobs_by_code_the_most_frequent_first() -> None:
    tally = Tally()
    tally.add(RESULT)
    failed(tally, ErrorCode.NO_SPACE, "z")
    failed(tally, ErrorCode.ENCODE_FAILED, "y")
    failed(tally, ErrorCode.SOURCE_MISSING, "b", "a")
    assert reported(tally) == [
        ("INFO", "once_ended", "1 completed, 4 failed"),
        ("ERROR", "failed_jobs", "2 failed with SOURCE_MISSING: b, a"),
        ("ERROR", "failed_jobs", "1 failed with ENCODE_FAILED: y"),
        ("ERROR", "failed_jobs", "1 failed with NO_SPACE: z"),
    ]
    assert tally.exit_code == 4


def test_many_jobs_are_counted_and_not_all_named() -> None:
    tally = Tally()
    failed(tally, ErrorCode.SOURCE_DAMAGED, *(f"{number:02d}" for number in range(12)))
    assert reported(tally)[1][2] == "12 failed with SOURCE_DAMAGED: 00, 01, 02, 03, 04, 05, 06, 07, 08, 09 and 2 more"
