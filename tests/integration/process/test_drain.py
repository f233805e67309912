"""SIGUSR1 to a worker and all that it started, in processes of their own: its disposition cannot be undone in this one."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

PROGRAM = """
import os, signal, sys
from proxx_worker.contract.errors import ErrorCode
from proxx_worker.process.child import run_child
from proxx_worker.process.drain import receive_drain
from proxx_worker.process.stop import StopFlag

drain = receive_drain()
assert not drain.requested()
said = bytearray()
ended = run_child(["/bin/sh", "-c", sys.argv[1]], stop=StopFlag(), on_stdout=said.extend, on_stderr=said.extend)
assert ended.exit_code == 0, ended
print(said.decode().strip(), drain.requested())
os.kill(os.getpid(), signal.SIGUSR1)
print(drain.requested(), drain.requested())
"""


def worker(script: str, environment: Mapping[str, str]) -> list[str]:
    """What the worker says: of its child, and of itself before and after its own signal."""
    command = [sys.executable, "-c", PROGRAM, script]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a child is not kept from it")
@pytest.mark.parametrize(
    "script",
    [
        "kill -USR1 $$; echo alive",
        "sh -c 'kill -USR1 $$; echo alive'",
        f"{sys.executable} -c 'import os; os.kill(os.getpid(), 10)'; sleep 0 & wait; echo alive",
    ],
    ids=["child", "grandchild", "after dash has lifted the block"],
)
def test_children_do_not_hear_it(script: str, child_environment: Mapping[str, str]) -> None:
    assert worker(script, child_environment) == ["alive False", "True True"]


def test_the_worker_hears_one_that_comes_while_a_child_starts(child_environment: Mapping[str, str]) -> None:
    assert worker("kill -USR1 $PPID; echo sent", child_environment) == ["sent True", "True True"]


def test_whoever_waits_is_woken(child_environment: Mapping[str, str]) -> None:
    program = (
        "import select; from proxx_worker.process.drain import receive_drain; drain = receive_drain(); "
        "print('ready', flush=True); "
        "print(len(select.select([drain.fileno()], [], [], 60)[0]), drain.requested())"
    )
    with subprocess.Popen([sys.executable, "-c", program], env=child_environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.kill(process.pid, 10)
        assert process.stdout.readline() == "1 True\n"
