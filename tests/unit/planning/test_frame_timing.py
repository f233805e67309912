import re
from dataclasses import replace
from fractions import Fraction
from math import lcm
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.contract.output_settings import Container, FpsMode, OutputSettings, Resolution, ScaleMode
from proxx_worker.contract.strict_json import Number
from proxx_worker.contract.values import read_rate
from proxx_worker.media.facts import MediaFacts, Timecode
from proxx_worker.planning.frame_timing import MXF_RATES, Schedule, plan_schedule
from tests.unit.planning.sources import CLIP, STEREO, clip, settings

NTSC = Fraction(30000, 1001)
FILM = Fraction(24000, 1001)
NO_MXF = "choose dnxhr in mov, h264 (proxy_h264_low, proxy_h264_quarter) or ProRes (proxy_prores_proxy, proxy_prores_lt)"


def planned(rate: Fraction | None, time_base: Fraction, **changed: Any) -> Schedule:  # noqa: ANN401 - any of its fields
    still = Schedule(
        rate=rate,
        time_base=time_base,
        offset=Fraction(0),
        input_shift=Fraction(0),
        output_shift=Fraction(0),
        end=None,
        converts=False,
        timescale=None,
        timecode=None,
    )
    return replace(still, **changed)


def late(rate: Fraction, offset: Fraction, beside_the_grid: Fraction) -> Schedule:
    timescale = lcm(rate.numerator, 1000) if beside_the_grid else None
    return planned(rate, 1 / rate, offset=offset, input_shift=beside_the_grid, output_shift=beside_the_grid, timescale=timescale)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (CLIP, planned(Fraction(25), Fraction(1, 25))),
        (clip(rate=FILM, time_base=Fraction(1, 90000)), planned(FILM, Fraction(1001, 24000))),
        (clip(start=Fraction(2, 25)), late(Fraction(25), Fraction(2, 25), Fraction(0))),
        (clip(start=Fraction(1, 90)), late(Fraction(25), Fraction(1, 90), Fraction(1, 90))),
        (clip(start=Fraction(1, 8)), late(Fraction(25), Fraction(1, 8), Fraction(1, 200))),
        (clip(rate=FILM, start=Fraction(7, 90000)), late(FILM, Fraction(7, 90000), Fraction(7, 90000))),
        (clip(start=None), planned(Fraction(25), Fraction(1, 25))),
        (replace(clip(start=None), audio=()), planned(Fraction(25), Fraction(1, 25))),
        (replace(clip(start=Fraction(5)), start=None), planned(Fraction(25), Fraction(1, 25))),
        (replace(clip(start=Fraction(5)), start=Fraction(5)), planned(Fraction(25), Fraction(1, 25))),
        (replace(clip(start=Fraction(4)), start=Fraction(5)), planned(Fraction(25), Fraction(1, 25))),
    ],
)
def test_a_constant_rate_stands_on_its_grid(source: MediaFacts, expected: Schedule) -> None:
    assert plan_schedule(settings(), source) == expected


@given(st.integers(1, 10**6), st.sampled_from([Fraction(25), NTSC, FILM, Fraction(90000, 3001)]))
def test_the_first_frame_falls_on_the_grid_and_comes_back_to_its_place(ticks: int, rate: Fraction) -> None:
    offset = Fraction(ticks, 90000)
    schedule = plan_schedule(settings(), clip(rate=rate, start=offset))
    assert schedule.offset == offset
    assert ((offset - schedule.input_shift) * rate).denominator == 1
    assert 0 <= schedule.input_shift < 1 / rate
    assert schedule.output_shift == schedule.input_shift


def test_a_late_start_has_ticks_that_hold_its_milliseconds() -> None:
    source = clip(start=Fraction(14, 1000))
    assert plan_schedule(settings(container=Container.MOV), source).timescale == 1000
    assert plan_schedule(settings(container=Container.MKV), source).timescale is None
    assert plan_schedule(settings(), clip(rate=NTSC, start=Fraction(14, 1000))).timescale == 30000
    assert plan_schedule(settings(), clip(rate=Fraction(3_000_017, 60_013), start=Fraction(14, 1000))).timescale is None


def test_a_variable_rate_keeps_its_ticks_and_its_end() -> None:
    source = clip(constant_rate=False, time_base=Fraction(1, 600), start=Fraction(1, 10), duration=Fraction(4))
    expected = planned(None, Fraction(1, 600), offset=Fraction(1, 10), end=Fraction(41, 10), timescale=600)
    assert plan_schedule(settings(), source) == expected
    assert plan_schedule(settings(), clip(constant_rate=False, duration=None)).end is None
    start = Timecode("01:00:00:00", drop_frame=False, origin="tmcd")
    assert plan_schedule(settings(), replace(source, timecode=start)) == replace(expected, timecode=start)


@pytest.mark.parametrize("container", [Container.MKV, Container.WEBM])
def test_matroska_counts_a_variable_rate_in_milliseconds(container: Container) -> None:
    source = clip(constant_rate=False, time_base=Fraction(1, 600), duration=Fraction(4))
    assert plan_schedule(settings(container=container), source) == planned(None, Fraction(1, 1000), end=Fraction(4))


def test_a_variable_rate_is_refused_in_mxf() -> None:
    with pytest.raises(ProxxError) as refused:
        plan_schedule(settings(container=Container.MXF), clip(constant_rate=False))
    assert refused.value.error == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        "the source has a variable frame rate, but MXF can only store a constant one: "
        f'{NO_MXF}, or ask for fps_mode "explicit" with a rate of its own '
        "(23.976, 24, 25, 29.97, 30, 48, 50, 59.94, 60, 72, 75, 90, 96, 100, 120)",
        {"container": "mxf"},
    )


@pytest.mark.parametrize("rate", [Fraction(90000, 3001), Fraction(2997, 100), Fraction(15), Fraction(120000, 1001)])
def test_mxf_takes_no_rate_that_it_cannot_store(rate: Fraction) -> None:
    for fps, source in ((None, clip(rate=rate)), (rate, CLIP)):
        with pytest.raises(ProxxError) as refused:
            plan_schedule(settings(container=Container.MXF, fps=fps), source)
        assert refused.value.error == JobError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"MXF cannot store {rate} frames per second exactly "
            "(it can: 23.976, 24, 25, 29.97, 30, 48, 50, 59.94, 60, 72, 75, 90, 96, 100, 120): "
            f'{NO_MXF}, or ask for fps_mode "explicit" with one of these rates',
            {"rate": str(rate), "container": "mxf"},
        )


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (NTSC, Fraction(2997, 100)),
        (FILM, Fraction(2997, 125)),
        (Fraction(30), Fraction(1_000_000, 33333)),
        # As far from the rate as decimals that mean it can be.
        (Fraction(120), Fraction(120_003, 1000)),
    ],
)
def test_a_rate_that_is_written_in_decimals_is_restated_for_mxf(rate: Fraction, said: Fraction) -> None:
    for container in (Container.MXF, Container.MOV):
        schedule = plan_schedule(settings(container=container), clip(rate=rate, average_rate=said))
        assert (schedule.rate, schedule.restated) == (rate, container is Container.MXF)


@pytest.mark.parametrize(
    ("rate", "average"),
    [
        # 30 frames of 59.94 in ticks of 1/90000, a tick short; 48,000 frames at 25 whose last is a tick longer; rounded times.
        (Fraction(60000, 1001), Fraction(30 * 90000, 45044)),
        (Fraction(25), Fraction(48000 * 12800, 48000 * 512 + 1)),
        (NTSC, Fraction(19001, 634)),
        (Fraction(120), Fraction(120_004, 1000)),
        (Fraction(25), Fraction(24)),
        (Fraction(25), None),
    ],
)
def test_an_average_beside_the_rate_is_no_matter_for_mxf(rate: Fraction, average: Fraction | None) -> None:
    schedule = plan_schedule(settings(container=Container.MXF), clip(rate=rate, average_rate=average))
    assert (schedule.rate, schedule.restated) == (rate, False)


def test_a_rate_that_mxf_cannot_store_is_refused_with_every_rate_that_a_spec_can_ask_for() -> None:
    with pytest.raises(ProxxError, match="cannot store 15 frames") as refused:
        plan_schedule(settings(container=Container.MXF), clip(rate=Fraction(15)))
    listed = re.search(r"\(it can: (.*?)\)", str(refused.value))
    assert listed is not None
    assert [read_rate(Number(number)) for number in listed[1].split(", ")] == sorted(MXF_RATES)


@pytest.mark.parametrize("rate", sorted(MXF_RATES))
def test_mxf_starts_at_zero(rate: Fraction) -> None:
    schedule = plan_schedule(settings(container=Container.MXF), clip(rate=rate, start=Fraction(1, 3)))
    assert schedule == planned(rate, 1 / rate, input_shift=Fraction(1, 3))


def test_an_explicit_rate_converts() -> None:
    schedule = plan_schedule(settings(fps=NTSC), clip(start=Fraction(1, 10)))
    assert schedule == planned(NTSC, 1 / NTSC, offset=3 / NTSC, converts=True)
    in_mxf = plan_schedule(settings(container=Container.MXF, fps=NTSC), clip(start=Fraction(1, 10)))
    assert in_mxf == planned(NTSC, 1 / NTSC, input_shift=Fraction(1, 10), converts=True)


def test_an_explicit_rate_must_be_said() -> None:
    unsaid = OutputSettings(settings().codec, Container.MP4, Resolution(ScaleMode.SAME), FpsMode.EXPLICIT)
    with pytest.raises(ValueError, match=r"^an explicit frame rate is missing$"):
        plan_schedule(unsaid, CLIP)


SHORT = Fraction(1, 25)


@pytest.mark.parametrize("source", [clip(duration=SHORT), replace(clip(duration=None), duration=SHORT)])
def test_a_picture_must_be_long_enough_for_a_frame_of_an_explicit_rate(source: MediaFacts) -> None:
    with pytest.raises(ProxxError) as refused:
        plan_schedule(settings(fps=Fraction(12)), source)
    assert refused.value.error == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        "the video lasts 0.04 s, which is less than half a frame at 12 frames per second: "
        "ask for a higher fps_explicit, or keep its rate",
        {"duration_seconds": "0.04", "rate": "12"},
    )
    assert plan_schedule(settings(fps=Fraction(25, 2)), source).rate == Fraction(25, 2)
    with pytest.raises(ProxxError, match=r": ask for a higher fps_explicit$"):
        plan_schedule(
            settings(container=Container.MXF, fps=Fraction(24)),
            replace(source, video=replace(source.video, duration=Fraction(1, 50))),
        )


def test_a_picture_of_unknown_length_is_tried() -> None:
    assert plan_schedule(settings(fps=Fraction(1, 1000)), replace(clip(duration=None), duration=None)).converts


EARLY_DATA = replace(
    clip(start=Fraction(3, 2)), start=Fraction(1), audio=(replace(STEREO, start=Fraction(7, 5)),), formats=("matroska", "webm")
)


def test_a_stream_that_no_proxy_has_does_not_count() -> None:
    schedule = plan_schedule(settings(), EARLY_DATA)
    assert (schedule.offset, schedule.input_shift, schedule.output_shift) == (Fraction(1, 10), Fraction(21, 50), Fraction(1, 50))
    assert plan_schedule(settings(container=Container.MXF), EARLY_DATA).input_shift == Fraction(1, 2)
    variable = replace(EARLY_DATA, video=replace(EARLY_DATA.video, constant_rate=False))
    assert plan_schedule(settings(), variable).input_shift == Fraction(2, 5)
    converted = plan_schedule(settings(fps=NTSC), EARLY_DATA)
    assert (converted.offset, converted.input_shift) == (3 / NTSC, Fraction(2, 5))


@pytest.mark.parametrize("start", [Fraction(-1), Fraction(0), Fraction(5)])
@pytest.mark.parametrize(("microseconds", "dropped"), [(Fraction(1, 2), 0), (Fraction(1), 0), (Fraction(2), 2), (Fraction(9), 9)])
def test_ffprobe_s_rounding_is_no_stream(start: Fraction, microseconds: Fraction, dropped: int) -> None:
    source = replace(clip(start=start), audio=(), start=start - microseconds / 1_000_000)
    assert plan_schedule(settings(), source).input_shift == Fraction(dropped, 1_000_000)


@pytest.mark.parametrize(
    ("offset", "container", "expected"),
    [
        (Fraction(1, 100), Container.MOV, planned(Fraction(25), Fraction(1, 25), output_shift=Fraction(1, 100), timescale=1000)),
        (Fraction(3, 100), Container.MOV, planned(Fraction(25), Fraction(1, 25), output_shift=Fraction(-1, 100), timescale=1000)),
        # In the middle between two places of the grid.
        (Fraction(1, 10), Container.MOV, planned(Fraction(25), Fraction(1, 50))),
        (Fraction(3, 50), Container.MOV, planned(Fraction(25), Fraction(1, 50))),
        # A fiftieth of a frame beside the middle, rounded times go to one place alone.
        (
            Fraction(13, 625),
            Container.MOV,
            planned(Fraction(25), Fraction(1, 25), output_shift=Fraction(-12, 625), timescale=1000),
        ),
        (Fraction(3, 100), Container.MXF, planned(Fraction(25), Fraction(1, 25), output_shift=Fraction(-1, 25))),
        (Fraction(1, 100), Container.MXF, planned(Fraction(25), Fraction(1, 25))),
    ],
)
def test_where_ffmpeg_counts_by_itself_the_grid_moves_the_picture(
    offset: Fraction, container: Container, expected: Schedule
) -> None:
    start = Fraction(7, 5) + offset
    source = replace(EARLY_DATA, formats=("mpegts",), video=replace(EARLY_DATA.video, start=start))
    schedule = plan_schedule(settings(container=container), source)
    place = round(offset / expected.time_base) * expected.time_base
    in_mxf = container is Container.MXF
    assert schedule == replace(expected, offset=Fraction(0) if in_mxf else offset, audio_shift=place - offset)
    in_order = replace(source, start=Fraction(7, 5))
    assert plan_schedule(settings(container=container), in_order).audio_shift == 0


def test_where_ffmpeg_counts_by_itself_nothing_is_dropped_of_a_variable_rate_either() -> None:
    variable = replace(EARLY_DATA, formats=("mpegts",), video=replace(EARLY_DATA.video, constant_rate=False))
    assert plan_schedule(settings(), variable).input_shift == 0


def test_where_ffmpeg_counts_by_itself_an_explicit_rate_moves_the_audio_in_mxf() -> None:
    video = replace(EARLY_DATA.video, start=Fraction(7, 5) + Fraction(3, 100))
    source = replace(EARLY_DATA, formats=("mpegts",), video=video)
    assert plan_schedule(settings(container=Container.MXF, fps=Fraction(50)), source) == planned(
        Fraction(50), Fraction(1, 50), output_shift=Fraction(-1, 25), audio_shift=Fraction(1, 100), converts=True
    )


DELAY = Fraction(2, 25)
BACK = {"delay": DELAY, "output_shift": -DELAY, "audio_shift": DELAY}


@pytest.mark.parametrize(
    ("source", "asked", "expected"),
    [
        (clip(delay=2), settings(), planned(Fraction(25), Fraction(1, 25), **BACK)),
        (clip(delay=2), settings(container=Container.MXF), planned(Fraction(25), Fraction(1, 25), delay=DELAY)),
        (clip(delay=2), settings(fps=NTSC), planned(NTSC, 1 / NTSC, converts=True, delay=DELAY)),
        (
            clip(delay=1, rate=FILM),
            settings(container=Container.MKV),
            planned(FILM, 1 / FILM, delay=1 / FILM, output_shift=-1 / FILM, audio_shift=1 / FILM),
        ),
        (
            clip(delay=2, start=Fraction(1, 90)),
            settings(),
            replace(
                late(Fraction(25), Fraction(1, 90), Fraction(1, 90)),
                delay=DELAY,
                output_shift=Fraction(1, 90) - DELAY,
                audio_shift=DELAY,
            ),
        ),
        (
            clip(delay=2, constant_rate=False, duration=Fraction(1)),
            settings(container=Container.MKV),
            planned(None, Fraction(1, 1000), end=Fraction(1), delay=DELAY),
        ),
    ],
)
def test_what_the_decoder_delays_goes_back_to_its_place(source: MediaFacts, asked: OutputSettings, expected: Schedule) -> None:
    """The audio is moved as late as the picture comes, and both are moved back. A variable rate stays as FFmpeg times it."""
    assert plan_schedule(asked, source) == expected
