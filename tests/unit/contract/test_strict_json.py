"""One strict reading of a spec's bytes, and the proof that a spec is whole."""

import json
import sys

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proxx_worker.contract.strict_json import (
    MAX_DEPTH,
    MAX_SPEC_BYTES,
    Flaw,
    NotJsonError,
    Number,
    is_whole_json_object,
    parse_object,
    path_text,
)
from tests.unit.contract.corpus import PROPERTY, VALID, encoded


def test_numbers_keep_their_literal() -> None:
    content = parse_object(b'{"a": [29.970, -0, 1e999, 123456789012345678901234567890, true, null]}').content
    literals = ("29.970", "-0", "1e999", "123456789012345678901234567890")
    assert content == {"a": [*(Number(literal) for literal in literals), True, None]}


def test_more_digits_than_the_interpreter_converts() -> None:
    digits = "9" * (sys.get_int_max_str_digits() * 2)
    data = b'{"a": %s}' % digits.encode()
    assert parse_object(data).content == {"a": Number(digits)}
    assert is_whole_json_object(data)


def test_flaws_have_paths_and_the_last_of_two_values_stands() -> None:
    document = parse_object(b'{"a": [{"b": 1, "b": 2, "b": 3}], "c": {"\\ud800": "x\\udfffy"}, "a": [{"b": 4, "b": 5}]}')
    assert document.content == {"a": [{"b": Number("5")}], "c": {"\\ud800": "x\\udfffy"}}
    assert [(path_text(flaw.path), "more than once" in flaw.message) for flaw in document.flaws] == [
        ("a", True),
        ("a[0].b", True),
        ('c["\\ud800"]', False),
        ('c["\\ud800"]', False),
    ]
    assert isinstance(document.flaws[0], Flaw)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a": "b\tc"}', "Invalid control character at line 1, column 9"),
        (b'{"a": "b', "Unterminated string starting at line 1, column 7"),
        (b'{"a": 1,}', "Expecting property name enclosed in double quotes at line 1, column 9"),
    ],
)
def test_what_is_no_json_is_told_with_its_place(data: bytes, reason: str) -> None:
    with pytest.raises(NotJsonError) as caught:
        parse_object(data)
    assert str(caught.value) == reason


def test_a_pair_of_surrogates_is_one_character() -> None:
    document = parse_object(b'{"a": "\\ud83c\\udfac"}')
    assert (document.content, document.flaws) == ({"a": "\U0001f3ac"}, ())


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("sources", 2), "sources[2]"),
        (("resolved_tokens", "date"), "resolved_tokens.date"),
        (("a b",), '["a b"]'),
        (("x", "a.b", 0, "c"), 'x["a.b"][0].c'),
        (("",), '[""]'),
        (("x" * 64,), "x" * 64),
        (("x" * 5000,), '["' + "x" * 77 + '..."]'),
        (("\x1b[31m",), '["\\x1b[31m"]'),
    ],
)
def test_paths_read_like_code(path: tuple[str | int, ...], text: str) -> None:
    assert path_text(path) == text


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_depth_ends_at_its_limit(depth: int, opening: bytes, closing: bytes) -> None:
    data = b'{"a":' + opening * (depth - 1) + b"0" + closing * (depth - 1) + b"}"
    assert is_whole_json_object(data) is (depth == MAX_DEPTH)
    if depth == MAX_DEPTH:
        parse_object(data)
    else:
        with pytest.raises(NotJsonError, match="64 deep"):
            parse_object(data)


def test_depth_does_not_depend_on_the_interpreter() -> None:
    """A frame away from the recursion limit would be a crash; well before it, everything is as ever."""
    data = b'{"a":' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}"
    hopeless = b"[" * 400_000

    def at_depth(frames: int) -> tuple[bool, bool]:
        return at_depth(frames - 1) if frames else (is_whole_json_object(data), is_whole_json_object(hopeless))

    assert at_depth(600) == (True, False)


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (b"{}", True),
        (b' \n{"a": 1}\r\n\t', True),
        (b'{"a": "\\ud800"}', True),
        (b'{"a": 1e999}', True),
        (b'{"a": 1, "a": 1}', True),
        (b'{"a": "\x7f"}', True),
        (b"", False),
        (b"{", False),
        (b'{"a": 1', False),
        (b'{"a": "x', False),
        (b'{"a": NaN}', False),
        (b"[]", False),
        (b"5", False),
        (b"\xef\xbb\xbf{}", False),
        (b'{"a": "\xff"}', False),
        (b"{}\x00", False),
        (b"\x00{}", False),
        (b"{}\x0c", False),
        (b"{}" + b" " * (MAX_SPEC_BYTES - 2), True),
        (b"{}" + b" " * (MAX_SPEC_BYTES - 1), False),
    ],
)
def test_what_is_whole(data: bytes, whole: bool) -> None:
    assert is_whole_json_object(data) is whole


@pytest.mark.parametrize("data", [encoded(content) for content in VALID.values()], ids=VALID)
def test_no_part_of_a_spec_is_whole(data: bytes) -> None:
    assert is_whole_json_object(data)
    assert not any(is_whole_json_object(data[:length]) for length in range(len(data)))


@pytest.mark.parametrize("hostile", [b'"\\"', b'"\\', b'\\"', b"[{", b'"', b'{"', b"]", b"}{"])
def test_hostile_bytes_cost_linear_time(hostile: bytes) -> None:
    """Quadratic time would take hours here."""
    data = (hostile * MAX_SPEC_BYTES)[:MAX_SPEC_BYTES]
    assert not is_whole_json_object(data)
    assert not is_whole_json_object(b'{"a": ' + data[:-10])


def _strict(data: bytes) -> bool:
    try:
        parse_object(data)
    except NotJsonError:
        return False
    return True


def _array(items: list[str]) -> str:
    return "[" + ",".join(items) + "]"


def _object(items: list[str]) -> str:
    return "{" + ",".join(f'"k{len(item) % 3}": {item}' for item in items) + "}"


JSON_TEXT = st.recursive(
    st.sampled_from(
        [
            *("null", "true", "0", "-0", "1.5", "1e999", "1e-999", "9" * 400, '""', '"a"', '"\\ud800"', '"\\ud83c\\udfac"'),
            *("NaN", "Infinity", "-Infinity", "01", "1.", "+1", "'a'", '"\n"', '"\\x"', '"\x7f"', "", "nul", "\ufeff", "\u00a0"),
        ]
    ),
    lambda inner: st.lists(inner, max_size=3).map(_array) | st.lists(inner, max_size=3).map(_object),
    max_leaves=8,
)


@PROPERTY
@given(JSON_TEXT.map(str.encode) | JSON_TEXT.map(lambda text: f'{{"a": {text}}}'.encode()) | st.binary(max_size=40))
@example(b'{"a": 1e999}')
@example(b'{"a": 1} ')
def test_whole_means_that_the_strict_parser_takes_it(data: bytes) -> None:
    assert is_whole_json_object(data) is _strict(data)


@PROPERTY
@given(JSON_TEXT.map(lambda text: f'{{"a": {text}}}'.encode()) | st.binary(max_size=40))
def test_the_strict_parser_is_at_least_as_strict_as_others(data: bytes) -> None:
    if _strict(data):
        json.loads(data)
        return
    try:
        taken = isinstance(orjson.loads(data), dict)
    except orjson.JSONDecodeError:
        taken = False
    assert not taken


@PROPERTY
@given(st.dictionaries(st.text(max_size=4), st.text() | st.lists(st.text(), max_size=3), max_size=4))
def test_what_was_written_is_read(content: dict[str, object]) -> None:
    document = parse_object(json.dumps(content).encode())
    assert (document.content, document.flaws) == (content, ())
