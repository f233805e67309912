from fractions import Fraction

import pytest

from proxx_worker.contract.errors import JsonValue
from proxx_worker.media.ffprobe_json import Section, parse_document


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("bt709", "bt709"),
        ("unknown", None),
        ("reserved", None),
        ("N/A", None),
        ("", None),
        (7, None),
        (None, None),
        ("a\x1b", "a\\x1b"),
    ],
)
def test_text_is_none_for_the_words_that_say_nothing(value: JsonValue, expected: str | None) -> None:
    assert Section({"key": value}).text("key") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(3, 3), ("-12", -12), ("+4", 4), (True, None), (2.0, None), ("2.0", None), ("9" * 20, None), ("", None), ([1], None)],
)
def test_integer_takes_whole_numbers_in_both_spellings(value: JsonValue, expected: int | None) -> None:
    assert Section({"key": value}).integer("key") == expected


@pytest.mark.parametrize(("value", "expected"), [(3, 3), ("0", None), (-1, None), ("x", None)])
def test_positive_is_above_zero(value: JsonValue, expected: int | None) -> None:
    assert Section({"key": value}).positive("key") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("30000/1001", Fraction(30000, 1001)),
        ("16:9", Fraction(16, 9)),
        ("0/0", None),
        ("0:1", None),
        ("-1/2", None),
        ("1/-2", None),
        ("25", None),
        (25, None),
    ],
)
def test_ratio_is_exact_and_above_zero(value: JsonValue, expected: Fraction | None) -> None:
    assert Section({"key": value}).ratio("key") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1.034367", Fraction(1034367, 10**6)), ("-0.5", Fraction(-1, 2)), ("1e9", None), ("nan", None), (1.5, None)],
)
def test_seconds_are_the_printed_decimals(value: JsonValue, expected: Fraction | None) -> None:
    assert Section({"key": value}).seconds("key") == expected


def test_flag() -> None:
    assert Section({"a": 1, "b": 0}).flag("a")
    assert not Section({"a": 1, "b": 0}).flag("b")
    assert not Section({}).flag("c")


def test_nested_objects_are_taken_where_they_are_objects() -> None:
    outer = Section({"object": {"a": "b"}, "list": [{"a": "c"}, 7, None], "text": "x"})
    assert outer.section("object").text("a") == "b"
    assert outer.section("text").values == {}
    assert [item.text("a") for item in outer.sections("list")] == ["c"]
    assert outer.sections("text") == ()


def test_side_data_is_found_by_its_type() -> None:
    stream = Section({"side_data_list": [{"side_data_type": "A", "x": 1}, {"side_data_type": "B", "x": 2}]})
    found = stream.side_data("B")
    assert found is not None
    assert found.integer("x") == 2
    assert stream.side_data("C") is None


def test_a_tag_is_found_whatever_its_case_and_stripped() -> None:
    assert Section({"tags": {"title": 3, "TIMECODE": " 01:00:00:00\n"}}).tag("timecode") == "01:00:00:00"
    assert Section({"tags": {"reel_name": "A\x00001\x1b\n"}}).tag("reel_name") == "A001"
    assert Section({"tags": {"timecode": "  "}}).tag("timecode") is None
    assert Section({}).tag("timecode") is None


@pytest.mark.parametrize("stdout", [b"", b"{", b"[]", b'"x"', b"{\xff}", b"[" * 5000])
def test_what_is_no_json_object_is_no_document(stdout: bytes) -> None:
    assert parse_document(stdout) is None


def test_an_object_is_a_document() -> None:
    assert parse_document(b'{"format": {}}') == Section({"format": {}})
