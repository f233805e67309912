"""Every pass over the times of a long clip hears a stop, without asking for one itself."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.media.integers import BLOCK, Integers
from proxx_worker.planning.plan import TaskPlan, plan_task
from proxx_worker.verification.damage_places import MOST_PLACES
from proxx_worker.verification.encode_observation import EncodeObservation, EncodeObserver
from proxx_worker.verification.ffmpeg_evidence import FfmpegEvidence
from proxx_worker.verification.proxy_probe import ProxyReader
from proxx_worker.verification.source_times import times_fault
from proxx_worker.verification.verdict import judge, judge_evidence
from tests.unit.planning.sources import CLIP, settings
from tests.unit.verification.proxies import perfect_encode, perfect_proxy

FRAMES = BLOCK + 3
TICKS = 512
PLAN = plan_task(settings(), replace(CLIP, video=replace(CLIP.video, frames=FRAMES, duration=Fraction(FRAMES, 25))))


class Stop:
    """A stop that is requested once `now` is set."""

    now = False

    def __call__(self) -> None:
        if self.now:
            raise InterruptedError


def long_encode(plan: TaskPlan, stop: Callable[[], object]) -> EncodeObservation:
    observer = EncodeObserver(pause=stop)
    observer.feed_stdout(b"".join(b"frame:%d    pts:%d pts_time:0\n" % (at, TICKS * at) for at in range(FRAMES)))
    observer.feed_stdout(b"frame=%d\ntotal_size=1000\nprogress=end\n" % FRAMES)
    return replace(observer.finish(0, 1000), audio=perfect_encode(plan).audio)


@pytest.mark.parametrize("constant", [True, False])
def test_the_passes_after_an_encode_and_after_the_probe_hear_a_stop(constant: bool) -> None:
    stop = Stop()
    plan = PLAN if constant else plan_task(settings(), replace(PLAN.facts, video=replace(PLAN.facts.video, constant_rate=False)))
    evidence = FfmpegEvidence(plan, long_encode(plan, stop))
    proxy = perfect_proxy(plan)
    proxy.times = [TICKS * at for at in range(FRAMES)]
    observed = proxy.observation()
    assert evidence.replanned() is None
    judge_evidence(evidence)
    judge(plan.expected, observed, evidence)
    stop.now = True
    if constant:
        with pytest.raises(InterruptedError):
            evidence.replanned()
    with pytest.raises(InterruptedError):
        judge(plan.expected, observed, evidence)


def test_the_passes_over_a_proxys_frames_hear_a_stop() -> None:
    stop = Stop()
    reader = ProxyReader(stop)
    lines = [f"frame|stream_index={stream}|pts={at}|nb_samples=1" for stream in (0, 1) for at in range(3)]
    reader.feed("\n".join([*lines, "stream|index=0", "stream|index=1", ""]).encode())
    stop.now = True
    for stream in reader.finish().streams:
        for series in (stream.times, stream.sizes):
            with pytest.raises(InterruptedError):
                list(series)


def test_a_place_is_found_without_a_pass_over_all() -> None:
    stop = Stop()
    encode = long_encode(PLAN, stop)
    stop.now = True
    assert (encode.times[0], encode.times[-1], encode.presented) == (0, TICKS * (FRAMES - 1), FRAMES)


@pytest.mark.parametrize("back", [1, 2, MOST_PLACES, MOST_PLACES + 1, 3 * MOST_PLACES])
def test_of_times_that_go_back_the_first_are_listed_and_all_are_counted(back: int) -> None:
    plan = plan_task(settings(Codec.PRORES_PROXY, Container.MOV), CLIP)
    times = Integers(time for at in range(back) for time in (TICKS * 2 * at + TICKS, TICKS * 2 * at))
    error = times_fault(plan, replace(perfect_encode(plan), times=times))
    assert error is not None
    places = error.details["places"]
    assert isinstance(places, list)
    assert (len(places), error.details["places_count"]) == (min(back, MOST_PLACES), back)
    assert (f"(and {back - 1} more such places)" in error.message) is (back > 1)
