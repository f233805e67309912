"""What is told of an encode that failed: the whole error, as a result has it."""

from dataclasses import replace
from fractions import Fraction

import pytest

from proxx_worker.contract.errors import JOB_LOG, ErrorCode, JobError, JsonValue
from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.media.facts import MediaFacts
from proxx_worker.planning.plan import TaskPlan, plan_task
from proxx_worker.verification.damage_places import Place
from proxx_worker.verification.encode_fault import encode_error, gap_error
from proxx_worker.verification.encode_observation import EncodeObservation
from proxx_worker.verification.ffmpeg_evidence import FfmpegEvidence
from proxx_worker.verification.progress import Progress
from proxx_worker.verification.source_faults import ends_early
from tests.unit.planning.sources import CLIP, clip, settings
from tests.unit.verification.proxies import perfect_encode, perfect_proxy
from tests.unit.verification.searches import search_result

PLAN = plan_task(settings(Codec.PRORES_PROXY, Container.MOV), CLIP)
DECODER = "[h264 @ 0x55d5] [error] error while decoding MB 21 4, bytestream -30"
DECODER_SAID = "[h264] [error] error while decoding MB 21 4, bytestream -30"
DEMUXER = "[mov,mp4,m4a,3gp,3g2,mj2 @ 0x55d5] [error] stream 0, offset 0x30: partial file"
DEMUXER_SAID = "[mov,mp4,m4a,3gp,3g2,mj2] [error] stream 0, offset 0x30: partial file"
INCOMPLETE = "[in#0/mxf @ 0x1] [fatal] corrupt input packet in stream 0"
NO_MEMORY = "[h264 @ 0x{at:x}] [error] {at}: Cannot allocate memory"
GAVE_UP = "[info] Conversion failed!"


def seen(plan: TaskPlan = PLAN, **changes: object) -> EncodeObservation:
    return replace(perfect_encode(plan), **changes)  # type: ignore[arg-type]  # fields by name


def test_an_encoder_that_fails_is_quoted_with_its_last_ten_lines() -> None:
    tail = (*(f"[libx264 @ 0x55d5] [info] {number}" for number in range(12)), GAVE_UP)
    assert encode_error(PLAN, seen(exit_code=-9, stderr_tail=tail, complaints=("[libx264 @ 0x1] [error] no",))) == JobError(
        ErrorCode.ENCODE_FAILED,
        f"FFmpeg ended with signal 9: [libx264] [error] no; its full output is in {JOB_LOG}",
        {"exit_code": -9, "lines": [f"[libx264] [info] {number}" for number in range(2, 12)]},
    )
    assert encode_error(PLAN, seen(exit_code=2)) == JobError(
        ErrorCode.ENCODE_FAILED,
        f"FFmpeg ended with exit code 2: it printed nothing; its full output is in {JOB_LOG}",
        {"exit_code": 2, "lines": []},
    )


@pytest.mark.parametrize(
    ("complaints", "tail", "last"),
    [(("[x] first", "[x] last"), ("[info] bye",), "[x] last"), ((), ("[info] first", "[info] last"), "[info] last")],
)
def test_its_last_complaint_is_the_reason_or_else_its_last_line(
    complaints: tuple[str, ...], tail: tuple[str, ...], last: str
) -> None:
    error = encode_error(PLAN, seen(exit_code=2, complaints=complaints, stderr_tail=tail))
    assert error is not None
    assert error.message.startswith(f"FFmpeg ended with exit code 2: {last}; ")


def test_an_encoder_that_does_not_say_that_it_finished_is_not_trusted() -> None:
    assert encode_error(PLAN, seen(progress=Progress(frames=25), stderr_tail=("[info] bye",))) == JobError(
        ErrorCode.ENCODE_FAILED,
        "FFmpeg must report that it finished, but it exited with code 0 without doing so: its output cannot be trusted; "
        f"check that the program configured as ffmpeg is FFmpeg, and see {JOB_LOG}",
        {"exit_code": 0, "lines": ["[info] bye"]},
    )


def test_where_there_is_no_space_left_nothing_else_is_told() -> None:
    assert encode_error(PLAN, seen(exit_code=1, complaints=(DECODER, "[error] x: No space left on device"))) == JobError(
        ErrorCode.NO_SPACE,
        "there was no space left for the output: free some on the output directory's filesystem, then submit again",
    )


@pytest.mark.parametrize(
    ("exit_code", "progress", "size", "full"),
    [
        (0, Progress(1, ended=True, total_size=100), 100, False),
        (0, Progress(1, ended=True), 0, False),
        (0, Progress(1, ended=True, total_size=100), 99, True),
        (0, Progress(1), 100, True),
        (1, Progress(1, ended=True, total_size=100), 100, True),
    ],
)
def test_no_space_is_believed_of_an_encode_that_failed_or_wrote_too_little(
    exit_code: int, progress: Progress, size: int, *, full: bool
) -> None:
    said = ("[error] x: No space left on device",)
    encode = seen(exit_code=exit_code, progress=progress, file_size=size, stderr_tail=said)
    error = encode_error(PLAN, encode)
    assert (error is not None and error.code is ErrorCode.NO_SPACE) is full


def test_a_lack_of_memory_is_told_once_for_each_line() -> None:
    lines = tuple(NO_MEMORY.format(at=number) for number in range(12))
    encode = seen(exit_code=1, complaints=(DECODER, *lines), stderr_tail=lines)
    assert encode_error(PLAN, encode) == JobError(
        ErrorCode.ENCODE_OUT_OF_MEMORY,
        "FFmpeg must get the memory that it asks for, but did not: [h264] [error] 0: Cannot allocate memory. Free some, or raise "
        "`encoder_memory_bytes`; if there is enough for frames of this size, the source is damaged",
        {"exit_code": 1, "lines": [f"[h264] [error] {number}: Cannot allocate memory" for number in range(10)]},
    )
    finished = encode_error(PLAN, replace(encode, exit_code=0))
    assert finished is not None
    assert finished.code is ErrorCode.SOURCE_DAMAGED, "an encode that finished had enough"


def test_a_picture_that_changes_on_the_way_is_refused() -> None:
    assert encode_error(PLAN, seen(restarts=2)) == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        "the source's video changes size, format or orientation partway, which a single proxy cannot follow: split the clip "
        "there, or render it anew",
        {"changes": 2},
    )


def test_pictures_of_which_only_some_state_an_orientation_are_told_as_such() -> None:
    video = replace(PLAN.facts.video, rotation=90, oriented_by_frames=True)
    plan = replace(PLAN, facts=replace(PLAN.facts, video=video))
    assert encode_error(plan, seen()) is None
    assert encode_error(plan, seen(restarts=1)) == JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        "only the source's pictures state its orientation, and not all of them the same (or its size or format changes partway), "
        "which a single proxy cannot follow: render the video upright first",
        {"changes": 1},
    )


def test_a_damaged_source_is_quoted_with_ten_lines() -> None:
    lines = tuple(DECODER.replace("21", str(number)) for number in range(12))
    error = encode_error(PLAN, seen(exit_code=1, complaints=lines, complained_at=3, heard_at=(3,) * 12))
    assert error == JobError(
        ErrorCode.SOURCE_DAMAGED,
        f"the source could not be read and decoded without errors, first near 0.080 s: {DECODER_SAID.replace('21', '0')}; "
        "deliver the clip again, or repair it",
        {
            "near_seconds": "0.080",
            "lines": [DECODER_SAID.replace("21", str(number)) for number in range(10)],
            "places": [{"near_seconds": "0.080", "stream": 0, "kind": "decoding"}],
            "places_count": 1,
        },
    )


def test_a_decoder_that_fails_without_a_reason() -> None:
    assert encode_error(PLAN, seen(exit_code=1, stderr_tail=(GAVE_UP,))) == JobError(
        ErrorCode.SOURCE_DAMAGED,
        "the source could not be read and decoded without errors, first near 0.960 s: FFmpeg stopped there without giving a "
        "reason; deliver the clip again, or repair it",
        {
            "near_seconds": "0.960",
            "lines": [],
            "places": [{"near_seconds": "0.960", "stream": None, "kind": "decoding"}],
            "places_count": 1,
        },
    )


@pytest.mark.parametrize(
    ("exit_code", "tail", "complaints", "code"),
    [
        (0, (GAVE_UP,), (), None),
        (1, (GAVE_UP,), (), ErrorCode.SOURCE_DAMAGED),
        (1, (GAVE_UP, "[info] bye"), (), ErrorCode.ENCODE_FAILED),
        (1, (GAVE_UP,), ("[libx264 @ 0x1] [error] no",), ErrorCode.ENCODE_FAILED),
    ],
)
def test_only_a_failure_without_any_word_is_the_sources(
    exit_code: int, tail: tuple[str, ...], complaints: tuple[str, ...], code: ErrorCode | None
) -> None:
    error = encode_error(PLAN, seen(exit_code=exit_code, stderr_tail=tail, complaints=complaints))
    assert (None if error is None else error.code) == code


IN_MXF = plan_task(settings(Codec.DNXHR, Container.MXF), replace(CLIP, formats=("mxf",)))


@pytest.mark.parametrize(
    ("lines", "code", "kinds"),
    [
        (("[mxf @ 0x1] [error] no index",), ErrorCode.SOURCE_DAMAGED, ["reading"]),
        (("[mxf @ 0x1] [error] no index", "[error] Error writing trailer"), ErrorCode.ENCODE_FAILED, []),
        (("[error] Error writing trailer of x: Input/output error",), ErrorCode.ENCODE_FAILED, []),
        (
            ("[mxf @ 0x1] [error] no index", DECODER, "[error] Error writing trailer"),
            ErrorCode.SOURCE_DAMAGED,
            ["reading", "decoding"],
        ),
    ],
)
def test_a_library_that_reads_and_writes_speaks_of_the_source_unless_only_writing_failed(
    lines: tuple[str, ...], code: ErrorCode, kinds: list[str]
) -> None:
    heard_at = tuple(range(1, 1 + len(lines)))
    error = encode_error(IN_MXF, seen(IN_MXF, exit_code=1, complaints=lines, heard_at=heard_at))
    assert error is not None
    places = error.details.get("places", [])
    assert isinstance(places, list)
    assert (error.code, [place["kind"] for place in places if isinstance(place, dict)]) == (code, kinds)


def test_a_file_that_was_cut_off_has_what_the_search_found() -> None:
    plan = plan_task(settings(Codec.PRORES_PROXY, Container.MOV), replace(CLIP, formats=("mxf",)))
    encode = seen(plan, exit_code=1, complaints=(INCOMPLETE,), times=tuple(range(6)))
    found = search_result(Place("0.240", 0, "reading", "0.240"), packets=7, frames=7, at_end=True)
    said = "the source ends after 6 frames, but its container promises 25 frames: it was cut off; deliver the clip again"
    details: dict[str, JsonValue] = {"ends_at_seconds": "0.240", "frames": 6, "frames_promised": 25}
    assert encode_error(plan, encode) == JobError(ErrorCode.SOURCE_DAMAGED, said, details)
    place: JsonValue = {"near_seconds": "0.240", "until_seconds": "0.240", "stream": 0, "kind": "reading"}
    assert encode_error(plan, encode, found) == JobError(
        ErrorCode.SOURCE_DAMAGED, said, {**details, "places": [place], "places_count": 1, "places_complete": True}
    )


def with_hole(plan: TaskPlan, **changes: object) -> EncodeObservation:
    presented = perfect_encode(plan).times
    return seen(plan, times=(*presented[:10], *presented[12:]), **changes)


UNCOUNTED = clip(frames=None, frames_certain=False)
VARIABLE = clip(constant_rate=False, frames=25, frames_certain=False)


@pytest.mark.parametrize(
    ("source", "hole", "complaints", "damaged"),
    [
        (UNCOUNTED, True, (DEMUXER,), True),
        (UNCOUNTED, True, (), False),
        (UNCOUNTED, False, (DEMUXER,), False),
        (VARIABLE, True, (DEMUXER,), True),
        (VARIABLE, True, (), False),
        (VARIABLE, False, (DEMUXER,), False),
    ],
)
def test_what_the_demuxer_says_is_damage_where_frames_are_missing(
    source: MediaFacts, hole: bool, complaints: tuple[str, ...], damaged: bool
) -> None:
    plan = plan_task(settings(Codec.PRORES_PROXY, Container.MOV), source)
    encode = with_hole(plan, complaints=complaints) if hole else seen(plan, complaints=complaints)
    assert (gap_error(plan, encode) is not None) is damaged
    assert FfmpegEvidence(plan, encode).has_places() is damaged


def test_a_hole_is_told_with_what_the_search_found() -> None:
    plan = plan_task(settings(Codec.PRORES_PROXY, Container.MOV), UNCOUNTED)
    encode = with_hole(plan, complaints=(DEMUXER,), complained_at=10, heard_at=(10,))
    found = search_result(Place("0.360", 0, "reading", "0.400"))
    proxy = perfect_proxy(plan).observation()
    assert FfmpegEvidence(plan, encode, search=found).error(proxy) == JobError(
        ErrorCode.SOURCE_DAMAGED,
        "the source could not be read and decoded without errors, in 1 place (video near 0.360 to 0.400 s): "
        f"{DEMUXER_SAID}; deliver the clip again, or repair it",
        {
            "near_seconds": "0.360",
            "lines": [DEMUXER_SAID],
            "places": [{"near_seconds": "0.360", "until_seconds": "0.400", "stream": 0, "kind": "reading"}],
            "places_count": 1,
            "places_complete": True,
        },
    )


CUT_OFF = "it was cut off; deliver the clip again"


@pytest.mark.parametrize(
    ("source", "frames", "said", "details"),
    [
        (
            replace(CLIP, formats=("h264",), audio=()),
            24,
            (
                "the source has 25 frames by its picture headers, but 24 were decoded: it is damaged, or its frames cannot be "
                "counted; deliver the clip again, or wrap it in mov or mp4 with times"
            ),
            {"frames": 24, "frames_promised": 25},
        ),
        (
            replace(clip(frames=24), formats=("dv",)),
            25,
            f"the source ends in the middle of frame 25: {CUT_OFF}",
            {"ends_at_seconds": "0.960", "frames": 24},
        ),
        (replace(CLIP, formats=("dv",)), 25, None, {}),
        (clip(frames=24), 25, None, {}),
        (
            CLIP,
            24,
            f"the source ends after 24 frames, but its container promises 25 frames: {CUT_OFF}",
            {"ends_at_seconds": "0.960", "frames": 24, "frames_promised": 25},
        ),
        (
            clip(frames_certain=False),
            20,
            f"the source ends after 0.800 s, but its container promises 1.000 s: {CUT_OFF}",
            {"ends_at_seconds": "0.800", "frames": 20, "frames_promised": None},
        ),
        # Two frames and a hundredth of a second.
        (clip(frames_certain=False, duration=Fraction(109, 100)), 25, None, {}),
        (
            clip(frames_certain=False, duration=Fraction(1091, 1000)),
            25,
            f"the source ends after 1.000 s, but its container promises 1.091 s: {CUT_OFF}",
            {"ends_at_seconds": "1.000", "frames": 25, "frames_promised": None},
        ),
        # Half a second more, where only the file's duration is known.
        (replace(clip(frames_certain=False, duration=None), duration=Fraction(159, 100)), 25, None, {}),
        (
            replace(clip(frames_certain=False, duration=None), duration=Fraction(1591, 1000)),
            25,
            f"the source ends after 1.000 s, but its container promises 1.591 s: {CUT_OFF}",
            {"ends_at_seconds": "1.000", "frames": 25, "frames_promised": None},
        ),
        (CLIP, 0, "no frame of the source could be decoded: deliver the clip again", {"frames_before": 0}),
    ],
)
def test_a_source_that_ends_early(source: MediaFacts, frames: int, said: str | None, details: dict[str, JsonValue]) -> None:
    plan = plan_task(settings(Codec.PRORES_PROXY, Container.MOV), source)
    error = ends_early(plan, perfect_encode(plan, frames), perfect_proxy(plan).observation().report)
    assert error == (None if said is None else JobError(ErrorCode.SOURCE_DAMAGED, said, details))


def test_the_end_is_told_by_the_source_s_own_times() -> None:
    plan = plan_task(settings(Codec.PRORES_PROXY, Container.MOV), clip(frames_certain=False, start=Fraction(7)))
    encode = perfect_encode(plan, 20)
    later = replace(encode, times=tuple(7 * 12800 + time for time in encode.times))
    assert ends_early(plan, later, perfect_proxy(plan).observation().report) == JobError(
        ErrorCode.SOURCE_DAMAGED,
        f"the source ends after 0.800 s, but its container promises 1.000 s: {CUT_OFF}",
        {"ends_at_seconds": "7.800", "frames": 20, "frames_promised": None},
    )


def test_a_place_is_told_by_the_last_frame_before_it_that_had_a_time() -> None:
    times = [512 * frame for frame in range(2, 25)]
    error = encode_error(PLAN, seen(complaints=(DECODER,), complained_at=5, heard_at=(5,), times=times, untimed=[0, 1]))
    assert error is not None
    assert (error.code, error.details["near_seconds"]) == (ErrorCode.SOURCE_DAMAGED, "0.080")
