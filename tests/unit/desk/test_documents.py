"""What a result says to a list, and what programs read of it: the documents fit their published schemas."""

import json
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.result import ErrorRecord, JobStatus, TaskStatus, encode_result
from proxx_worker.desk.documents import ended_line, event_schema, list_document, list_schema, schema_text, started_line
from proxx_worker.desk.jobs import JobState, JobSummary, summary_of
from tests.support.results import job_result, task_record

FAULT = ErrorRecord(code=ErrorCode.SOURCE_MISSING, message="/a.mov is not there")
COUNTS = dict.fromkeys(JobState, 1)


def failed() -> JobSummary:
    result = job_result(JobStatus.FAILED, FAULT, [task_record(TaskStatus.NOT_RUN, FAULT), task_record(TaskStatus.NOT_RUN)])
    return summary_of(b"a", JobState.FAILED, encode_result(result))


def test_a_result_says_what_a_list_shows() -> None:
    assert failed() == JobSummary(
        b"a", JobState.FAILED, job_id="J1", sources=("/a.mov", "/a.mov"), failed_sources=("/a.mov",), code="SOURCE_MISSING",
        message="/a.mov is not there", started_at="2026-01-01T00:00:00Z", finished_at="2026-01-01T00:00:00Z",
        duration_seconds=0.0,
    )  # fmt: skip


@given(data=st.binary(max_size=60) | st.sampled_from([b"[]", b"{}", b"null", b'{"job_id": 1}', b'{"tasks": [1]}']))
def test_whatever_stands_in_its_place_is_told(data: bytes) -> None:
    job = summary_of(b"\xff", JobState.DONE, data)
    assert job.unreadable is not None
    assert job.name == "\\xff"


def test_tasks_of_another_kind_are_passed_over() -> None:
    document = json.loads(encode_result(job_result(JobStatus.COMPLETED)))
    document["tasks"] = [1, {"source": "/b.mov", "error": None, "output": "/o.mov"}]
    document["error"] = "x"
    job = summary_of(b"a", JobState.DONE, json.dumps(document).encode())
    assert (job.sources, job.outputs, job.code) == (("/b.mov",), ("/o.mov",), None)


def test_the_list_fits_its_schema() -> None:
    jobs = [failed(), JobSummary(b"\xff", JobState.WAITING), JobSummary(b"c", JobState.DONE, unreadable="no")]
    document = json.loads(list_document("/srv/\udcff", COUNTS, jobs))
    Draft202012Validator(list_schema()).validate(document)
    assert [job["name"] for job in document["jobs"]] == ["a", "\\xff", "c"]


@pytest.mark.parametrize(
    "line",
    [ended_line(failed()), ended_line(JobSummary(b"c", JobState.DONE, unreadable="no")), started_line("a\x1b[2J", "J1")],
)
def test_an_event_is_one_line_that_fits_its_schema(line: bytes) -> None:
    assert line.count(b"\n") == 1
    assert b"\x1b" not in line
    Draft202012Validator(event_schema()).validate(json.loads(line))


def test_of_an_event_is_told_how_the_job_ended() -> None:
    assert json.loads(ended_line(failed()))["status"] == "FAILED"
    assert json.loads(ended_line(JobSummary(b"c", JobState.DONE)))["status"] == "COMPLETED"


@pytest.mark.parametrize("name", ["list", "event"])
def test_the_published_schemas_are_these(project_root: Path, name: Literal["list", "event"]) -> None:
    assert (project_root / "docs" / "schema" / f"{name}.schema.json").read_text() == schema_text(name)
    Draft202012Validator.check_schema(json.loads(schema_text(name)))
