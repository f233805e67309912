"""What outputs are called, and which names never come to be."""

from dataclasses import replace
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.contract.errors import ErrorCode, JsonValue, ProxxError
from proxx_worker.contract.jobspec import JobSpec, parse_jobspec
from proxx_worker.contract.naming import output_names
from proxx_worker.contract.spec_model import TOKENS
from tests.unit.contract.corpus import EXPLICIT, PROPERTY, encoded, spec

REFUSED = "the naming template gives a name that is refused; change the template or its tokens"
ALLOWED = "at most 255 bytes with the extension, without /, \\ and control characters, no dot at the beginning"


def named(template: str, *sources: str, **more: JsonValue) -> tuple[str, ...]:
    changes: dict[str, JsonValue] = {"naming_template": template, "sources": [*sources] or ["/media/a.mov"]}
    return output_names(parse_jobspec(encoded(spec(EXPLICIT, changes, more))))


def refusal(template: str, *sources: str, **more: JsonValue) -> ProxxError:
    with pytest.raises(ProxxError) as caught:
        named(template, *sources, **more)
    return caught.value


def test_every_token() -> None:
    template = "{source_name}+{source_ext}+{job_id}+{date}+{time}+{index}+{codec}+{resolution}"
    names = named(
        template, "/m/A.MOV", "/m/b.mxf", job_id="j-1", created_at="0999-02-03T04:05:06Z", codec="dnxhr", resolution="640x480"
    )
    assert names == (
        "A+MOV+j-1+09990203+040506+000+dnxhr+640x480.mov",
        "b+mxf+j-1+09990203+040506+001+dnxhr+640x480.mov",
    )


def test_a_profile_says_codec_resolution_and_extension() -> None:
    content = spec(naming_template="{codec}_{resolution}_{index}", proxy_profile="proxy_dnxhr_lb")
    assert output_names(parse_jobspec(encoded(content))) == ("dnxhr_same_000.mxf", "dnxhr_same_001.mxf")


def test_the_default_job_id_is_the_digest() -> None:
    data = encoded(spec(EXPLICIT, naming_template="{job_id}", sources=["/a"]))
    parsed = parse_jobspec(data)
    assert output_names(parsed) == (f"{parsed.sha256[:12]}.mov",)


def test_the_moment_is_as_written_whatever_its_zone() -> None:
    assert named("{date}_{time}", created_at="2025-12-31T23:59:58+14:00") == ("20251231_235958.mov",)
    assert named("{date}", created_at="2025-12-31") == ("20251231.mov",)


@pytest.mark.parametrize(
    ("source", "name", "extension"),
    [
        ("/m/clip.mov", "clip", "mov"),
        ("/m/clip.tar.MOV", "clip.tar", "MOV"),
        ("/m/clip", "clip", ""),
        ("/m/clip.", "clip", ""),
        ("/m.d/clip", "clip", ""),
        ("/m/clip.mov/", "clip", "mov"),
        ("/m//clip.mov///", "clip", "mov"),
        ("/m/clipX", "clipX", ""),
        ("/m/.hidden", ".hidden", ""),
        ("/m/.hidden.mov", ".hidden", "mov"),
        ("/m/..mov", "..mov", ""),
        ("/m/..", "..", ""),
        ("/", "", ""),
        ("/m/a b%d-'\"\u202e\U0001f3ac.mov", "a b%d-'\"\u202e\U0001f3ac", "mov"),
    ],
)
def test_a_source_has_a_name_and_an_extension(source: str, name: str, extension: str) -> None:
    assert named("x{source_name}|{source_ext}", source) == (f"x{name}|{extension}.mov",)


def test_indexes_grow_beyond_three_digits() -> None:
    names = named("{index}", *(f"/{number}" for number in range(1001)))
    assert (names[0], names[999], names[1000]) == ("000.mov", "999.mov", "1000.mov")


def test_resolved_tokens_stand_over_everything_and_as_they_stand() -> None:
    values: dict[str, JsonValue] = {token: f"<{token}{{index}}>" for token in TOKENS}
    template = "".join(f"{{{token}}}" for token in TOKENS)
    expected = "".join(f"<{token}{{index}}>" for token in TOKENS)
    assert named(template, created_at="2025-12-29", resolved_tokens=values) == (f"{expected}.mov",)


def test_braces_in_a_source_are_not_tokens() -> None:
    assert named("{source_name}", "/m/{index}.mov", "/m/{.mov") == ("{index}.mov", "{.mov")


@pytest.mark.parametrize(
    ("template", "source", "reason"),
    [
        ("a/b", "/a", "contains /"),
        ("../{source_name}", "/a", "begins with a dot"),
        ("a\\b", "/a", "contains \\"),
        ("a\nb", "/a", "U+000A"),
        ("a\x00b", "/a", "U+0000"),
        ("a\x1b[31m", "/a", "U+001B"),
        ("a\x7f", "/a", "U+007F"),
        ("a\x85", "/a", "U+0085"),
        (".a", "/a", "begins with a dot"),
        ("", "/a", "begins with a dot"),
        ("{source_ext}", "/a", "begins with a dot"),
        ("{source_name}", "/m/.hidden", "begins with a dot"),
        ("{source_name}", "/m/a\nb.mov", "U+000A"),
        ("{source_name}", "/m/a\\b.mov", "contains \\"),
        ("{source_name}", "/", "begins with a dot"),
        ("x" * 300, "/a", "longer than 255 bytes"),
        ("x" * 252, "/a", "longer than 255 bytes"),
        ("\u00fc" * 126, "/a", "longer than 255 bytes"),
        ("{source_name}", f"/{'x' * 300_000}", "longer than 255 bytes"),
    ],
)
def test_unsafe_names_are_refused(template: str, source: str, reason: str) -> None:
    error = refusal(template, source)
    assert error.code is ErrorCode.OUTPUT_NAME_INVALID
    assert reason in str(error)
    assert "\n" not in str(error)
    assert len(str(error)) < 1000
    assert error.error.details["naming_template"] == template


def test_255_bytes_are_a_name() -> None:
    assert len(named("x" * 251)[0]) == 255
    assert len(named("\u00fc" * 125 + "x")[0].encode()) == 255


def test_every_unsafe_name_is_told() -> None:
    error = refusal("{source_name}", "/.a", "/b", "/c\n")
    faults = error.error.details["faults"]
    assert isinstance(faults, list)
    assert [fault["path"] for fault in faults if isinstance(fault, dict)] == ["sources[0]", "sources[2]"]
    assert str(error) == (
        f'{REFUSED}: sources[0]: the output of "/.a" would be called ".a.mov", and it begins with a dot (allowed: {ALLOWED}); '
        'sources[2]: the output of "/c\\x0a" would be called "c\\x0a.mov", and it contains a control character (U+000A) '
        f"(allowed: {ALLOWED})"
    )


def test_unsafe_wins_over_taken_twice() -> None:
    assert refusal(".a", "/a", "/a").code is ErrorCode.OUTPUT_NAME_INVALID


@pytest.mark.parametrize(
    ("template", "first", "second"),
    [
        ("x", "/a", "/b"),
        ("{source_name}", "/a/clip.mov", "/b/clip.mxf"),
        ("{source_name}", "/a/clip.mov", "/a/clip.mov"),
        ("{source_name}", "/a/Clip.mov", "/b/cLIP.mov"),
        ("{source_name}", "/a/\u00e9.mov", "/b/e\u0301.mov"),
        ("{source_name}", "/a/\u00c9.mov", "/b/e\u0301.mov"),
        ("{source_name}", "/a/\u03a3.mov", "/b/\u03c2.mov"),
        ("{source_name}", "/a/stra\u00dfe.mov", "/b/STRASSE.mov"),
    ],
)
def test_two_sources_with_one_name_are_refused(template: str, first: str, second: str) -> None:
    error = refusal(template, first, second)
    assert error.code is ErrorCode.OUTPUT_NAME_COLLISION
    assert error.error.details["sources"] == [first, second]
    assert first in str(error)
    assert second in str(error)


def test_a_collision_is_told_with_both_sources_and_the_way_out() -> None:
    error = refusal("{source_name}", "/z", "/a/Clip.mov", "/b/clip.mov")
    assert error.error.details["indexes"] == [1, 2]
    assert error.error.details["names"] == ["Clip.mov", "clip.mov"]
    assert str(error) == (
        'sources[1] "/a/Clip.mov" and sources[2] "/b/clip.mov" would both be written to "clip.mov" '
        "(upper and lower case count as the same): make them differ in the naming template, for example with {index}"
    )


def test_different_names_do_not_collide() -> None:
    assert len(set(named("{source_name}", "/a", "/b", "/\u00e9", "/e", "/\u00df", "/s"))) == 6
    assert named("{source_name}_{index}", "/a", "/a") == ("a_000.mov", "a_001.mov")
    assert named("{source_name}{source_ext}", "/a.mov", "/a.mxf") == ("amov.mov", "amxf.mov")


def test_a_hostile_template_is_refused_before_it_costs_time() -> None:
    error = refusal("{index}" + "{source_ext}" * 2000, *(f"/{number}" for number in range(50_000)))
    assert error.code is ErrorCode.OUTPUT_NAME_INVALID
    assert str(error) == f"{REFUSED}: naming_template: it is 24007 characters long (allowed: at most 4096)"
    longest = "{index}" + "{source_ext}" * 340 + "x" * 9
    assert len(longest) == 4096
    assert named(longest, "/clip") == ("000xxxxxxxxx.mov",)


def test_a_hundred_thousand_unsafe_names_are_cut() -> None:
    error = refusal(".{index}", *(f"/{number}" for number in range(100_000)))
    faults = error.error.details["faults"]
    assert isinstance(faults, list)
    assert (len(faults), error.error.details["faults_cut"]) == (1000, True)


BASE_SPEC = parse_jobspec(encoded(spec(EXPLICIT, created_at="2025-12-29T01:02:03")))
TEMPLATES = st.lists(st.text(st.characters(exclude_characters="{}"), max_size=6) | st.sampled_from([f"{{{t}}}" for t in TOKENS]))
SOURCES = st.lists(st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=12).map("/{}".format), min_size=1)


def _job(template: str, sources: list[str]) -> JobSpec:
    return replace(BASE_SPEC, naming_template=template, sources=tuple(sources))


def _names_or_code(job: JobSpec) -> tuple[str, ...] | ErrorCode:
    try:
        return output_names(job)
    except ProxxError as error:
        return error.code


@PROPERTY
@given(TEMPLATES.map("".join), SOURCES)
def test_names_are_safe_and_tell_sources_apart(template: str, sources: list[str]) -> None:
    encodable = template.encode("utf-8", "replace").decode()
    names = _names_or_code(_job(encodable, sources))
    if isinstance(names, ErrorCode):
        assert names in {ErrorCode.OUTPUT_NAME_INVALID, ErrorCode.OUTPUT_NAME_COLLISION}
        return
    assert len(names) == len(sources)
    assert len({normalize("NFC", name).casefold() for name in names}) == len(names)
    assert len({normalize("NFC", name).lower() for name in names}) == len(names)
    for name in names:
        assert name.endswith(".mov")
        assert not name.startswith(".")
        assert len(name.encode()) <= 255
        assert not any(letter in "/\\" or ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in name)


@PROPERTY
@given(TEMPLATES.map("".join), SOURCES)
def test_the_index_always_tells_sources_apart(template: str, sources: list[str]) -> None:
    encodable = template.encode("utf-8", "replace").decode()
    names = _names_or_code(_job(f"{{index}}-{encodable}", sources))
    assert isinstance(names, tuple) or names is ErrorCode.OUTPUT_NAME_INVALID
