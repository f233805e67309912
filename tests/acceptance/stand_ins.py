"""Programs in FFmpeg's place, a few lines of shell around the real one: a test decides what happens mid-encode."""

import errno
import os
import shlex
from pathlib import Path

from tests.acceptance.clips import tool
from tests.acceptance.command import wait_until


def program(path: Path, body: str) -> Path:
    """A shell script at `path`."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def around_ffmpeg(path: Path, *, before: str = "", after: str = "") -> Path:
    """The real FFmpeg, with shell commands before and after it; its exit code stays."""
    real = shlex.quote(tool("ffmpeg"))
    if not after:
        return program(path, f'{before}\nexec {real} "$@"')
    return program(path, f'{before}\n{real} "$@"; code=$?\n{after}\nexit $code')


class Gate:
    """An FFmpeg (or ffprobe) that waits at a gate before it begins. `reached`: how many have come; `open` lets one go on."""

    def __init__(self, folder: Path, name: str = "ffmpeg") -> None:
        """`folder` is made; `program` is the stand-in for the tool `name`."""
        folder.mkdir()
        self._calls = folder / "calls"
        self._fifo = folder / "gate"
        os.mkfifo(self._fifo)
        calls, fifo = shlex.quote(str(self._calls)), shlex.quote(str(self._fifo))
        real = shlex.quote(tool(name))
        self.program = program(folder / name, f'echo called >>{calls}\nread -r _ <{fifo}\nexec {real} "$@"')

    def reached(self) -> int:
        """How often the program has been started."""
        return len(self._calls.read_bytes().splitlines()) if self._calls.exists() else 0

    def open(self) -> None:
        """Let one go on."""

        def passed() -> bool:
            try:
                os.close(os.open(self._fifo, os.O_WRONLY | os.O_NONBLOCK))
            except OSError as error:
                if error.errno == errno.ENXIO:  # nobody waits yet
                    return False
                raise
            return True

        wait_until(passed, "an encoder that waits at the gate")
