"""The verdict on one encode: every check with expected and actual, and the error that follows from them.

One ffprobe process over the proxy sees everything (it decodes all of it); the source is not read again, because the encode itself
reported every frame that the source presented.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, JobError, JsonValue
from proxx_worker.contract.output_settings import Container
from proxx_worker.contract.result import Check
from proxx_worker.planning.plan import TaskPlan
from proxx_worker.verification.checks import (
    audio_checks,
    compare,
    decode_check,
    identity_checks,
    picture_duration,
    stream_checks,
    time_checks,
)
from proxx_worker.verification.encode_fault import encode_error, gap_error
from proxx_worker.verification.encode_observation import EncodeObservation
from proxx_worker.verification.frame_grid import Scale, first_gap, places_on_grid
from proxx_worker.verification.proxy_probe import ProxyObservation, ProxyReport
from proxx_worker.verification.sound_damage import sound_damage


@dataclass(frozen=True, slots=True)
class Verdict:
    """`checks` in order; `error` None for a proxy to be published; `output_media` what was seen of it, None without a proxy."""

    checks: tuple[Check, ...]
    error: JobError | None
    output_media: dict[str, JsonValue] | None


def judge_encode(plan: TaskPlan, encode: EncodeObservation) -> Verdict:
    """What can be said before the proxy is looked at; with an error, looking at it is not worth the time."""
    checks = (
        compare("exit_code", 0, encode.exit_code),
        compare("file_size", encode.progress.total_size, encode.file_size),
    )
    return Verdict(checks, encode_error(plan, encode) or _failed_check(checks), None)


def judge(plan: TaskPlan, encode: EncodeObservation, proxy: ProxyObservation) -> Verdict:
    """The whole verdict. Errors in this order: no space, damaged source, failed encoder, then the first check that failed."""
    first = judge_encode(plan, encode)
    report = proxy.report
    checks = list(first.checks)
    checks.append(decode_check(plan.expected, proxy))
    checks.extend(stream_checks(plan.expected, report))
    pictures = report.of_type("video")
    length: Fraction | None = None
    if pictures:
        checks.extend(time_checks(plan.expected, encode, pictures[0]))
        length = picture_duration(plan.expected.container, pictures[0])
    checks.extend(identity_checks(plan.expected, report))
    checks.extend(audio_checks(plan.expected, report, length))
    error = (
        first.error
        or _ends_early(plan, encode, report)
        or gap_error(plan, encode)
        or sound_damage(plan.expected.audio, proxy)
        or _uneven(plan, encode)
        or _failed_check(checks)
    )
    return Verdict(tuple(checks), error, _as_json(report))


def _uneven(plan: TaskPlan, encode: EncodeObservation) -> JobError | None:
    """A source that its container calls constant, but whose frames stand off that grid, or leave holes in it for MXF."""
    timing, video = plan.expected.timing, plan.facts.video
    times = encode.times
    if timing.rate is None or timing.converts or not times:
        return None
    places = places_on_grid(times, timing.source_tick, timing.rate)
    if _off_grid(times, places, timing.source_tick, timing.rate):
        return JobError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"the source says that its frame rate is constant ({video.rate}), but its frames come at other times: "
            'ask for fps_mode "explicit" with a rate',
            {"rate": str(video.rate)},
        )
    missing = first_gap(places) if plan.settings.container is Container.MXF else None
    if missing is None:
        return None
    second = f"{float(missing / timing.rate):.3f}"
    return JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"the source leaves out frames of its constant rate ({video.rate}), first at {second} s, and MXF has no place for a gap: "
        'ask for fps_mode "explicit" with that rate, which repeats the frame before, or for mov, mp4 or mkv',
        {"rate": str(video.rate), "near_seconds": second},
    )


def _off_grid(times: Sequence[int], places: Sequence[int], tick: Fraction, rate: Fraction) -> bool:
    # Containers round times to their ticks. A tenth of a frame is more than any of them needs, and nothing that can be seen.
    slack = max(2 * tick, 1 / (10 * rate))
    scale = Scale.common(tick, 1 / rate, slack)
    ticks, frames, most = scale.of(tick), scale.of(1 / rate), scale.of(slack)
    return any(abs((time - times[0]) * ticks - place * frames) > most for time, place in zip(times, places, strict=True))


def _ends_early(plan: TaskPlan, encode: EncodeObservation, report: ProxyReport) -> JobError | None:
    """The picture (or, where only the whole file's length is known, everything) ends before the container says."""
    source = plan.expected.source
    tick = plan.expected.timing.source_tick
    times = encode.times
    if not times:
        return JobError(
            ErrorCode.SOURCE_DAMAGED,
            "not one picture of the source could be decoded: deliver the clip again",
            {"frames_before": 0},
        )
    end = max(times) * tick + source.frame_length
    if source.frames is not None and len(encode.presented) < source.frames:
        return _short(f"after {len(encode.presented)} frames", f"{source.frames} frames", end, source.frames, len(times))
    # Containers round, decoders hold back a frame at a cut: two frames and a hundredth are no damage.
    slack = 2 * source.frame_length + Fraction(1, 100)
    if source.picture_duration is not None:
        length = end - min(times) * tick
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


def _as_json(report: ProxyReport) -> dict[str, JsonValue]:
    streams: list[JsonValue] = [
        {key.replace("tag:", ""): value for key, value in stream.fields.items()} | {"decoded_frames": stream.frames}
        for stream in report.streams
    ]
    return {"format": {key.replace("tag:", ""): value for key, value in report.container.items()}, "streams": streams}
