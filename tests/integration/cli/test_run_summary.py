"""The summary of a `run`."""

from proxx_worker.cli.run_summary import summary_lines
from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.result import Check, ErrorRecord, JobStatus, TaskStatus
from tests.support.results import job_result, task_record


def test_a_check_s_values_are_in_words() -> None:
    fault = ErrorRecord(code=ErrorCode.OUTPUT_INVALID, message="the reel differs")
    checks = [
        Check(name="reel", expected=None, actual="A001", ok=False),
        Check(name="frames", expected=25, actual=None, ok=False),
        Check(name="start", expected=0, actual=0, ok=True),
    ]
    task = task_record(TaskStatus.FAILED, fault).model_copy(update={"checks": checks})
    lines = [line.strip() for line in summary_lines(job_result(JobStatus.FAILED, fault, [task]))]
    assert [line for line in lines if line.startswith("check ")] == [
        "check reel: expected nothing, found A001",
        "check frames: expected 25, found nothing",
    ]
