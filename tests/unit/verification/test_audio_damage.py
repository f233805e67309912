"""Sound that was copied and does not decode: whose fault it is, in which stream, and where."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import cast

import pytest

from proxx_worker.contract.errors import ErrorCode, JobError, JsonValue
from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.media.facts import MediaFacts
from proxx_worker.planning.plan import plan_task
from proxx_worker.verification.audio_damage import audio_damage
from proxx_worker.verification.ffmpeg_evidence import FfmpegEvidence
from proxx_worker.verification.proxy_probe import ProxyObservation
from proxx_worker.verification.verdict import judge
from tests.support.printouts import parse_proxy
from tests.unit.planning.sources import CLIP, STEREO, settings
from tests.unit.verification.proxies import perfect_encode, perfect_proxy

SAID = "[aac @ 0x55d5] channel element 2.15 is not allocated\n"
WHOLE = tuple(range(0, 48000, 1024))
TWO = replace(CLIP, audio=(STEREO, replace(STEREO, index=2)))
MIXED = replace(CLIP, audio=(STEREO, replace(STEREO, index=2, codec="ac3")))
HOLE: dict[str, JsonValue] = {"places": [{"near_seconds": "0.427", "stream": 1, "kind": "hole"}], "places_count": 1}


def without(*places: int) -> tuple[int, ...]:
    """The times of a second of sound in which these frames did not decode."""
    return tuple(time for place, time in enumerate(WHOLE) if place not in places)


def seen(
    *sounds: Sequence[int | tuple[int, int]], picture: Sequence[int] = (0,), fields: Mapping[str, str] = MappingProxyType({})
) -> str:
    """What ffprobe says of a proxy whose sounds have frames at these times, 1024 ticks long where nothing else is said."""
    frames = [f"frame|stream_index=0|pts={time}" for time in picture]
    for at, sound in enumerate(sounds, 1):
        for frame in sound:
            time, length = (frame, min(1024, 48000 - frame)) if isinstance(frame, int) else frame
            frames.append(f"frame|stream_index={at}|pts={time}|pkt_duration={length}|nb_samples=1024")
    said = {"start_pts": "0", "duration_ts": "48000", "time_base": "1/48000", **fields}
    streams = ["stream|index=0|codec_type=video|time_base=1/1000"] if picture else []
    described = "|".join(f"{key}={value}" for key, value in said.items())
    streams += [f"stream|index={at}|codec_type=audio|{described}" for at in range(1, len(sounds) + 1)]
    return "\n".join((*frames, *streams))


def damage(report: str, source: MediaFacts = CLIP, stderr: str = SAID, exit_code: int = 0) -> JobError | None:
    plan = plan_task(settings(), source)
    return audio_damage(plan.expected.audio or (), ProxyObservation(exit_code, parse_proxy(report.encode()), stderr))


def place(error: JobError | None) -> tuple[object, object]:
    assert error is not None
    assert error.code is ErrorCode.SOURCE_DAMAGED
    return error.details["near_seconds"], error.details["stream"]


def test_a_packet_that_does_not_decode_leaves_a_hole() -> None:
    assert damage(seen(without(20))) == JobError(
        ErrorCode.SOURCE_DAMAGED,
        "the source could not be read and decoded without errors, first near 0.427 s of its video, in its audio stream 1: "
        "[aac] channel element 2.15 is not allocated; deliver the clip again, or repair it",
        {"near_seconds": "0.427", "stream": 1, "lines": ["[aac] channel element 2.15 is not allocated"], **HOLE},
    )


@pytest.mark.parametrize(
    ("times", "seconds"),
    [
        (without(20, 21), "0.427"),
        (without(30, 20), "0.427"),
        (without(0, 1, 2), "0.000"),
        (without(46), "0.981"),
        ((), "0.000"),
        # A pause that the source makes itself is no hole, and the fault behind it is found.
        (((0, 8471), (8471, 1024), (11000, 37000)), "0.198"),
    ],
)
@pytest.mark.parametrize("stderr", [SAID, "", "\n"])
def test_the_first_hole_is_the_place(times: Sequence[int | tuple[int, int]], seconds: str, stderr: str) -> None:
    assert place(damage(seen(times), stderr=stderr)) == (seconds, 1)


def test_every_hole_of_every_stream_is_listed() -> None:
    error = damage(seen(without(0, 20, 46), without(30)), TWO)
    assert error is not None
    places = [("0.000", 1), ("0.427", 1), ("0.640", 2), ("0.981", 1)]
    assert error.details["places"] == [{"near_seconds": at, "stream": stream, "kind": "hole"} for at, stream in places]
    assert error.details["places_count"] == 4


def test_of_many_holes_the_first_are_listed_and_the_others_counted() -> None:
    error = damage(seen(without(*range(1, 46, 2)), without(5)), TWO)
    assert error is not None
    places = cast("list[object]", error.details["places"])
    assert (len(places), error.details["places_count"]) == (20, 24)
    assert {"near_seconds": "0.107", "stream": 2, "kind": "hole"} in places


@pytest.mark.parametrize("times", [without(0), without(0, 1), (960, (1920, 46080))])
def test_a_first_packet_without_sound_is_a_fault_where_the_decoder_says_so(times: Sequence[int | tuple[int, int]]) -> None:
    assert place(damage(seen(times))) == ("0.000", 1)
    assert damage(seen(times), stderr="") is None


def test_a_fault_that_the_decoder_says_nothing_of() -> None:
    assert damage(seen(without(20)), stderr="") == JobError(
        ErrorCode.SOURCE_DAMAGED,
        "the source could not be read and decoded without errors, first near 0.427 s of its video, in its audio stream 1: "
        "a packet decodes to no audio; deliver the clip again, or repair it",
        {"near_seconds": "0.427", "stream": 1, "lines": [], **HOLE},
    )


@pytest.mark.parametrize(
    ("times", "fields"),
    [
        (WHOLE, {}),
        # A long first packet of which the priming is all that is left out, one that overlaps, an end that is rounded.
        (((7447, 1024), (8471, 39529)), {}),
        (((-24, 1048), (1000, 47000)), {}),
        ((0, 1024, (2048, 45856)), {}),
        (without(20), {"time_base": "0/0"}),
        (without(20), {"start_pts": "N/A"}),
        (without(20), {"duration_ts": "N/A"}),
    ],
)
def test_sound_without_a_hole_is_fine(times: Sequence[int | tuple[int, int]], fields: dict[str, str]) -> None:
    assert damage(seen(times, fields=fields), stderr="") is None
    assert place(damage(seen(times, fields=fields))) == (None, 1)


@pytest.mark.parametrize("key", ["duration", "other"])
def test_how_long_a_frame_lasts_has_two_names(key: str) -> None:
    report = seen(without(20)).replace("pkt_duration", key)
    assert (damage(report, stderr="") is None) is (key == "other")


def test_the_place_is_counted_from_the_first_picture() -> None:
    assert place(damage(seen(without(20), picture=(100,)))) == ("0.327", 1)
    assert place(damage(seen(without(1), picture=(100,)))) == ("0.000", 1)
    assert place(damage(seen(without(20), picture=()))) == ("0.427", 1)


@pytest.mark.parametrize("times", [(), tuple(4800 + time for time in WHOLE[3:])])
def test_what_is_missing_at_the_start_is_where_the_stream_starts(times: Sequence[int]) -> None:
    assert place(damage(seen(times, fields={"start_pts": "4800"}), stderr="")) == ("0.100", 1)


def test_the_stream_with_the_first_hole_is_named() -> None:
    assert place(damage(seen(WHOLE, without(20)), TWO)) == ("0.427", 2)
    assert place(damage(seen(without(30), without(20)), TWO)) == ("0.427", 2)
    assert place(damage(seen(without(20)), TWO)) == ("0.427", 1)


def test_where_nothing_is_missing_the_place_is_not_known() -> None:
    error = damage(seen(WHOLE))
    assert error is not None
    assert "at an unknown time, in its audio stream 1: " in error.message


def test_of_several_sounds_without_a_hole_none_is_named() -> None:
    error = damage(seen(WHOLE, WHOLE), TWO)
    assert place(error) == (None, None)
    assert error is not None
    assert "at an unknown time, in its audio: " in error.message


def test_a_hole_in_sound_that_was_encoded_is_not_the_sources() -> None:
    assert place(damage(seen(WHOLE, without(20)), MIXED)) == (None, None)


def test_only_the_first_complaints_are_quoted() -> None:
    error = damage(seen(without(20)), stderr="    Last message repeated 3 times\n" + 30 * SAID)
    assert error is not None
    assert error.details["lines"] == 10 * ["[aac] channel element 2.15 is not allocated"]


@pytest.mark.parametrize(
    ("stderr", "exit_code", "why"),
    [
        ("something", 0, "not the decoder"),
        ("[h264 @ 0x1] error while decoding MB 1 2\n", 0, "the picture was encoded here"),
        (SAID + "[mov,mp4,m4a,3gp,3g2,mj2 @ 0x1] error reading header\n", 0, "the file itself is broken"),
        (SAID, 1, "ffprobe failed"),
    ],
)
def test_other_complaints_are_about_the_proxy(stderr: str, exit_code: int, why: str) -> None:
    assert damage(seen(without(20)), stderr=stderr, exit_code=exit_code) is None, why


def test_sound_that_was_encoded_is_the_encoders() -> None:
    assert damage(seen(without(20)), replace(CLIP, formats=("matroska", "webm"))) is None
    assert damage(seen(), replace(CLIP, audio=())) is None


@pytest.mark.parametrize(
    ("container", "code"), [(Container.MP4, ErrorCode.SOURCE_DAMAGED), (Container.MKV, ErrorCode.OUTPUT_INVALID)]
)
def test_the_verdict(container: Container, code: ErrorCode) -> None:
    plan = plan_task(settings(Codec.H264, container), CLIP)
    proxy = perfect_proxy(plan)
    proxy.stderr = SAID
    verdict = judge(plan.expected, proxy.observation(), FfmpegEvidence(plan, perfect_encode(plan)))
    assert verdict.error is not None
    assert verdict.error.code is code
    assert [check.name for check in verdict.checks if check.ok is False] == ["decodes"]


def test_damage_goes_before_a_rate_that_is_none() -> None:
    plan = plan_task(settings(), CLIP)
    proxy = perfect_proxy(plan)
    proxy.stderr = SAID
    encode = perfect_encode(plan)
    crooked = tuple(time + 200 * (at % 2) for at, time in enumerate(encode.times))
    verdict = judge(plan.expected, proxy.observation(), FfmpegEvidence(plan, replace(encode, times=crooked)))
    assert verdict.error is not None
    assert verdict.error.code is ErrorCode.SOURCE_DAMAGED


def test_the_source_s_stream_is_known_where_it_was_copied() -> None:
    plan = plan_task(settings(), replace(MIXED, audio=(replace(STEREO, index=4), *MIXED.audio[1:])))
    copied, encoded = plan.expected.audio or ()
    assert (copied.copied_from, encoded.copied_from) == (4, None)
