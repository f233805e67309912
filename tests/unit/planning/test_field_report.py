import pytest

from proxx_worker.planning.field_report import read_line


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("[info] -1.000000", ("progressive", 0)),
        ("[info] -2.000000", ("tt", 0)),
        ("[info] -103.000000", ("bb", 25)),  # 4 * 25 + 2 + 1
        ("[Eval @ 0x7f7d74f53980] [info] -4000001.000000", ("progressive", 1_000_000)),
        ("[Eval @ 7f7d] [info] -6.000000", ("tt", 1)),
        ("[info] -4.000000", None),  # no fourth kind
        ("[info] -0.000000", None),
        ("[info] 1.000000", None),
        ("[error] -1.000000", None),
        ("[info]     title           : -1.000000", None),
    ],
)
def test_a_line_tells_a_kind_and_its_first_frame(line: str, kind: tuple[str, int] | None) -> None:
    assert read_line(line) == kind
