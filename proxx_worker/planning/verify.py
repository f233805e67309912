"""The verdict on one encode: every check with expected and actual, and the error that follows from them.

One ffprobe process over the proxy sees everything (it decodes all of it); the source is not read again, because the encode itself
reported every frame that the source presented.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, JobError, JsonValue
from proxx_worker.contract.output_settings import Container
from proxx_worker.contract.result import Check
from proxx_worker.planning.checks import audio_checks, compare, identity_checks, picture_duration, stream_checks, time_checks
from proxx_worker.planning.encode_observation import EncodeObservation, EncodeObserver
from proxx_worker.planning.plan import TaskPlan
from proxx_worker.planning.proxy_observation import (
    FORMAT_ENTRIES,
    FRAME_ENTRIES,
    STREAM_ENTRIES,
    ProxyObservation,
    ProxyReport,
    parse_proxy,
)

__all__ = ["EncodeObservation", "EncodeObserver", "ProxyObservation", "Verdict", "judge", "judge_encode", "proxy_probe_argv"]

_DEMUXERS = {
    Container.MOV: "mov",
    Container.MP4: "mov",
    Container.MKV: "matroska",
    Container.WEBM: "matroska",
    Container.MXF: "mxf",
}
_NO_SPACE = re.compile(r"No space left on device|Disk quota exceeded")
_CONTEXT = re.compile(r"^\[(?P<context>[^@\]]+?) @ ")
_DAMAGE = re.compile(r"Error while decoding stream|corrupt (?:decoded frame|input packet)|corrupted? packet|Input/output error")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`checks` in order; `error` None when the proxy may be published; `output_media` what was seen of it, None without a proxy."""

    checks: tuple[Check, ...]
    error: JobError | None
    output_media: dict[str, JsonValue] | None


def proxy_probe_argv(ffprobe: str, path: str, plan: TaskPlan) -> list[str]:
    """The one process that looks at a proxy: it decodes every frame and says its time, and what streams and container say."""
    return [
        ffprobe, "-hide_banner", "-v", "error", "-protocol_whitelist", "file",
        "-f", _DEMUXERS[plan.settings.container], "-threads", "auto",
        "-show_entries", f"{FORMAT_ENTRIES}:{STREAM_ENTRIES}:{FRAME_ENTRIES}",
        "-of", "compact", "-i", f"file:{path}",
    ]  # fmt: skip


def judge_encode(plan: TaskPlan, encode: EncodeObservation) -> Verdict:
    """What can be said before the proxy is looked at; with an error, looking at it is not worth the time."""
    checks = (
        compare("exit_code", 0, encode.exit_code),
        compare("file_size", encode.progress.total_size, encode.file_size),
    )
    return Verdict(checks, _encode_error(plan, encode, checks), None)


def judge(plan: TaskPlan, encode: EncodeObservation, proxy: ProxyObservation) -> Verdict:
    """The whole verdict. Errors in this order: no space, damaged source, failed encoder, then the first check that failed."""
    first = judge_encode(plan, encode)
    report = parse_proxy(proxy.stdout)
    checks = list(first.checks)
    complaint = proxy.stderr.strip()
    fine = proxy.exit_code == 0 and not complaint
    checks.append(Check(name="decodes", expected=True, actual=fine or complaint[-400:] or f"exit {proxy.exit_code}", ok=fine))
    checks.extend(stream_checks(plan.expected, report))
    pictures = report.of_type("video")
    length: Fraction | None = None
    if pictures:
        checks.extend(time_checks(plan.expected, encode, pictures[0]))
        length = picture_duration(plan.expected.container, pictures[0])
    checks.extend(identity_checks(plan.expected, report))
    checks.extend(audio_checks(plan.expected, report, length))
    error = first.error or _ends_early(plan, encode, report) or _failed_check(checks)
    return Verdict(tuple(checks), error, _as_json(report))


def _encode_error(plan: TaskPlan, encode: EncodeObservation, checks: Sequence[Check]) -> JobError | None:
    said = (*encode.complaints, *encode.stderr_tail)
    lines: list[JsonValue] = list(encode.stderr_tail[-10:])
    if any(_NO_SPACE.search(line) for line in said):
        return JobError(
            ErrorCode.NO_SPACE, "no space was left for the output: free some in the output directory's filesystem, then submit again"
        )
    damage = [line for line in encode.complaints if _is_damage(plan, line)]
    if damage:
        where = _where(plan, encode)
        return JobError(
            ErrorCode.SOURCE_DAMAGED,
            f"the source could not be decoded without errors near {where} s of its picture: {_plain(damage[0])}; "
            "deliver the clip again, or repair it",
            {"near_seconds": where, "frames_before": len(encode.presented), "lines": list(damage[:10])},
        )
    if encode.exit_code != 0:
        how = f"signal {-encode.exit_code}" if encode.exit_code < 0 else f"exit code {encode.exit_code}"
        last = _plain(next((line for line in reversed(encode.complaints)), encode.stderr_tail[-1] if encode.stderr_tail else ""))
        return JobError(
            ErrorCode.ENCODE_FAILED,
            f"FFmpeg ended with {how}: {last or 'it said nothing'}; the job's log holds all it said",
            {"exit_code": encode.exit_code, "lines": lines},
        )
    if encode.restarts:
        return JobError(
            ErrorCode.SOURCE_UNSUPPORTED,
            "the source's picture changes its size or format on the way, which one proxy cannot follow: split the clip there",
            {"changes": encode.restarts},
        )
    return _failed_check(checks)


def _is_damage(plan: TaskPlan, line: str) -> bool:
    """Whether a complaint is about the source: from its demuxer or one of its decoders, or FFmpeg's own words for that."""
    if _DAMAGE.search(line):
        return True
    match = _CONTEXT.match(line)
    if match is None:
        return False
    facts = plan.facts
    readers = {",".join(facts.formats), *facts.formats, facts.video.codec, *(stream.codec for stream in facts.audio)}
    context = match["context"]
    return context in readers or any(context.startswith(f"{codec}float") for codec in readers)


def _where(plan: TaskPlan, encode: EncodeObservation) -> str:
    times = [time for time in encode.presented if time is not None]
    return f"{float(times[-1] * plan.expected.timing.source_tick):.3f}" if times else "0.000"


def _ends_early(plan: TaskPlan, encode: EncodeObservation, report: ProxyReport) -> JobError | None:
    """The picture (or, where only the whole file's length is known, everything) ends before the container says."""
    source = plan.expected.source
    tick = plan.expected.timing.source_tick
    times = [time * tick for time in encode.presented if time is not None]
    if not times:
        return JobError(
            ErrorCode.SOURCE_DAMAGED,
            "not one picture of the source could be decoded: deliver the clip again",
            {"frames_before": 0},
        )
    end = max(times) + source.frame_length
    if source.frames is not None and len(encode.presented) < source.frames:
        return _short(f"after {len(encode.presented)} frames", f"{source.frames} frames", end, source.frames, len(times))
    # Containers round, decoders hold back a frame at a cut: two frames and a hundredth are no damage.
    slack = 2 * source.frame_length + Fraction(1, 100)
    if source.picture_duration is not None:
        length = end - min(times)
        if source.frames is None and length + slack < source.picture_duration:
            return _short(f"after {float(length):.3f} s", f"{float(source.picture_duration):.3f} s", end, None, len(times))
    elif source.duration is not None:
        sounds = (Fraction(s.samples, s.integer("sample_rate") or 1) for s in report.of_type("audio"))
        longest = max((end, *sounds))
        if longest + slack + Fraction(1, 2) < source.duration:
            return _short(f"after {float(longest):.3f} s", f"{float(source.duration):.3f} s", longest, None, len(times))
    return None


def _short(actual: str, promised: str, end: Fraction, frames: int | None, presented: int) -> JobError:
    return JobError(
        ErrorCode.SOURCE_DAMAGED,
        f"the source ends {actual}, its container promises {promised}: it was cut off; deliver the clip again",
        {"ends_at_seconds": f"{float(end):.3f}", "frames": presented, "frames_promised": frames},
    )


def _failed_check(checks: Sequence[Check]) -> JobError | None:
    failed = [check for check in checks if check.ok is False]
    if not failed:
        return None
    first = failed[0]
    return JobError(
        ErrorCode.OUTPUT_INVALID,
        f"the proxy does not match its source: {first.name} should be {first.expected}, but is {first.actual}"
        + (f" (and {len(failed) - 1} more)" if len(failed) > 1 else "")
        + "; nothing was published",
        {"failed": [{"name": check.name, "expected": check.expected, "actual": check.actual} for check in failed]},
    )


def _plain(line: str) -> str:
    """A line without its address, which differs from run to run."""
    return re.sub(r"^\[([^@\]]+?) @ 0x[0-9a-f]+\]", r"[\1]", line)


def _as_json(report: ProxyReport) -> dict[str, JsonValue]:
    streams: list[JsonValue] = [
        {key.replace("tag:", ""): value for key, value in stream.fields.items()} | {"decoded_frames": stream.frames}
        for stream in report.streams
    ]
    return {"format": {key.replace("tag:", ""): value for key, value in report.container.items()}, "streams": streams}
