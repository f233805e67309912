"""The installed command on a real terminal, all streams on it or stderr alone."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Mapping
from dataclasses import dataclass

from tests.acceptance.command import COMMAND, Argument, Command, for_stand_ins

_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Shown:
    """What came of it: `raw` with all sequences, `stdout` where that was no part of the terminal."""

    exit_code: int
    raw: str
    stdout: bytes

    @property
    def text(self) -> str:
        """Without sequences; each redrawing is a line of its own."""
        return _SEQUENCE.sub("", self.raw).replace("\r", "\n")


def on_a_terminal(
    proxx: Command,
    *arguments: Argument,
    rows: int = 25,
    columns: int = 120,
    environment: Mapping[str, str] | None = None,
    stdout_too: bool = True,
) -> Shown:
    """Run it. Without `stdout_too` stdout is a pipe, as it is for whoever reads the JSON and watches the bar."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    variables = {**proxx.environment, "TERM": "xterm-256color", **(environment or {})}
    with subprocess.Popen(
        [COMMAND, *arguments, *for_stand_ins(arguments)],
        stdin=subprocess.DEVNULL,
        stdout=slave if stdout_too else subprocess.PIPE,
        stderr=slave,
        env=variables,
    ) as process:
        os.close(slave)
        shown = bytearray()
        while chunk := _read(master):
            shown += chunk
        os.close(master)
        stdout = b"" if process.stdout is None else process.stdout.read()
    return Shown(process.returncode, shown.decode(errors="replace"), stdout)


def _read(descriptor: int) -> bytes:
    """Some of what the terminal got; nothing once the last holder of the other end has gone."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""
