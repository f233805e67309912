"""The descriptions in the published schemas: examples of specs, and the meaning of each field of a result."""

from collections.abc import Mapping

from proxx_worker.contract.errors import JsonValue

SPEC_EXAMPLES: tuple[JsonValue, ...] = (
    {
        "jobspec_version": "2.1",
        "sources": ["/media/A001/A001C001.mov", "/media/A001/A001C002.mov"],
        "output_directory": "/proxies/day-03",
        "proxy_profile": "proxy_h264_low",
        "naming_template": "{source_name}_proxy",
    },
    {
        "jobspec_version": "2.1",
        "job_id": "day-03.cards-A",
        "sources": ["/media/A001/A001C001.mov"],
        "output_directory": "/proxies/day-03",
        "codec": "dnxhr",
        "container": "mxf",
        "resolution": "1280x720",
        "fps_mode": "explicit",
        "fps_explicit": 23.976,
        "naming_template": "{date}_{index}_{source_name}",
        "created_at": "2025-12-29T14:30:00Z",
    },
)

_TIME = "UTC, RFC 3339; metadata only"

RESULT_TEXTS: Mapping[str, str] = {
    "JobResult.result_version": "The version of this format. Fields are only added, with a new version.",
    "JobResult.job_id": "The spec's job_id, or the first 12 hex digits of its SHA-256.",
    "JobResult.status": "COMPLETED only if every task is.",
    "JobResult.error": "Why the job failed; null for a completed one.",
    "JobResult.jobspec": "Which spec it was.",
    "JobResult.engine": "The engine that encodes; null if it was never determined.",
    "JobResult.proxy_profile": "The profile that the spec names, known or not; null in explicit form.",
    "JobResult.settings": "What the outputs were to be, profile or explicit; null if the spec was refused.",
    "JobResult.tasks": "One per source, in order; empty if the spec's sources are not a list of strings.",
    "JobResult.worker": "The worker that ran the job, and its tools.",
    "JobResult.started_at": f"When the job started. {_TIME}.",
    "JobResult.finished_at": f"When its outcome was decided. {_TIME}.",
    "JobResult.duration_seconds": "Seconds between the two, by a monotonic clock.",
    "ErrorRecord.code": "A stable code; its class is the exit code.",
    "ErrorRecord.message": "For an operator: the violated assumption, and what to do.",
    "ErrorRecord.details": "For machines; for a refused spec, `faults` with path, message and allowed of each.",
    "SpecRecord.name": "The stem of the claimed file; bytes that are not UTF-8 as \\xNN.",
    "SpecRecord.sha256": "The SHA-256 of the spec's bytes, in hex; null if they could not be read.",
    "SpecRecord.version": "The jobspec_version that the spec declares; null if it declares none.",
    "TaskRecord.index": "The place in the spec's sources, from 0.",
    "TaskRecord.source": "The source's path, as the spec gives it.",
    "TaskRecord.source_path": "Where the worker read it, if `path_map` applied; else null.",
    "TaskRecord.status": "DISCARDED: it had finished, but a later one failed, so nothing was published. NOT_RUN: never started.",
    "TaskRecord.error": "What was wrong with this source or its encode; null if nothing was.",
    "TaskRecord.output": "The proxy's final path; set only for COMPLETED.",
    "TaskRecord.output_path": "Where the worker wrote it, if `path_map` applied; else null.",
    "TaskRecord.output_size_bytes": "The proxy's size.",
    "TaskRecord.output_sha256": "The SHA-256 of the proxy's bytes, in hex.",
    "TaskRecord.command": "The encoder's argv as it ran, staging path included.",
    "TaskRecord.exit_code": "The encoder's exit code; negative: the signal that ended it.",
    "TaskRecord.source_media": "What is known of the source.",
    "TaskRecord.output_media": "What was found in the proxy.",
    "TaskRecord.checks": "Every comparison of the proxy with its source.",
    "TaskRecord.started_at": f"When the task began. {_TIME}.",
    "TaskRecord.finished_at": f"When the task ended. {_TIME}.",
    "TaskRecord.duration_seconds": "Seconds between the two, by a monotonic clock.",
    "TaskRecord.cpu_seconds": "CPU time of the task's children, user and system.",
    "TaskRecord.peak_memory_bytes": "The encoder's largest resident size.",
    "Check.name": "What was compared.",
    "Check.expected": "What it should be, according to the source and the settings.",
    "Check.actual": "What was found in the proxy.",
    "Check.ok": "Whether they agree; null if it could not be known.",
    "WorkerRecord.version": "The version of proxx-worker.",
    "WorkerRecord.ffmpeg": "The path of the FFmpeg that was used; null if none was found.",
    "WorkerRecord.ffprobe": "The path of the ffprobe that was used; null if none was found.",
    "WorkerRecord.declared_versions": "The operator's pins, copied from the configuration and never checked.",
    "WorkerRecord.sandbox": "What confined the children that read media; `off` where nothing did.",
}
"""One text per field, by `Model.field`."""
