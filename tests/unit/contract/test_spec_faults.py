"""Faults of a spec by value: which words each kind of value, of field and of disagreement gets."""

import pytest

from proxx_worker.contract.spec_faults import find_faults
from proxx_worker.contract.strict_json import parse_object
from tests.unit.contract.corpus import EXPLICIT, GONE, RESOLVE, Spec, encoded, spec

NO_FIELDS = "explicit settings need codec, container and resolution, and this one is missing"
NO_MOMENT = "an ISO 8601 date and time"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (spec(job_id=5), ["job_id: the number 5 is not a job id"]),
        (spec(job_id=True), ["job_id: true is not a job id"]),
        (spec(job_id=False), ["job_id: false is not a job id"]),
        (spec(job_id={"a": 1}), ["job_id: an object is not a job id"]),
        (spec(job_id=[1]), ["job_id: a list is not a job id"]),
        (spec(job_id=[]), ["job_id: an empty list is not a job id"]),
        (spec(sources=None), ["sources: null is not a list of sources"]),
        (spec(sources="/a"), ['sources: "/a" is not a list of sources: put it in brackets, even if it is the only one']),
        (spec(sources=GONE), ["sources: this field is required"]),
        (spec(output_directory=""), ['output_directory: "" is not an absolute path']),
        (spec(output_directory="/\0"), ['output_directory: "/\\x00" is not an absolute path']),
        (spec(output_directory="a"), ['output_directory: "a" is not an absolute path: it must begin with /']),
        (spec(resolved_tokens={"date": "a/b"}), ['resolved_tokens.date: "a/b" is not a token value: it contains /']),
        (spec(resolved_tokens={"dat": "a"}), ['resolved_tokens.dat: "dat" is not a token: did you mean date?']),
        (spec(fps_mode="explicit", fps_explicit="x"), ['fps_explicit: "x" is not a frame rate: it is not a number']),
        (spec(created_at="now"), [f'created_at: "now" is not {NO_MOMENT}: it is not of that form']),
        (spec(created_at="2025-02-29"), [f'created_at: "2025-02-29" is not {NO_MOMENT}: there is no such date']),
        (spec(nope=1), ["nope: there is no such field in JobSpec 2.1"]),
        (
            spec(proxy_profile=GONE),
            ["proxy_profile: the spec does not say what to make: give a proxy_profile, or codec, container and resolution"],
        ),
        (spec(EXPLICIT, codec=GONE, container=GONE), [f"codec: {NO_FIELDS}", f"container: {NO_FIELDS}"]),
        (spec(codec="vp9"), ['codec: "vp9" disagrees with proxy_h264_low, which says "h264": leave it out']),
        (spec(fps_mode="explicit"), ["fps_explicit: fps_mode `explicit` requires it"]),
        (spec(fps_explicit=25), ["fps_explicit: it is only valid with fps_mode `explicit`: set that, or leave this out"]),
        (
            spec(RESOLVE, resolve_preset=GONE),
            ["resolve_preset: proxy_prores_hq_resolve is made by DaVinci Resolve, which needs the name of a render preset"],
        ),
        (
            spec(RESOLVE, fps_mode="explicit", fps_explicit=25),
            ["fps_mode: DaVinci Resolve renders every frame of camera RAW at its own rate: leave it out"],
        ),
        (
            spec(resolve_preset="x"),
            ["resolve_preset: proxy_h264_low is made by FFmpeg, which has no presets: leave it out"],
        ),
        (spec(naming_template="{"), ['naming_template: "{" has a stray brace: braces may only enclose tokens']),
        (
            spec(naming_template="{date}{time}"),
            ["created_at: the naming template uses {date} and {time}, whose values come only from created_at or resolved_tokens"],
        ),
        (
            spec(naming_template="{time}", created_at="2025-12-29"),
            ['created_at: the naming template uses {time}, and "2025-12-29" has no time of day'],
        ),
    ],
)
def test_a_fault_in_words(content: Spec, said: list[str]) -> None:
    assert [f"{fault.path}: {fault.text}" for fault in find_faults(parse_object(encoded(content)))] == said


@pytest.mark.parametrize(
    ("content", "allowed"),
    [
        (spec(fps_explicit=25), "absent, or together with fps_mode explicit"),
        (spec(resolve_preset="x"), "absent"),
        (spec(EXPLICIT, resolution=GONE), "same, half, quarter, or WIDTHxHEIGHT with sides from 2 to 99999"),
        (spec(RESOLVE, fps_mode="explicit", fps_explicit=25), ("same-as-source",)),
    ],
)
def test_what_is_allowed_where_fields_disagree(content: Spec, allowed: object) -> None:
    assert [fault.allowed for fault in find_faults(parse_object(encoded(content)))] == [allowed]


def test_a_key_that_is_given_twice() -> None:
    document = parse_object(encoded(spec()).removesuffix(b"}") + b', "job_id": "a", "job_id": "b"}')
    assert [str(fault) for fault in find_faults(document)] == ["job_id: the key is given more than once: keep one of them"]


@pytest.mark.parametrize(
    "content",
    [
        spec(sources=["x"] * 1500),
        spec(resolved_tokens={f"token{number}": "x" for number in range(1500)}),
        spec({f"field{number}": 0 for number in range(1500)}),
        spec(naming_template="".join(f"{{{number}}}" for number in range(1500))),
    ],
    ids=["sources", "tokens", "fields", "tokens of a template"],
)
def test_no_more_faults_are_looked_for_than_say_that_there_are_more(content: Spec) -> None:
    assert len(find_faults(parse_object(encoded(content)))) == 1001
