"""Sources that begin between keyframes, and ends that containers tell in several ways."""

from dataclasses import replace
from fractions import Fraction

import pytest

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.contract.result import Check
from proxx_worker.media.facts import MediaFacts
from proxx_worker.planning.plan import TaskPlan, plan_task
from proxx_worker.verification import source_faults
from proxx_worker.verification.damage_places import DamageSearchResult, Place
from proxx_worker.verification.encode_fault import encode_error
from proxx_worker.verification.encode_observation import EncodeObservation
from proxx_worker.verification.ffmpeg_evidence import FfmpegEvidence
from proxx_worker.verification.source_faults import ends_early, frames_left_out
from tests.unit.planning.sources import CLIP, clip, settings
from tests.unit.verification.proxies import perfect_encode, perfect_proxy
from tests.unit.verification.searches import search_result

REFERENCE = "[h264 @ 0x1] [error] co located POCs unavailable"
DECODER = "[h264 @ 0x1] [error] error while decoding MB 21 4, bytestream -30"
LEFT_OUT = 10


def planned(source: MediaFacts, container: Container = Container.MOV) -> TaskPlan:
    codec = {Container.MOV: Codec.PRORES_PROXY, Container.MXF: Codec.DNXHR}[container]
    return plan_task(settings(codec, container), source)


def begins_late(plan: TaskPlan, frames: int = LEFT_OUT) -> EncodeObservation:
    """The first pictures do not decode; the others stand where they stand."""
    encode = perfect_encode(plan)
    return replace(encode, times=encode.times[frames:], progress=replace(encode.progress, frames=25 - frames))


def later(plan: TaskPlan, encode: EncodeObservation, frames: int) -> EncodeObservation:
    ticks = round(frames / plan.facts.video.rate / plan.facts.video.time_base)
    return replace(encode, times=tuple(time + ticks for time in encode.times))


def early(plan: TaskPlan, encode: EncodeObservation) -> bool:
    return ends_early(plan, encode, perfect_proxy(plan).observation().report) is not None


@pytest.mark.parametrize(
    ("lines", "last", "constant", "hole", "code"),
    [
        ((REFERENCE, REFERENCE), 12, True, False, None),
        ((REFERENCE,), None, True, False, None),
        ((REFERENCE, DECODER), 12, True, False, ErrorCode.SOURCE_DAMAGED),
        ((REFERENCE,), 48, True, False, None),
        ((REFERENCE,), 49, True, False, ErrorCode.SOURCE_DAMAGED),
        ((REFERENCE,), 12, True, True, ErrorCode.SOURCE_DAMAGED),
        ((REFERENCE,), 12, False, False, ErrorCode.SOURCE_DAMAGED),
    ],
)
def test_references_that_lie_before_the_beginning_are_no_damage(
    lines: tuple[str, ...], last: int | None, constant: bool, hole: bool, code: ErrorCode | None
) -> None:
    plan = planned(clip(constant_rate=constant))
    encode = replace(perfect_encode(plan), complaints=lines, complained_last=last)
    if hole:
        encode = replace(encode, times=(*encode.times[:5], *encode.times[6:]))
    error = encode_error(plan, encode)
    assert (error and error.code) == code
    failed = encode_error(plan, replace(encode, exit_code=1))
    assert failed is not None
    assert failed.code is ErrorCode.SOURCE_DAMAGED


INCOMPLETE = "[in#0/mxf @ 0x1] [fatal] corrupt input packet in stream 0"
INCOMPLETE_IN_5_1 = "[warning] file:/x.mxf: corrupt input packet in stream 0"
ENDED = "[in#0/mxf @ 0x1] [error] Task finished with error code: -1094995529 (Invalid data found when processing input)"
MXF = replace(CLIP, formats=("mxf",))
CUT = search_result(Place("0.240", 0, "reading"), packets=7, frames=7, at_end=True)


@pytest.mark.parametrize(
    ("lines", "search"),
    [
        ((INCOMPLETE,), None),
        ((INCOMPLETE_IN_5_1,), None),
        ((INCOMPLETE, ENDED), None),
        ((INCOMPLETE,), CUT),
        ((DECODER, INCOMPLETE, ENDED), CUT),
    ],
)
def test_a_file_that_ends_within_a_packet_was_cut_off(lines: tuple[str, ...], search: DamageSearchResult | None) -> None:
    """A decoder's complaint about what there is of the last packet is about the same place: which FFmpeg makes it differs."""
    plan = planned(MXF)
    encode = replace(perfect_encode(plan), complaints=lines, exit_code=1, times=tuple(range(6)))
    error = encode_error(plan, encode, search)
    assert error is not None
    assert (error.code, error.message) == (
        ErrorCode.SOURCE_DAMAGED,
        "the source ends after 6 frames, but its container promises 25 frames: it was cut off; deliver the clip again",
    )
    assert error.details["places_count" if search else "frames"] == (1 if search else 6)
    assert (error.details["frames"], error.details["frames_promised"]) == (6, 25)


def test_where_frames_are_not_counted_it_ends_after_so_many_seconds() -> None:
    plan = planned(replace(clip(frames_certain=False), formats=("avi",)))
    encode = replace(perfect_encode(plan), complaints=(INCOMPLETE,), exit_code=1, times=tuple(range(6)))
    error = encode_error(plan, encode)
    assert error is not None
    assert "the source ends after 0.240 s, but its container promises 1.000 s: it was cut off" in error.message
    assert error.details == {"ends_at_seconds": "0.240", "frames": 6, "frames_promised": None}


@pytest.mark.parametrize(
    ("places", "said", "ends"),
    [
        ((Place("0.240", 0, "reading"),), "stream 1", "0.240"),
        ((Place("0.240", 1, "reading"),), "stream 0", "0.280"),
        ((), "stream 0", "0.240"),
        ((), "stream 1", "0.280"),
    ],
)
def test_the_search_says_which_stream_was_cut_and_if_it_found_none_ffmpeg_does(
    places: tuple[Place, ...], said: str, ends: str
) -> None:
    plan = planned(replace(clip(frames_certain=False), formats=("avi",)))
    line = INCOMPLETE.replace("stream 0", said)
    encode = replace(perfect_encode(plan), complaints=(line,), exit_code=1, times=tuple(range(6)))
    error = encode_error(plan, encode, replace(CUT, places=places))
    assert error is not None
    assert f"the source ends after {ends} s" in error.message


TWICE = (Place("0.000", 0, "reading"), *CUT.places)


@pytest.mark.parametrize(
    ("source", "lines", "search"),
    [
        (replace(CLIP, formats=("mpegts",)), (INCOMPLETE,), CUT),
        (MXF, (DECODER,), CUT),
        (MXF, (INCOMPLETE, DECODER), None),
        (MXF, (INCOMPLETE, DECODER), replace(CUT, places=())),
        (MXF, (INCOMPLETE,), replace(CUT, at_end=False)),
        (MXF, (INCOMPLETE,), replace(CUT, complete=False)),
        (MXF, (INCOMPLETE,), replace(CUT, places=TWICE)),
        (MXF, (INCOMPLETE,), replace(CUT, more=1)),
        (replace(clip(frames_certain=False), formats=("avi",)), (INCOMPLETE,), replace(CUT, packets=26, frames=25)),
        (replace(clip(duration=None), formats=("mxf",)), (INCOMPLETE,), CUT),
    ],
)
def test_what_is_wrong_in_other_ways_was_not(
    source: MediaFacts, lines: tuple[str, ...], search: DamageSearchResult | None
) -> None:
    plan = planned(source)
    encode = replace(perfect_encode(plan), complaints=lines, exit_code=1, times=tuple(range(6)))
    error = encode_error(plan, encode, search)
    assert error is not None
    assert "could not be read and decoded without errors" in error.message


def test_where_all_frames_are_there_the_audio_was_cut() -> None:
    """At 29.97 in decimals, so many frames end before the stated duration."""
    plan = planned(clip(rate=Fraction(30000, 1001), frames=60, duration=Fraction(2003, 1000)))
    line = "[in#0/mov,mp4,m4a,3gp,3g2,mj2 @ 0x1] [fatal] corrupt input packet in stream 1"
    encode = replace(perfect_encode(plan), complaints=(line,), exit_code=1, times=tuple(range(57)))
    search = search_result(Place("1.990", 1, "reading"), packets=60, frames=60, at_end=True)
    error = encode_error(plan, encode, search)
    assert error is not None
    assert "without errors, in 1 place (audio stream 1 near 1.990 s): [in#0/mov" in error.message
    one_less = encode_error(plan, encode, replace(search, packets=59, frames=59))
    assert one_less is not None
    assert "ends after 59 frames, but its container promises 60 frames: it was cut off" in one_less.message


def test_in_a_bare_stream_a_missing_reference_is_damage_wherever_it_is() -> None:
    plan = planned(replace(CLIP, formats=("h264",), audio=()))
    encode = replace(perfect_encode(plan), complaints=(REFERENCE,), complained_last=12)
    error = encode_error(plan, encode)
    assert error is not None
    assert error.code is ErrorCode.SOURCE_DAMAGED


def test_the_decoder_of_a_bare_stream_speaks_under_the_demuxer_s_name() -> None:
    plan = planned(replace(CLIP, formats=("h264",), audio=()))
    encode = replace(perfect_encode(plan), complaints=(DECODER,), complained_at=12, heard_at=(12,))
    error = encode_error(plan, encode)
    assert error is not None
    assert error.code is ErrorCode.SOURCE_DAMAGED
    assert error.details["places"] == [{"near_seconds": "0.440", "stream": 0, "kind": "decoding"}]


@pytest.mark.parametrize("container", [Container.MOV, Container.MXF])
def test_pictures_that_nothing_can_decode_are_counted(container: Container) -> None:
    plan = planned(CLIP, container)
    encode = begins_late(plan)
    assert frames_left_out(plan, perfect_encode(plan)) == 0
    assert frames_left_out(plan, encode) == LEFT_OUT
    assert FfmpegEvidence(plan, perfect_encode(plan)).notes() == ()
    assert FfmpegEvidence(plan, encode).notes() == (
        "frames left out at the beginning: 10; they do not decode, and no player shows them",
    )
    assert not early(plan, encode)
    assert early(plan, begins_late(plan, 0)) is False
    assert early(plan, replace(encode, times=encode.times[:-1]))
    checks = FfmpegEvidence(plan, encode).time_checks(perfect_proxy(plan, 15).observation().report.of_type("video")[0])
    said = "10 of 25, before the first that decodes"
    assert Check(name="frames_left_out", expected=said, actual=said, ok=True) in list(checks)


@pytest.mark.parametrize("container", [Container.MOV, Container.MXF])
@pytest.mark.parametrize("delay", [1, 2])
def test_the_delay_of_a_decoder_leaves_nothing_out_and_is_no_late_start(container: Container, delay: int) -> None:
    """An AVI with B-frames has no presentation times: each of its frames comes later by the decoder's delay."""
    plan = planned(replace(clip(frames_certain=False, delay=delay), formats=("avi",)), container)
    delayed = later(plan, perfect_encode(plan), delay)
    shorter = replace(delayed, times=delayed.times[:-1])
    assert (frames_left_out(plan, delayed), frames_left_out(plan, shorter)) == (0, 0), (
        "what is missing at the end is another matter"
    )
    assert source_faults.begins_late(plan, delayed) is None
    assert FfmpegEvidence(plan, delayed).notes() == ()
    checks = FfmpegEvidence(plan, delayed).time_checks(perfect_proxy(plan).observation().report.of_type("video")[0])
    assert "frames_left_out" not in {check.name for check in checks}


def test_a_delay_is_no_late_start_at_a_variable_rate_either() -> None:
    plan = planned(replace(clip(frames_certain=False, constant_rate=False, delay=2), formats=("avi",)))
    assert frames_left_out(plan, later(plan, perfect_encode(plan), 2)) == 0
    assert frames_left_out(plan, later(plan, perfect_encode(plan), 3)) == 1


@pytest.mark.parametrize("delay", [0, 2])
def test_frames_that_an_avi_lost_at_its_beginning_are_counted_beside_the_delay(delay: int) -> None:
    plan = planned(replace(clip(frames=25, frames_certain=False, delay=delay), formats=("avi",)))
    lost = later(plan, begins_late(plan), delay)
    assert frames_left_out(plan, lost) == LEFT_OUT
    assert not early(plan, lost)
    error = ends_early(plan, replace(lost, times=lost.times[:-4]), perfect_proxy(plan).observation().report)
    assert error is not None
    assert error.details["ends_at_seconds"] == "0.840"
    assert "the source ends after 0.840 s, but its container promises 1.000 s" in error.message
    in_mxf = planned(plan.facts, Container.MXF)
    late = source_faults.begins_late(in_mxf, lost)
    assert late is not None
    assert late.details == {"seconds": "0.400"}


def test_a_late_first_frame_is_no_delay_where_the_container_has_times() -> None:
    """As many frames as the container has, one later: it is its first that is missing, even if the count seems right."""
    plan = planned(clip(frames_certain=False))
    assert frames_left_out(plan, later(plan, perfect_encode(plan), 1)) == 1


def test_of_a_damaged_source_none_is_said_to_be_left_out() -> None:
    plan = planned(CLIP)
    encode = replace(begins_late(plan), complaints=(DECODER,), exit_code=1)
    assert encode_error(plan, encode) is not None
    assert FfmpegEvidence(plan, encode).notes() == ()
    checks = FfmpegEvidence(plan, encode).time_checks(perfect_proxy(plan, 15).observation().report.of_type("video")[0])
    assert "frames_left_out" not in {check.name for check in checks}


def test_what_no_start_is_known_of_leaves_nothing_out() -> None:
    source = replace(CLIP, video=replace(CLIP.video, start=None))
    plan = planned(source)
    assert frames_left_out(plan, begins_late(plan)) == 0
    assert frames_left_out(planned(CLIP), replace(perfect_encode(planned(CLIP)), times=())) == 0


def test_a_stream_that_begins_late_reaches_the_end_it_promised() -> None:
    source = clip(frames=None, frames_certain=False)
    assert not early(planned(source), begins_late(planned(source)))


def fragmented(start: Fraction, duration: Fraction) -> MediaFacts:
    return clip(frames=None, frames_certain=False, start=start, duration=duration)


def test_fragments_may_count_from_0() -> None:
    late = replace(fragmented(Fraction(10), Fraction(11)), start=Fraction(10))
    assert not early(planned(late), perfect_encode(planned(late)))
    longer = replace(fragmented(Fraction(10), Fraction(12)), start=Fraction(10))
    assert early(planned(longer), perfect_encode(planned(longer)))
    at_zero = fragmented(Fraction(0), Fraction(3, 2))
    assert early(planned(at_zero), perfect_encode(planned(at_zero)))
    table = replace(late, video=replace(late.video, frames=25))
    assert early(planned(table), perfect_encode(planned(table)))


def test_subtitles_outlast_the_picture() -> None:
    open_end = replace(clip(frames=None, frames_certain=False, duration=None), duration=Fraction(9), formats=("matroska", "webm"))
    assert early(planned(open_end), perfect_encode(planned(open_end)))
    titled = replace(open_end, other_streams=("subtitle:subrip",))
    assert not early(planned(titled), perfect_encode(planned(titled)))


def test_sound_that_was_copied_is_as_long_as_in_the_proxy() -> None:
    source = clip(frames=None, frames_certain=False, duration=None)
    plan = plan_task(settings(Codec.H264, Container.MP4), replace(source, duration=Fraction(9)))
    proxy = perfect_proxy(plan)
    assert ends_early(plan, perfect_encode(plan), proxy.observation().report) is not None
    proxy.samples = [9 * 48000]
    assert ends_early(plan, perfect_encode(plan), proxy.observation().report) is None


def test_sound_that_mxf_cuts_off_was_still_heard() -> None:
    source = replace(clip(frames=None, frames_certain=False, duration=None), duration=Fraction(9), formats=("matroska", "webm"))
    plan = planned(source, Container.MXF)
    encode = perfect_encode(plan)
    (heard,) = encode.audio
    assert heard is not None
    assert not early(plan, replace(encode, audio=(replace(heard, length=9 * heard.rate),)))
    assert early(plan, replace(encode, audio=(replace(heard, length=2 * heard.rate),)))
