"""A child that takes more memory than it may, confined and not."""

import platform
import sys
from collections.abc import Iterator

import pytest

from proxx_worker.process.child import run_child
from proxx_worker.process.child_exit import ChildExit
from proxx_worker.process.sandbox import Confinement, Sandbox
from proxx_worker.process.stop import StopFlag
from proxx_worker.process.syscalls import ALLOWED

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ALLOWED, reason="the limits, Landlock and seccomp are Linux's"
)
MIB = 1 << 20
LIMIT = 128 * MIB


@pytest.fixture(params=["confined", "free"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox | None]:
    if request.param == "free":
        yield None
        return
    confines = Sandbox((sys.base_prefix, sys.prefix))
    yield confines
    confines.close()


def run(sandbox: Sandbox | None, program: str) -> tuple[ChildExit, str]:
    said = bytearray()
    stop = StopFlag()
    ended = run_child(
        [sys.executable, "-ISc", program],
        stop=stop,
        on_stdout=said.extend,
        on_stderr=said.extend,
        confinement=Confinement(sandbox, memory_bytes=LIMIT),
    )
    stop.close()
    return ended, said.decode()


def test_within_the_limit_nothing_happens(sandbox: Sandbox | None) -> None:
    ended, said = run(sandbox, f"held = bytes({LIMIT // 2}); import time; time.sleep(0.1); print(len(held))")
    assert (ended.exit_code, ended.out_of_memory, said) == (0, False, f"{LIMIT // 2}\n")


def test_one_that_grows_is_ended_and_its_end_is_told(sandbox: Sandbox | None) -> None:
    ended, _ = run(sandbox, "held = []\nwhile True: held.append(b'x' * 65536)")
    assert (ended.exit_code, ended.out_of_memory, ended.stopped) == (-9, True, False)
    assert ended.peak_memory_bytes < 4 * LIMIT + 512 * MIB


def test_one_whose_first_thread_has_ended_is_ended_too(sandbox: Sandbox | None) -> None:
    """The kernel tells nothing of the memory under such a process's own number."""
    program = """
import sys, threading, time
try:
    import ctypes
except MemoryError:
    sys.exit(9)
def grow():
    time.sleep(0.1)
    held = []
    while True: held.append(b'x' * 65536)
threading.Thread(target=grow).start()
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[%r], 0)
"""
    ended, _ = run(sandbox, program % platform.machine())
    if ended.exit_code == 9:
        pytest.skip("Python cannot load ctypes here, as libffi asks for memory that is both written and executed")
    assert (ended.exit_code, ended.out_of_memory) == (-9, True)


def test_what_nobody_could_see_in_time_the_kernel_refuses(sandbox: Sandbox | None) -> None:
    ended, said = run(sandbox, "bytearray(1 << 40)")
    assert "MemoryError" in said
    assert (ended.exit_code, ended.out_of_memory) == (1, False)


def test_what_is_reserved_and_not_used_is_no_fault(sandbox: Sandbox | None) -> None:
    """Stacks of threads are reserved: with many of them a limit on that alone would end an encoder that holds little."""
    ended, said = run(sandbox, f"import mmap; mmap.mmap(-1, {2 * LIMIT}, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS); print('well')")
    assert (ended.exit_code, said) == (0, "well\n")
