"""The installed command, started as an integrator starts it: another process, its exit code, its two streams, its signals."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, pairwise
from pathlib import Path
from signal import Signals
from typing import TypeVar

import psutil

T = TypeVar("T")
Argument = str | bytes | os.PathLike[str]

COMMAND = Path(sys.executable).with_name("proxx-worker")
"""The console script beside the interpreter that runs the tests: what `pip install` made."""

DEADLINE_SECONDS = 300.0
"""For everything that is waited for. It bounds a hang; nothing is judged by it."""

WITHOUT_ROOTS_PRIVILEGE = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
"""Root reads and writes everything, whatever the mode. Without these two capabilities it is refused like anybody else."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended: `exit_code` (negative: killed by that signal) and what it wrote."""

    exit_code: int
    stdout: bytes
    stderr: str


def wait_until(condition: Callable[[], T | None], what: str) -> T:
    """The first true value of `condition`, asked again and again; fails naming `what` when it never comes."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.005)  # not a wait for something to have happened: the pause between two looks
    raise AssertionError(f"waited {DEADLINE_SECONDS:.0f} s in vain for: {what}")


class Started:
    """A command that still runs, its streams in files so that no pipe fills."""

    def __init__(self, process: subprocess.Popen[bytes], stdout: Path, stderr: Path) -> None:
        """See `Command.start`."""
        self.process = process
        self._stdout = stdout
        self._stderr = stderr

    @property
    def pid(self) -> int:
        """The command's own process."""
        return self.process.pid

    @property
    def stderr(self) -> str:
        """What it has written so far."""
        return self._stderr.read_text(errors="replace")

    @property
    def stdout(self) -> bytes:
        """The same of the other stream."""
        return self._stdout.read_bytes()

    def until(self, condition: Callable[[], T | None], what: str) -> T:
        """`wait_until`, which fails at once when the command ends before."""

        def look() -> T | None:
            ended = self.process.poll() is not None
            value = condition()
            assert value or not ended, f"ended with {self.process.returncode} before: {what}\n{self.stderr}"
            return value

        return wait_until(look, what)

    def signal(self, number: Signals) -> None:
        """Send a signal to the command, as a supervisor does; to it alone."""
        self.process.send_signal(number)

    def signal_group(self, number: Signals) -> None:
        """Send a signal to the command and all its children at once, as Ctrl-C and cluster schedulers do."""
        os.killpg(self.pid, number)

    def wait(self) -> Ended:
        """Wait for its end."""
        try:
            exit_code = self.process.wait(DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not end within {DEADLINE_SECONDS:.0f} s\n{self.stderr}") from None
        return Ended(exit_code, self._stdout.read_bytes(), self.stderr)

    def children(self, name: str = "") -> list[psutil.Process]:
        """Its living descendants whose command line holds `name`."""
        try:
            descendants = psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        return [child for child in descendants if is_running(child) and name in " ".join(_command_line(child))]


class Command:
    """`proxx-worker`, in a given environment; `logs` takes the streams of commands that are started and not awaited."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        """Nothing of the caller's own environment reaches the command but `environment`."""
        self.environment = dict(environment)
        self._logs = logs
        self._numbers = count()

    def __call__(
        self, *arguments: Argument, environment: Mapping[str, str] | None = None, cwd: Path | None = None, privileged: bool = True
    ) -> Ended:
        """Run to the end. `environment` is added; `privileged=False` takes root's power over file modes away."""
        with self.start(*arguments, environment=environment, cwd=cwd, privileged=privileged) as started:
            return started.wait()

    @contextmanager
    def start(
        self, *arguments: Argument, environment: Mapping[str, str] | None = None, cwd: Path | None = None, privileged: bool = True
    ) -> Iterator[Started]:
        """Start it; what still runs at the end of the block is killed."""
        number = next(self._numbers)
        stdout, stderr = self._logs / f"{number}.stdout", self._logs / f"{number}.stderr"
        with stdout.open("wb") as out, stderr.open("wb") as err:
            process = subprocess.Popen(
                [*self.prefix(privileged=privileged), COMMAND, *arguments, *for_stand_ins(arguments)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=cwd, env={**self.environment, **(environment or {})},
                start_new_session=True,
            )  # fmt: skip
        try:
            yield Started(process, stdout, stderr)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    @staticmethod
    def prefix(*, privileged: bool) -> tuple[str, ...]:
        """What stands before the command so that file modes are in force for it."""
        return () if privileged or os.geteuid() != 0 else WITHOUT_ROOTS_PRIVILEGE


def for_stand_ins(arguments: Sequence[Argument]) -> tuple[str, ...]:
    """`--sandbox off` where a script takes FFmpeg's place: it may do nothing in the sandbox that it is there for.

    What a test says of the sandbox itself stands. A script that is the pair of the whole run (`--ffmpeg`) is no stand-in.
    """
    named = [Path(os.fsdecode(tool)) for flag, tool in pairwise(arguments) if flag in {"--ffmpeg", "--ffprobe"}]
    stand_in = any(tool.is_file() and tool.read_bytes()[:2] == b"#!" and not _is_on_path(tool) for tool in named)
    return ("--sandbox", "off") if stand_in and "--sandbox" not in arguments else ()


def _is_on_path(tool: Path) -> bool:
    found = shutil.which(tool.name)
    return found is not None and Path(found).samefile(tool)


def is_running(process: psutil.Process) -> bool:
    """True while it lives. One that has died and that nobody has waited for yet is dead."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
