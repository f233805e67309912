"""What `explain` says is what the pages say, of every code."""

from pathlib import Path

from proxx_worker.contract.errors import Again, ErrorCode
from proxx_worker.desk.remedies import remedy_of
from tests.support.markdown import Page, first_code


def test_the_operators_page_says_the_same_of_what_to_do(project_root: Path) -> None:
    table = Page(project_root / "docs" / "operator.md").table("Troubleshooting")
    listed = dict(zip(first_code(table.column("code")), table.column("do"), strict=True))
    for code in ErrorCode:
        assert listed[code.value].startswith(code.remedy.action), code


def test_the_integrators_page_says_the_same_of_what_it_means(project_root: Path) -> None:
    table = Page(project_root / "docs" / "integrator.md").tables("Error codes")[0]
    listed = dict(zip(first_code(table.column("code")), table.column("when"), strict=True))
    for code in ErrorCode:
        assert listed[code.value].startswith(code.remedy.meaning), code


def test_a_source_must_change_before_it_is_tried_again() -> None:
    waiting = {code for code in ErrorCode if code.remedy.again is Again.AFTER_SOURCE}
    assert waiting == {code for code in ErrorCode if code.value.startswith("SOURCE_")} - {ErrorCode.SOURCE_CHANGED}


def test_a_code_of_a_newer_worker_is_no_fault() -> None:
    assert remedy_of("SOURCE_TOO_BEAUTIFUL").again is Again.NEVER
    assert remedy_of("NO_SPACE") is ErrorCode.NO_SPACE.remedy
