"""Which names in an inbox are jobs, and what their files are called."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.contract.candidates import (
    JobFiles,
    display_name,
    dropped_stem,
    is_cancel_name,
    is_candidate_name,
    is_job_stem,
    is_spec_name,
    is_stray_name,
    job_names,
    lowest_free_job_name,
    stem_of,
    stem_too_long,
    strays_text,
)
from tests.unit.contract.corpus import PROPERTY

TEN = [f"{number:02d}" for number in range(10)]


@pytest.mark.parametrize(
    "name",
    [
        *(b"a.json", b"a.b.json", b" .json", b"-rf.json", b"a~2.json", b"result.json", b"a.result~2.json", b"\xff\n.json"),
        *(b"x" * 235 + b".json", "\u00fc".encode() * 117 + b".json"),
    ],
)
def test_candidates(name: bytes) -> None:
    assert is_candidate_name(name)
    assert not stem_too_long(name)


@pytest.mark.parametrize(
    "name",
    [
        *(b"", b".json", b".a.json", b"..json", b"a", b"a.JSON", b"a.json~", b"a.json.tmp", b"a.jsonl", b"json"),
        *(b"a.result.json", b".result.json", b"." + b"x" * 300 + b".json", b"x" * 300 + b".result.json"),
    ],
)
def test_all_else_is_left_alone(name: bytes) -> None:
    assert not is_candidate_name(name)
    assert not stem_too_long(name)


@pytest.mark.parametrize("name", [b"x" * 236 + b".json", b"\xc3\xbc" * 118 + b".json"])
def test_too_long_a_stem_is_told_apart(name: bytes) -> None:
    assert not is_candidate_name(name)
    assert stem_too_long(name)


def test_the_stem_is_the_name_without_its_suffix() -> None:
    assert stem_of(b"a.b.json") == b"a.b"
    with pytest.raises(ValueError, match=r"not the name of a spec: a\\xff"):
        stem_of(b"a\xff")


def test_a_job_has_three_files() -> None:
    assert JobFiles.of(b"clip~2") == JobFiles(b"clip~2.json", b"clip~2.result.json", b"clip~2.log")


def test_names_are_numbered_from_two() -> None:
    assert list(islice(job_names(b"clip"), 4)) == [b"clip", b"clip~2", b"clip~3", b"clip~4"]
    assert list(islice(job_names(b"clip~2"), 2)) == [b"clip~2", b"clip~2~2"]


def test_the_lowest_free_number_is_taken() -> None:
    taken = {b"clip", b"clip~2", b"clip~4"}
    assert lowest_free_job_name(b"clip", taken.__contains__) == b"clip~3"
    assert lowest_free_job_name(b"other", taken.__contains__) == b"other"


def test_the_longest_candidate_leaves_room_for_its_results_name() -> None:
    assert len(JobFiles.of(b"x" * 235 + b"~9999999").result) == 255


@pytest.mark.parametrize(
    ("name", "text"),
    [(b"clip", "clip"), (b"\xc3\xbc", "\u00fc"), (b"a\xffb", "a\\xffb"), (b"\xed\xa0\x80", "\\xed\\xa0\\x80"), (b"\n", "\n")],
)
def test_bytes_that_are_not_utf_8_are_shown(name: bytes, text: str) -> None:
    assert display_name(name) == text


@PROPERTY
@given(st.binary(max_size=20))
def test_any_name_is_at_most_one_of_the_two_and_can_be_shown(name: bytes) -> None:
    assert not (is_candidate_name(name) and stem_too_long(name))
    display_name(name).encode()


@pytest.mark.parametrize(
    ("job", "dropped"), [(b"a", b"a"), (b"a~2", b"a"), (b"a~2~3", b"a~2"), (b"a~b", b"a~b"), (b"~2", b"~2"), (b"a~", b"a~")]
)
def test_the_name_before_its_number(job: bytes, dropped: bytes) -> None:
    assert dropped_stem(job) == dropped


@pytest.mark.parametrize(("name", "asks"), [(b"a.cancel", True), (b".a.cancel", False), (b"a.cancel.json", False)])
def test_what_asks_to_cancel(name: bytes, asks: bool) -> None:
    assert is_cancel_name(name) is asks


@pytest.mark.parametrize(
    ("name", "is_one"), [(b"a.json", True), (b"a" * 240 + b".json", True), (b"a.result.json", False), (b".a.json", False)]
)
def test_what_is_a_spec_in_any_folder(name: bytes, is_one: bool) -> None:
    assert is_spec_name(name) is is_one


@pytest.mark.parametrize(
    ("name", "is_one"),
    [(b"a.mov", True), (b"a.JSON", True), (b"a.json", False), (b"a.cancel", False), (b".a.mov", False), (b".a.json", False)],
)
def test_what_belongs_to_no_job(name: bytes, is_one: bool) -> None:
    assert is_stray_name(name) is is_one


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([b"a\xff.mov"], "1 file is not a JobSpec, left alone: a\\xff.mov"),
        ([b"b", b"a"], "2 files are not JobSpecs, left alone: a, b"),
        ([b"%02d" % number for number in range(12)], f"12 files are not JobSpecs, left alone: {', '.join(TEN)} and 2 more"),
    ],
)
def test_what_belongs_to_no_job_is_told(names: list[bytes], said: str) -> None:
    assert strays_text(names) == f"{said}. Name JobSpecs NAME.json; `proxx-worker spec` makes one of a clip."


@pytest.mark.parametrize(
    ("stem", "may"),
    [
        *((b"a", True), (b"a~2", True), (b"\xff", True), (b"x" * 243, True), (b"x" * 244, False)),
        *((b"", False), (b".a", False), (b"a.result", False), (b"a/b", False), (b"a\0b", False)),
    ],
)
def test_what_a_job_may_be_called(stem: bytes, may: bool) -> None:
    assert is_job_stem(stem) is may
