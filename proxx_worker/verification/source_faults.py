"""Faults of a source that show in the frames that it presented: it ends early, or its times are not the rate it claims."""

from collections.abc import Sequence
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.contract.output_settings import Container
from proxx_worker.planning.plan import TaskPlan
from proxx_worker.verification.encode_observation import EncodeObservation
from proxx_worker.verification.frame_grid import Scale, first_gap, places_on_grid
from proxx_worker.verification.proxy_probe import ProxyReport


def off_the_grid(plan: TaskPlan, encode: EncodeObservation) -> JobError | None:
    """A source that its container calls constant, but whose frames stand off that grid, or leave holes in it for MXF."""
    schedule, video = plan.design.schedule, plan.facts.video
    times = encode.times
    if schedule.rate is None or schedule.converts or not times:
        return None
    places = places_on_grid(times, video.time_base, schedule.rate)
    if _off_grid(times, places, video.time_base, schedule.rate):
        return JobError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"the source says that its frame rate is constant ({video.rate}), but its frames come at other times: "
            'ask for fps_mode "explicit" with a rate',
            {"rate": str(video.rate)},
        )
    missing = first_gap(places) if plan.expected.container is Container.MXF else None
    if missing is None:
        return None
    second = f"{float(missing / schedule.rate):.3f}"
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


def ends_early(plan: TaskPlan, encode: EncodeObservation, report: ProxyReport) -> JobError | None:
    """The picture (or, where only the whole file's length is known, everything) ends before the container says."""
    facts, video, times = plan.facts, plan.facts.video, encode.times
    if not times:
        return JobError(
            ErrorCode.SOURCE_DAMAGED,
            "no frame of the source could be decoded: deliver the clip again",
            {"frames_before": 0},
        )
    frame = 1 / video.rate
    end = max(times) * video.time_base + frame
    promised = video.promised_frames
    if promised is not None and len(encode.presented) < promised:
        return _short(f"after {len(encode.presented)} frames", f"{promised} frames", end, promised, len(times))
    # Containers round, decoders hold back a frame at a cut: two frames and a hundredth are no damage.
    slack = 2 * frame + Fraction(1, 100)
    if video.duration is not None:
        length = end - min(times) * video.time_base
        if promised is None and length + slack < video.duration:
            return _short(f"after {float(length):.3f} s", f"{float(video.duration):.3f} s", end, None, len(times))
    elif facts.duration is not None:
        sounds = (Fraction(s.samples, s.integer("sample_rate") or 1) for s in report.of_type("audio"))
        longest = max((end, *sounds))
        if longest + slack + Fraction(1, 2) < facts.duration:
            return _short(f"after {float(longest):.3f} s", f"{float(facts.duration):.3f} s", longest, None, len(times))
    return None


def _short(actual: str, promised: str, end: Fraction, frames: int | None, presented: int) -> JobError:
    return JobError(
        ErrorCode.SOURCE_DAMAGED,
        f"the source ends {actual}, its container promises {promised}: it was cut off; deliver the clip again",
        {"ends_at_seconds": f"{float(end):.3f}", "frames": presented, "frames_promised": frames},
    )
