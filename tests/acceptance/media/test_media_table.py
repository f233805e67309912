"""All shared clips as every proxy: the outcome that an editor expects, and each proxy proven against its source by other means.

`PROXX_WRITE_PAGES=1 make heavy PYTEST_ARGS=tests/acceptance/media/test_media_table.py` writes docs/media-table.md.
"""

import os
import sys
from pathlib import Path

import pytest

from tests.acceptance.media.page import figures, render
from tests.acceptance.media.rows import Rows, expected
from tests.acceptance.media.table import CLIPS, TARGETS

PAGE = "docs/media-table.md"
QUICK = ("dolbyVision-hdr.MOV", "fixture.cr3", "sample_vvc.mp4")
"""Small: HDR, turned and cut by an edit list; RAW; an unknown codec."""


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.heavy) for name in CLIPS])
def test_a_clip_as_every_proxy(rows: Rows, name: str) -> None:
    for target, cell in rows.row(name).items():
        refused = expected(name, target)
        assert cell.code == (refused.code if refused else "COMPLETED"), f"{target.name}: {cell.result['error']}"
        if refused is not None:
            assert refused.part in cell.result["error"]["message"]
            assert cell.proof is None
        else:
            assert cell.proof is not None
            assert cell.proof.differences == (), target.name


def test_the_table_has_every_clip(media: Path) -> None:
    files = {str(path.relative_to(media)) for path in media.rglob("*") if path.is_file() and path.name != "MANIFEST.tsv"}
    assert files == set(CLIPS)


@pytest.mark.heavy
@pytest.mark.whole
@pytest.mark.of_path
def test_the_page_is_what_comes_out(rows: Rows, project_root: Path) -> None:
    table = {name: rows.row(name) for name in CLIPS}
    sys.stdout.write("\n" + figures(table))
    outcomes = [cell.code for row in table.values() for cell in row.values()]
    assert len(outcomes) == len(CLIPS) * len(TARGETS)
    assert "INTERNAL_ERROR" not in outcomes
    page = project_root / PAGE
    if os.environ.get("PROXX_WRITE_PAGES"):
        page.write_text(render(table))
    assert page.read_text() == render(table), f"{PAGE} is not of this worker: see this module's first lines"
