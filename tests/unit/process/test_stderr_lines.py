"""A child's stderr as lines."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.contract.text import visible
from proxx_worker.process.stderr_lines import MAX_LINE, StderrLines


def lines_of(*chunks: bytes, log_bytes: int = 1 << 20) -> list[str]:
    got: list[str] = []
    lines = StderrLines(lambda _: None, got.extend, log_bytes)
    for chunk in chunks:
        lines.feed(chunk)
    lines.finish()
    return got


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([b""], []),
        ([b"a\nb\n"], ["a", "b"]),
        ([b"a\r\nb\rc"], ["a", "b", "c"]),
        ([b"a\r", b"\nb"], ["a", "b"]),
        ([b"one ", b"line", b"\n"], ["one line"]),
        ([b"\n\n\n"], []),
        ([b"\xc3", b"\xa9\n"], ["é"]),
        ([b"\xff\xfe\n"], ["\\xff\\xfe"]),
        ([b"\x1b[31mred\x07\x00\n"], ["\\x1b[31mred\\x07\\x00"]),
        (["left\u202eright\u2028\n".encode()], ["left\\u202eright\\u2028"]),
        ([b"a\tb\n"], ["a\\x09b"]),
    ],
)
def test_lines(chunks: list[bytes], expected: list[str]) -> None:
    assert lines_of(*chunks) == expected


def test_a_long_line_is_cut_with_a_mark() -> None:
    assert lines_of(b"x" * 10_000_000 + b"\nnext\n", log_bytes=1 << 20) == ["x" * MAX_LINE + " [cut]", "next"]
    assert lines_of(b"x" * MAX_LINE + b"\n") == ["x" * MAX_LINE]
    assert lines_of(b"x" * (MAX_LINE + 1) + b"\n") == ["x" * MAX_LINE + " [cut]"]
    assert lines_of("é".encode() * MAX_LINE + b"\n") == ["é" * MAX_LINE]


def test_a_full_log_says_how_much_it_lacks() -> None:
    assert lines_of(b"1234\n5678\n9\n", log_bytes=8) == ["1234", "5678", "[1 more lines were left out of this log]"]
    assert lines_of(b"1234\n56789\n9\n", log_bytes=8)[-1] == "[2 more lines were left out of this log]"


def test_the_observer_gets_every_line_when_the_log_is_full() -> None:
    seen: list[str] = []
    logged: list[str] = []
    lines = StderrLines(seen.append, logged.extend, 10)
    for number in range(1000):
        lines.feed(b"[error] fault %d\n" % number)
    lines.feed(b"x\n")
    lines.finish()
    assert seen == [*(f"[error] fault {number}" for number in range(1000)), "x"]
    assert logged == ["[1001 more lines were left out of this log]"]


@given(st.lists(st.binary()))
def test_any_bytes_become_lines_that_steer_nothing(chunks: list[bytes]) -> None:
    for line in lines_of(*chunks):
        assert line
        assert visible(line) == line
        assert line.encode()


@given(st.binary(max_size=200), st.lists(st.integers(0, 200)))
def test_where_the_chunks_are_cut_changes_nothing(data: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(data)]
    chunks = [data[start:end] for start, end in pairwise(places)]
    assert lines_of(*chunks) == lines_of(data)
