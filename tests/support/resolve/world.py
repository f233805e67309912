"""A Resolve for tests: the stand-in in a folder of its own, with what it is configured to do wrong, and its log of calls.

No Resolve runs on a test machine. What is shown with this is shown on the stand-in only.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from proxx_worker.engines.resolve.child.request import Limits
from proxx_worker.engines.resolve.conversation import child_argv
from proxx_worker.engines.resolve.engine import ResolveEngine
from proxx_worker.engines.resolve.lock import ResolveLock
from proxx_worker.engines.resolve.paths import ScriptingPaths
from tests.support.jobs import TOOLS

HERE = Path(__file__).parent
API = HERE / "api"
HEADER = b"\0\0\0\x44RED2" + bytes(4088)
"""What makes a file camera RAW; the movie that the stand-in renders follows behind it."""

PRESET = "ProRes Proxy"
FILM = "Artist's film"
"""A project of somebody else, which must be there after every test, as it was."""

OURS = re.compile(r"proxx-worker [0-9a-f]{12} (survey|[0-9]+)")
"""Names of projects that are the worker's own. Written here once more: what judges the worker shares no code with it."""

FORBIDDEN = frozenset({
    "ProjectManager.SaveProject", "ProjectManager.SetCurrentDatabase", "ProjectManager.LoadProject", "Project.SetName",
    "Project.DeleteAllRenderJobs", "Resolve.GetVersion", "Resolve.GetVersionString", "pinghosts",
})  # fmt: skip
"""Calls that no worker makes: they save, empty or open what is somebody's, ask for a version, or reach another machine."""

_LOOKS = frozenset({"Project.GetName", "Project.IsRenderingInProgress", "Project.GetTimelineCount"})
"""The only calls that may concern a project of somebody else."""

QUICK = Limits(start=20.0, begin=20.0, idle=1.0, stop=20.0, settle=0.05, clean=3.0, poll=0.02)
"""Limits that a busy machine keeps, and that no test waits for but those that shorten them."""


def raw_clip(folder: Path, name: str = "A001_C001_001.R3D", *, rate: str = "25", sound: bool = True) -> Path:
    """Ten frames that the worker takes for camera RAW."""
    movie, path = folder / f"{name}.mov", folder / name
    inputs = ["-f", "lavfi", "-i", f"testsrc2=s=320x180:r={rate}"]
    inputs += ["-f", "lavfi", "-i", "sine=d=0.4:r=48000"] if sound else []
    codecs = [
        "-c:v",
        "prores",
        "-profile:v",
        "0",
        *(["-c:a", "pcm_s16le"] if sound else []),
        "-timecode",
        "10:20:30:05",
        "-frames:v",
        "10",
    ]
    subprocess.run([TOOLS.ffmpeg, "-v", "error", *inputs, *codecs, movie], check=True)
    path.write_bytes(HEADER + movie.read_bytes())
    movie.unlink()
    return path


@dataclass(frozen=True)
class _Call:
    """One call. `projects`: names of those that it concerns, by its object or by an argument."""

    name: str
    arguments: list[object]
    client: int
    projects: list[str]


@dataclass
class StandIn:
    """One stand-in. `folder`: holds its library, configuration, projects and log. `exempt`: as for `made`."""

    folder: Path
    socket: str
    exempt: Mapping[str, str] = field(default_factory=dict)
    _children: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    _locks: list[ResolveLock] = field(default_factory=list)

    @classmethod
    @contextmanager
    def made(
        cls, folder: Path, *, projects: Sequence[str] = (), exempt: Mapping[str, str] | None = None, **config: object
    ) -> Iterator["StandIn"]:
        """Its files, with `projects` in the database beside the artist's. No server is started; what runs at the end is killed.

        Every test on the stand-in passes through here. After its body, what happened is judged: see `violations`. `exempt`: calls
        and projects that are not, each with the reason.
        """
        folder.mkdir(parents=True, exist_ok=True)
        # A socket's path has at most 107 bytes.
        with tempfile.TemporaryDirectory(prefix="rs", dir="/tmp") as short:
            standin = cls(folder, f"{short}/s", exempt or {})
            (folder / "fusionscript.so").write_bytes(b"the stand-in's library\n")
            before = {name: {"timelineFrameRate": "24", "cut of": name} for name in (FILM, *projects)}
            (folder / "before.json").write_text(json.dumps(before))
            (folder / "projects.json").write_text(json.dumps(before))
            (folder / "calls.jsonl").touch()
            (folder / "pids").touch()
            standin.configure(**config)
            program = folder / "resolve"
            server = f"{HERE / 'server.py'}"
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{server}" "{folder}" "$@"\n')
            program.chmod(0o755)
            try:
                yield standin
            finally:
                standin.end()
            # Not where the body failed: then that is what the test has to tell.
            if wrong := standin.violations():
                raise AssertionError(f"nobody's work must be touched, but: {wrong}")

    def configure(self, **changes: object) -> None:
        """Change the configuration, also of a server that runs."""
        path = self.folder / "config.json"
        config: dict[str, object] = (
            json.loads(path.read_text())
            if path.exists()
            else {"socket": self.socket, "volumes": ["/"], "presets": [PRESET, "H.264 Master"], **_tools()}
        )
        draft = self.folder / "config.json.new"
        draft.write_text(json.dumps({**config, **changes}))
        draft.rename(path)

    def start(self) -> None:
        """Start the server, as somebody who opens Resolve; it answers from then on."""
        self._children.append(subprocess.Popen([self.folder / "resolve"], start_new_session=True, stdin=subprocess.DEVNULL))
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket(socket.AF_UNIX) as connection:
                try:
                    connection.connect(self.socket)
                except OSError:
                    time.sleep(0.01)
                else:
                    return
        raise TimeoutError("the stand-in does not start")

    def pids(self) -> list[int]:
        """Every server that was ever started here, and lives."""
        return [pid for pid in map(int, (self.folder / "pids").read_text().split()) if alive(pid)]

    def end(self) -> None:
        """Kill every server, as a crash does, and give up the locks of engines in this process."""
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)
        for child in self._children:
            child.kill()
            child.wait()
        for lock in self._locks:
            lock.close()

    def violations(self, *, patience: float = 10.0) -> list[str]:
        """What was done so far that a worker must never do, in words: to somebody's projects, to Resolve, to other machines.

        A client that ends just now is given its time, `patience` seconds.
        """
        now, before = self._database("projects.json"), self._database("before.json")
        wrong = [f"{name!r} is changed or gone" for name in before if not OURS.fullmatch(name) and now.get(name) != before[name]]
        for call in self._log():
            wrong += _faults_of(call, self.exempt)
        wrong += [f"process {pid} is left" for pid in self._left(patience)]
        return list(dict.fromkeys(wrong))

    def _left(self, patience: float) -> list[int]:
        deadline = time.monotonic() + patience
        while (left := [pid for pid in self.clients() if alive(pid)]) and time.monotonic() < deadline:
            time.sleep(0.01)
        return left

    def calls(self) -> list[tuple[str, list[object]]]:
        """Every call that was made, in order, with its arguments; one that reached no server by the name of its method alone."""
        return [(call.name, call.arguments) for call in self._log()]

    def clients(self) -> set[int]:
        """The processes that called."""
        return {call.client for call in self._log()}

    def projects(self) -> list[str]:
        """What is in the database."""
        return list(self._database("projects.json"))

    def _database(self, name: str) -> dict[str, object]:
        kept: dict[str, object] = json.loads((self.folder / name).read_text())
        return kept

    def _log(self) -> Iterator[_Call]:
        for line in (self.folder / "calls.jsonl").read_text().splitlines():
            it = json.loads(line)
            yield _Call(it["call"], it["arguments"], it["client"], it["projects"])

    def paths(self, *, starts: bool = False) -> ScriptingPaths:
        """Where a worker finds it."""
        executable = str(self.folder / "resolve") if starts else None
        return ScriptingPaths.of(str(API), str(self.folder / "fusionscript.so"), executable)

    def engine(self, *, starts: bool = False, limits: Limits = QUICK, argv: Sequence[str] | None = None) -> ResolveEngine:
        """An engine that uses it."""
        paths = self.paths(starts=starts)
        self._locks.append(lock := ResolveLock(paths.lib))
        return ResolveEngine(paths, lock, limits, child_argv() if argv is None else argv)

    def settings(self, *, starts: bool = False) -> list[str]:
        """The flags that lead the command to it."""
        paths = self.paths(starts=starts)
        flags = ["--resolve-script-api", paths.api, "--resolve-script-lib", paths.lib]
        return flags if paths.executable is None else [*flags, "--resolve-executable", paths.executable]


def _faults_of(call: _Call, exempt: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with a call, in words."""
    if call.name in exempt:
        return
    if call.name in FORBIDDEN:
        yield f"{call.name} was called"
    if call.name == "scriptapp" and call.arguments != ["Resolve"]:
        yield f"scriptapp was called with {call.arguments}"
    concerned = list(call.projects)
    if call.name in {"ProjectManager.CreateProject", "ProjectManager.DeleteProject"}:
        concerned.append(str(call.arguments[0]))
    if call.name not in _LOOKS:
        others = (name for name in concerned if not OURS.fullmatch(name) and name not in exempt)
        yield from (f"{call.name} was called for {name!r}" for name in others)


def _tools() -> Mapping[str, str]:
    return {"ffmpeg": TOOLS.ffmpeg, "ffprobe": TOOLS.ffprobe}


def alive(pid: int) -> bool:
    """Whether a process runs, and is no corpse that its parent has not asked for yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False
