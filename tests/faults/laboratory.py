"""A bench for one worker: a workspace, an output directory, real tools that note each encode, and `strace` to break it with."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.invariants import Expected, digest, violations

# What changes a disk, or makes a change last. Whatever else a worker does leaves no trace if it is cut.
CALLS = (
    "fsync fdatasync rename renameat renameat2 link linkat unlink unlinkat mkdir mkdirat rmdir ftruncate fallocate flock "
    "openat write pwrite64"
)
_REFUSED_LINE = re.compile(r"--- Logging error in Loguru.*?--- End of logging error ---", re.DOTALL)
_JOB_ID = re.compile(rb'"job_id": "(\w+)"')
_LINE = re.compile(r"^(?P<call>[a-z0-9_]+)\((?P<arguments>.*)\)\s+= (?P<answer>-?\d+)")


@dataclass(frozen=True)
class Call:
    """One call of the worker's main thread: the `number`-th of its name. `answer`: below zero where it was refused."""

    name: str
    number: int
    arguments: str
    answer: int

    def __str__(self) -> str:
        return f"{self.name}#{self.number}({self.arguments[:150]})"


@dataclass(frozen=True)
class Ended:
    """How a command ended. Killed by a signal: the code is negative."""

    code: int
    errors: str
    output: bytes = b""

    @property
    def broke(self) -> bool:
        """Whether it fell over instead of ending. A line that stderr refused is told by loguru, and costs nothing else."""
        words = _REFUSED_LINE.sub("", self.errors)
        return "Traceback" in words or "INTERNAL_ERROR" in words


@dataclass(frozen=True)
class Tools:
    """Wrappers around the real FFmpeg and ffprobe that note each call, and two small sources."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> "Tools":
        """Make them once for many benches."""
        for number, color in enumerate(("red", "green", "blue")):
            source = f"color={color}:size=128x72:rate=25:duration=0.2"
            arguments = ["-f", "lavfi", "-i", source, "-c:v", "mpeg4", "-y", str(folder / f"source{number}.mov")]
            subprocess.run(["ffmpeg", "-hide_banner", "-loglevel", "error", *arguments], check=True)
        return cls(folder)

    def wrapper(self, tool: str, note: Path, first: str = "") -> Path:
        """A program that writes its arguments to `note`, does the shell command `first`, and becomes `tool`."""
        path = note.with_name(f"{tool}-{note.name}")
        real = shutil.which(tool)
        path.write_text(f"#!/bin/sh\nprintf '%s\\t' {tool} \"$@\" >>'{note}'; echo >>'{note}'\n{first}\nexec '{real}' \"$@\"\n")
        path.chmod(0o755)
        return path


class Bench:
    """One workspace with its specs, recreated as often as needed, always at the same path."""

    def __init__(self, root: Path, tools: Tools) -> None:
        """`root` is the bench's own folder; it need not exist."""
        self.root = root
        self.workspace = root / "workspace"
        self.outputs = root / "outputs"
        self._note = root.with_name(f"{root.name}.calls")
        self._trace = root.with_name(f"{root.name}.trace")
        self._tools = tools
        self._ffmpeg = tools.wrapper("ffmpeg", self._note)
        self._ffprobe = tools.wrapper("ffprobe", self._note)
        self.specs: list[bytes] = []
        self.kept: dict[str, bytes] = {}

    def reset(self) -> None:
        """An empty workspace and an output directory with a file in it that is nobody's business."""
        shutil.rmtree(self.root, ignore_errors=True)
        self.workspace.mkdir(parents=True)
        for name in ("inbox", "running", "done", "failed"):
            (self.workspace / name).mkdir()
        self.outputs.mkdir()
        self._note.write_bytes(b"")
        self.specs = []
        self.kept = {}
        self.keep("kept.mov", b"was here before")

    def keep(self, name: str, data: bytes) -> None:
        """Put a file into the output directory that no job may touch."""
        (self.outputs / name).write_bytes(data)
        self.kept[name] = data

    def before_each_encode(self, command: str) -> None:
        """From now on each FFmpeg does this shell command first."""
        self._tools.wrapper("ffmpeg", self._note, command)

    def save(self) -> Path:
        """A copy of everything, to `restore` from."""
        copy = self.root.with_name(f"{self.root.name}.saved")
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        subprocess.run(["cp", "-a", str(self.root), str(copy / "root")], check=True)
        subprocess.run(["cp", "-a", str(self._note), str(copy / "note")], check=True)
        return copy

    def restore(self, copy: Path) -> None:
        """Everything as it was at `save`."""
        shutil.rmtree(self.root)
        subprocess.run(["cp", "-a", str(copy / "root"), str(self.root)], check=True)
        shutil.copy(copy / "note", self._note)

    def spec(self, name: str, sources: Sequence[int], profile: str = "proxy_h264_quarter") -> bytes:
        """The bytes of a spec, different for each name. An empty profile makes it an invalid one."""
        fields = {
            "jobspec_version": "2.1",
            "job_id": name,
            "sources": [str(self._tools.folder / f"source{number}.mov") for number in sources],
            "output_directory": str(self.outputs),
            "proxy_profile": profile,
            "naming_template": "{job_id}_{index}",
        }
        return json.dumps(fields).encode()

    def drop(self, name: str, data: bytes) -> None:
        """Put a spec into the inbox."""
        (self.workspace / "inbox" / f"{name}.json").write_bytes(data)
        self.specs.append(data)

    def watch(self, *strace: str, environment: Mapping[str, str] | None = None) -> Ended:
        """Run `watch --once`, under `strace` with these options where there are any."""
        return self.command("watch", str(self.workspace), "--once", strace=strace, environment=environment)

    def start(self, *arguments: str, strace: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """Start the worker's command, under `strace` with these options; its words go to a file beside the bench."""
        argv = ["strace", "-qq", *strace, *self._argv(*arguments)] if strace else self._argv(*arguments)
        with self.words.open("ab") as words:
            return subprocess.Popen(argv, stdout=words, stderr=words, env=_variables(), cwd="/")

    @property
    def words(self) -> Path:
        """What the commands said that were started and not awaited."""
        return self._note.with_suffix(".words")

    def command(self, *arguments: str, strace: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> Ended:
        """Run the worker's command with this bench's tools."""
        argv = self._argv(*arguments)
        if strace:
            argv = ["strace", "-qq", "-o", str(self._trace), *strace, *argv]
        variables = {**_variables(), **(environment or {})}
        ended = subprocess.run(argv, capture_output=True, env=variables, cwd="/", timeout=120, check=False)
        code = ended.returncode
        return Ended(code if code < 128 or not strace else 128 - code, ended.stderr.decode(errors="replace"), ended.stdout)

    def _argv(self, *arguments: str) -> list[str]:
        # The two write a note, which in the sandbox they may not.
        tools = ["--ffmpeg", str(self._ffmpeg), "--ffprobe", str(self._ffprobe), "--sandbox", "off"]
        return [sys.executable, "-m", "proxx_worker", *arguments, *tools]

    def durable_calls(self) -> list[Call]:
        """The calls of the last command under `strace -y` that touched this bench's files."""
        return list(read_trace(self.last_trace(), str(self.root)))

    def last_trace(self) -> str:
        """What `strace` wrote of the last command."""
        return self._trace.read_text(errors="replace")

    def violations(self, *, settled: bool) -> list[str]:
        """Every broken invariant."""
        expected = Expected(self.specs, {self.outputs: self.kept}, self.executions())
        return violations(self.workspace, expected, settled=settled)

    def executions(self) -> dict[str, int]:
        """For each spec, how often the task that was encoded most often was encoded. Probes are not encodes."""
        lines = self._note.read_text().splitlines()
        encodes = Counter(
            Path(argument).name
            for line in lines
            if line.startswith("ffmpeg\t") and "-progress" in line
            for argument in [line.rstrip("\t").rpartition("\t")[2]]
        )
        counts: dict[str, int] = {}
        for name, count in encodes.items():
            job = name.partition("_")[0]
            counts[job] = max(count, counts.get(job, 0))
        times = {}
        for spec in self.specs:
            found = _JOB_ID.search(spec)
            times[digest(spec)] = 0 if found is None else counts.get(found[1].decode(), 0)
        return times


def _variables() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}


START = "vfork"
"""The call that starts a child."""


def read_trace(trace: str, root: str) -> Iterator[Call]:
    """The calls in a trace that name a path under `root` and change something there, and those that start a child."""
    numbers: Counter[str] = Counter()
    for line in trace.splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        name, arguments = found["call"], found["arguments"]
        numbers[name] += 1
        if name == START or (root in arguments and (name != "openat" or "O_CREAT" in arguments)):
            yield Call(name, numbers[name], arguments, int(found["answer"]))


def trace_options(*more: str) -> tuple[str, ...]:
    """What `strace` is told for a run whose calls are to be counted, with `more` than those that change a disk."""
    return ("-y", "-e", f"trace={','.join([*CALLS.split(), *more])}")


def kill_before(call: Call) -> tuple[str, ...]:
    """What `strace` is told to end the worker right before `call`."""
    return ("-e", f"trace={call.name}", "-e", f"inject={call.name}:signal=SIGKILL:when={call.number}")


def fail(call: Call, error: str) -> tuple[str, ...]:
    """What `strace` is told to refuse `call` with `error`, without making it."""
    return ("-e", f"trace={call.name}", "-e", f"inject={call.name}:error={error}:when={call.number}")
