from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.media.facts import MediaFacts, Timecode
from proxx_worker.media.timecode import parse_timecode
from proxx_worker.planning.frame_timing import plan_schedule
from tests.unit.planning.sources import CLIP, clip, settings

NTSC = Fraction(30000, 1001)


def timecode(text: str, own_rate: Fraction | None = None) -> Timecode:
    return Timecode(text, ";" in text, "tmcd", own_rate)


def varying(text: str, own_rate: Fraction | None, told_rate: Fraction | None, **fields: str) -> MediaFacts:
    """About 29 frames a second, not evenly."""
    source = clip(rate=Fraction(117, 4), constant_rate=False, field_order=fields.get("field_order", "progressive"))
    return replace(source, video=replace(source.video, told_rate=told_rate), timecode=timecode(text, own_rate))


@pytest.mark.parametrize(
    ("text", "rate"),
    [("01:00:00:24", Fraction(25)), ("00:59:59;29", NTSC), ("23:59:59;59", 2 * NTSC), ("00:00:00:119", 4 * Fraction(30))],
)
def test_a_timecode_is_kept(text: str, rate: Fraction) -> None:
    assert plan_schedule(settings(), replace(clip(rate=rate), timecode=timecode(text))).timecode == timecode(text)


def test_a_constant_rate_counts_for_itself_whatever_the_muxer_is_told() -> None:
    source = replace(clip(), timecode=timecode("01:00:00:24"))
    told = replace(source, video=replace(source.video, told_rate=Fraction(300)))
    assert plan_schedule(settings(), told).timecode == timecode("01:00:00:24")


@pytest.mark.parametrize(
    ("text", "rate", "fps", "converted"),
    [
        ("01:00:00:00", Fraction(25), Fraction(24), "01:00:00:00"),
        ("01:00:00:24", Fraction(25), Fraction(50), "01:00:00:48"),
        ("01:00:00:12", Fraction(24), NTSC, "01:00:00:15"),
        ("01:00:00;15", NTSC, Fraction(24), "01:00:00:12"),
        ("01:00:00;15", NTSC, 2 * NTSC, "01:00:00;30"),
        ("01:01:00;02", NTSC, 2 * NTSC, "01:01:00;04"),
        ("01:01:00;04", 2 * NTSC, NTSC, "01:01:00;02"),
        ("01:10:00;00", NTSC, 2 * NTSC, "01:10:00;00"),
        ("01:01:01;00", NTSC, 2 * NTSC, "01:01:01;00"),
        # Labels that do not exist become the first that does.
        ("01:01:00;00", NTSC, 2 * NTSC, "01:01:00;04"),
        ("01:19:00;01", 2 * NTSC, NTSC, "01:19:00;02"),
        ("01:01:00;02", NTSC, 4 * NTSC, "01:01:00;08"),
        # No whole number of frames a second drops labels.
        ("01:01:00;02", NTSC, Fraction(30), "01:01:00:02"),
        ("01:00:00;10", NTSC, Fraction(90), "01:00:00:30"),
        # Half a frame counts as one: 13 labels at 12.5.
        ("01:00:00:24", Fraction(25), Fraction(25, 2), "01:00:00:12"),
    ],
)
def test_a_timecode_counts_the_same_moment_in_another_rate(text: str, rate: Fraction, fps: Fraction, converted: str) -> None:
    assert plan_schedule(settings(fps=fps), replace(clip(rate=rate), timecode=timecode(text))).timecode == timecode(converted)


RATES = [
    *(Fraction(n * 1000, 1001) for n in (24, 30, 60, 120)),
    *(Fraction(*terms) for terms in ((1, 2), (15, 2), (25, 2), (23, 1), (24, 1), (2443, 100), (25, 1), (292, 10), (30, 1))),
    *(Fraction(*terms) for terms in ((3002, 100), (48, 1), (90, 1), (119, 1), (255, 1))),
]


@given(st.sampled_from(RATES), st.sampled_from(RATES), st.sampled_from(":;"), st.integers(0, 59), st.integers(0, 254))
def test_what_is_possible_at_one_rate_is_possible_at_another(
    rate: Fraction, fps: Fraction, separator: str, minute: int, frames: int
) -> None:
    source = parse_timecode(f"01:{minute:02}:00{separator}{frames:02}", rate, "tmcd")
    if source is not None:
        converted = plan_schedule(settings(fps=fps), replace(clip(rate=rate), timecode=source)).timecode
        assert converted is not None
        assert parse_timecode(converted.text, fps, "tmcd") == converted
        assert converted.text[:8] == source.text[:8]


def test_no_timecode_is_invented() -> None:
    assert plan_schedule(settings(fps=NTSC), CLIP).timecode is None
    assert plan_schedule(settings(), CLIP).timecode is None
    assert plan_schedule(settings(fps=Fraction(300)), CLIP).timecode is None


def test_where_the_rate_varies_the_timecodes_own_rate_counts() -> None:
    source = varying("01:00:00:29", Fraction(30), Fraction(30))
    assert plan_schedule(settings(), source).timecode == timecode("01:00:00:29", Fraction(30))
    assert plan_schedule(settings(fps=Fraction(25)), source).timecode == timecode("01:00:00:24")
    assert plan_schedule(settings(fps=Fraction(25)), varying("01:00:00:28", None, Fraction(30))).timecode == timecode(
        "01:00:00:24"
    )


def test_where_the_rate_varies_a_movie_gets_the_label_at_the_rate_that_its_muxer_is_told() -> None:
    source = varying("01:00:00:20", Fraction(30), Fraction(120))
    for container in (Container.MOV, Container.MP4):
        made = plan_schedule(settings(container=container), source).timecode
        assert made == timecode("01:00:00:80", Fraction(30))
    assert plan_schedule(settings(container=Container.MKV), source).timecode == source.timecode
    with pytest.raises(ProxxError, match="count its start timecode 01:00:00:20 at 29 frames per second"):
        plan_schedule(settings(container=Container.MOV), varying("01:00:00:20", Fraction(30), Fraction(29)))


@pytest.mark.parametrize("container", [Container.MOV, Container.MP4])
@pytest.mark.parametrize("fps", [Fraction(511, 2), Fraction(256), Fraction(499, 1000), Fraction(1, 4)])
def test_a_rate_that_quicktimes_timecode_cannot_count_is_refused(container: Container, fps: Fraction) -> None:
    source = replace(clip(duration=Fraction(10)), timecode=timecode("01:00:00:02"))
    with pytest.raises(ProxxError) as refused:
        plan_schedule(settings(container=container, fps=fps), source)
    assert refused.value.error == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        "the source has a start timecode (01:00:00:02), which mov and mp4 count at 1 to 255 frames per second, but its proxy "
        f"would have {fps}: choose mkv, or ask for a fps_explicit from 0.5 to 255",
        {"timecode": "01:00:00:02", "rate": str(fps), "container": container.value},
    )
    assert plan_schedule(settings(container=container, fps=fps), clip(duration=Fraction(10))).timecode is None
    assert plan_schedule(settings(container=Container.MKV, fps=fps), source).timecode is not None


@pytest.mark.parametrize("fps", [Fraction(1, 2), Fraction(255), Fraction(2554, 10)])
def test_quicktimes_limits_are_counted(fps: Fraction) -> None:
    source = replace(clip(duration=Fraction(10)), timecode=timecode("01:00:00:02"))
    converted = {Fraction(1, 2): "01:00:00:00"}.get(fps, "01:00:00:20")
    assert plan_schedule(settings(fps=fps), source).timecode == timecode(converted)


@pytest.mark.parametrize(
    ("codec", "order", "remedies"),
    [
        (Codec.H264, "progressive", 'choose mkv, or ask for fps_mode "explicit" with a rate from 0.5 to 255'),
        (Codec.PRORES_LT, "progressive", 'choose h264 in mkv, or ask for fps_mode "explicit" with a rate from 0.5 to 255'),
        (Codec.PRORES_LT, "tt", "choose h264 in mkv"),
    ],
)
def test_a_source_that_is_too_fast_for_its_timecode_has_a_way_out(codec: Codec, order: str, remedies: str) -> None:
    source = replace(clip(rate=Fraction(300), field_order=order), timecode=timecode("01:00:00:02"))
    with pytest.raises(ProxxError, match=rf"but its proxy would have 300: {remedies}$"):
        plan_schedule(settings(codec, Container.MOV), source)
    assert plan_schedule(settings(container=Container.MKV), source).timecode == timecode("01:00:00:02")


@pytest.mark.parametrize(
    ("source", "said", "remedies"),
    [
        (varying("01:00:00:29", Fraction(30), Fraction(24)), "24", 'choose mkv, or ask for fps_mode "explicit" with 30'),
        (varying("01:00:00;02", NTSC, Fraction(30)), "30", 'choose mkv, or ask for fps_mode "explicit" with 29.97'),
        (varying("01:00:00:28", None, Fraction(24)), "24", 'choose mkv, or ask for fps_mode "explicit" with 29.25'),
        (varying("01:00:00:29", Fraction(57600, 1921), Fraction(24)), "24", 'choose mkv, or ask for fps_mode "explicit" with 30'),
        (varying("01:00:00:29", Fraction(30), Fraction(24), field_order="tt"), "24", "choose mkv"),
        (varying("01:00:00:29", Fraction(30), None), "117/4", 'choose mkv, or ask for fps_mode "explicit" with 30'),
    ],
)
def test_a_varying_rate_is_told_to_the_muxer_and_must_carry_the_timecode(source: MediaFacts, said: str, remedies: str) -> None:
    assert source.timecode is not None
    with pytest.raises(ProxxError) as refused:
        plan_schedule(settings(container=Container.MOV), source)
    assert refused.value.error == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"the source's frame rate varies, and mov would count its start timecode {source.timecode.text} at {said} frames per "
        f"second, where it is not possible: {remedies}",
        {"timecode": source.timecode.text, "rate": said, "container": "mov"},
    )
    assert plan_schedule(settings(container=Container.MKV), source).timecode == source.timecode


def test_a_varying_rate_that_is_told_too_fast_is_refused() -> None:
    with pytest.raises(ProxxError, match="count at 1 to 255 frames per second, but its proxy would have 600: choose mkv"):
        plan_schedule(settings(), varying("01:00:00:29", Fraction(30), Fraction(600)))
