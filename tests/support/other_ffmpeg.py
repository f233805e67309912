"""Running the tests with another FFmpeg than PATH's: `--ffmpeg` and `--ffprobe` put the pair in front of PATH.

Nothing else has to know of it: the tests' own clips, their own looks at what came out, and the worker all take what PATH finds.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

TOOLS = ("ffmpeg", "ffprobe")


def program(name: str) -> Path:
    """The program at a path, or of a name on PATH, as an absolute path. Raises `ValueError` where there is none."""
    found = shutil.which(name)
    if found is None:
        raise ValueError(f"{name} is no program")
    return Path(found).absolute()


@contextmanager
def in_front_of_path(ffmpeg: Path, ffprobe: Path) -> Iterator[None]:
    """Let `ffmpeg` and `ffprobe` mean these two, for this process and the children it starts."""
    with TemporaryDirectory(prefix="ffmpeg-pair-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # users that tests become find them, too
        for tool, program in zip(TOOLS, (ffmpeg, ffprobe), strict=True):
            (folder / tool).symlink_to(program)
        before = os.environ["PATH"]
        os.environ["PATH"] = f"{folder}{os.pathsep}{before}"
        try:
            yield
        finally:
            os.environ["PATH"] = before


def versions() -> str:
    """What PATH's pair calls itself, for the head of a report."""
    said = {tool: _first_line(tool) for tool in TOOLS}
    return ", ".join(f"{tool} {line.split(' Copyright')[0].removeprefix(f'{tool} version ')}" for tool, line in said.items())


def _first_line(tool: str) -> str:
    path = shutil.which(tool)
    if path is None:
        return "(none)"
    return subprocess.run([path, "-version"], check=False, capture_output=True, text=True).stdout.partition("\n")[0]
