"""A process that confines itself, for real: each test does it in a process of its own, since it is for good."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from proxx_worker.process.syscalls import ALLOWED

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ALLOWED, reason="Landlock is Linux's, on machines that are known"
)
PRELUDE = """
import ctypes, os, sys, threading
from pathlib import Path
from proxx_worker.contract.errors import ProxxError
from proxx_worker.process import landlock
from proxx_worker.process.self_confinement import Confined, Reach, confine_self
here = Path(sys.argv[1])
modules = [path for path in sys.path if path.startswith("/")]
"""


def said(folder: Path, body: str) -> str:
    """What a Python in the project's root writes that runs `body`."""
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-c", PRELUDE + body, str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=root).stdout


def test_only_what_it_was_left_can_be_opened(tmp_path: Path) -> None:
    for name in ("read", "written", "run", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("content")
        (tmp_path / name / "program").write_text("#!/bin/sh\n")
        (tmp_path / name / "program").chmod(0o755)
    body = """
import subprocess
writes = [str(here / "written"), str(here / "is not there")]
needed = Reach([*modules, "/proc", str(here / "read")], writes, [str(here / "run")], ["/bin/sh"])
confine_self(needed)
for name in ("read", "written", "run", "other"):
    for what, attempt in {
        "read": lambda: (here / name / "file").read_bytes(),
        "write": lambda: (here / name / "file").write_text("new"),
        "start": lambda: subprocess.run([str(here / name / "program")], check=True),
    }.items():
        try:
            attempt()
            print(name, what)
        except PermissionError:
            pass
"""
    assert said(tmp_path, body).splitlines() == ["read read", "written read", "written write", "run read", "run start"]


def test_with_a_second_thread_it_is_refused(tmp_path: Path) -> None:
    body = """
gate = threading.Event()
threading.Thread(target=gate.wait).start()
try:
    confine_self(Reach())
except RuntimeError as error:
    print(error)
finally:
    gate.set()
print(os.listdir("/") != [])
"""
    assert said(tmp_path, body).splitlines() == ["a process must confine itself before it starts a thread", "True"]


def test_a_kernel_that_refuses_is_named_with_the_remedy(tmp_path: Path) -> None:
    """It takes sixteen sets of rules upon each other."""
    body = """
for _ in range(16):
    rules = landlock.Ruleset(landlock.abi())
    rules.allow_path("/", (1 << 16) - 1)
    rules.restrict()
try:
    confine_self(Reach())
except ProxxError as fault:
    print(fault.code, fault)
"""
    text = said(tmp_path, body)
    assert text.startswith("SANDBOX_UNAVAILABLE")
    assert os.strerror(7) in text
    assert "without `source_roots` or `output_roots` it keeps all rights" in text


def test_an_abstract_socket_can_be_left_to_it(tmp_path: Path) -> None:
    """Systemd may name one for its notifications."""
    body = """
import socket
name = f"\\0proxx-test-{os.getpid()}"
listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listening.bind(name)
for abstract_sockets in (True, False):
    confine_self(Reach(["/proc"]), abstract_sockets=abstract_sockets)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        try:
            channel.sendto(b"READY=1", name)
            print("sent")
        except PermissionError:
            print("refused")
"""
    expected = ["sent", "refused"] if int(said(tmp_path, "print(landlock.abi())")) >= 6 else ["sent", "sent"]
    assert said(tmp_path, body).splitlines() == expected


@pytest.mark.parametrize("anew", ["folder", "program", "libraries"])
def test_what_was_put_in_place_anew_is_told(tmp_path: Path, anew: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "program").write_text("#!/bin/sh\n")
    for name in ("new folder", "libraries", "new libraries"):
        (tmp_path / name).mkdir()
    (tmp_path / "new program").write_text("#!/bin/sh\n")
    body = """
sys.stdout.reconfigure(line_buffering=True)
confined = confine_self(Reach(["/proc"], [str(here / "folder")], [str(here / "libraries")], [str(here / "program")]))
confined.require_reach()
print("as it was")
sys.stdin.readline()
try:
    confined.require_reach()
except ProxxError as fault:
    print(fault.code, fault.error.details["path"])
"""
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-c", PRELUDE + body, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "as it was\n"
        (tmp_path / anew).rename(tmp_path / "old")
        (tmp_path / f"new {anew}").rename(tmp_path / anew)
        out, _ = process.communicate("go on\n")
    assert out.split() == ["IO_ERROR", str(tmp_path / anew)]


def test_what_was_not_there_at_first_is_not_asked_for(tmp_path: Path) -> None:
    body = """
confine_self(Reach(["/proc"], [str(here / "nowhere")])).require_reach()
print("nothing is missed")
"""
    assert said(tmp_path, body).strip() == "nothing is missed"
