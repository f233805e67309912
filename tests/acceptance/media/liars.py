"""FFmpegs that lie: the real one with other arguments, or with an output that was changed after it had ended."""

import inspect
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.clips import tool


def turn_movie(path: str) -> None:
    """Have the first track of a MOV or MP4 say that its frames are to be turned by 90 degrees: the matrix of its `tkhd`, no more.

    ISO/IEC 14496-12, 8.3.2: in version 0 the nine numbers begin 40 bytes behind the name, and say 1 as 00010000.
    """
    descriptor = os.open(path, os.O_RDWR)
    at = os.pread(descriptor, os.fstat(descriptor).st_size, 0).index(b"tkhd") + 44
    quarter = "00000000 00010000 00000000 ffff0000 00000000"
    assert os.pwrite(descriptor, bytes.fromhex(quarter), at) == 20
    os.close(descriptor)


_PROGRAM = """#!{python} -IS
import os, re, subprocess, sys

argv = sys.argv[1:]
output = argv[-1]
if output == "pipe:1":  # a look at a proxy, not an encode
    os.execv("{ffmpeg}", ["{ffmpeg}", *argv])


def replace(old, new):
    assert any(old in word for word in argv[:-1]), old
    argv[:-1] = [word.replace(old, new) for word in argv[:-1]]


def after(option):
    return argv.index(option) + 1


def drop(option):
    at = argv.index(option)
    del argv[at : at + 2]


def filters(text):
    argv[after("-filter:v")] += "," + text


def say_size():
    sys.stdout.write("total_size=%d\\nprogress=end\\n" % os.stat(output).st_size)


{turn_movie}

def encode():
    return subprocess.run(["{ffmpeg}", *argv]).returncode


def cut_short():
    argv[argv.index("-stats_period") + 1] = "0.001"
    encoder = subprocess.Popen(["{ffmpeg}", "-re", *argv], stdout=subprocess.PIPE)
    while b"frame=" not in encoder.stdout.readline():
        pass
    encoder.kill()
    encoder.wait()
    return 0


{body}
"""


@dataclass(frozen=True, slots=True)
class Lie:
    """`before`: Python that changes `argv`; `instead`: of calling `encode()`; `after`: Python that changes the file `output`."""

    before: str = ""
    instead: str = "code = encode()"
    after: str = ""

    def program(self, path: Path) -> Path:
        """Write it."""
        body = f"{self.before}\n{self.instead}\n{self.after}\nsys.exit(code)"
        path.write_text(
            _PROGRAM.format(python=sys.executable, ffmpeg=tool("ffmpeg"), turn_movie=inspect.getsource(turn_movie), body=body)
        )
        path.chmod(0o755)
        return path
