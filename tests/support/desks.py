"""Workspaces as a worker leaves them, made without one: for what only reads them."""

import hashlib
from pathlib import Path

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.result import (
    ErrorRecord,
    JobResult,
    JobStatus,
    SpecRecord,
    TaskRecord,
    TaskStatus,
    WorkerRecord,
    encode_result,
)

FOLDERS = ("inbox", "running", "done", "failed", ".proxx")


def empty_workspace(root: Path) -> Path:
    """A workspace with its folders."""
    for name in FOLDERS:
        (root / name).mkdir(parents=True)
    return root


def spec_of(name: str) -> bytes:
    """The bytes of some spec, different for each name."""
    return b'{"job_id": "%s"}' % name.encode()


def finished(
    root: Path,
    name: str,
    code: ErrorCode | None = None,
    *,
    at: str = "2026-01-01T10:00:00Z",
    spec: bytes | None = None,
    source: str = "/mnt/san/A001C001.mov",
    message: str = "it is not there",
    command: list[str] | None = None,
) -> bytes:
    """Put a finished job into `done/`, or with a code into `failed/`. Returns its spec."""
    data = spec_of(name) if spec is None else spec
    error = None if code is None else ErrorRecord(code=code, message=message)
    own = error if code is not None and code.value.startswith("SOURCE_") else None
    task = TaskRecord(
        index=0,
        source=source,
        status=TaskStatus.COMPLETED if code is None else TaskStatus.NOT_RUN,
        error=own,
        output="/mnt/proxies/A001C001.mov" if code is None else None,
        command=command,
    )
    result = JobResult(
        job_id=hashlib.sha256(data).hexdigest()[:12],
        status=JobStatus.COMPLETED if code is None else JobStatus.FAILED,
        error=error,
        jobspec=SpecRecord(name=name, sha256=hashlib.sha256(data).hexdigest(), version="2.1"),
        engine="ffmpeg",
        proxy_profile="proxy_h264_low",
        settings=None,
        tasks=[task],
        worker=WorkerRecord(version="0", ffmpeg=None, ffprobe=None, declared_versions={}),
        started_at=at,
        finished_at=at,
        duration_seconds=1.5,
    )
    folder = root / ("done" if code is None else "failed")
    (folder / f"{name}.result.json").write_bytes(encode_result(result))
    (folder / f"{name}.log").write_text(f"{at} INFO job_started\n")
    (folder / f"{name}.json").write_bytes(data)
    return data


def dropped(root: Path, name: str, folder: str = "inbox", spec: bytes | None = None) -> bytes:
    """Put a spec into a folder. Returns its bytes."""
    data = spec_of(name) if spec is None else spec
    (root / folder / f"{name}.json").write_bytes(data)
    return data
