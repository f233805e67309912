"""What stays on the screen whatever is open, and what a clip of a camera card leaves of it: its job's name is long.

No picture is kept to compare with. In its SVG, Textual names every style by a hash of the whole screen, so that one digit changes
each line of the file; compared by its text alone, a picture would say what the words below say. That one can be made, and has
what is on the screen, `test_console.py` shows.
"""

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.status import RunningJob, Stage
from proxx_worker.desk.console.view import ConsoleView
from proxx_worker.desk.showing import JSON_LINES
from tests.integration.desk.consoles import SIZES, Desk, driven, works
from tests.support.desks import dropped, finished

NAME = "A001+PRIVATE+M4ROOT+CLIP+C0001.MP4+proxy_h264_low"
CLIP = "/mnt/A001/PRIVATE/M4ROOT/CLIP/C0001.MP4"
JOB = RunningJob(NAME, "J1", Stage.ENCODING, 1, 2, CLIP, 12.0, 60.0, 300, 2.06)
HEADER = ("worker alive", "1 running", "encoding 1/2  12.0 of 60.0 s  2.1x  C0001.MP4")
sizes = pytest.mark.parametrize("size", SIZES, ids=lambda it: f"{it[0]}x{it[1]}")


@pytest.fixture
def card(root: Path) -> Path:
    """A workspace with clips of a card: one is encoded, one has failed."""
    works(root, job=JOB)
    dropped(root, NAME, "running")
    (root / "running" / f"{NAME}.log").write_text("INFO job_started\n")
    failed = NAME.replace("C0001", "C0002")
    finished(root, failed, ErrorCode.NO_SPACE, source=CLIP.replace("C0001", "C0002"), message="the disk is full: free 3 GB")
    return root


def test_a_board_that_comes_after_the_end_changes_nothing(card: Path) -> None:
    """The thread that reads the folders may have sent one just before: under load, it ended the app with a traceback."""

    async def drive(desk: Desk) -> None:
        await desk.until("> A001")

    app = driven(card, (80, 24), drive)
    app.on_console_view_looked(ConsoleView.Looked(app.board))
    assert not app.screen_stack


@pytest.mark.one_in(3)
@sizes
def test_the_header_is_on_every_screen_and_lives(card: Path, size: tuple[int, int]) -> None:
    async def drive(desk: Desk) -> None:
        await desk.until(*HEADER)
        await desk.press("enter", "2")
        await desk.until(*HEADER, "INFO job_started")
        with (card / "running" / f"{NAME}.log").open("a") as log:
            log.writelines(f"line {number}\n" for number in range(100))
        await desk.until(*HEADER, "line 99")
        works(card, job=replace(JOB, position_seconds=59.5))
        await desk.until("encoding 1/2  59.5 of 60.0 s  2.1x  C0001.MP4", "line 99")
        works(card, job=JOB, age_seconds=100)
        (card / "inbox" / ".hold").touch()
        await desk.until("HELD: STALE HEARTBEAT, 10", "line 99")
        (card / "inbox" / ".hold").unlink()
        works(card, job=JOB)
        await desk.until(*HEADER)
        await desk.press("q", "c")
        await desk.until(*HEADER, "Cancel ")
        await desk.press("n", "n")
        await desk.until(*HEADER, "Clips or folders")
        assert all(len(line) <= size[0] for line in desk.text().splitlines())

    driven(card, size, drive)


@sizes
def test_a_failed_row_has_clip_profile_code_and_reason(card: Path, size: tuple[int, int]) -> None:
    async def drive(desk: Desk) -> None:
        await desk.press("3")
        await desk.until("> A001+PRIVATE+M4ROOT", "C0002.MP4  proxy_h264_low", "NO_SPACE  the disk is full: free")

    driven(card, size, drive)


def test_a_search_by_profile_or_code(card: Path) -> None:
    finished(card, "other", ErrorCode.SOURCE_MISSING)

    async def drive(desk: Desk) -> None:
        await desk.press("3", "slash")
        await desk.until("name, clip, profile, code or reason", "other")
        await desk.type("no_sp")
        await desk.until_true(lambda: "other" not in desk.text(), "fewer rows")
        assert "C0002.MP4" in desk.text()
        await desk.press("escape", "slash")
        await desk.type("h264_low")
        await desk.until("C0002.MP4", "other")
        await desk.type("er")
        await desk.until("No failed job has h264_lower in its name, source, profile, code or reason")

    driven(card, (80, 24), drive)


@sizes
def test_an_empty_list_says_what_to_do(root: Path, size: tuple[int, int]) -> None:
    commands = ["watch", "submit", "list --done", "status"]

    async def drive(desk: Desk) -> None:
        for number, command in enumerate(commands, 1):
            await desk.press(str(number))
            await desk.until_true(partial(_has, desk, f"proxx-worker {command} "), command)

    driven(root, size, drive)


def _has(desk: Desk, words: str) -> bool:
    """Whether the screen has these words, however its lines are broken."""
    return words in re.sub(r"\s+", " ", desk.text())


def test_a_long_result_says_where_all_of_it_is(root: Path) -> None:
    finished(root, "long", ErrorCode.NO_SPACE)
    result = root / "failed" / "long.result.json"
    document = json.loads(result.read_bytes()) | {"padding": list(range(JSON_LINES))}
    result.write_text(json.dumps(document, indent=2))

    async def drive(desk: Desk) -> None:
        await desk.press("3")
        await desk.until("> long", "NO_SPACE")
        await desk.press("enter", "3")
        await desk.until('"result_version"')
        await desk.press("end")
        await desk.until("more lines; all of it is in ")
        assert "long.result.json" in re.sub(r"\s", "", desk.text())  # a long path is broken anywhere
        await desk.press("y")
        assert desk.app.clipboard == str(result)

    driven(root, (120, 40), drive)


def test_the_details_follow_a_job_to_its_end(card: Path) -> None:
    async def drive(desk: Desk) -> None:
        await desk.until(*HEADER, "> A001")
        await desk.press("enter", "y")
        assert desk.app.clipboard == str(card / "running" / f"{NAME}.json")
        (card / "running" / f"{NAME}.json").unlink()
        finished(card, NAME, source=CLIP)
        await desk.press("3")
        await desk.until('"status": "COMPLETED"')
        await desk.press("y")
        assert desk.app.clipboard == str(card / "done" / f"{NAME}.result.json")

    driven(card, (80, 24), drive)
