"""Names as words of a command line."""

from proxx_worker.desk.commands import operands


def test_flags_end_before_a_name_with_a_leading_dash() -> None:
    assert operands([b"a", b"-b"]) == ("--", "a", "-b")
    assert operands([b"a", b"b-c"]) == ("a", "b-c")
