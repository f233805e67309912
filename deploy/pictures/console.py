"""Draw docs/pictures/terminal.svg and console.svg: real commands and the console, on a real workspace with generated clips.

    python -m deploy.pictures.console docs/pictures     (or: make pictures)

Textual and rich draw them as SVG; the fonts that they name on the web are taken out, so that a page shows what the reader has.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console as Terminal
from rich.text import Text

from proxx_worker.cli.console_app import Submitting
from proxx_worker.contract.status import Stage
from proxx_worker.desk.console.app import Console
from proxx_worker.desk.jobs import JobState
from proxx_worker.desk.worker import read_status
from proxx_worker.workspace.layout import Workspace

ROOT = Path("/tmp/day-03")  # noqa: S108 - it is read in the pictures
PROXX = str(Path(sys.executable).with_name("proxx-worker"))
COLUMNS, SIZE = 100, (104, 26)
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def clip(path: Path, seconds: int) -> None:
    """A clip with video, audio and timecode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = f"testsrc2=size=1280x720:rate=25:duration={seconds}"
    arguments = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", f"sine=duration={seconds}:sample_rate=48000"]
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le", "-timecode", "10:00:00:00"]
    subprocess.run(
        [shutil.which("ffmpeg") or "ffmpeg", "-nostdin", "-v", "error", *arguments, *encode, "-y", str(path)], check=True
    )


def printed_by(line: str) -> str:
    """What a shell's command line prints, on both streams."""
    environment = {**os.environ, "PATH": f"{Path(PROXX).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return done.stdout


def session() -> Iterator[tuple[str, str]]:
    """The command lines of the terminal's picture, and what they print: all of it, as they stand there."""
    for line in (
        "proxx-worker spec --recursive card --profile proxy_h264_low --beside Proxy --create-directories --submit main",
        "proxx-worker list main --waiting",
        "proxx-worker cancel main card+A001C003.mov+proxy_h264_low",
        "proxx-worker watch main --once 2>&1 | grep ' finished '",
        "proxx-worker list main",
    ):
        yield line, printed_by(line)


def draw_terminal(target: Path) -> None:
    """`terminal.svg`."""
    shown = Terminal(record=True, width=COLUMNS, file=Path(os.devnull).open("w"), force_terminal=True)  # noqa: SIM115 - it is /dev/null
    for command, printed in session():
        shown.print(Text(f"$ {command}", style="bold"), soft_wrap=False)
        shown.print(Text(printed.rstrip("\n")))
    target.write_text(_FONTS.sub("", shown.export_svg(title="proxx-worker")))


def _encodes(workspace: Workspace) -> bool:
    status = read_status(workspace)
    return status is not None and status.job is not None and status.job.stage is Stage.ENCODING and bool(status.job.frames)


@contextmanager
def worker(workspace: Workspace) -> Iterator[None]:
    """A worker that encodes."""
    with subprocess.Popen([PROXX, "watch", str(workspace.root)], stderr=subprocess.DEVNULL) as process:
        while not _encodes(workspace):
            if process.poll() is not None:
                sys.exit(f"the worker ended before it encoded, with exit code {process.returncode}")
            time.sleep(0.1)
        try:
            yield
        finally:
            process.terminate()


def draw_console(workspace: Workspace, target: Path) -> None:
    """`console.svg`: the failed jobs, while one runs."""

    async def picture() -> str:
        app = Console(workspace, Submitting(workspace))
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("3", "s", "g", "home")
            while app.board.unread or not app.board.jobs[JobState.FAILED] or app.selected is None:
                await pilot.pause(0.05)
                await pilot.press("home", "down")
            await pilot.press("r")
            await pilot.pause(2.5)
            return app.export_screenshot(title="proxx-worker console")

    target.write_text(_FONTS.sub("", asyncio.run(picture())))


def fill(workspace: Workspace) -> None:
    """Jobs that fail in different ways, and one that takes a while."""
    done = json.loads(next((workspace.root / "done").glob("*C001*[!t].json")).read_bytes())
    for name, changes in (
        ("A001C001-again", {}),
        ("A002C001", {"sources": [str(ROOT / "card2" / "A002C001.mov")], "naming_template": "second"}),
        ("A002C002", {"sources": [str(ROOT / "card2" / "A002C002.mov")], "naming_template": "third"}),
        ("A002C003", {"proxy_profile": "proxy_h264_tiny"}),
    ):
        (workspace.root / "inbox" / f"{name}.json").write_text(json.dumps({**done, **changes}))
    printed_by("proxx-worker watch main --once")
    clip(ROOT / "card3" / "A003C001.mov", 60)
    slow = {"sources": [str(ROOT / "card3" / "A003C001.mov")], "proxy_profile": "proxy_prores_proxy", "naming_template": "fourth"}
    (workspace.root / "inbox" / "A003C001.json").write_text(json.dumps({**done, **slow}))


def main(target: Path) -> None:
    """Write both pictures into `target`."""
    target = target.absolute()
    shutil.rmtree(ROOT, ignore_errors=True)
    try:
        for number in (1, 2, 3):
            clip(ROOT / "card" / f"A001C00{number}.mov", 2)
        workspace = Workspace(ROOT / "main")
        workspace.root.mkdir()
        draw_terminal(target / "terminal.svg")
        fill(workspace)
        with worker(workspace):
            draw_console(workspace, target / "console.svg")
    finally:
        shutil.rmtree(ROOT, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
