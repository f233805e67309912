"""What a command and its children open and whom they call, seen by `strace` from outside."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import proxx_worker

CALLS = "open,openat,openat2,creat,socket,connect,execve"
_NAME_CACHE = 'sun_path="/var/run/nscd/socket"'
_OPEN = re.compile(r'^\d+ +(?:open|openat|openat2|creat)\((?:[^",]*, )?"(?P<path>(?:[^"\\]|\\.)*)"')
SYSTEM = ("/usr/", "/lib", "/etc/", "/proc/", "/sys/", "/dev/")
"""Where libraries, their configuration and descriptors by name are."""


def _of_tools() -> tuple[str, ...]:
    """The folders of tools that bring their own libraries, as deploy/setup/other-ffmpegs lays them."""
    found = (shutil.which(tool) for tool in ("ffmpeg", "ffprobe"))
    homes = {Path(path).resolve().parent.parent for path in found if path is not None}
    return tuple(f"{home}/{part}/" for home in homes for part in ("bin", "lib"))


def _of_python() -> tuple[str, ...]:
    """Where the process that starts confined children finds its own modules."""
    return sys.prefix, sys.base_prefix, str(Path(proxx_worker.__file__).parents[1])


@dataclass(frozen=True)
class Trace:
    """One traced command.

    `lines`: strace's, each with a process's or thread's number in front, the command's own first. An open descriptor is shown
    with the real path of what it leads to, whatever name it was opened by.
    """

    exit_code: int
    stdout: bytes
    stderr: bytes
    lines: tuple[str, ...]

    def naming(self, word: str) -> list[str]:
        """The calls, of whichever process, that name `word`."""
        return [line for line in self.lines if word in line]

    def net(self) -> list[str]:
        """Every socket of the net, and every call of a child's to anywhere.

        But for the C library's to the cache of user names: Python 3.14 asks for the user's home as it starts.
        """
        calls = [line for line in self.lines if "AF_INET" in line or ("connect(" in line and not self._is_own(line))]
        return [line for line in calls if _NAME_CACHE not in line]

    def opened_by_children(self) -> set[str]:
        """Every path outside the system's and the tools' folders that a child of the command opened, as it was named."""
        system = SYSTEM + _of_tools() + _of_python()
        found = (_OPEN.match(line) for line in self.lines if not self._is_own(line) and " = -1 E" not in line)
        return {match["path"] for match in found if match is not None and not match["path"].startswith(system)}

    def _is_own(self, line: str) -> bool:
        return line.split(" ", 1)[0] == self.lines[0].split(" ", 1)[0]


def traced(argv: Sequence[str | Path], log: Path, *, environment: Mapping[str, str], pass_fds: Sequence[int] = ()) -> Trace:
    """Run `argv` to its end under strace, children and threads included."""
    done = subprocess.run(
        ["strace", "-f", "-qq", "-y", "-s", "4096", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", log, "--", *argv],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        pass_fds=pass_fds,
    )
    return Trace(done.returncode, done.stdout, done.stderr, tuple(log.read_text(errors="replace").splitlines()))
