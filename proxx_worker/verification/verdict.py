"""The verdict on one proxy: every check with expected and actual values, and the resulting error.

One ffprobe process decodes the whole proxy; of interlaced H.264, FFmpeg copies the first pictures' headers. What happened to the
source is in the engine's evidence, so nothing here depends on the engine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, JobError, JsonValue
from proxx_worker.contract.result import Check
from proxx_worker.contract.text import value_text
from proxx_worker.planning.expectation import Expectation
from proxx_worker.verification.audio_checks import audio_checks
from proxx_worker.verification.checks import (
    decode_check,
    identity_checks,
    stream_checks,
    time_checks,
    video_duration,
)
from proxx_worker.verification.evidence import Evidence
from proxx_worker.verification.proxy_probe import ProxyObservation, ProxyReport


@dataclass(frozen=True, slots=True)
class Verdict:
    """`checks` in order; `error`: None if the proxy may be published; `output_media`: the probe's report, None without one."""

    checks: tuple[Check, ...]
    error: JobError | None
    output_media: dict[str, JsonValue] | None


def judge_evidence(evidence: Evidence) -> Verdict:
    """The verdict before the proxy is probed; with an error, it need not be."""
    checks = tuple(evidence.checks())
    return Verdict(checks, evidence.fault() or _failed_check(checks), None)


def judge(expected: Expectation, proxy: ProxyObservation, evidence: Evidence) -> Verdict:
    """The full verdict. Errors in this order: the engine's fault, the cause that it knows, the first check that failed."""
    first = judge_evidence(evidence)
    report = proxy.report
    checks = [*first.checks, decode_check(expected, proxy), *stream_checks(expected, proxy)]
    videos = report.of_type("video")
    length: Fraction | None = None
    if videos:
        checks.extend(evidence.time_checks(videos[0]))
        checks.extend(time_checks(expected, videos[0]))
        length = video_duration(expected.container, videos[0])
    checks.extend(identity_checks(expected, report))
    checks.extend(audio_checks(expected, report, evidence.audio(), length))
    error = first.error or evidence.error(proxy) or _failed_check(checks)
    return Verdict(tuple(checks), error, _as_json(report))


def _failed_check(checks: Sequence[Check]) -> JobError | None:
    failed = [check for check in checks if check.ok is False]
    if not failed:
        return None
    first = failed[0]
    wanted, found = value_text(first.expected), value_text(first.actual)
    return JobError(
        ErrorCode.OUTPUT_INVALID,
        f"the proxy does not match its source: {first.name} should be {wanted}, but is {found}"
        + (f" (and {len(failed) - 1} more)" if len(failed) > 1 else "")
        + "; nothing was published",
        {"failed": [{"name": check.name, "expected": check.expected, "actual": check.actual} for check in failed]},
    )


def _as_json(report: ProxyReport) -> dict[str, JsonValue]:
    streams: list[JsonValue] = [
        {key.replace("tag:", ""): value for key, value in stream.fields.items()} | {"decoded_frames": stream.frames}
        for stream in report.streams
    ]
    return {"format": {key.replace("tag:", ""): value for key, value in report.container.items()}, "streams": streams}
