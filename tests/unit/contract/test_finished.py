"""Results as later commands read them."""

import json
from typing import Any

import pytest

from proxx_worker.contract.finished import read_finished
from proxx_worker.contract.result import JobStatus, TaskStatus

TASK: dict[str, Any] = {
    "index": 0,
    "source": "/a/b.mov",
    "status": "COMPLETED",
    "error": None,
    "output": "/p/b.mp4",
    "output_sha256": "00",
    "checks": [{"name": "frames", "expected": 25, "actual": 25, "ok": True}],
}
RESULT: dict[str, Any] = {
    "result_version": "1.0",
    "job_id": "x",
    "status": "COMPLETED",
    "error": None,
    "jobspec": {"name": "job", "sha256": None, "version": "2.1"},
    "engine": "ffmpeg",
    "proxy_profile": None,
    "settings": None,
    "tasks": [TASK],
    "worker": {"version": "2.0.0", "ffmpeg": None, "ffprobe": None, "declared_versions": {}},
    "started_at": "2026-01-01T00:00:00Z",
    "finished_at": "2026-01-01T00:00:01Z",
    "duration_seconds": 1.0,
}


def encoded(**changes: Any) -> bytes:  # noqa: ANN401 - any JSON value
    return json.dumps(RESULT | changes).encode()


def test_a_result_is_read() -> None:
    job = read_finished(encoded())
    assert job.status is JobStatus.COMPLETED
    task = job.tasks[0]
    assert (task.status, task.source_file, task.output_file) == (TaskStatus.COMPLETED, "/a/b.mov", "/p/b.mp4")
    assert task.counted_frames() == 25
    assert task.check("nothing") is None


def test_a_later_version_with_more_fields_is_read() -> None:
    task = TASK | {"source_path": "/mnt/b.mov", "output_path": "/mnt/p.mp4", "something_new": [1]}
    job = read_finished(encoded(result_version="1.7", tasks=[task], another={"x": 1}))
    assert job.tasks[0].source_file == "/mnt/b.mov"
    assert job.tasks[0].output_file == "/mnt/p.mp4"


@pytest.mark.parametrize("checks", [[], [{"name": "frames", "expected": 25, "actual": None, "ok": None}]])
def test_frames_that_nobody_counted_are_not_known(checks: list[object]) -> None:
    assert read_finished(encoded(tasks=[TASK | {"checks": checks}])).tasks[0].counted_frames() is None


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"{", "unexpected end"),
        (b"[]", "^not a result: the document: "),
        (
            encoded(result_version="2.0"),
            "^not a result: result_version: result_version is '2.0', and only results of version 1 can",
        ),
        (
            encoded(result_version=1),
            "^not a result: result_version: result_version is 1, and only results of version 1 can be read$",
        ),
        (encoded(tasks=[{"index": 0}]), "tasks.0.source"),
    ],
)
def test_what_is_no_result_is_refused_with_a_reason(data: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_finished(data)
