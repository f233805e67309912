"""Code of somebody else's inside the worker's own process: what a fault in what it parses could give.

`plant` has every Python that is started with the returned environment load this very file as its `sitecustomize`. It knows
nothing of the tests. When the worker opens the log of the job that it has just claimed, it tries, and writes to a file what came
of each try: `it could`, or the system's refusal.
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

PLANTED = "PROXX_TEST_PLANTED"


def plant(folder: Path, targets: dict[str, str]) -> dict[str, str]:
    """Put this file into `folder`. Returns the environment to start with.

    `targets`: those of `tries`, and `report`, the file that gets the outcome.
    """
    folder.mkdir()
    (folder / "sitecustomize.py").write_bytes(Path(__file__).read_bytes())
    return {"PYTHONPATH": str(folder), PLANTED: json.dumps(targets)}


def tries(at: dict[str, str]) -> dict[str, Callable[[], object]]:
    """What to try.

    `outside`: a folder beside the roots, with `secret`, `victim`, `doomed` and `moved` in it. `source`: a clip in the source
    root. `output`: a folder in the output root. `port`, `abstract`: where somebody listens. `other`: a process of the user's.
    """
    outside, output, source = Path(at["outside"]), Path(at["output"]), Path(at["source"])

    def read(path: Path | str) -> None:
        Path(path).read_bytes()

    def write(path: Path) -> None:
        path.write_text("evil")

    def linked(path: Path, target: Path) -> Path:
        path.symlink_to(target)
        return path

    def link_in() -> None:
        (output / "x").hardlink_to(outside / "secret")
        read(output / "x")

    def connect(family: int, address: str | tuple[str, int]) -> None:
        with socket.socket(family) as channel:
            channel.connect(address)

    def trace(other: int) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.ptrace(0x4206, other, None, None) != 0:  # PTRACE_SEIZE
            raise OSError(ctypes.get_errno(), "ptrace")
        os.kill(other, signal.SIGSTOP)
        os.waitpid(other, 0x4000_0000)  # __WALL
        libc.ptrace(17, other, None, None)  # PTRACE_DETACH
        os.kill(other, signal.SIGCONT)

    return {
        "read a file": lambda: read(outside / "secret"),
        "read a file of the system": lambda: read("/etc/passwd"),
        "read a file through a link": lambda: read(outside / "link to secret"),
        "read a file through /proc/self/root": lambda: read(f"/proc/self/root{outside}/secret"),
        "read a file through another process": lambda: read(f"/proc/{at['other']}/root{outside}/secret"),
        "read another's environment": lambda: read(f"/proc/{at['other']}/environ"),
        "list a folder": partial(os.listdir, outside),
        "list the root": partial(os.listdir, "/"),
        "make a file": lambda: write(outside / "made"),
        "make a folder": (outside / "folder").mkdir,
        "overwrite a file": lambda: write(outside / "victim"),
        "truncate a file": lambda: os.truncate(outside / "victim", 0),
        "remove a file": (outside / "doomed").unlink,
        "move a file in": lambda: (outside / "moved").rename(output / "moved"),
        "move a file out": lambda: (output / "own").rename(outside / "own"),
        "link a file in, to read it": link_in,
        "link a file out": lambda: (outside / "linked").hardlink_to(output / "kept"),
        "overwrite a source": lambda: os.close(os.open(source, os.O_WRONLY)),
        "make a file among the sources": lambda: write(source.parent / "made"),
        "remove a source": (source.parent / "doomed").unlink,
        "make a device": lambda: os.mkfifo(output / "fifo"),
        "make a link among the outputs": lambda: linked(output / "link", outside),
        "start a shell": lambda: subprocess.run(["/bin/sh", "-c", "exit 0"], check=True),
        "connect by TCP": lambda: connect(socket.AF_INET, ("127.0.0.1", int(at["port"]))),
        "connect to an abstract socket": lambda: connect(socket.AF_UNIX, "\0" + at["abstract"]),
        "signal another process": lambda: os.kill(int(at["other"]), 0),
        "trace another process": lambda: trace(int(at["other"])),
        "list the configuration's folder": partial(os.listdir, "/etc"),
    }


def needs(at: dict[str, str]) -> dict[str, Callable[[], object]]:
    """What the worker must still be able to do."""
    output, source = Path(at["output"]), Path(at["source"])

    def move() -> None:
        (output / "deep").mkdir()
        (output / "mine").write_text("mine")
        (output / "mine").rename(output / "deep" / "mine")
        (output / "linked").hardlink_to(output / "deep" / "mine")
        for path in (output / "linked", output / "deep" / "mine"):
            path.unlink()
        (output / "deep").rmdir()

    def late_import() -> None:
        import this_is_not_there  # type: ignore[import-not-found]  # noqa: F401, PLC0415

    def refused_import() -> None:
        try:
            late_import()
        except ModuleNotFoundError:
            import wsgiref.handlers  # noqa: F401, PLC0415 - any module that nobody has loaded

    return {
        "read a source": source.read_bytes,
        "list the sources": partial(os.listdir, source.parent),
        "make, move, link and remove outputs": move,
        "import": refused_import,
        "read /dev/null": lambda: Path("/dev/null").write_bytes(Path("/dev/null").read_bytes()),
    }


def _outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except (OSError, subprocess.SubprocessError) as error:
        return f"refused: {error}"
    return "it could"


def _lie_in_wait(targets: dict[str, str]) -> None:
    done = False

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal done
        if done or event != "open" or not isinstance(arguments[0], str | bytes):
            return
        if not os.fsdecode(arguments[0]).endswith("/running/job.log"):
            return
        done = True
        found = {name: _outcome(attempt) for name, attempt in {**needs(targets), **tries(targets)}.items()}
        Path(targets["report"]).write_text(json.dumps(found))

    sys.addaudithook(hook)


if __name__ == "sitecustomize" and (planted := os.environ.get(PLANTED)):
    _lie_in_wait(json.loads(planted))
