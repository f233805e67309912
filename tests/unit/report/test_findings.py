"""Findings from measurements: each fault is named, and what is good is not."""

from array import array
from collections import Counter
from math import sin, tau

import pytest

from proxx_worker.report.figures import Figures
from proxx_worker.report.finding import Finding, Kind, Verdict, verdict_of
from proxx_worker.report.findings import judge
from proxx_worker.report.measurements import AudioPair
from proxx_worker.report.video_measures import VideoMeter
from tests.unit.report.moving import courses, measure, measurements, mosaic, noise, picture

FRAMES = 40
GOOD = [picture(number) for number in range(FRAMES)]


def kinds(findings: tuple[Finding, ...]) -> list[Kind]:
    return [finding.kind for finding in findings]


def beat(at: float) -> float:
    """Comes and goes, never twice in the same way within two seconds."""
    return 0.2 + 0.8 * (sin(tau * at * 1.7) > 0) * (sin(tau * at * 0.31) > -0.5)


def test_a_good_proxy_has_no_findings() -> None:
    noisy = [bytes(value + (place * 7 + number) % 3 - 1 for place, value in enumerate(one)) for number, one in enumerate(GOOD)]
    assert judge(measurements(measure(noisy), counted=FRAMES)) == ()
    assert verdict_of(()) is Verdict.PASS


def test_a_slip_from_the_middle_on() -> None:
    slipped = GOOD[:20] + [picture(number + 1) for number in range(20, FRAMES)]
    found = judge(measurements(measure(slipped)))
    assert kinds(found) == [Kind.FRAME_SLIP]
    assert (found[0].frame, found[0].timecode, found[0].value) == (20, "10:00:00:20", 1)
    assert "from frame 20 on the proxy is 1 frame ahead: frame 20 is nearest to source frame 21" in found[0].message
    assert verdict_of(found) is Verdict.FAIL


def test_one_frame_shown_twice() -> None:
    found = judge(measurements(measure([*GOOD[:12], GOOD[11], *GOOD[13:]])))
    assert kinds(found) == [Kind.FRAME_SLIP]
    assert "at frame 12 the proxy is 1 frame behind: frame 12 is nearest to source frame 11" in found[0].message


def test_a_black_frame() -> None:
    found = judge(measurements(measure([*GOOD[:7], b"\x10" * len(GOOD[0]), *GOOD[8:]])))
    assert kinds(found) == [Kind.BLACK_FRAMES]
    assert found[0].frame == 7
    assert "frame 7 of the proxy is black" in found[0].message


def test_frozen_frames_are_not_slips_as_well() -> None:
    found = judge(measurements(measure(GOOD[:10] + [GOOD[9]] * 8 + GOOD[18:])))
    assert kinds(found) == [Kind.FROZEN_FRAMES]
    assert (found[0].frame, found[0].value) == (10, 8)


def test_a_source_that_stands_still_may_have_a_proxy_that_does() -> None:
    meter = VideoMeter(20)
    for _ in range(20):
        meter.take_means(mosaic(GOOD[0], GOOD[0]))
    assert judge(measurements(meter.finish())) == ()


@pytest.mark.parametrize(
    ("change", "kind", "certain"),
    [
        (lambda value: round((value - 16) * 255 / 219), Kind.LEVELS, True),
        (lambda value: round(16 + value * 219 / 255), Kind.LEVELS, True),
        (lambda value: value + 4, Kind.LEVELS, False),
    ],
)
def test_levels(change: object, kind: Kind, certain: bool) -> None:
    assert callable(change)
    found = judge(measurements(measure([bytes(map(change, one)) for one in GOOD])))
    assert [(finding.kind, finding.certain) for finding in found] == [(kind, certain)]


def test_a_torn_block_is_suspicious() -> None:
    torn = bytearray(GOOD[5])
    torn[100:104] = b"\xeb" * 4
    found = judge(measurements(measure([*GOOD[:5], bytes(torn), *GOOD[6:]])))
    assert [(finding.kind, finding.frame, finding.certain) for finding in found] == [(Kind.DAMAGED, 5, False)]
    assert verdict_of(found) is Verdict.SUSPICIOUS


def test_a_frame_with_a_low_ssim_is_suspicious() -> None:
    figures = Figures()
    figures.ssim.extend([0.98] * 30 + [0.7] + [0.98] * 9)
    found = judge(measurements(measure(GOOD), figures=figures))
    assert [(finding.kind, finding.frame) for finding in found] == [(Kind.DAMAGED, 30)]
    assert found[0].value == pytest.approx(0.7)
    assert found[0].threshold == pytest.approx(0.83)


def test_a_proxy_that_is_unlike_its_source_throughout_is_suspicious() -> None:
    figures = Figures()
    figures.ssim.extend([0.59] * 40)
    found = judge(measurements(measure(GOOD), figures=figures))
    assert [(finding.kind, finding.frame, finding.certain) for finding in found] == [(Kind.DAMAGED, None, False)]
    assert found[0].value == pytest.approx(0.59)
    assert "unlike the source throughout" in found[0].message
    figures.ssim[:] = array("f", [0.61] * 40)
    assert judge(measurements(measure(GOOD), figures=figures)) == ()


def test_a_proxy_that_is_mostly_frozen_is_not_unlike_its_source_as_well() -> None:
    figures = Figures()
    figures.ssim.extend([0.98] * 5 + [0.3] * 30 + [0.98] * 5)
    frozen = measure([*GOOD[:5], *[GOOD[4]] * 30, *GOOD[35:]])
    assert kinds(judge(measurements(frozen, figures=figures))) == [Kind.FROZEN_FRAMES]


def test_compared_frames_must_be_the_counted_ones() -> None:
    found = judge(measurements(measure(GOOD), counted=FRAMES + 2))
    assert kinds(found) == [Kind.DAMAGED]
    assert "40 frames could be compared, but the job counted 42" in found[0].message


def test_what_ffmpeg_complains_of_is_told() -> None:
    found = judge(measurements(measure(GOOD), figures=Figures(complaints=["[h264] [error] bad", "[h264] [error] worse"])))
    assert kinds(found) == [Kind.DAMAGED]
    assert "[h264] [error] bad (and 1 more)" in found[0].message


def test_what_a_demuxer_says_of_a_container_is_no_finding() -> None:
    figures = Figures(complaints=["[mxf] [error] failed to find absolute offset of C8000 in BodySID 1 - partial file?"])
    assert judge(measurements(measure(GOOD), figures=figures)) == ()


def test_a_comparison_that_broke_off() -> None:
    whole = measurements(measure(GOOD), counted=99, figures=Figures(complaints=["[in#0] [error] gone"]))
    broken = type(whole)(whole.comparison, whole.figures, whole.video, (), whole.counted, exit_code=1)
    found = judge(broken)
    assert [(finding.kind, finding.certain) for finding in found] == [(Kind.DAMAGED, True)]
    assert "did not finish: [in#0] [error] gone" in found[0].message


@pytest.mark.parametrize(
    ("source", "proxy", "says"),
    [
        ({"tff": 30}, {"bff": 24, "tff": 8}, "wrong order"),
        ({"tff": 30}, {"progressive": 30}, "blended"),
        ({"tff": 30}, {"tff": 25, "bff": 5}, None),
        ({"tff": 20, "bff": 12}, {"bff": 30}, None),
        ({"undetermined": 30}, {"bff": 30}, None),
    ],
)
def test_field_order(source: dict[str, int], proxy: dict[str, int], says: str | None) -> None:
    figures = Figures(source_fields=Counter(source), proxy_fields=Counter(proxy))
    found = judge(measurements(measure(GOOD), figures=figures, field_order="tt"))
    if says is None:
        assert found == ()
    else:
        assert kinds(found) == [Kind.FIELD_ORDER]
        assert says in found[0].message


def audio_streams(source: "tuple[array[int], ...]", proxy: "tuple[array[int], ...]") -> tuple[Finding, ...]:
    return judge(measurements(measure(GOOD), audio_streams=(AudioPair(courses(*source), courses(*proxy)),)))


def test_good_audio_has_no_findings() -> None:
    one, other = noise(1.6, 1, beat), noise(1.6, 2)
    assert audio_streams((one, other), (one, other)) == ()


@pytest.mark.parametrize(("seconds", "certain"), [(-0.04, True), (0.04, True), (0.015, False), (0.003, None)])
def test_lag(seconds: float, certain: bool | None) -> None:
    whole = noise(2.2, 3, beat)
    start = 4000
    source = whole[start : start + 24_000]
    proxy = whole[start - round(seconds * 16_000) :][:24_000]
    found = audio_streams((source,), (proxy,))
    if certain is None:
        assert found == ()
    else:
        assert [(finding.kind, finding.certain, finding.value) for finding in found] == [(Kind.AUDIO_LAG, certain, seconds)]
        assert ("late" if seconds > 0 else "early") in found[0].message


def test_a_steady_tone_has_no_lag_that_could_be_told() -> None:
    tone = array("h", [round(8000 * sin(tau * 440 * at / 16_000)) for at in range(24_000)])
    assert audio_streams((tone,), (tone[8:] + tone[:8],)) == ()


def test_a_hole_in_one_channel_and_in_both() -> None:
    one, other = noise(1.6, 1), noise(1.6, 2)
    torn = one[:8000] + array("h", [0] * 1600) + one[9600:]
    found = audio_streams((one, other), (torn, other))
    assert kinds(found) == [Kind.AUDIO_HOLE]
    assert "audio 0, channel 0, is silent for 100 ms at 0.50 s" in found[0].message
    assert (found[0].frame, found[0].timecode) == (12, "10:00:00:12")
    both = other[:8000] + array("h", [0] * 1600) + other[9600:]
    assert "audio 0 is silent" in audio_streams((one, other), (torn, both))[0].message


def test_silence_in_both_is_no_hole_and_priming_is_none() -> None:
    one = noise(1.6, 1)
    torn = one[:8000] + array("h", [0] * 1600) + one[9600:]
    assert audio_streams((torn,), (torn,)) == ()
    assert audio_streams((one,), (array("h", [0] * 500) + one[500:],)) == ()


def test_swapped_channels() -> None:
    one, other = noise(1.6, 1, beat), noise(1.6, 2)
    assert kinds(audio_streams((one, other), (other, one))) == [Kind.CHANNEL_SWAP]
    assert audio_streams((one, one), (one, one)) == ()


def test_swapped_streams() -> None:
    one, other = courses(noise(1.6, 1, beat)), courses(noise(1.6, 2))
    pairs = (AudioPair(one, other), AudioPair(other, one))
    found = judge(measurements(measure(GOOD), audio_streams=pairs))
    assert Kind.CHANNEL_SWAP in kinds(found)
    assert any("audio 0 channel 0 and audio 1 channel 0" in finding.message for finding in found)
