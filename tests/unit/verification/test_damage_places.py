"""The places of damage, as an error lists them."""

from dataclasses import replace

import pytest

from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.planning.plan import plan_task
from proxx_worker.verification.damage_places import MOST_PLACES, Place, describe, listed, stream_of
from proxx_worker.verification.encode_fault import encode_error
from tests.unit.planning.sources import CLIP, settings
from tests.unit.verification.proxies import perfect_encode
from tests.unit.verification.searches import search_result

SOUND = CLIP.audio[0]
PICTURE_FAULT = "[h264 @ 0x1] [error] error while decoding MB 21 4, bytestream -30"


def test_each_place_is_listed_once_and_all_are_counted() -> None:
    places = [Place(f"{number}.000", 0, "decoding") for number in range(MOST_PLACES + 5) for _ in range(2)]
    said = listed(places)
    assert said["places_count"] == MOST_PLACES + 5
    assert said["places"] == [{"near_seconds": f"{number}.000", "stream": 0, "kind": "decoding"} for number in range(MOST_PLACES)]


@pytest.mark.parametrize(
    ("line", "stream"),
    [
        (PICTURE_FAULT, 0),
        ("[aac @ 0x1] [error] Input buffer exhausted", 1),
        ("[aist#0:3/aac @ 0x1] [dec:aac @ 0x2] [error] Decoding error", 3),
        ("[error] Error while decoding stream #0:2: Invalid data found when processing input", 2),
        ("[warning] file:/x: corrupt decoded frame in stream 4", 4),
        ("[in#0/mxf @ 0x1] [error] Error during demuxing", None),
    ],
)
def test_the_stream_that_a_line_is_about(line: str, stream: int | None) -> None:
    assert stream_of(CLIP, line) == stream


def test_one_decoder_of_two_streams_tells_neither() -> None:
    assert stream_of(replace(CLIP, audio=(SOUND, replace(SOUND, index=2))), "[aac @ 0x1] [error] x") is None


def test_all_places_that_the_encode_met_are_in_its_error() -> None:
    plan = plan_task(settings(Codec.PRORES_PROXY, Container.MOV), CLIP)
    lines = (PICTURE_FAULT, f"[{','.join(CLIP.formats)} @ 0x1] [error] partial file", PICTURE_FAULT)
    error = encode_error(plan, replace(perfect_encode(plan), exit_code=1, complaints=lines, complained_at=3, heard_at=(3, 4, 11)))
    assert error is not None
    assert error.details["places"] == [
        {"near_seconds": "0.080", "stream": 0, "kind": "decoding"},
        {"near_seconds": "0.120", "stream": None, "kind": "reading"},
        {"near_seconds": "0.400", "stream": 0, "kind": "decoding"},
    ]
    silent = encode_error(plan, replace(perfect_encode(plan), exit_code=1, stderr_tail=("[info] Conversion failed!",)))
    assert silent is not None
    assert silent.details["places"] == [{"near_seconds": "0.960", "stream": None, "kind": "decoding"}]


@pytest.mark.parametrize(
    ("met", "found", "kept"),
    [
        (Place("1.900", 0, "decoding"), Place("2.000", 0, "decoding", "2.000"), ["2.000"]),
        (Place("5.100", None, "decoding"), Place("2.000", 0, "decoding", "4.000"), ["2.000"]),
        (Place("6.000", 0, "decoding"), Place("2.000", 0, "decoding", "4.000"), ["2.000"]),
        (Place("6.100", 0, "decoding"), Place("2.000", 0, "decoding", "4.000"), ["2.000", "6.100"]),
        (Place("0.000", 0, "decoding"), Place("2.000", 0, "decoding", "4.000"), ["2.000"]),
        (Place("1.900", 1, "decoding"), Place("2.000", 0, "decoding", "2.000"), ["1.900", "2.000"]),
        (Place("2.000", 0, "decoding"), Place(None, 0, "hole"), [None, "2.000"]),
        (Place("0.500", 0, "decoding"), Place(None, 0, "hole"), [None, "0.500"]),
    ],
)
def test_what_the_encode_met_is_kept_if_nothing_was_found_near_it(met: Place, found: Place, kept: list[str | None]) -> None:
    assert [place.seconds for place in search_result(found).with_met((met,)).places] == kept


def test_an_encode_that_met_nothing_adds_nothing() -> None:
    found = search_result(Place("2.000", 0, "decoding"))
    assert found.with_met(()) == found


def test_a_number_that_is_no_stream_of_the_proxy_has_no_name() -> None:
    place = Place("4.000", 7, "reading")
    assert describe(CLIP, search_result(place)) == "in 1 place (near 4.000 s)"


def test_a_message_names_six_places_and_counts_the_others() -> None:
    places = tuple(Place(f"{second}.000", None if second == 1 else 0, "decoding", f"{second}.000") for second in range(8))
    assert describe(CLIP, search_result(*places, more=2)) == (
        "in 10 places (video near 0.000, 2.000, 3.000, 4.000, 5.000 s; near 1.000 s; 4 more)"
    )
    assert (
        describe(CLIP, search_result(*places[:1], complete=False)) == "in 1 place (video near 0.000 s; not searched to its end)"
    )


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (2, "in 2 places (video near 0.000, 1.000 s)"),
        (6, "in 6 places (video near 0.000, 1.000, 2.000, 3.000, 4.000, 5.000 s)"),
        (7, "in 7 places (video near 0.000, 1.000, 2.000, 3.000, 4.000, 5.000 s; 1 more)"),
    ],
)
def test_up_to_six_places_are_all_named(count: int, said: str) -> None:
    places = (Place(f"{second}.000", 0, "decoding") for second in range(count))
    assert describe(CLIP, search_result(*places)) == said


def test_places_beyond_those_that_a_search_keeps_are_counted_in_the_error() -> None:
    plan = plan_task(settings(Codec.PRORES_PROXY, Container.MOV), CLIP)
    encode = replace(perfect_encode(plan), exit_code=1, complaints=(PICTURE_FAULT,), complained_at=1, heard_at=(1,))
    error = encode_error(plan, encode, search_result(Place("0.000", 0, "decoding"), more=5))
    assert error is not None
    assert error.details["places_count"] == 6


def test_a_place_is_counted_from_the_first_frame_that_was_presented() -> None:
    plan = plan_task(settings(Codec.PRORES_PROXY, Container.MOV), CLIP)
    later = tuple(12800 + time for time in perfect_encode(plan).times)
    encode = replace(perfect_encode(plan), times=later, complaints=(PICTURE_FAULT,), complained_at=4, heard_at=(4,))
    error = encode_error(plan, encode)
    assert error is not None
    assert error.details["near_seconds"] == "0.120"
