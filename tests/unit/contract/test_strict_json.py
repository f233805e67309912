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
    is_binary,
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
    half = "has half of a surrogate pair, which UTF-8 cannot encode: correct the escape"
    assert [(path_text(flaw.path), flaw.message) for flaw in document.flaws] == [
        ("a", "the key is given more than once: keep one of them"),
        ("a[0].b", "the key is given more than once: keep one of them"),
        ('c["\\ud800"]', f"the key {half}"),
        ('c["\\ud800"]', f"the text {half}"),
    ]
    assert isinstance(document.flaws[0], Flaw)


MISTAKES = [
    ('{"a": 1,}', 8, '{"a": 1,}', "a comma before the closing }: remove it"),
    ('{"a": [1, 2,]}', 12, '{"a": [1, 2,]}', "a comma before the closing ]: remove it"),
    ('{"a": [1, 2, \t] }', 12, '{"a": [1, 2, \\x09] }', "a comma before the closing ]: remove it"),
    ("{,}", 2, "{,}", "a comma before the closing }: remove it"),
    ("{, }", 2, "{, }", "a comma before the closing }: remove it"),
    ("{,\x0c}", 2, "{,\\x0c}", ", is not expected here"),
    ("}", 1, "}", "a JobSpec begins with {, and this does not"),
    ('{"a": "b', 7, '{"a": "b', "a string that is not closed: add its closing quote"),
    ('{"a": ', 6, '{"a":', "the text ends too early, as if it was cut off"),
    ("{", 2, "{", "the text ends too early, as if it was cut off"),
    ('{"a": "b\tc"}', 9, '{"a": "b\\x09c"}', "a line break, tab or control character inside a string"),
    ("{'a': 1}", 2, "{'a': 1}", "a single quote"),
    ('{"a": True}', 7, '{"a": True}', "True is not JSON: write true"),
    ('{"a": None}', 7, '{"a": None}', "None is not JSON: write null"),
    ("{a: 1}", 2, "{a: 1}", 'a field name without quotes: write "a"'),
    ("{no : 1}", 2, "{no : 1}", 'a field name without quotes: write "no"'),
    ("{no\x0c: 1}", 2, "{no\\x0c: 1}", "text without quotes: put it in double quotes"),
    ('{"a": 1, no: 2}', 10, '{"a": 1, no: 2}', 'a field name without quotes: write "no"'),
    ('{"a": b}', 7, '{"a": b}', "text without quotes: put it in double quotes"),
    ('{"a": [no]}', 8, '{"a": [no]}', "text without quotes: put it in double quotes"),
    ('{"a": no}', 7, '{"a": no}', "text without quotes: put it in double quotes"),
    ('{"a": "C:\\Users"}', 10, '{"a": "C:\\Users"}', "a backslash that begins no escape, as in C:\\"),
    ('{"a": "\\u12"}', 8, '{"a": "\\u12"}', "a backslash that begins no escape"),
    ('{"a": "x" "b": 1}', 11, '{"a": "x" "b": 1}', "a comma (or a colon) is missing before this"),
    ('{"a" 1}', 6, '{"a" 1}', "a comma (or a colon) is missing before this"),
    ('{"a": 1} {"b": 2}', 10, '{"a": 1} {"b": 2}', "more text after the end: a JobSpec is one object, {...}, and nothing else"),
    ('{"a": 1}}', 9, '{"a": 1}}', "more text after the end"),
    ('{"a": 1 // c\n}', 9, '{"a": 1 // c', "a comment: JSON has none, remove it"),
    ('{"a": 1 /* c\n}', 9, '{"a": 1 /* c', "a comment: JSON has none, remove it"),
    ('{"a": 1 # c\n}', 9, '{"a": 1 # c', "a comment: JSON has none, remove it"),
    ("jobspec_version: 2.1", 1, "jobspec_version: 2.1"[:20], "a JobSpec begins with {, and this does not"),
    ('{"a": ~/x}', 7, '{"a": ~/x}', "a path without quotes"),
    ('{"a": \u201cx\u201d}', 7, '{"a": \u201cx\u201d}', "a typographic quote"),
    ('{"a": 01}', 8, '{"a": 01}', "not a number as JSON writes them"),
    ('{"a": +1}', 7, '{"a": +1}', "not a number as JSON writes them"),
    ('{"a": [1}', 9, '{"a": [1}', "} is not expected here"),
    ('{"a":: 1}', 6, '{"a":: 1}', ": is not expected here"),
    ('{"a": [NaN, "NaN"]}', 8, '{"a": [NaN, "NaN"]}', "NaN is not JSON, whose numbers are finite"),
    ('{"-Infinity": -Infinity}', 15, '{"-Infinity": -Infinity}', "-Infinity is not JSON"),
]
"""A text, the column that is named, the excerpt, and what is said of it."""


@pytest.mark.parametrize(("text", "column", "near", "words"), MISTAKES)
def test_what_is_no_json_is_told_with_its_place(text: str, column: int, near: str, words: str) -> None:
    with pytest.raises(NotJsonError) as caught:
        parse_object(text.encode())
    assert str(caught.value).startswith(f"line 1, column {column}, near `{near}`: {words}")


def test_the_excerpt_is_of_the_line_and_short() -> None:
    text = '{\n  "sources": [\n    "' + "x" * 100 + '",\n  ],\n  "a": 1\n}'
    with pytest.raises(NotJsonError) as caught:
        parse_object(text.encode())
    assert str(caught.value).startswith("line 3, column 107, near `" + "x" * 29 + '",`: a comma before the closing ]')
    with pytest.raises(NotJsonError) as caught:
        parse_object(b'{"a": [1\n\n\n')
    assert str(caught.value).startswith("line 1, column 9, near `")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('\n{"a": }', 'line 2, column 7, near `{"a": }`: } is not expected here'),
        ("{\n\u00a0\n}", "line 2, column 1: \u00a0 is not expected here"),
    ],
)
def test_lines_are_counted_and_an_empty_one_is_not_shown(text: str, said: str) -> None:
    with pytest.raises(NotJsonError) as caught:
        parse_object(text.encode())
    assert str(caught.value) == said


def test_bytes_that_are_not_utf_8_are_told_with_their_place() -> None:
    with pytest.raises(NotJsonError) as caught:
        parse_object(b'{\n "a": "caf\xe9"}')
    assert str(caught.value) == r'line 2, column 11, near `"a": "caf\xe9"}`: it is not UTF-8, byte 0xe9 at offset 12'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is empty: write the JobSpec into it"),
        (b" \t\r\n", "it is empty: write the JobSpec into it"),
        (b"\x0c", "line 1, column 1: a JobSpec begins with {, and this does not"),
        (b"X", "line 1, column 1, near `X`: a JobSpec begins with {, and this does not"),
        (b" \0", "it is binary data, not text; if it is a clip, make a JobSpec for it with `proxx-worker spec`"),
        (b"\xef\xbb\xbf{}", "it begins with a byte-order mark: write UTF-8 without one"),
        (b"\xff\xfe{\0}\0", "it is UTF-16: write UTF-8"),
        (b"\xfe\xff\0{\0}", "it is UTF-16: write UTF-8"),
        (b"[]", "it is JSON, but not an object: the outermost value must be {...}"),
        (b"NaN and NaN", "line 1, column 1, near `NaN and NaN`: NaN is not JSON, whose numbers are finite"),
    ],
)
def test_what_is_no_spec_at_all_is_told_as_what_it_is(data: bytes, said: str) -> None:
    with pytest.raises(NotJsonError) as caught:
        parse_object(data)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("data", "binary"),
    [(b" {\0", False), (b"\n\xff\xfe\0", False), (b"{", False), (b"RIFF\0", True), (b"\0{", True), (b"\0 ", True)],
)
def test_zero_bytes_in_front_of_any_object_are_binary_data(data: bytes, binary: bool) -> None:
    assert is_binary(data) is binary


def test_a_closed_value_adds_no_depth_and_takes_none_away() -> None:
    beside = b"[]," * MAX_DEPTH
    assert parse_object(b'{"a": [' + beside + b"[]]}").flaws == ()
    with pytest.raises(NotJsonError, match=r"^its values nest more than 64 deep$"):
        parse_object(b'{"a": [' + beside + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"]}")


def test_brackets_in_a_text_are_no_depth() -> None:
    with pytest.raises(NotJsonError, match="it is JSON, but not an object"):
        parse_object(b'"' + b"[" * (MAX_DEPTH + 1) + b'"')


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
