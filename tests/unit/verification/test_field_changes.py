"""Sources whose frames are not all of the kind that was planned: decision 0032."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import pytest

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.output_settings import Codec, Container, OutputSettings, Resolution, ScaleMode
from proxx_worker.contract.result import Check
from proxx_worker.media.facts import ColorFacts, MediaFacts
from proxx_worker.planning.plan import TaskPlan, plan_task
from proxx_worker.verification.encode_observation import EncodeObserver
from proxx_worker.verification.ffmpeg_evidence import FfmpegEvidence
from proxx_worker.verification.field_changes import depends_on_threads, fields_fault
from tests.unit.planning.sources import CLIP, clip, settings
from tests.unit.verification.proxies import perfect_encode
from tests.unit.verification.searches import search_result

SAME, HALF = settings(), settings(resolution=Resolution(ScaleMode.HALF))
PRORES = settings(Codec.PRORES_LT, Container.MOV)
INTERLACED = clip(field_order="tb")
CHANGES = {"progressive": 0, "tt": 10}


def evidence(plan: TaskPlan, kinds: Mapping[str, int]) -> FfmpegEvidence:
    return FfmpegEvidence(plan, replace(perfect_encode(plan), kinds=kinds))


def check(seen: FfmpegEvidence) -> Check | None:
    return next((check for check in seen.checks() if check.name == "field_order_of_source"), None)


@pytest.mark.parametrize(
    ("options", "source", "kinds"),
    [
        (HALF, CLIP, {}),
        (HALF, CLIP, {"progressive": 0}),
        (HALF, clip(field_order=None), {"progressive": 0}),
        (HALF, INTERLACED, {"tt": 0}),
        # The container's word counts, and the notes say what the frames are.
        (HALF, INTERLACED, {"progressive": 0}),
        (HALF, INTERLACED, {"bb": 0}),
    ],
)
def test_frames_of_one_kind_are_no_change(options: OutputSettings, source: MediaFacts, kinds: dict[str, int]) -> None:
    seen = evidence(plan_task(options, source), kinds)
    assert (seen.fault(), check(seen)) == (None, None)


@pytest.mark.parametrize(
    ("options", "source", "kinds", "expected", "actual"),
    [
        (SAME, CLIP, CHANGES, "progressive", "mixed: progressive from 0.000 s, tt from 0.400 s"),
        (SAME, clip(mirrored=True), CHANGES, "progressive", "mixed: progressive from 0.000 s, tt from 0.400 s"),
        (PRORES, clip(pixel_format="yuv422p10le"), CHANGES, "progressive", "mixed: progressive from 0.000 s, tt from 0.400 s"),
        (SAME, CLIP, {"bb": 0}, "progressive", "bb from 0.000 s"),
        (SAME, clip(field_order=None), {"tt": 0}, None, "tt from 0.000 s"),
        (HALF, INTERLACED, {"tt": 0, "progressive": 3}, "tt", "mixed: tt from 0.000 s, progressive from 0.120 s"),
    ],
)
def test_frames_of_several_kinds_are_kept_where_every_line_is(
    options: OutputSettings, source: MediaFacts, kinds: dict[str, int], expected: str | None, actual: str
) -> None:
    seen = evidence(plan_task(options, source), kinds)
    assert seen.fault() is None
    assert check(seen) == Check(name="field_order_of_source", expected=expected, actual=actual, ok=None)


@pytest.mark.parametrize(
    ("options", "source"),
    [
        (HALF, CLIP),
        (HALF, clip(field_order=None)),
        (SAME, clip(height=1081)),
        (SAME, clip(rotation=180)),
        (PRORES, CLIP),  # 4:2:0 becomes 4:2:2
        (SAME, clip(pixel_format="yuv410p")),
        (
            settings(Codec.DNXHR, Container.MXF),
            clip(color=ColorFacts("tv", "smpte170m", "bt709", "bt709"), pixel_format="yuv422p"),
        ),
    ],
)
def test_fields_that_would_be_blended_are_refused(options: OutputSettings, source: MediaFacts) -> None:
    seen = evidence(plan_task(options, source), CHANGES)
    error = seen.fault()
    assert error is not None
    assert error.code is ErrorCode.SOURCE_UNSUPPORTED
    assert error.message == (
        "the source's frame at 0.400 s is interlaced, top field first, but the clip is taken as progressive, and "
        "this proxy would blend its fields: split the clip where it changes, deinterlace it, or ask for resolution "
        '"same" and a codec that keeps its lines of chroma'
    )
    assert error.details == {"near_seconds": "0.400", "frame": 10, "field_orders": ["progressive", "tt"]}
    said = check(seen)
    assert said is not None
    assert said.ok is False


@pytest.mark.parametrize("options", [SAME, HALF])
@pytest.mark.parametrize("kinds", [{"tt": 0, "progressive": 5, "bb": 20}, {"progressive": 0, "bb": 20}])
def test_an_earlier_field_that_changes_is_refused_at_any_size(options: OutputSettings, kinds: dict[str, int]) -> None:
    error = evidence(plan_task(options, INTERLACED), kinds).fault()
    assert error is not None
    assert error.code is ErrorCode.SOURCE_UNSUPPORTED
    assert error.message == (
        "the source's frame at 0.800 s is interlaced, bottom field first, but the clip is taken as interlaced, top field "
        "first, which one proxy cannot follow: split the clip where it changes"
    )


def test_the_time_of_a_frame_that_was_not_presented_follows_from_the_rate() -> None:
    plan = plan_task(HALF, clip(rate=Fraction(25)))
    error = fields_fault(plan, replace(perfect_encode(plan, frames=5), kinds={"tt": 50}))
    assert error is not None
    assert error.details["near_seconds"] == "2.000"
    next_one = fields_fault(plan, replace(perfect_encode(plan, frames=5), kinds={"tt": 5}))
    assert next_one is not None
    assert next_one.details["near_seconds"] == "0.200"


def test_the_time_of_a_frame_is_counted_from_the_first_one() -> None:
    plan = plan_task(HALF, clip(constant_rate=False))
    error = fields_fault(plan, replace(perfect_encode(plan), times=(12800, 14080, 25600), kinds={"tt": 2}))
    assert error is not None
    assert error.details["near_seconds"] == "1.000"


def test_a_failed_encode_is_told_first() -> None:
    plan = plan_task(HALF, CLIP)
    encode = replace(perfect_encode(plan), exit_code=1, kinds=CHANGES)
    error = FfmpegEvidence(plan, encode).fault()
    assert error is not None
    assert error.code is ErrorCode.ENCODE_FAILED
    assert check(FfmpegEvidence(plan, encode)) is None, "it shows only what it got to"


def test_of_a_damaged_source_no_kinds_are_told() -> None:
    plan = plan_task(HALF, CLIP)
    encode = replace(perfect_encode(plan), kinds=CHANGES)
    search = search_result()
    seen = FfmpegEvidence(plan, encode, search=search)
    assert (seen.fault(), check(seen)) == (None, None)


def test_the_report_is_no_part_of_what_ffmpeg_said_last() -> None:
    observer = EncodeObserver()
    for line in ("[info] -1.000000", "[info] -102.000000", "[info] -202.000000", "[info] done"):
        observer.feed_line(line)
    seen = observer.finish(0, 0)
    assert (seen.kinds, seen.stderr_tail) == ({"progressive": 0, "tt": 25}, ("[info] done",))


@pytest.mark.parametrize(
    ("codec", "kinds", "depends"),
    [
        ("h264", CHANGES, True),
        ("h264", {"tt": 0}, False),
        ("h264", {}, False),
        ("hevc", CHANGES, False),
        ("mpeg2video", CHANGES, False),
    ],
)
def test_what_may_depend_on_the_decoders_threads(codec: str, kinds: dict[str, int], depends: bool) -> None:
    plan = plan_task(HALF, clip(codec=codec))
    assert depends_on_threads(plan, replace(perfect_encode(plan), kinds=kinds)) is depends
