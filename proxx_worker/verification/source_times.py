"""Faults of a source's frame times: they repeat or go back, or do not match the container's frame rate."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice, pairwise
from math import gcd

from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.contract.output_settings import Container
from proxx_worker.contract.values import rate_as_number
from proxx_worker.media.facts import VideoFacts
from proxx_worker.planning.frame_timing import MXF_RATES
from proxx_worker.planning.plan import TaskPlan, plan_slower, plan_task
from proxx_worker.planning.remedies import outside_mxf
from proxx_worker.verification.damage_places import MOST_PLACES, DamageSearchResult, Place, listed
from proxx_worker.verification.encode_observation import EncodeObservation
from proxx_worker.verification.frame_grid import Scale, first_gap, places_on_grid

_FIELDS = 2
"""Fields in a frame."""

_TELLING = 2
"""Two frames have a single interval, which is not enough to tell a rate."""


def times_fault(plan: TaskPlan, encode: EncodeObservation, search: DamageSearchResult | None = None) -> JobError | None:
    """A fault of the source's frame times: two frames at one time, or no rate that fits all times."""
    if plan.design.schedule.converts or not encode.times:
        return None
    return _goes_back(plan, encode.times, search) or _off_the_rate(plan, encode.times)


def claim(plan: TaskPlan) -> str:
    """The plan's rate as shown in checks and logs."""
    rate = plan.design.schedule.rate
    return "variable" if rate is None else str(rate)


def measured_plan(plan: TaskPlan, encode: EncodeObservation) -> TaskPlan | None:
    """A plan based on the frames' own times, if they do not match the container's rate.

    Frames at every second (third, ...) grid position only have that lower rate; it is not used if a timecode counts frames at the
    container's rate. Frames off the grid have a variable rate. None if the container's rate is right, or the times are unusable.
    """
    schedule, video = plan.design.schedule, plan.facts.video
    if schedule.rate is None or schedule.converts or not encode.times or _goes_back(plan, encode.times):
        return None
    every = _every(encode.times, video.time_base, schedule.rate)
    try:
        if off_grid(encode.times, video.time_base, schedule.rate):
            return plan_task(plan.settings, replace(plan.facts, video=replace(video, constant_rate=False)))
        rate = schedule.rate / every
        steady = every > 1 and first_gap(places_on_grid(encode.times, video.time_base, rate)) is None
        if steady and encode.exit_code == 0 and plan.facts.timecode is None:
            slower = replace(video, rate=rate, average_rate=rate, frames=promised_frames(video, encode.times) or video.frames)
            return plan_slower(plan.settings, replace(plan.facts, video=slower))
    except ProxxError:
        pass  # the fault of the times is reported instead, with its remedy
    return None


def promised_frames(video: VideoFacts, times: Sequence[int]) -> int | None:
    """How many frames the container promises: half of its samples if each is a field, as in AVCHD that was copied to MOV.

    `times`: of the decoded frames, in source ticks. An H.264 decoder gives one frame for two fields, so the frames are at every
    second position of the field rate. A lost field would make the count odd.
    """
    promised = video.promised_frames
    if video.codec != "h264" or promised != _FIELDS * len(times):
        return promised
    return len(times) if _every(times, video.time_base, video.rate) == _FIELDS else promised


def _every(times: Sequence[int], tick: Fraction, rate: Fraction) -> int:
    """The constant distance between grid positions with a frame; 1 if it varies, or there are too few frames to tell."""
    every = 0
    if len(times) > _TELLING:
        for place in places_on_grid(times, tick, rate):
            every = gcd(every, place)
            if every == 1:
                break
    return every or 1


def _goes_back(plan: TaskPlan, times: Sequence[int], search: DamageSearchResult | None = None) -> JobError | None:
    back = ((before, time) for before, time in pairwise(times) if time <= before)
    faults = list(islice(back, MOST_PLACES))
    if not faults:
        return None
    tick = plan.facts.video.time_base
    before, time = (f"{float((at - times[0]) * tick):.3f}" for at in faults[0])
    met = [Place(f"{float((at - times[0]) * tick):.3f}", plan.facts.video.index, "times") for at, _ in faults]
    found = [] if search is None else [place for place in search.places if place.kind == "times"]
    places, more = (found, 0) if found else (met, sum(1 for _ in back))
    count = len(places) + more
    return JobError(
        ErrorCode.SOURCE_DAMAGED,
        f"frame times must increase, but the source's frame at {before} s is followed by one at {time} s"
        + (f" (and {count - 1} more such places)" if count > 1 else "")
        + ": rewrap the clip with correct times"
        + ("" if plan.facts.video.interlaced else ', or ask for fps_mode "explicit" with a rate'),
        {
            "near_seconds": before,
            **listed(places, more),
            **({} if search is None else {"places_complete": search.complete}),
        },
    )


def _off_the_rate(plan: TaskPlan, times: Sequence[int]) -> JobError | None:
    """A source with a constant rate by its container, but with frames off that grid, or (for MXF) gaps in it."""
    rate, video = plan.design.schedule.rate, plan.facts.video
    if rate is None:
        return None
    in_mxf = plan.expected.container is Container.MXF
    if off_grid(times, video.time_base, rate):
        return JobError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"the source's container states a constant frame rate ({rate}), but its frames have other times: "
            + _remedies(plan, f'"explicit" with {_number(rate) if in_mxf else "a rate"}'),
            {"rate": str(rate)},
        )
    if (every := _every(times, video.time_base, rate)) > 1:
        return JobError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"the source's container states a frame rate of {rate}, but its frames come at {rate / every}: "
            + _remedies(plan, _explicit(plan, rate / every, rate)),
            {"rate": str(rate), "rate_of_frames": str(rate / every)},
        )
    missing = first_gap(places_on_grid(times, video.time_base, rate)) if in_mxf else None
    if missing is None:
        return None
    second = f"{float(missing / rate):.3f}"
    return JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"the source skips frames of its constant rate ({rate}), first at {second} s, and MXF cannot store a gap: "
        + _remedies(plan, f'"explicit" with {_number(rate)}, which repeats the previous frame'),
        {"rate": str(rate), "near_seconds": second},
    )


def _explicit(plan: TaskPlan, real: Fraction, claimed: Fraction) -> str:
    """For frames at `real` in a container that states `claimed`: a rate that a spec can say and the proxy can have."""
    in_mxf = plan.expected.container is Container.MXF
    if (number := rate_as_number(real)) is not None and (real in MXF_RATES or not in_mxf):
        return f'"explicit" with {number}'
    if (number := rate_as_number(claimed)) is not None:
        return f'"explicit" with {number}, which repeats frames'
    return '"explicit" with a rate'


def _number(rate: Fraction) -> str:
    return rate_as_number(rate) or "a rate"


def _remedies(plan: TaskPlan, mode: str) -> str:
    """What would be accepted: `mode` as fps_mode, which fields do not survive, or what keeps the times that MXF cannot store."""
    interlaced = plan.facts.video.interlaced
    remedies = [] if interlaced else [f"ask for fps_mode {mode}"]
    if plan.expected.container is Container.MXF:
        remedies.append(outside_mxf(interlaced=interlaced))
    return ", or ".join(remedies) or "rewrap the clip with correct times, or deinterlace it first"


def off_grid(times: Sequence[int], tick: Fraction, rate: Fraction) -> bool:
    """Whether any frame is off its position on the grid of `rate`."""
    # Containers round times to their ticks. A tenth of a frame is more than any of them needs, and too little to see.
    slack = max(2 * tick, 1 / (10 * rate))
    scale = Scale.common(tick, 1 / rate, slack)
    ticks, frames, most = scale.of(tick), scale.of(1 / rate), scale.of(slack)
    first, places = times[0], places_on_grid(times, tick, rate)
    return any(abs((time - first) * ticks - place * frames) > most for time, place in zip(times, places, strict=True))
