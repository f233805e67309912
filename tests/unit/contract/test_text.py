"""Text that can always be shown and written."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.contract.errors import JsonValue
from proxx_worker.contract.text import (
    encodable,
    has_lone_surrogate,
    quoted,
    shortened,
    steady_json,
    value_text,
    visible,
    writable,
)
from tests.unit.contract.corpus import PROPERTY


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("clip", '"clip"'),
        ('a"b', '"a\\"b"'),
        ("a\\b", '"a\\b"'),
        ("a\nb\x1b\x7f\x9f", '"a\\x0ab\\x1b\\x7f\\x9f"'),
        ("\ud800", '"\\ud800"'),
        ("\udcff", '"\\xff"'),
        ("\u00fc\U0001f3ac", '"\u00fc\U0001f3ac"'),
        ("x" * 80, f'"{"x" * 80}"'),
        ("x" * 81, f'"{"x" * 77}..."'),
    ],
)
def test_a_message_quotes_any_text_on_one_line(text: str, shown: str) -> None:
    assert quoted(text) == shown


def test_shortened_keeps_what_is_short() -> None:
    assert shortened("x" * 80) == "x" * 80
    assert len(shortened("x" * 81)) == 80


@PROPERTY
@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_written(text: str) -> None:
    encodable(text).encode()
    assert (encodable(text) == text) is not has_lone_surrogate(text)
    assert visible(text).encode().isascii() or not text.isascii()
    assert visible(text).isprintable() or not text.isascii()
    assert "\n" not in quoted(text)


def test_what_could_steer_a_terminal_is_escaped() -> None:
    assert visible("a\x1b[31mb\nc\x9bd\u202ee\ud800é🎬") == r"a\x1b[31mb\x0ac\x9bd\u202ee\ud800é🎬"
    assert visible("caf\udce9\u2028") == r"caf\xe9\u2028"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"a\udce9": ["\ud800", 1, None, True, 0.5]}, {"a\\xe9": ["\\ud800", 1, None, True, 0.5]}),
        (
            {"big": 1 << 64, "small": -(1 << 63) - 1, "fits": (1 << 64) - 1, "least": -(1 << 63)},
            {"big": str(1 << 64), "small": str(-(1 << 63) - 1), "fits": (1 << 64) - 1, "least": -(1 << 63)},
        ),
        ("\x1b", "\x1b"),
    ],
)
def test_any_value_can_be_written(value: JsonValue, written: JsonValue) -> None:
    assert writable(value) == written
    assert orjson.loads(orjson.dumps(writable(value))) == written


@PROPERTY
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_that_cannot_steer_a_terminal_says_the_same(text: str) -> None:
    steady = steady_json(orjson.dumps({text: [text]}))
    assert orjson.loads(steady) == {text: [text]}
    assert visible(steady.decode()) == steady.decode()


def test_json_escapes_what_turns_a_line_around() -> None:
    assert steady_json('"\u202e\u2066\u200f\u061c\u2028\x9b\x7fé"'.encode()) == (
        rb'"\u202e\u2066\u200f\u061c\u2028\u009b\u007f' + 'é"'.encode()
    )
    assert steady_json(b'"plain"') == b'"plain"'


@pytest.mark.parametrize(("value", "said"), [(None, "nothing"), ("", ""), (0, "0"), (False, "False"), ("25/1", "25/1")])
def test_a_missing_value_is_nothing(value: JsonValue, said: str) -> None:
    assert value_text(value) == said
