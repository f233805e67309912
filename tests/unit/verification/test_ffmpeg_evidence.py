"""What an encode by FFmpeg proves of a proxy's frames: their number, their times, and where the first one is."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from pydantic import JsonValue

from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.contract.result import Check
from proxx_worker.media.facts import MediaFacts, OpenEnd
from proxx_worker.planning.plan import TaskPlan, plan_task
from proxx_worker.verification.encode_observation import EncodeObservation
from proxx_worker.verification.ffmpeg_evidence import FfmpegEvidence
from tests.unit.planning.sources import CLIP, clip, settings
from tests.unit.verification.proxies import perfect_encode, perfect_proxy

FRAME = 512
CODECS = {Container.MOV: Codec.PRORES_PROXY, Container.MXF: Codec.DNXHR, Container.MKV: Codec.H264}


def planned(source: MediaFacts = CLIP, container: Container = Container.MOV, fps: Fraction | None = None) -> TaskPlan:
    return plan_task(settings(CODECS[container], container, fps=fps), source)


def presented(plan: TaskPlan, times: Sequence[int | None]) -> EncodeObservation:
    encode = perfect_encode(plan, len(times))
    untimed = [at for at, time in enumerate(times) if time is None]
    return replace(encode, times=[time for time in times if time is not None], untimed=untimed)


def checked(plan: TaskPlan, encode: EncodeObservation, frames: int = 25) -> list[tuple[str, JsonValue, JsonValue, bool | None]]:
    picture = perfect_proxy(plan, frames).observation().report.of_type("video")[0]
    return [(it.name, it.expected, it.actual, it.ok) for it in FfmpegEvidence(plan, encode).time_checks(picture)]


def start(plan: TaskPlan, first: int | None) -> JsonValue:
    """When the proxy's first frame must be shown, if the source's came at `first`."""
    times = [] if first is None else [first + FRAME * number for number in range(25)]
    return next(said for name, said, _, _ in checked(plan, presented(plan, times)) if name == "start")


LATE_SOUND = replace(CLIP, video=replace(CLIP.video, start=Fraction(2)))
DELAYED = replace(clip(frames_certain=False, delay=2), formats=("avi",))


@pytest.mark.parametrize(
    ("plan", "first", "said"),
    [
        (planned(), 0, "0"),
        (planned(), 10 * FRAME, "0.4"),
        # Encoders count in frames, so it is rounded to one; at a variable rate it is exact.
        (planned(), 10 * FRAME + 200, "0.4"),
        (planned(), 10 * FRAME + 300, "0.44"),
        (planned(clip(constant_rate=False)), 10 * FRAME + 200, "0.415625"),
        (planned(clip(constant_rate=False), Container.MKV), 10 * FRAME + 200, "0.415625"),
        (planned(DELAYED), 2 * FRAME, "0"),
        (planned(DELAYED), 12 * FRAME, "0.4"),
        (planned(LATE_SOUND), 50 * FRAME, "2"),
        (planned(LATE_SOUND), None, "2"),
        (planned(container=Container.MXF), 10 * FRAME, "0"),
        (planned(fps=Fraction(50)), 10 * FRAME, "0"),
        (planned(LATE_SOUND, fps=Fraction(50)), 60 * FRAME, "2"),
    ],
)
def test_a_proxy_starts_where_its_source_s_first_frame_is(plan: TaskPlan, first: int | None, said: str) -> None:
    assert start(plan, first) == said


@pytest.mark.parametrize(("untimed", "said"), [(0, "0"), (1, "0.4")])
def test_a_first_frame_without_a_time_starts_where_the_container_says(untimed: int, said: str) -> None:
    times: list[int | None] = [(10 + number) * FRAME for number in range(25)]
    times[untimed] = None
    checks = checked(planned(), presented(planned(), times))
    assert next(expected for name, expected, _, _ in checks if name == "start") == said


def test_the_frames_of_a_whole_source_are_counted_three_times() -> None:
    plan = planned()
    assert checked(plan, perfect_encode(plan)) == [
        ("frames_encoded", 25, 25, True),
        ("frames", 25, 25, True),
        ("frames_of_source", 25, 25, True),
        ("frame_times", "25 frames on their times", "25 frames on their times", True),
        ("start", "0", "0", True),
    ]


def test_a_frame_that_the_encoder_dropped_is_its_fault_alone() -> None:
    plan = planned()
    encode = perfect_encode(plan)
    counted = checked(plan, replace(encode, progress=replace(encode.progress, frames=24)))
    assert counted[:3] == [
        ("frames_encoded", 25, 24, False),
        ("frames", 25, 25, True),
        ("frames_of_source", 25, 25, True),
    ]


def test_frames_that_were_left_out_are_told() -> None:
    plan = planned(replace(CLIP, open_end=OpenEnd(1880)))
    said, cut = "10 of 25, before the first that decodes", "1 of 26, at the end and not known to be whole"
    assert checked(plan, presented(plan, perfect_encode(plan).times[10:]), 15) == [
        ("frames_encoded", 15, 15, True),
        ("frames", 15, 15, True),
        ("frames_of_source", 15, 15, True),
        ("frames_left_out", said, said, True),
        ("frames_left_out_at_end", cut, cut, True),
        ("frame_times", "15 frames on their times", "15 frames on their times", True),
        ("start", "0.4", "0", False),
    ]


def test_at_another_rate_the_encoder_s_frames_are_counted() -> None:
    plan = planned(fps=Fraction(50))
    encode = perfect_encode(plan)
    encode = replace(encode, progress=replace(encode.progress, frames=50))
    assert checked(plan, encode, 49) == [
        ("frames_encoded", None, 50, None),
        ("frames", 50, 49, False),
        ("frames_of_source", 25, 25, True),
        ("frame_times", "49 frames on their times", "49 frames on their times", True),
        ("start", "0", "0", True),
    ]


def frame_times(plan: TaskPlan, times: Sequence[int | None], seen: Sequence[int]) -> bool | None:
    proxy = perfect_proxy(plan)
    proxy.times = list(seen)
    picture = proxy.observation().report.of_type("video")[0]
    checks = FfmpegEvidence(plan, presented(plan, times)).time_checks(picture)
    return next(check.ok for check in checks if check.name == "frame_times")


@pytest.mark.parametrize(
    ("plan", "times", "seen", "ok"),
    [
        (planned(), (100, 612, 1636), (0, 512, 1536), True),
        (planned(), (100, 612, 1636), (7, 519, 1543), True),
        (planned(), (100, 612, 1636), (0, 512, 1024), False),
        (planned(), (None, 612, 1636), (0, 512, 1536), False),
        (planned(), (None, 612, 1636), (0, 1024), False),
        (planned(clip(constant_rate=False)), (100, 612, 1637), (0, 512, 1537), True),
        (planned(clip(constant_rate=False)), (100, 612, 1637), (0, 512, 1536), False),
        (planned(fps=Fraction(50)), (100, 612), (0, 256, 512, 768), True),
        (planned(fps=Fraction(50)), (100, 612), (0, 256, 512, 1024), False),
    ],
)
def test_every_frame_is_where_the_source_presented_it(
    plan: TaskPlan, times: Sequence[int | None], seen: Sequence[int], ok: bool
) -> None:
    assert frame_times(plan, times, seen) is ok


@pytest.mark.parametrize(
    ("more", "expected", "ok"),
    [(0, 2000, True), (1023, 2001, True), (1024, 2001, False), (-1023, 2000, True), (-1024, 1999, False)],
)
def test_audio_for_mxf_is_given_to_the_kibibyte(more: int, expected: int, ok: bool) -> None:
    plan = planned(replace(CLIP, formats=("avi",)), Container.MXF)
    (sound,) = plan.design.audio
    assert sound.padding is not None
    padded = replace(sound, padding=replace(sound.padding, bytes=2000 * 1024 + more))
    again = replace(plan, design=replace(plan.design, audio=(padded,)))
    checks = FfmpegEvidence(again, replace(perfect_encode(plan), audio_units=2000)).checks()
    assert [check for check in checks if check.name == "audio_encoded"] == [
        Check(name="audio_encoded", expected=expected, actual=2000, ok=ok)
    ]


UNTOLD = clip(duration=None, frames=None, frames_certain=False)
RECORDED = replace(CLIP, formats=("mpegts",))
PROGRAM_STREAM = replace(CLIP, formats=("mpeg",))
VARYING = clip(duration=None, frames=None, frames_certain=False, constant_rate=False)


@pytest.mark.parametrize(
    ("source", "fps", "frames", "expected", "ok"),
    [
        # 25 frames of 25, of which the first is at 0 and the last at 0.96.
        (UNTOLD, Fraction(25), 25, 25, True),
        (UNTOLD, Fraction(25), 27, 25, True),
        (UNTOLD, Fraction(25), 28, 25, False),
        (UNTOLD, Fraction(25), 23, 25, True),
        (UNTOLD, Fraction(25), 22, 25, False),
        (UNTOLD, Fraction(100), 95, 100, True),
        (UNTOLD, Fraction(100), 94, 100, False),
        (UNTOLD, Fraction(1, 2), 1, 1, True),
        # How long the last frame of a rate that varies lasts is not known.
        (VARYING, Fraction(25), 23, "at least 23", True),
        (VARYING, Fraction(25), 22, "at least 23", False),
        (VARYING, Fraction(25), 60, "at least 23", True),
        (VARYING, Fraction(24), 23, "at least 23", True),
        (VARYING, Fraction(1), 1, "at least 1", True),
        # What FFmpeg gives as the duration of a program or a transport stream ends where its last frame begins.
        (PROGRAM_STREAM, Fraction(100), 100, 100, True),
        (PROGRAM_STREAM, Fraction(100), 94, 100, False),
        (RECORDED, Fraction(50), 50, 50, True),
        (RECORDED, Fraction(50), 46, 50, False),
        # A duration that is stated is compared with by a check of its own.
        (CLIP, Fraction(25), 5, None, None),
    ],
)
def test_frames_of_another_rate_fill_what_the_source_presented(
    source: MediaFacts, fps: Fraction, frames: int, expected: JsonValue, ok: bool | None
) -> None:
    plan = planned(source, Container.MKV, fps)
    encode = presented(plan, [100 + FRAME * number for number in range(25)])
    encode = replace(encode, progress=replace(encode.progress, frames=frames))
    assert checked(plan, encode, frames)[0] == ("frames_encoded", expected, frames, ok)


def test_without_a_time_nothing_is_known_of_the_length() -> None:
    plan = planned(UNTOLD, Container.MKV, Fraction(25))
    assert checked(plan, presented(plan, []))[0] == ("frames_encoded", None, 0, None)
