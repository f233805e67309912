"""From bytes to a JobSpec or to all that is wrong with them."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.contract.errors import ErrorCode, JsonValue, ProxxError
from proxx_worker.contract.jobspec import (
    MAX_SPEC_BYTES,
    JobSpec,
    SpecSummary,
    parse_jobspec,
    spec_digest,
    summarize_spec,
    unread_summary,
)
from proxx_worker.contract.output_settings import (
    Codec,
    Container,
    DnxhrLevel,
    Engine,
    FpsMode,
    OutputSettings,
    Resolution,
    ScaleMode,
)
from proxx_worker.contract.profiles import PROFILES
from proxx_worker.contract.spec_model import FIELDS, TOKENS, TokenName
from tests.unit.contract.corpus import BASE, EXPLICIT, PROPERTY, RESOLVE, VALID, Spec, encoded, spec
from tests.unit.contract.refusals import INVALID, Invalid


def refusal(data: bytes) -> ProxxError:
    with pytest.raises(ProxxError) as caught:
        parse_jobspec(data)
    return caught.value


def faults(error: ProxxError) -> list[Mapping[str, JsonValue]]:
    told = error.error.details["faults"]
    assert isinstance(told, list)
    assert all(isinstance(fault, dict) and list(fault) == ["path", "message", "allowed"] for fault in told)
    return [fault for fault in told if isinstance(fault, dict)]


def paths(error: ProxxError) -> list[JsonValue]:
    return [fault["path"] for fault in faults(error)]


# --- what a valid spec becomes ---


def test_a_profile_resolves_to_its_settings() -> None:
    data = encoded(spec(job_id="day-03", created_at="2025-12-29T14:30:05+01:00", resolved_tokens={"index": "7"}))
    assert parse_jobspec(data) == JobSpec(
        sha256=hashlib.sha256(data).hexdigest(),
        version="2.1",
        job_id="day-03",
        sources=("/media/a.mov", "/media/b.mov"),
        output_directory="/proxies",
        profile="proxy_h264_low",
        engine=Engine.FFMPEG,
        settings=OutputSettings(Codec.H264, Container.MP4, Resolution(ScaleMode.HALF)),
        naming_template="{source_name}_proxy",
        resolved_tokens={"index": "7"},
        created_at=datetime(2025, 12, 29, 14, 30, 5, tzinfo=timezone(timedelta(hours=1))),
        resolve_preset=None,
    )


def test_explicit_settings_leave_the_engine_to_the_sources() -> None:
    parsed = parse_jobspec(encoded(spec(EXPLICIT, resolution="1280x720", fps_mode="explicit", fps_explicit=25)))
    fit = Resolution(ScaleMode.FIT, 1280, 720)
    assert parsed.settings == OutputSettings(Codec.PRORES_LT, Container.MOV, fit, FpsMode.EXPLICIT, Fraction(25))
    assert (parsed.profile, parsed.engine) == (None, None)


def test_explicit_dnxhr_is_hq_and_a_profile_says_its_own_level() -> None:
    explicit = parse_jobspec(encoded(spec(EXPLICIT, codec="dnxhr", container="mxf")))
    named = parse_jobspec(encoded(spec(proxy_profile="proxy_dnxhr_sq_resolve", resolve_preset="x")))
    assert explicit.settings.dnxhr_level is DnxhrLevel.HQ
    assert named.settings.dnxhr_level is DnxhrLevel.SQ
    assert named.resolve_preset == "x"


def test_a_rate_goes_with_a_profile() -> None:
    parsed = parse_jobspec(encoded(spec(fps_mode="explicit", fps_explicit=29.97)))
    assert parsed.settings.fps == Fraction(30000, 1001)
    assert parsed.settings.codec is Codec.H264


@pytest.mark.parametrize(
    ("literal", "rate"),
    [
        ("23.976", Fraction(24000, 1001)),
        ("29.97", Fraction(30000, 1001)),
        ("29.970", Fraction(30000, 1001)),
        ("2.997e1", Fraction(30000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("59.940", Fraction(60000, 1001)),
        ("119.88", Fraction(120000, 1001)),
        ("119.880", Fraction(120000, 1001)),
        ("23.98", Fraction(1199, 50)),
        ("12.5", Fraction(25, 2)),
        ("25", Fraction(25)),
        ("25.0", Fraction(25)),
        ("1E+2", Fraction(100)),
        ("0.001", Fraction(1, 1000)),
        ("1000", Fraction(1000)),
    ],
)
def test_a_rate_is_exactly_what_its_literal_says(literal: str, rate: Fraction) -> None:
    data = encoded(spec(fps_mode="explicit", fps_explicit=123)).replace(b"123", literal.encode())
    assert parse_jobspec(data).settings.fps == rate


@pytest.mark.parametrize("literal", ["1e999", "-1e999", "1e-999", "9" * 5000, "0." + "0" * 5000 + "1", "1e99999999999999999999"])
def test_a_rate_beyond_all_numbers_is_a_fault_like_any_other(literal: str) -> None:
    data = encoded(spec(fps_mode="explicit", fps_explicit=123)).replace(b"123", literal.encode())
    error = refusal(data)
    assert (error.code, paths(error)) == (ErrorCode.SPEC_INVALID, ["fps_explicit"])


def test_the_default_job_id_is_the_beginning_of_the_digest() -> None:
    data = encoded(spec(job_id=None))
    assert parse_jobspec(data).job_id == spec_digest(data)[:12] == hashlib.sha256(data).hexdigest()[:12]


def test_created_at_keeps_what_is_written() -> None:
    def moment(text: str) -> datetime | None:
        return parse_jobspec(encoded(spec(created_at=text))).created_at

    assert moment("2025-12-29") == datetime(2025, 12, 29)  # noqa: DTZ001 - as written
    assert moment("20251229T1430-0330") == datetime(2025, 12, 29, 14, 30, tzinfo=timezone(-timedelta(hours=3, minutes=30)))
    assert moment("2025-12-29t14:30:05,5z") == datetime(2025, 12, 29, 14, 30, 5, 500000, tzinfo=UTC)
    assert moment("0001-01-01T00:00:00.1234569-23:59") == datetime(
        1, 1, 1, 0, 0, 0, 123456, tzinfo=timezone(-timedelta(hours=23, minutes=59))
    )


@pytest.mark.parametrize("content", VALID.values(), ids=VALID)
def test_valid_specs_are_taken(content: Spec) -> None:
    parsed = parse_jobspec(encoded(content))
    assert parsed.sources == tuple(content["sources"] if isinstance(content["sources"], list) else ())
    assert parsed.naming_template == content["naming_template"]


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_says_its_engine_and_settings(name: str) -> None:
    parsed = parse_jobspec(encoded(VALID[f"profile {name}"]))
    assert (parsed.profile, parsed.engine, parsed.settings) == (name, PROFILES[name].engine, PROFILES[name].settings)


def test_resolved_tokens_cannot_be_changed() -> None:
    parsed = parse_jobspec(encoded(spec(resolved_tokens={"date": "x"})))
    with pytest.raises(TypeError):
        parsed.resolved_tokens["date"] = "y"  # type: ignore[index]


# --- which code wins ---


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \t\r\n", "empty"),
        (b"{", "line 1, column 2"),
        (b'{"jobspec_version": "2.1",}', "line 1"),
        (b"{} {}", "more text after the end"),
        (b"{}\x00", "more text after the end"),
        (b"\x00\x00\x00\x14ftypqt  ", "binary data"),
        (b"{'a': 1}", "double quotes"),
        (b"[]", "not an object"),
        (b'"2.1"', "not an object"),
        (b"null", "not an object"),
        (b"21", "not an object"),
        (b"\xef\xbb\xbf{}", "byte-order mark"),
        (b'{"\xff": 1}', "0xff at offset 2"),
        (b'{"a": "\xed\xa0\x80"}', "not UTF-8"),
        ("{}".encode("utf-16"), "UTF-16"),
        ("{}".encode("utf-16-be"), "binary data"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": [Infinity]}', "Infinity"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": 01}', "line 1"),
        (b'{"a": "\n"}', "line 1"),
        (b'{"a": "\\ud80"}', "line 1"),
        (b'{"a":' + b"[" * 64 + b"]" * 64 + b"}", "64 deep"),
        (b'{"a":' + b"[" * 500_000, "64 deep"),
        (b'{"a":' * 150_000, "64 deep"),
    ],
)
def test_what_is_not_one_json_object(data: bytes, reason: str) -> None:
    error = refusal(data)
    assert error.code is ErrorCode.SPEC_NOT_JSON
    assert reason in str(error)
    assert str(error.error.details["reason"]) in str(error)


def test_depth_is_not_counted_in_texts_nor_over_siblings() -> None:
    deep = b"[" * 63 + b"]" * 63
    for value in (deep, b'"' + b"[{" * 500 + b'\\""', b"[" + b",".join([b"[]"] * 500) + b"]"):
        data = encoded(spec()).removesuffix(b"}") + b', "x": ' + value + b"}"
        assert refusal(data).code is ErrorCode.SPEC_INVALID


def test_a_spec_over_one_mebibyte_is_not_read_at_all() -> None:
    whole = encoded(spec())
    padded = whole + b" " * (MAX_SPEC_BYTES - len(whole))
    assert parse_jobspec(padded).output_directory == "/proxies"
    for data in (padded + b" ", b"x" * (MAX_SPEC_BYTES + 1)):
        error = refusal(data)
        assert error.code is ErrorCode.SPEC_TOO_LARGE
        assert error.error.details == {"size_bytes": MAX_SPEC_BYTES + 1, "max_bytes": MAX_SPEC_BYTES}
        assert error.error.message.startswith(
            f"a JobSpec must have at most {MAX_SPEC_BYTES} bytes (1 MiB), but this one has {MAX_SPEC_BYTES + 1}: "
        )


@pytest.mark.parametrize(
    ("version", "found"),
    [
        ("2.0", '"2.0"'),
        ("2.10", '"2.10"'),
        ("", '""'),
        ("2.1\n", '"2.1\\x0a"'),
        (2.1, "not a string"),
        (None, "not a string"),
        (True, "not a string"),
        (["2.1"], "not a string"),
        ({"2.1": 1}, "not a string"),
    ],
)
def test_another_version_wins_over_every_other_fault(version: JsonValue, found: str) -> None:
    error = refusal(encoded({"jobspec_version": version, "sources": 5, "nope": 1}))
    assert error.code is ErrorCode.SPEC_VERSION
    assert found in str(error)
    assert faults(error) == [{"path": "jobspec_version", "message": f"it is {found}", "allowed": ["2.1"]}]


def test_a_missing_version_says_so() -> None:
    error = refusal(b'{"x": {"a": 1, "a": 2}}')
    assert error.code is ErrorCode.SPEC_VERSION
    assert str(error) == "this worker only accepts JobSpec 2.1: jobspec_version: it is missing (allowed: 2.1)"


@pytest.mark.parametrize("case", INVALID.values(), ids=INVALID)
def test_every_fault_is_told_at_its_path(case: Invalid) -> None:
    error = refusal(encoded(case.content))
    assert error.code is ErrorCode.SPEC_INVALID
    assert paths(error) == list(case.paths)
    for fault in faults(error):
        assert f"{fault['path']}: {fault['message']}" in str(error)
        assert fault["allowed"] is not None
        assert str(fault["message"]).strip(" :") == fault["message"]


def test_a_clip_in_place_of_a_spec_is_told_as_one() -> None:
    error = refusal(b"\0\0\0\x14ftypqt  " + b"\0" * (1 << 20))
    assert error.code is ErrorCode.SPEC_TOO_LARGE
    assert "binary data, not a JobSpec: if it is a clip, make one for it with `proxx-worker spec`" in str(error)


NO_PROFILE = "the spec asks for a profile that does not exist; `proxx-worker profiles` lists them"


def test_a_lone_unknown_profile_has_its_own_code() -> None:
    for content in (spec(proxy_profile="proxy_4k"), spec(EXPLICIT, proxy_profile="proxy_4k"), spec(proxy_profile="")):
        error = refusal(encoded(content))
        assert error.code is ErrorCode.PROFILE_UNKNOWN
        assert str(error).startswith(f"{NO_PROFILE}: proxy_profile: ")
        assert paths(error) == ["proxy_profile"]
        assert faults(error)[0]["allowed"] == error.error.details["profiles"] == list(PROFILES)
        assert error.error.details["profile"] == content["proxy_profile"]
        assert "proxy_h264_low" in str(error)
        assert str(faults(error)[0]["message"]).endswith(" is not a profile")


def test_a_disagreement_names_both_values() -> None:
    error = refusal(encoded(spec(codec="vp9")))
    assert str(error).startswith("the spec is refused: codec: ")
    assert '"vp9"' in str(error)
    assert '"h264"' in str(error)
    assert faults(error)[0]["allowed"] == ["h264"]


def test_a_refused_combination_says_why() -> None:
    error = refusal(encoded(spec(EXPLICIT, codec="dnxhd")))
    assert "dnxhd in mov is refused: DNxHD" in str(error)
    assert faults(error)[0]["allowed"] == ["mxf"]


def test_a_missing_container_is_allowed_what_the_codec_allows() -> None:
    assert faults(refusal(encoded(spec(EXPLICIT, codec="vp9", container=None))))[0]["allowed"] == ["webm", "mkv"]
    no_codec = refusal(encoded(spec(EXPLICIT, codec=None, container=None)))
    assert faults(no_codec)[1]["allowed"] == ["mov", "mp4", "mkv", "mxf", "webm"]


def test_an_unknown_field_is_told_with_what_may_have_been_meant() -> None:
    error = refusal(encoded(spec(Source=["/a"], zzz=1)))
    assert [fault["message"] for fault in faults(error)] == [
        "there is no such field in JobSpec 2.1: did you mean sources?",
        "there is no such field in JobSpec 2.1",
    ]
    assert faults(error)[0]["allowed"] == list(FIELDS)
    known = f"(allowed: {', '.join(FIELDS)})"
    assert f"Source: there is no such field in JobSpec 2.1: did you mean sources? {known}; zzz: there" in str(error)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (spec(proxy_profile="proxy_h264_lo"), 'proxy_profile: "proxy_h264_lo" is not a profile: did you mean proxy_h264_low?'),
        (spec(EXPLICIT, codec="x264"), 'codec: "x264" is not a codec: did you mean h264? (allowed: prores_proxy, prores_lt, '),
        (spec(EXPLICIT, container="MP4"), 'container: "MP4" is not a container: did you mean mp4?'),
        (spec(naming_template="{source}"), 'naming_template: there is no token "{source}" (allowed: text with the tokens'),
        (spec(naming_template="{source_nam}"), 'there is no token "{source_nam}": did you mean {source_name}?'),
        (spec(sources=["~/a.mov"]), 'sources[0]: "~/a.mov" is not an absolute path: ~ is not expanded: write the whole path'),
        (spec(sources=["C:\\a.mov"]), "it is a Windows path: write its path on the worker's machine"),
        (spec(sources=["\\\\nas\\a.mov"]), "it is a Windows path"),
        (spec(sources=["file:///a%20b.mov"]), "it is a URL: write only the path, /a b.mov"),
        (spec(sources=["$HOME/a.mov"]), "variables are not expanded"),
        (spec(output_directory="proxies"), 'output_directory: "proxies" is not an absolute path: it must begin with /'),
    ],
)
def test_what_was_probably_meant_is_said(content: Spec, said: str) -> None:
    assert said in str(refusal(encoded(content)))


def test_duplicate_keys_are_faults_at_any_depth_beside_all_others() -> None:
    data = (
        b'{"jobspec_version": "2.1", "sources": ["/a", {"x": 1, "x": 2}], "output_directory": "/o", "job_id": "a",'
        b' "job_id": "", "job_id": "", "proxy_profile": "proxy_h264_low", "naming_template": "x",'
        b' "resolved_tokens": {"date": "a", "date": "b"}, "nope": [[{"y": {"z": 1, "z": 1}}]]}'
    )
    assert paths(refusal(data)) == [
        "job_id",
        "job_id",
        "sources[1].x",
        "sources[1]",
        "resolved_tokens.date",
        "nope[0][0].y.z",
        "nope",
    ]


def test_duplicate_keys_are_refused_though_their_values_are_the_same() -> None:
    whole = encoded(spec())
    error = refusal(whole.removesuffix(b"}") + b', "jobspec_version": "2.1"}')
    assert (error.code, paths(error)) == (ErrorCode.SPEC_INVALID, ["jobspec_version"])


def test_a_known_profile_given_twice_is_no_unknown_profile() -> None:
    error = refusal(encoded(spec()).removesuffix(b"}") + b', "proxy_profile": "proxy_h264_low"}')
    assert (error.code, paths(error)) == (ErrorCode.SPEC_INVALID, ["proxy_profile"])


def test_lone_surrogates_are_faults_in_values_and_keys() -> None:
    error = refusal(
        b'{"jobspec_version": "2.1", "sources": ["/a", "/\\uD800", "/\\ud83c\\udfac"], "output_directory": "/\\udc00",'
        b' "proxy_profile": "proxy_h264_low", "naming_template": "\\uDfff{index}", "resolved_tokens": {"\\ud800": "x"}}'
    )
    assert error.code is ErrorCode.SPEC_INVALID
    assert paths(error) == [
        "sources[1]",
        "output_directory",
        "naming_template",
        'resolved_tokens["\\ud800"]',
        'resolved_tokens["\\ud800"]',
    ]


def test_escaped_backslashes_are_no_surrogates() -> None:
    assert parse_jobspec(encoded(spec(sources=["/\\ud800"]))).sources == ("/\\ud800",)


@pytest.mark.parametrize(
    "content",
    [
        spec(sources=[0] * 300_000),
        spec(sources=[""] * 300_000),
        spec({f"field{number}": 0 for number in range(50_000)}),
        spec(resolved_tokens={f"token{number}": 0 for number in range(50_000)}),
        spec(naming_template="".join(f"{{{number}}}" for number in range(100_000))),
    ],
    ids=["numbers as sources", "empty sources", "unknown fields", "unknown tokens", "tokens of a template"],
)
def test_half_a_million_faults_are_cut_and_that_is_said(content: Spec) -> None:
    error = refusal(json.dumps(content, separators=(",", ":")).encode())
    assert len(faults(error)) == 1000
    assert error.error.details["faults_cut"] is True
    assert str(error).endswith("and more that are not listed")


# --- what can be said of a refused spec ---


def test_the_summary_of_a_refused_spec_says_what_can_be_said() -> None:
    data = encoded(spec(job_id="day-03", naming_template=5, proxy_profile="nope", jobspec_version="3"))
    summary = summarize_spec(data)
    assert (summary.job_id, summary.version, summary.profile) == ("day-03", "3", "nope")
    assert (summary.sources, summary.output_directory) == (("/media/a.mov", "/media/b.mov"), "/proxies")
    assert summary.sha256 == spec_digest(data)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"x" * (MAX_SPEC_BYTES + 1), b"{}", b'{"job_id": "a/b"}'])
def test_the_summary_of_what_says_nothing(data: bytes) -> None:
    summary = summarize_spec(data)
    assert summary.job_id == hashlib.sha256(data).hexdigest()[:12]
    assert (summary.version, summary.sources, summary.profile, summary.output_directory) == (None, (), None, None)


def test_the_summary_of_what_was_not_read() -> None:
    assert unread_summary(None).job_id == "unknown"
    assert unread_summary("0123456789abcdef") == SpecSummary("0123456789ab", None, (), "0123456789abcdef", None, None)


def test_the_summary_takes_texts_only() -> None:
    summary = summarize_spec(b'{"job_id": 5, "jobspec_version": 2.1, "sources": ["/a", 5], "output_directory": []}')
    assert (summary.version, summary.sources, summary.output_directory) == (None, (), None)
    assert summarize_spec(b'{"sources": ["a", ""]}').sources == ("a", "")
    assert summarize_spec(b'{"sources": "/a"}').sources == ()


def test_the_summary_can_always_be_written() -> None:
    summary = summarize_spec(b'{"sources": ["/\\ud800"], "jobspec_version": "\\udfff"}')
    assert (summary.sources, summary.version) == (("/\\ud800",), "\\udfff")


# --- properties ---

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def judged(data: bytes) -> JobSpec | ProxxError:
    """Either of the two answers that there are; anything else raises."""
    summary = summarize_spec(data)
    encoded_summary = [summary.job_id, summary.version, *summary.sources, summary.profile, summary.output_directory]
    json.dumps(encoded_summary, ensure_ascii=False).encode()
    try:
        parsed = parse_jobspec(data)
    except ProxxError as error:
        str(error).encode()
        json.dumps(dict(error.error.details), ensure_ascii=False).encode()
        return error
    assert (summary.job_id, summary.version, summary.sources) == (parsed.job_id, parsed.version, parsed.sources)
    assert (summary.profile, summary.output_directory) == (parsed.profile, parsed.output_directory)
    return parsed


@PROPERTY
@given(st.binary(max_size=200))
def test_arbitrary_bytes_get_an_answer(data: bytes) -> None:
    judged(data)


@PROPERTY
@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=6), JSON, max_size=8))
def test_arbitrary_objects_get_an_answer(content: Spec) -> None:
    judged(json.dumps({"jobspec_version": "2.1", **content}).encode())


@PROPERTY
@given(st.data())
def test_a_spec_with_broken_bytes_gets_an_answer(data: st.DataObject) -> None:
    whole = bytearray(encoded(spec(RESOLVE, resolved_tokens={"date": "x"}, created_at="2025-12-29", fps_mode=None)))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    judged(bytes(whole))


@PROPERTY
@given(st.sampled_from(FIELDS[1:]), JSON)
def test_a_wrong_value_is_told_at_its_field_and_nowhere_else(field: str, value: JsonValue) -> None:
    answer = judged(json.dumps({**BASE, field: value}).encode())
    if isinstance(answer, ProxxError):
        names = {str(path).partition("[")[0].partition(".")[0] for path in paths(answer)}
        if field == "proxy_profile" and value is None:
            assert names == {"proxy_profile"}
        elif field == "fps_mode":
            assert names <= {"fps_mode", "fps_explicit"}
        else:
            assert names == {field}


@PROPERTY
@given(st.permutations(list(BASE.items())))
def test_the_order_of_fields_does_not_matter(items: list[tuple[str, JsonValue]]) -> None:
    shuffled = parse_jobspec(encoded(spec(dict(items), job_id="x")))
    assert shuffled.settings == parse_jobspec(encoded(spec())).settings


def test_the_tokens_are_those_of_the_model() -> None:
    assert TokenName.__args__ == TOKENS  # type: ignore[attr-defined]
