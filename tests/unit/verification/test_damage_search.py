"""A pass over the whole of a damaged source: what becomes a place, and when."""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

import pytest

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.media.facts import MediaFacts, OpenEnd
from proxx_worker.planning.plan import plan_task
from proxx_worker.verification.damage_places import DamageSearchResult, Place
from proxx_worker.verification.damage_search import DamageSearch
from proxx_worker.verification.encode_fault import encode_error
from proxx_worker.verification.encode_observation import EncodeObservation
from proxx_worker.verification.ffmpeg_evidence import FfmpegEvidence
from tests.unit.planning.sources import CLIP, PICTURE, settings
from tests.unit.verification.proxies import perfect_encode
from tests.unit.verification.searches import search_result

PLAN = plan_task(settings(Codec.PRORES_PROXY, Container.MOV), CLIP)
VIDEO = "[h264 @ 0x1] [error] error while decoding MB 21 4, bytestream -30"
TICKS = 12800
FRAME = TICKS // 25
SAMPLES = 1024
BLOCK = "[h264 @ 0x1] error while decoding MB 3 0, bytestream 10339"
CONCEALED = "[h264 @ 0x1] concealing 99 DC, 99 AC, 99 MV errors in B frame"
REFERENCE = "[h264 @ 0x1] mmco: unref short failure"


def packet(
    pts: int | None, *, dts: int | None = None, stream: int = 0, lasts: int | str = FRAME, size: int = 9, flags: str = "___"
) -> str:
    return f"packet|stream_index={stream}|pts={said(pts)}|dts={said(dts)}|duration={lasts}|size={size}|flags={flags}|side_data|"


def frame(pts: int | None, *words: str, stream: int = 0, level: int = 16) -> str:
    """With a decoder's words as FFmpeg 7 and later report them: one after another."""
    return f"frame|stream_index={stream}|pts={said(pts)}|" + "".join(f"log|level={level}|message={word}" for word in words)


def said(time: int | None) -> str:
    return "N/A" if time is None else str(time)


def pictures(count: int, spoiled: Iterable[int] = (), lost: Iterable[int] = ()) -> list[str]:
    """So many whole pictures, but those that the decoder complains of, and those of which no frame comes."""
    lines = []
    for place in range(count):
        lines.append(packet(place * FRAME, flags="K__" if place == 0 else "___"))
        if place not in lost:
            lines.append(frame(place * FRAME, *([BLOCK, BLOCK] if place in spoiled else [])))
    return lines


def searched(lines: Iterable[str], facts: MediaFacts = CLIP, *, complete: bool = True) -> DamageSearchResult:
    search = DamageSearch(facts)
    data = "".join(f"{line}\n" for line in lines).encode()
    for start in range(0, len(data), 1000):
        search.feed(data[start : start + 1000])
    assert search.taken == len(data)
    return search.finish(complete=complete)


def places(lines: Iterable[str], facts: MediaFacts = CLIP) -> list[tuple[str | None, str | None, int | None, str]]:
    return [(it.seconds, it.until, it.stream, it.kind) for it in searched(lines, facts).places]


def test_a_whole_source_has_no_place() -> None:
    sound = [packet(at, stream=1, lasts=SAMPLES) for at in range(-SAMPLES, 10 * SAMPLES, SAMPLES)]
    frames = [frame(at, stream=1) for at in range(0, 10 * SAMPLES, SAMPLES)]
    assert searched([*pictures(50), *sound, *frames]) == search_result(packets=50, frames=50, at_end=True)


def test_a_complaint_is_about_the_packet_before_it_whatever_frame_it_stands_in() -> None:
    reordered = [packet(0, flags="K__"), packet(3 * FRAME), frame(0), packet(FRAME), frame(FRAME, BLOCK), packet(2 * FRAME)]
    assert places([*reordered, frame(2 * FRAME), frame(3 * FRAME)]) == [("0.040", "0.040", 0, "decoding")]


def test_up_to_ffmpeg_6_each_complaint_has_a_line_of_its_own() -> None:
    said = f"log|level=16|message={BLOCK}"
    assert places([packet(0), frame(0) + "side_data|", packet(FRAME), frame(FRAME) + said, said]) == [
        ("0.040", "0.040", 0, "decoding")
    ]


def test_a_picture_that_is_concealed_is_damaged_though_its_decoder_calls_that_information() -> None:
    assert places([packet(0), frame(0), packet(FRAME), frame(FRAME, CONCEALED, level=32)]) == [("0.040", "0.040", 0, "decoding")]


def test_packets_without_a_frame_are_damaged() -> None:
    assert places(pictures(100, lost=(50, 51))) == [("2.000", "2.040", 0, "decoding")]
    sound = [packet(at * SAMPLES, stream=1, lasts=SAMPLES) for at in range(100)]
    heard = [frame(at * SAMPLES, stream=1) for at in range(100) if at != 75]
    mixed = [line for pair in zip(sound, [*heard, ""], strict=True) for line in pair]
    assert places([packet(0), frame(0), *mixed]) == [("1.600", "1.600", 1, "decoding")]


def test_packets_before_the_first_frame_are_not() -> None:
    assert places([packet(-FRAME), packet(0), frame(0), packet(FRAME), frame(FRAME)]) == []
    assert places([packet(-SAMPLES, stream=1, lasts=SAMPLES, flags="KD_"), *pictures(3)]) == []
    assert places([packet(0), packet(FRAME)]) == []


def test_the_last_packets_are_damaged_if_no_frame_comes_of_them_and_the_search_came_to_the_end() -> None:
    lines = pictures(50, lost=(48, 49))
    assert places(lines) == [("1.920", "1.960", 0, "decoding")]
    assert searched(lines, complete=False) == search_result(complete=False, packets=50, frames=48, at_end=True)


def test_packets_that_wait_too_long_for_their_frame_are_not_kept() -> None:
    lost = [packet(place * FRAME) for place in range(2, 2000)]
    found = searched([*pictures(2), *lost], complete=False)
    assert found.places == (Place("0.080", 0, "decoding", until="39.960"),)
    assert searched([*pictures(0), *lost], complete=False).places == ()


def test_empty_packets_repeat_the_picture_before_them() -> None:
    lines = [packet(0), frame(0), packet(FRAME, size=0), packet(2 * FRAME), frame(2 * FRAME)]
    assert places(lines) == []


def test_two_fields_may_be_two_packets() -> None:
    facts = replace(CLIP, video=replace(PICTURE, field_order="tt", constant_rate=False))
    lines = []
    for place in range(20):
        lines += [packet(place * FRAME + half, lasts=FRAME // 2) for half in (0, FRAME // 2)]
        lines += [] if place == 10 else [frame(place * FRAME)]
    assert places(lines, facts) == [("0.400", "0.400", 0, "decoding")]


def test_pictures_of_a_variable_rate_may_be_far_apart() -> None:
    facts = replace(CLIP, video=replace(PICTURE, constant_rate=False))
    times = [0, FRAME, 9 * FRAME, 10 * FRAME + 3, 11 * FRAME]
    lines = [line for time in times for line in (packet(time, lasts="N/A"), frame(time))]
    assert places(lines, facts) == []
    assert places([line for line in lines if line != frame(9 * FRAME)], facts) == [("0.360", "0.360", 0, "decoding")]


def test_packets_that_the_demuxer_knows_to_be_incomplete() -> None:
    lines = pictures(100)
    lines[80] = packet(40 * FRAME, flags="__C")
    assert places(lines) == [("1.600", "1.600", 0, "reading")]
    lines[85] = frame(42 * FRAME, BLOCK)
    assert places(lines) == [("1.600", "1.680", 0, "decoding")]


@pytest.mark.parametrize(
    ("lines", "at_end"),
    [
        (pictures(50), True),
        (pictures(50, spoiled=[49]), True),
        (pictures(50, lost=[49]), True),
        (pictures(50, spoiled=[47]), True),
        (pictures(50, spoiled=[46]), False),
        (pictures(50, spoiled=[46, 49]), False),
        (pictures(50, spoiled=[5, 49]), False),
        ([*pictures(50), packet(0, stream=1), packet(FRAME, stream=1, flags="__C")], True),
        ([*pictures(50), packet(0, stream=1, flags="__C"), packet(6000, stream=1)], False),
        ([*pictures(50, spoiled=[5]), packet(0, stream=1), packet(FRAME, stream=1, flags="__C")], False),
    ],
)
def test_damage_at_the_last_packets_of_a_stream_is_at_its_end(lines: list[str], *, at_end: bool) -> None:
    assert searched(lines).at_end is at_end


def test_times_that_go_back() -> None:
    again = [packet(20 * FRAME), frame(20 * FRAME), packet(25 * FRAME), frame(25 * FRAME)]
    assert places([*pictures(25), *again]) == [("0.960", "0.960", 0, "times")]


def test_faults_within_half_a_second_are_one_place() -> None:
    assert places(pictures(100, spoiled=(10, 20, 32, 60), lost=(9,))) == [
        ("0.360", "1.280", 0, "decoding"),
        ("2.400", "2.400", 0, "decoding"),
    ]


def test_places_of_two_streams_are_in_the_order_of_time_counted_from_the_first_picture() -> None:
    ten = 10 * TICKS
    lines = [packet(ten), frame(ten), packet(ten + 50 * FRAME), frame(ten + 50 * FRAME, BLOCK)]
    sound = [packet(528_000, stream=1), frame(528_000, "[aac @ 0x1] Input buffer exhausted", stream=1)]
    assert places([*lines, *sound]) == [("1.000", "1.000", 1, "decoding"), ("2.000", "2.000", 0, "decoding")]
    early = [packet(0, stream=1), frame(0, BLOCK, stream=1)]
    assert places([*lines[:2], *early]) == [("0.000", "0.000", 1, "decoding")]


@pytest.mark.parametrize(
    "lines",
    [
        [packet(0), frame(0, "[hevc] [error] SEI type 5 size 12 truncated at 8")],
        [packet(0), frame(0, "[h264 @ 0x1] Reinit context to 640x368", level=32)],
        [f"log|level=16|message={BLOCK}"],
        [packet(0, stream=7), frame(0, BLOCK, stream=7)],
        [frame(0, BLOCK)],
        ["subtitle|x", "", "side_data|"],
        ["x" * (1 << 21)],
    ],
)
def test_what_is_no_damage(lines: list[str]) -> None:
    assert places(lines) == []


def test_pictures_that_need_what_was_before_the_beginning_are_not_damaged() -> None:
    lines = [packet(0, flags="K__"), frame(0), packet(FRAME), frame(FRAME, REFERENCE)]
    assert places(lines) == []
    assert places([*lines, packet(2 * FRAME, flags="K__"), frame(2 * FRAME), packet(3 * FRAME), frame(3 * FRAME, REFERENCE)]) == [
        ("0.120", "0.120", 0, "decoding")
    ]


def test_a_recording_that_stops_within_a_packet_is_not_damaged_there() -> None:
    facts = replace(CLIP, formats=("mpegts",), open_end=OpenEnd(None, (9000,)))
    cut = [packet(50 * FRAME, dts=9000 + (1 << 33), flags="__C"), frame(50 * FRAME, BLOCK)]
    assert places([*pictures(49), *cut], facts) == []
    assert places([*pictures(49), packet(50 * FRAME, flags="__C")], facts) == [("2.000", "2.000", 0, "decoding")]
    assert places([*pictures(49), packet(None, flags="__C")], replace(facts, open_end=OpenEnd(None, (None,)))) == []


def test_packets_without_a_time_have_that_of_their_decoding_or_of_the_one_before() -> None:
    lines = [packet(None, dts=at) for at in (0, FRAME)]
    assert places([*lines, frame(None), packet(None, dts=50 * FRAME), frame(None, BLOCK)]) == [("2.000", "2.000", 0, "decoding")]
    assert places([packet(0), frame(0), packet(25 * FRAME), packet(None), frame(FRAME, BLOCK)]) == [
        ("1.000", "1.000", 0, "decoding")
    ]
    assert places([packet(None), frame(None, BLOCK)]) == [("0.000", "0.000", 0, "decoding")]


def test_a_bare_stream_counts_its_frames() -> None:
    facts = replace(CLIP, formats=("h264",), audio=(), video=replace(PICTURE, time_base=Fraction(1, 1_200_000)))
    lines = [line for _ in range(50) for line in (packet(None, dts=7), frame(None))]
    assert places([*lines, packet(77), frame(None, BLOCK)], facts) == [("2.000", "2.000", 0, "decoding")]


def test_audio_without_a_time_base_counts_samples() -> None:
    facts = replace(CLIP, audio=(replace(CLIP.audio[0], time_base=None),))
    lines = [packet(0), frame(0), packet(48_000, stream=1), frame(48_000, BLOCK, stream=1)]
    assert places(lines, facts) == [("1.000", "1.000", 1, "decoding")]


def test_a_file_of_noise_does_not_fill_the_memory_and_is_counted_to_its_end() -> None:
    lines = (line for second in range(10_050) for line in (packet(second * TICKS), frame(second * TICKS, BLOCK)))
    found = searched(lines)
    assert (len(found.places), found.more, found.at_end) == (10_000, 50, False)


DAMAGED = replace(perfect_encode(PLAN), exit_code=1, complaints=(VIDEO,), complained_at=3, heard_at=(3,))


def test_the_error_has_what_was_found() -> None:
    found = search_result(
        Place("0.120", 0, "decoding", "0.120"), Place("7.000", 1, "reading", "9.500"), Place("11.000", 0, "decoding", "11.000")
    )
    error = FfmpegEvidence(PLAN, DAMAGED, search=found).fault()
    assert error is not None
    assert error.code is ErrorCode.SOURCE_DAMAGED
    assert error.message == (
        "the source could not be read and decoded without errors, in 3 places (video near 0.120, 11.000 s; audio stream 1 near "
        "7.000 to 9.500 s): [h264] [error] error while decoding MB 21 4, bytestream -30; deliver the clip again, or repair it"
    )
    assert error.details == {
        "near_seconds": "0.120",
        "lines": ["[h264] [error] error while decoding MB 21 4, bytestream -30"],
        "places": [
            {"near_seconds": "0.120", "until_seconds": "0.120", "stream": 0, "kind": "decoding"},
            {"near_seconds": "7.000", "until_seconds": "9.500", "stream": 1, "kind": "reading"},
            {"near_seconds": "11.000", "until_seconds": "11.000", "stream": 0, "kind": "decoding"},
        ],
        "places_count": 3,
        "places_complete": True,
    }


def test_a_search_that_found_nothing_leaves_what_the_encode_met() -> None:
    error = encode_error(PLAN, DAMAGED, search_result(complete=False))
    assert error is not None
    assert "in 1 place (video near 0.080 s; not searched to its end): " in error.message
    assert (error.details["near_seconds"], error.details["places_count"], error.details["places_complete"]) == ("0.080", 1, False)


def test_times_that_go_back_are_all_listed() -> None:
    complaint = "[mov @ 0x1] [error] Non-monotonic DTS: 5"
    encode = replace(perfect_encode(PLAN), exit_code=1, times=(0, FRAME, FRAME // 2), complaints=(complaint,))
    found = search_result(*(Place(f"{second}.040", 0, "times", f"{second}.040") for second in range(3)))
    error = FfmpegEvidence(PLAN, encode, search=found).fault()
    assert error is not None
    assert "(and 2 more such places)" in error.message
    assert (error.details["near_seconds"], error.details["places_count"]) == ("0.040", 3)
    assert error.details["places_complete"] is True


@pytest.mark.parametrize(
    ("encode", "worth"),
    [
        (DAMAGED, True),
        (replace(DAMAGED, exit_code=0), True),
        (replace(DAMAGED, complaints=("[out#0 @ 0x1] [error] x",)), False),
        (perfect_encode(PLAN), False),
    ],
)
def test_a_source_is_searched_where_it_is_damaged(encode: EncodeObservation, worth: object) -> None:
    assert FfmpegEvidence(PLAN, encode).has_places() is worth
