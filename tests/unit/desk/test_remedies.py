"""What `explain` says is what the pages say, of every code."""

from pathlib import Path

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.desk.remedies import REMEDIES, Again, remedy_of
from tests.support.markdown import Page, first_code


def test_every_code_has_its_remedy() -> None:
    assert list(REMEDIES) == list(ErrorCode)


def test_the_operators_page_says_the_same_of_what_to_do(project_root: Path) -> None:
    table = Page(project_root / "docs" / "operator.md").table("Troubleshooting")
    listed = dict(zip(first_code(table.column("code")), table.column("do"), strict=True))
    for code, remedy in REMEDIES.items():
        assert listed[code.value].startswith(remedy.action), code


def test_the_integrators_page_says_the_same_of_what_it_means(project_root: Path) -> None:
    table = Page(project_root / "docs" / "integrator.md").tables("Error codes")[0]
    listed = dict(zip(first_code(table.column("code")), table.column("when"), strict=True))
    for code, remedy in REMEDIES.items():
        assert listed[code.value].startswith(remedy.meaning), code


def test_a_source_must_change_before_it_is_tried_again() -> None:
    waiting = {code for code, remedy in REMEDIES.items() if remedy.again is Again.AFTER_SOURCE}
    assert waiting == {code for code in ErrorCode if code.value.startswith("SOURCE_")} - {ErrorCode.SOURCE_CHANGED}


def test_a_code_of_a_newer_worker_is_no_fault() -> None:
    assert remedy_of("SOURCE_TOO_BEAUTIFUL").again is Again.NEVER
    assert remedy_of("NO_SPACE") is REMEDIES[ErrorCode.NO_SPACE]
