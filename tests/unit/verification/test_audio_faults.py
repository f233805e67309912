"""Audio of a source that ends before its container says or changes on the way, and a picture that MXF cannot put in its place."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.media.facts import MediaFacts
from proxx_worker.planning.plan import TaskPlan, plan_task
from proxx_worker.planning.remedies import outside_mxf
from proxx_worker.verification.encode_fault import encode_error
from proxx_worker.verification.encode_observation import EncodeObservation
from proxx_worker.verification.ffmpeg_evidence import FfmpegEvidence
from proxx_worker.verification.heard_audio import HeardAudio
from proxx_worker.verification.source_faults import audio_ends_early, begins_late, empty_audio
from tests.unit.planning.sources import CLIP, STEREO, clip, settings
from tests.unit.verification.proxies import perfect_encode, perfect_proxy

ENCODED = replace(CLIP, audio=(replace(STEREO, gapless=False),))
HEARD = HeardAudio(rate=48000, frames=47, first=0, length=48000)


def planned(source: MediaFacts, container: Container = Container.MOV) -> TaskPlan:
    return plan_task(settings(Codec.DNXHR if container is Container.MXF else Codec.H264, container), source)


def seen(plan: TaskPlan, *heard: HeardAudio | None) -> EncodeObservation:
    return replace(perfect_encode(plan), audio=heard)


def early(source: MediaFacts, *heard: HeardAudio | None, container: Container = Container.MOV) -> JobError | None:
    plan = planned(source, container)
    return audio_ends_early(plan, seen(plan, *heard), perfect_proxy(plan).observation().report)


def short(samples: int) -> HeardAudio:
    return replace(HEARD, length=samples)


def test_audio_that_ends_early_was_cut_off() -> None:
    two = replace(ENCODED, audio=(*ENCODED.audio, replace(STEREO, index=4, gapless=False)))
    assert early(two, HEARD, short(24000)) == JobError(
        ErrorCode.SOURCE_DAMAGED,
        "audio stream 2 of the source ends at 0.500 s, but its container promises 1.000 s: it was cut off; "
        "deliver the clip again",
        {"ends_at_seconds": "0.500", "stream": 4},
    )


def test_a_stream_that_was_not_heard_is_passed_over() -> None:
    two = replace(ENCODED, audio=(*ENCODED.audio, replace(STEREO, index=4, gapless=False)))
    error = early(two, None, short(24000))
    assert error is not None
    assert error.details == {"ends_at_seconds": "0.500", "stream": 4}
    assert early(two) is None


def test_a_proxy_without_the_stream_is_no_damage_of_the_source() -> None:
    plan = planned(ENCODED)
    proxy = perfect_proxy(plan)
    proxy.sounds.clear()
    assert audio_ends_early(plan, seen(plan, short(100)), proxy.observation().report) is None


@pytest.mark.parametrize(
    ("formats", "lasts"), [(("mov",), None), (("mov",), Fraction(0)), (("avi",), Fraction(0)), (("matroska",), Fraction(1))]
)
def test_a_stream_without_audio_is_refused_whatever_the_container_makes_of_it(
    formats: tuple[str, ...], lasts: Fraction | None
) -> None:
    two = replace(ENCODED, audio=(*ENCODED.audio, replace(STEREO, index=4, gapless=False, duration=lasts)), formats=formats)
    plan, silent = planned(two), HeardAudio(rate=48000, frames=0, first=None, length=0)
    proxy = perfect_proxy(plan)
    for _ in range(2):
        assert FfmpegEvidence(plan, seen(plan, HEARD, silent)).error(proxy.observation()) == JobError(
            ErrorCode.SOURCE_UNSUPPORTED,
            "audio stream 2 of the source (aac) is empty: it gave no audio, and a proxy must carry every audio stream; deliver "
            "the clip without that stream, or again if it should have audio",
            {"stream": 4, "codec": "aac"},
        )
        proxy.sounds.pop()  # as MOV and MP4 leave it out
    assert empty_audio(plan, seen(plan, None, HEARD)) is None
    assert empty_audio(plan, seen(plan, HEARD)) is None, "of a stream that was not reported nothing is known"


@pytest.mark.parametrize("container", ["mov", "mxf", "avi"])
def test_audio_that_the_source_has_counted_and_the_encoder_left_out_is_no_empty_stream(container: str) -> None:
    plan = planned(replace(ENCODED, formats=(container,), audio=(replace(ENCODED.audio[0], duration=Fraction(1, 48000)),)))
    assert empty_audio(plan, seen(plan, HeardAudio(rate=48000, frames=0, first=None, length=0))) is None


LATE = replace(ENCODED, video=replace(CLIP.video, start=Fraction(1, 2)))


@pytest.mark.parametrize(
    ("source", "heard", "container", "found"),
    [
        (ENCODED, short(48000 - 4096), Container.MOV, False),
        (ENCODED, short(48000 - 4097), Container.MOV, True),
        (ENCODED, None, Container.MOV, False),
        (replace(ENCODED, formats=("mpegts",)), short(100), Container.MOV, False),
        (replace(ENCODED, start=None), short(100), Container.MOV, False),
        (replace(ENCODED, audio=(replace(STEREO, start=None, gapless=False),)), short(100), Container.MOV, False),
        (replace(ENCODED, audio=(replace(STEREO, duration=None, gapless=False),)), short(100), Container.MOV, False),
        # MXF counts from the picture.
        (LATE, short(24000), Container.MXF, False),
        (LATE, short(24000), Container.MOV, True),
        (replace(ENCODED, video=replace(CLIP.video, start=None)), short(24000), Container.MXF, True),
    ],
)
def test_only_what_is_certain_is_damage(source: MediaFacts, heard: HeardAudio | None, container: Container, found: bool) -> None:
    assert (early(source, heard, container=container) is not None) is found


@pytest.mark.parametrize(("restarts", "position"), [((0, 1), 1), ((2, 0), 0)])
def test_audio_that_changes_on_the_way_is_refused(restarts: tuple[int, int], position: int) -> None:
    plan = planned(replace(ENCODED, audio=(*ENCODED.audio, replace(STEREO, index=4, gapless=False))))
    error = encode_error(plan, seen(plan, *(replace(HEARD, restarts=times) for times in restarts)))
    assert error is not None
    assert error.code is ErrorCode.SOURCE_UNSUPPORTED
    assert error.message == (
        f"audio stream {position + 1} of the source changes its rate, format or channels partway, which a single proxy cannot "
        "follow: split the clip there"
    )
    assert error.details == {"changes": restarts[position], "stream": (1, 4)[position]}
    assert encode_error(plan, seen(plan, HEARD, None)) is None


def moved(plan: TaskPlan, by: Fraction) -> EncodeObservation:
    encode = perfect_encode(plan)
    ticks = round(by / plan.facts.video.time_base)
    return replace(encode, times=tuple(time + ticks for time in encode.times))


@pytest.mark.parametrize(
    ("container", "source", "by", "said"),
    [
        (Container.MXF, CLIP, Fraction(1, 10), "0.100"),
        (Container.MXF, CLIP, Fraction(-1, 10), "-0.100"),
        (Container.MXF, CLIP, Fraction(1, 50), None),
        (Container.MXF, CLIP, Fraction(0), None),
        (Container.MOV, CLIP, Fraction(1, 10), None),
        (Container.MOV, clip(constant_rate=False), Fraction(1, 10), None),
    ],
)
def test_mxf_starts_by_the_containers_word(container: Container, source: MediaFacts, by: Fraction, said: str | None) -> None:
    plan = planned(source, container)
    error = begins_late(plan, moved(plan, by))
    assert error == (
        None
        if said is None
        else JobError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"the source's first frame is {said} s from the time its container states, and MXF cannot store a late start: choose "
            "dnxhr in mov, h264 (proxy_h264_low, proxy_h264_quarter) or ProRes (proxy_prores_proxy, proxy_prores_lt)",
            {"seconds": said},
        )
    )
    assert begins_late(plan, replace(perfect_encode(plan), times=())) is None


def test_fields_that_begin_late_are_sent_where_fields_survive() -> None:
    fields = replace(CLIP, video=replace(CLIP.video, field_order="tt", width=1920, height=1080))
    plan = plan_task(settings(Codec.DNXHD, Container.MXF), fields)
    error = begins_late(plan, moved(plan, Fraction(1)))
    assert error is not None
    assert error.message.endswith(outside_mxf(interlaced=True))
    assert outside_mxf(interlaced=True) != outside_mxf(interlaced=False)


def test_the_grid_that_moves_the_picture_is_no_late_start() -> None:
    source = replace(
        clip(start=Fraction(143, 100)), formats=("mpegts",), start=Fraction(1), audio=(replace(STEREO, start=Fraction(7, 5)),)
    )
    plan = planned(source, Container.MXF)
    assert plan.design.schedule.audio_shift == Fraction(1, 100)
    assert begins_late(plan, moved(plan, Fraction(3, 100))) is None
    late = begins_late(plan, moved(plan, Fraction(0)))
    assert late is not None
    assert late.details == {"seconds": "-0.030"}


def encoded(change: Callable[[EncodeObservation], EncodeObservation]) -> list[tuple[object, object, bool | None]]:
    plan = planned(ENCODED, Container.MXF)
    checks = FfmpegEvidence(plan, change(perfect_encode(plan))).checks()
    return [(check.expected, check.actual, check.ok) for check in checks if check.name == "audio_encoded"]


def test_mxf_is_given_as_much_audio_as_planned() -> None:
    assert encoded(lambda encode: encode) == [(2065, 2064, True)]
    assert encoded(lambda encode: replace(encode, audio_units=2068)) == [(2065, 2068, False)]
    assert encoded(lambda encode: replace(encode, audio_units=2062)) == [(2065, 2062, False)]
    assert encoded(lambda encode: replace(encode, audio_units=None)) == [(2065, None, None)]
    assert encoded(lambda encode: replace(encode, exit_code=1)) == []
    open_end = planned(replace(clip(duration=None), duration=None, audio=ENCODED.audio), Container.MXF)
    for plan in (open_end, planned(replace(CLIP, audio=()), Container.MXF), planned(ENCODED)):
        names = [check.name for check in FfmpegEvidence(plan, perfect_encode(plan)).checks()]
        assert names == ["exit_code", "file_size"]


def test_causes_go_before_checks() -> None:
    plan = planned(ENCODED, Container.MXF)
    proxy = perfect_proxy(plan).observation()
    cut = FfmpegEvidence(plan, seen(plan, short(100))).error(proxy)
    late = FfmpegEvidence(plan, moved(plan, Fraction(1, 10))).error(proxy)
    assert cut is not None
    assert late is not None
    assert (cut.code, late.code) == (ErrorCode.SOURCE_DAMAGED, ErrorCode.SOURCE_UNSUPPORTED)
