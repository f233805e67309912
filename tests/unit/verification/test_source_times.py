"""Frame times that repeat, go back, or are not at the claimed rate: what is refused, and what is planned anew."""

from dataclasses import replace
from fractions import Fraction
from typing import cast

import pytest

from proxx_worker.contract.errors import ErrorCode, JobError, JsonValue
from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.contract.result import Check
from proxx_worker.media.facts import MediaFacts, Timecode
from proxx_worker.planning.plan import TaskPlan, plan_task
from proxx_worker.verification.damage_places import Place
from proxx_worker.verification.encode_fault import encode_error
from proxx_worker.verification.encode_observation import EncodeObservation
from proxx_worker.verification.ffmpeg_evidence import FfmpegEvidence
from proxx_worker.verification.proxy_probe import ProxyReport, StreamReport
from proxx_worker.verification.source_faults import ends_early
from proxx_worker.verification.source_times import claim, measured_plan, off_grid, promised_frames, times_fault
from tests.unit.planning.sources import CLIP, clip, settings
from tests.unit.verification.proxies import perfect_encode
from tests.unit.verification.searches import search_result

FRAME = 512
MUXER = "[mov @ 0x1] [error] Non-monotonous DTS in output stream 0:0; previous: 2560, current: 2560; aborting."
DECODER = "[h264 @ 0x1] [error] error while decoding MB 21 4, bytestream -30"
UNCOUNTED = clip(frames=None, frames_certain=False)


def planned(source: MediaFacts = UNCOUNTED, container: Container = Container.MOV, fps: Fraction | None = None) -> TaskPlan:
    codec = Codec.DNXHR if container is Container.MXF else Codec.PRORES_PROXY
    return plan_task(settings(codec, container, fps=fps), source)


def seen(plan: TaskPlan, *times: int, exit_code: int = 0) -> EncodeObservation:
    return replace(perfect_encode(plan), times=times, exit_code=exit_code)


HALF_RATE = tuple(range(0, 26 * FRAME, 2 * FRAME))
UNEVEN = (0, FRAME, 2 * FRAME + 200, 3 * FRAME)


@pytest.mark.parametrize(
    ("times", "near", "places", "said"),
    [
        ((0, FRAME, FRAME, 3 * FRAME), "0.040", 1, "frame at 0.040 s is followed by one at 0.040 s: rewrap"),
        ((0, 2 * FRAME, FRAME, 0), "0.080", 2, "frame at 0.080 s is followed by one at 0.040 s (and 1 more such places)"),
    ],
)
@pytest.mark.parametrize("source", [UNCOUNTED, clip(constant_rate=False)])
def test_times_that_do_not_grow_are_the_sources_damage(
    source: MediaFacts, times: tuple[int, ...], near: str, places: int, said: str
) -> None:
    plan = planned(source)
    encode = replace(seen(plan, *times, exit_code=1), complaints=(MUXER,))
    error = encode_error(plan, encode)
    assert error is not None
    assert (error.code, error.details["near_seconds"], error.details["places_count"]) == (ErrorCode.SOURCE_DAMAGED, near, places)
    assert {"near_seconds": near, "stream": 0, "kind": "times"} in cast("list[object]", error.details["places"])
    assert said in error.message
    assert measured_plan(plan, encode) is None
    off_the_grid_too = replace(encode, times=(*times, times[-1] + 200))
    assert measured_plan(plan, off_the_grid_too) is None


def test_times_that_go_back_are_told_from_the_first_frame_on() -> None:
    plan = planned()
    encode = seen(plan, 7000, 7000 + 2 * FRAME, 7000 + FRAME, 7000)
    assert times_fault(plan, encode) == JobError(
        ErrorCode.SOURCE_DAMAGED,
        "frame times must increase, but the source's frame at 0.080 s is followed by one at 0.040 s (and 1 more such places): "
        'rewrap the clip with correct times, or ask for fps_mode "explicit" with a rate',
        {
            "near_seconds": "0.080",
            "places": [
                {"near_seconds": "0.080", "stream": 0, "kind": "times"},
                {"near_seconds": "0.040", "stream": 0, "kind": "times"},
            ],
            "places_count": 2,
        },
    )
    found = search_result(Place("0.070", 0, "decoding"), Place("0.080", 0, "times", "0.120"), complete=False)
    searched = times_fault(plan, encode, found)
    assert searched is not None
    assert "followed by one at 0.040 s: rewrap" in searched.message
    assert searched.details == {
        "near_seconds": "0.080",
        "places": [{"near_seconds": "0.080", "until_seconds": "0.120", "stream": 0, "kind": "times"}],
        "places_count": 1,
        "places_complete": False,
    }
    other = times_fault(plan, encode, search_result(Place("0.070", 0, "decoding")))
    assert other is not None
    assert (other.details["places_count"], other.details["places_complete"]) == (2, True), "what the encode met is kept"


def test_the_encoders_own_fault_stays_its_own() -> None:
    plan = planned()
    error = encode_error(plan, replace(perfect_encode(plan), exit_code=1, complaints=(MUXER,)))
    assert error is not None
    assert error.code is ErrorCode.ENCODE_FAILED
    crashed = encode_error(plan, seen(plan, 0, FRAME, FRAME, exit_code=-11))
    assert crashed is not None
    assert crashed.code is ErrorCode.ENCODE_FAILED
    variable = planned(clip(constant_rate=False))
    assert times_fault(variable, perfect_encode(variable)) is None


def test_a_rate_that_is_converted_takes_all_times() -> None:
    plan = planned(fps=Fraction(50))
    assert times_fault(plan, seen(plan, *UNEVEN)) is None
    assert measured_plan(plan, seen(plan, *UNEVEN)) is None
    assert times_fault(planned(), seen(planned())) is None


OFF_THE_GRID = "the source's container states a constant frame rate (25), but its frames have other times: "
AT_HALF = "the source's container states a frame rate of 25, but its frames come at 25/2: "
REPEATS = "frame times must increase, but the source's frame at 0.040 s is followed by one at 0.040 s: "
SKIPS = "the source skips frames of its constant rate (25), first at 0.080 s, and MXF cannot store a gap: "
ASK = 'ask for fps_mode "explicit" with '
ANY = "h264 (proxy_h264_low, proxy_h264_quarter) or ProRes (proxy_prores_proxy, proxy_prores_lt)"
OUTSIDE = f", or choose dnxhr in mov, {ANY}"


@pytest.mark.parametrize(
    ("container", "times", "said", "details"),
    [
        (Container.MOV, UNEVEN, f"{OFF_THE_GRID}{ASK}a rate", {"rate": "25"}),
        (Container.MXF, UNEVEN, f"{OFF_THE_GRID}{ASK}25{OUTSIDE}", {"rate": "25"}),
        (Container.MOV, HALF_RATE, f"{AT_HALF}{ASK}12.5", {"rate": "25", "rate_of_frames": "25/2"}),
        (
            Container.MXF,
            HALF_RATE,
            f"{AT_HALF}{ASK}25, which repeats frames{OUTSIDE}",
            {"rate": "25", "rate_of_frames": "25/2"},
        ),
        (
            Container.MXF,
            (0, FRAME, 3 * FRAME),
            f"{SKIPS}{ASK}25, which repeats the previous frame{OUTSIDE}",
            {"rate": "25", "near_seconds": "0.080"},
        ),
    ],
)
def test_what_is_wrong_with_a_claimed_rate(
    container: Container, times: tuple[int, ...], said: str, details: dict[str, JsonValue]
) -> None:
    error = times_fault(planned(container=container), seen(planned(), *times))
    assert error == JobError(ErrorCode.SOURCE_UNSUPPORTED, said, details)


@pytest.mark.parametrize(
    ("codec", "container", "times", "advice"),
    [
        (Codec.DNXHD, Container.MXF, UNEVEN, f"{OFF_THE_GRID}choose {ANY}"),
        (Codec.DNXHD, Container.MXF, HALF_RATE, f"{AT_HALF}choose {ANY}"),
        (Codec.DNXHD, Container.MXF, (0, FRAME, 3 * FRAME), f"{SKIPS}choose {ANY}"),
        (Codec.PRORES_LT, Container.MOV, UNEVEN, f"{OFF_THE_GRID}rewrap the clip with correct times, or deinterlace it first"),
        (
            Codec.PRORES_LT,
            Container.MOV,
            (0, FRAME, FRAME),
            f"{REPEATS}rewrap the clip with correct times",
        ),
    ],
)
def test_fields_are_not_told_to_be_retimed(codec: Codec, container: Container, times: tuple[int, ...], advice: str) -> None:
    plan = plan_task(settings(codec, container), clip(frames=None, frames_certain=False, field_order="tt"))
    error = times_fault(plan, seen(plan, *times))
    assert error is not None
    assert error.message == advice


@pytest.mark.parametrize(
    ("rate", "advice"),
    [(Fraction(30000, 1001), "with 29.97, which repeats frames"), (Fraction(90000, 3001), "with a rate")],
)
def test_only_a_rate_that_a_spec_can_say_is_advised(rate: Fraction, advice: str) -> None:
    frame = int(90000 / rate)
    source = clip(frames=None, frames_certain=False, rate=rate, average_rate=rate, time_base=Fraction(1, 90000))
    error = times_fault(planned(source), seen(planned(source), *range(0, 26 * frame, 2 * frame)))
    assert error is not None
    assert error.message.endswith(f'ask for fps_mode "explicit" {advice}')


@pytest.mark.parametrize("times", [(0, 2 * FRAME), (0, FRAME, 3 * FRAME), (0, FRAME, 2 * FRAME)])
def test_too_few_frames_and_mere_gaps_leave_the_claim(times: tuple[int, ...]) -> None:
    assert times_fault(planned(), seen(planned(), *times)) is None
    assert measured_plan(planned(), seen(planned(), *times)) is None


@pytest.mark.parametrize(
    ("rate", "tick", "place", "off"),
    [
        # A tenth of a frame at 25 frames per second is 51.2 ticks.
        (Fraction(25), Fraction(1, 12800), 512 + 51, False),
        (Fraction(25), Fraction(1, 12800), 512 + 52, True),
        (Fraction(25), Fraction(1, 12800), 512 - 51, False),
        (Fraction(25), Fraction(1, 12800), 512 - 52, True),
        # Two of Matroska's ticks are more than a tenth of a frame.
        (Fraction(100), Fraction(1, 1000), 12, False),
        (Fraction(100), Fraction(1, 1000), 13, True),
        (Fraction(60000, 1001), Fraction(1, 1000), 17, False),
    ],
)
def test_a_frame_may_be_two_ticks_or_a_tenth_of_a_frame_from_its_place(
    rate: Fraction, tick: Fraction, place: int, off: bool
) -> None:
    assert off_grid([7000, 7000 + place], tick, rate) is off


def test_frames_are_at_every_second_place_only_if_all_are() -> None:
    plan = planned()
    assert times_fault(plan, seen(plan, *(FRAME * place for place in (0, 2, 4, 5, 7)))) is None


def test_uneven_times_are_planned_as_variable() -> None:
    again = measured_plan(planned(), seen(planned(), *UNEVEN, exit_code=1))
    assert again is not None
    assert (claim(planned()), claim(again)) == ("25", "variable")
    assert again.facts.video.constant_rate is False
    assert measured_plan(again, seen(again, *UNEVEN)) is None


def test_every_second_place_is_half_the_rate() -> None:
    plan = planned()
    again = measured_plan(plan, seen(plan, *HALF_RATE))
    assert again is not None
    assert (claim(again), again.design.schedule.slower, again.expected.timing.rate) == ("25/2", True, Fraction(25, 2))
    assert (again.facts.video.rate, again.facts.video.average_rate) == (Fraction(25, 2), Fraction(25, 2))
    assert (
        "fps=fps=25/2:round=near:eof_action=pass,settb=2/25" in again.output_options[again.output_options.index("-filter:v") + 1]
    )


@pytest.mark.parametrize(
    ("codec", "samples", "promised"),
    [
        ("h264", 2 * len(HALF_RATE), len(HALF_RATE)),
        ("h264", 2 * len(HALF_RATE) - 1, 2 * len(HALF_RATE) - 1),
        ("prores", 2 * len(HALF_RATE), 2 * len(HALF_RATE)),
    ],
    ids=["two fields for each frame", "a field is missing", "a codec whose fields are one sample"],
)
def test_samples_that_are_fields_are_counted_in_pairs(codec: str, samples: int, promised: int) -> None:
    plan = planned(clip(codec=codec, frames=samples, frames_certain=True))
    again = measured_plan(plan, seen(plan, *HALF_RATE))
    assert again is not None
    assert again.facts.video.promised_frames == promised
    assert promised_frames(plan.facts.video, HALF_RATE) == promised


def test_half_of_the_frames_in_a_row_are_no_fields() -> None:
    cut = clip(frames=2 * len(HALF_RATE), frames_certain=True).video
    assert promised_frames(cut, range(0, len(HALF_RATE) * FRAME, FRAME)) == 2 * len(HALF_RATE)


def test_fields_at_another_rate_are_not_told_as_cut_off() -> None:
    source = clip(codec="h264", frames=2 * len(HALF_RATE), frames_certain=True)
    plan = planned(source, fps=Fraction(24))
    assert ends_early(plan, seen(plan, *HALF_RATE), ProxyReport({}, ())) is None
    counted = next(
        check
        for check in FfmpegEvidence(plan, seen(plan, *HALF_RATE)).time_checks(StreamReport({}))
        if check.name == "frames_of_source"
    )
    assert counted.ok is True


@pytest.mark.parametrize(
    ("plan", "times", "exit_code"),
    [
        (planned(), HALF_RATE, 1),
        (planned(), (*HALF_RATE, 30 * FRAME), 0),
        (planned(replace(UNCOUNTED, timecode=Timecode("01:00:00:00", drop_frame=False, origin="tmcd"))), HALF_RATE, 0),
        (planned(container=Container.MXF), HALF_RATE, 0),
        (planned(container=Container.MXF), UNEVEN, 0),
    ],
    ids=["unfinished", "with a gap", "with a timecode", "no rate of MXF", "variable in MXF"],
)
def test_what_cannot_be_planned_anew_stays_refused(plan: TaskPlan, times: tuple[int, ...], exit_code: int) -> None:
    encode = seen(plan, *times, exit_code=exit_code)
    assert measured_plan(plan, encode) is None
    assert times_fault(plan, encode) is not None


def test_only_times_lead_to_another_plan() -> None:
    plan = planned()
    uneven = seen(plan, *UNEVEN)
    assert FfmpegEvidence(plan, perfect_encode(plan)).replanned() is None
    assert FfmpegEvidence(plan, uneven).replanned() is not None
    assert FfmpegEvidence(plan, replace(uneven, exit_code=1, complaints=(MUXER,))).replanned() is not None
    assert FfmpegEvidence(plan, replace(uneven, complaints=(DECODER,))).replanned() is None
    lost = f"[{','.join(CLIP.formats)} @ 0x1] [error] stream 0, partial file"
    assert FfmpegEvidence(plan, replace(uneven, times=(0, FRAME, 4 * FRAME + 200), complaints=(lost,))).replanned() is None


def test_the_result_says_what_the_container_claimed() -> None:
    plan = planned(clip(constant_rate=False))
    said = Check(name="rate_of_source", expected="25", actual="variable", ok=None)
    assert said in FfmpegEvidence(plan, perfect_encode(plan), claimed="25").checks()


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (("[dnxhd @ 0x1] [error] ac tex damaged 3, 4",), ErrorCode.SOURCE_DAMAGED),
        (("[dnxhd @ 0x1] [error] picture could not fit ratecontrol", "[fatal] Video encoding failed"), ErrorCode.ENCODE_FAILED),
    ],
)
def test_a_library_on_both_sides_is_told_apart_by_ffmpegs_own_word(lines: tuple[str, ...], code: ErrorCode) -> None:
    plan = planned(clip(codec="dnxhd"), Container.MXF)
    error = encode_error(plan, replace(perfect_encode(plan), exit_code=1, complaints=lines))
    assert error is not None
    assert error.code is code
