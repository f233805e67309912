"""The report as JSON: the same figures as the page, in the format of contract section 6."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import orjson
from pydantic import BaseModel, ConfigDict

from proxx_worker.contract.finished import FinishedJob
from proxx_worker.contract.result import JobStatus
from proxx_worker.contract.text import encodable, steady_json
from proxx_worker.report.examine import ExaminedTask
from proxx_worker.report.finding import Finding, Kind, Verdict

REPORT_VERSION: Literal["1.0"] = "1.0"
_DIGITS = 5


@dataclass(frozen=True, slots=True)
class ExaminedJob:
    """A job, its examined tasks, and the end of its log if that is beside its result."""

    job: FinishedJob
    tasks: tuple[ExaminedTask, ...]
    log: str | None = None

    @property
    def verdict(self) -> Verdict:
        """The worst of its tasks'."""
        order = (Verdict.FAIL, Verdict.SUSPICIOUS, Verdict.NOT_COMPARED, Verdict.PASS)
        return next((one for one in order if any(task.verdict is one for task in self.tasks)), Verdict.NOT_COMPARED)

    @property
    def ssim_min(self) -> float | None:
        """The lowest SSIM of any of its frames."""
        return min(
            (task.summary.ssim_min for task in self.tasks if task.summary and task.summary.ssim_min is not None), default=None
        )


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_serialization_defaults_required=True)


class FindingRecord(_Document):
    """What was found. `frame` counts from 0 in the proxy; `value` is what was measured, `threshold` what was allowed."""

    kind: Kind
    message: str
    frame: int | None
    timecode: str | None
    value: float | None
    threshold: float | None


class SsimRecord(_Document):
    """SSIM over all planes, 0 to 1; null if nothing was compared."""

    mean: float | None
    min: float | None
    min_frame: int | None


class AudioRecord(_Document):
    """One audio stream. `lag_seconds`: positive where the proxy's is late, null if that cannot be told; null LUFS: silence."""

    index: int
    lag_seconds: float | None
    lufs_source: float | None
    lufs_proxy: float | None


class ReportedTask(_Document):
    """One source."""

    index: int
    source: str
    output: str | None
    verdict: Verdict
    findings: list[FindingRecord]
    frames_compared: int
    ssim: SsimRecord
    audio: list[AudioRecord]


class ReportedJob(_Document):
    """One result."""

    name: str
    status: JobStatus
    tasks: list[ReportedTask]


class ReportDocument(_Document):
    """The whole report."""

    report_version: Literal["1.0"]
    jobs: list[ReportedJob]


def document_of(jobs: Sequence[ExaminedJob]) -> ReportDocument:
    """The report on these jobs."""
    return ReportDocument(
        report_version=REPORT_VERSION,
        jobs=[
            ReportedJob(
                name=encodable(job.job.jobspec.name), status=job.job.status, tasks=[_task(examined) for examined in job.tasks]
            )
            for job in jobs
        ],
    )


def encode_document(document: ReportDocument) -> bytes:
    """Its bytes: UTF-8, two-space indent, a trailing newline; nothing in it steers the terminal that shows it."""
    return steady_json(orjson.dumps(document.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _task(examined: ExaminedTask) -> ReportedTask:
    task, summary = examined.task, examined.summary
    return ReportedTask(
        index=task.index,
        source=encodable(task.source),
        output=None if task.output is None else encodable(task.output),
        verdict=examined.verdict,
        findings=[_finding(finding) for finding in examined.findings],
        frames_compared=0 if summary is None else summary.frames,
        ssim=SsimRecord(
            mean=None if summary is None else _rounded(summary.ssim_mean),
            min=None if summary is None else _rounded(summary.ssim_min),
            min_frame=None if summary is None else summary.ssim_min_frame,
        ),
        audio=[]
        if summary is None
        else [
            AudioRecord(
                index=audio.index,
                lag_seconds=audio.lag_seconds,
                lufs_source=audio.lufs_source,
                lufs_proxy=audio.lufs_proxy,
            )
            for audio in summary.audio_streams
        ],
    )


def _finding(finding: Finding) -> FindingRecord:
    return FindingRecord(
        kind=finding.kind,
        message=encodable(finding.message),
        frame=finding.frame,
        timecode=finding.timecode,
        value=finding.value,
        threshold=finding.threshold,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def schema_text() -> str:
    """The JSON Schema of the document, as docs/schema holds it."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **ReportDocument.model_json_schema(mode="serialization")}
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


if __name__ == "__main__":
    sys.stdout.write(schema_text())
