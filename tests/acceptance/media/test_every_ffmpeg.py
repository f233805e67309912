"""One command for every FFmpeg: each version makes of each clip what the others make, or there is a reason.

`deploy/setup/other-ffmpegs .cache/ffmpegs debian13 sid pypi8` brings the versions;
`PROXX_WRITE_PAGES=1 make heavy PYTEST_ARGS=tests/acceptance/media/test_every_ffmpeg.py` writes docs/ffmpeg-versions.md.
"""

import os
from pathlib import Path

import pytest

from tests.acceptance.command import Command
from tests.acceptance.media.every_ffmpeg import REASONS, SETTINGS, UNKNOWN, EveryFfmpeg, pairs, render
from tests.acceptance.media.table import CLIPS

PAGE = "docs/ffmpeg-versions.md"
FOLDER = ".cache/ffmpegs"
OTHERS = ("debian13", "pypi8", "sid")
"""Those of `make heavy`, 7.1, 8.0 and 9.0: with one fewer, a difference could not show."""

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def every_ffmpeg(proxx: Command, media: Path, project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> EveryFfmpeg:
    """The table of all versions."""
    missing = [name for name in OTHERS if not (project_root / FOLDER / name / "bin" / "ffprobe").exists()]
    if missing:
        pytest.skip(f"not every FFmpeg is here: deploy/setup/other-ffmpegs {FOLDER} {' '.join(missing)}")
    return EveryFfmpeg(proxx, media, tmp_path_factory.mktemp("every-ffmpeg"), pairs(project_root / FOLDER))


@pytest.mark.parametrize("name", CLIPS)
def test_a_clip_comes_out_alike_with_every_ffmpeg(every_ffmpeg: EveryFfmpeg, name: str) -> None:
    rows = {pair.version: every_ffmpeg.row(name, pair) for pair in every_ffmpeg.pairs}
    for settings in SETTINGS:
        cells = {version: row[settings] for version, row in rows.items()}
        codes = {version: cell.code for version, cell in cells.items()}
        assert not {"OUTPUT_INVALID", "ENCODE_FAILED", "INTERNAL_ERROR"} & set(codes.values()), (settings, codes)
        if len(set(codes.values())) > 1:
            assert name in REASONS, (settings, codes)
        made = {version: cell for version, cell in cells.items() if cell.code == "COMPLETED"}
        for ok in (True, None):
            found = [cell.checks(ok) for cell in made.values()]
            unlike = {check for some in found for check in some if not all(check in others for others in found)}
            codecs = {cell.codec for cell in made.values()}
            assert [check for check in unlike if not all((codec, check) in UNKNOWN for codec in codecs)] == [], (settings, ok)


@pytest.mark.whole
def test_the_page_is_what_comes_out(every_ffmpeg: EveryFfmpeg, project_root: Path) -> None:
    every_ffmpeg.make_all()
    page = project_root / PAGE
    if os.environ.get("PROXX_WRITE_PAGES"):
        page.write_text(render(every_ffmpeg))
    assert page.read_text() == render(every_ffmpeg), f"{PAGE} is not of this worker: see this module's first lines"


@pytest.mark.whole
def test_no_reason_is_given_in_vain(every_ffmpeg: EveryFfmpeg) -> None:
    for name in REASONS:
        rows = [every_ffmpeg.row(name, pair) for pair in every_ffmpeg.pairs]
        assert any(len({row[settings].code for row in rows}) > 1 for settings in SETTINGS), name
