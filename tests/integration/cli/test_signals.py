"""Signals to the very end of a command."""

import signal
import subprocess
import sys

import pytest

# What a module still holds is deleted after Python has taken its handlers away.
LATE = """
import os
from proxx_worker.cli.signals import Signals

class Late:
    def __del__(self, kill=os.kill, pid=os.getpid()):
        kill(pid, {number})

late = Late()
Signals().install()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_python_ends_does_not_change_the_exit_code(number: signal.Signals) -> None:
    ended = subprocess.run([sys.executable, "-c", LATE.format(number=int(number))], capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
