"""A Resolve for tests: the stand-in in a folder of its own, with what it is configured to do wrong, and its log of calls.

No Resolve runs on a test machine. What is shown with this is shown on the stand-in only.
"""

import json
import os
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
from proxx_worker.engines.resolve.places import Places
from tests.support.jobs import TOOLS

HERE = Path(__file__).parent
API = HERE / "api"
HEADER = b"\0\0\0\x44RED2" + bytes(4088)
"""What makes a file camera RAW; the movie that the stand-in renders follows behind it."""

PRESET = "ProRes Proxy"
FILM = "Artist's film"
"""A project of somebody else, which must be there after every test."""

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


@dataclass
class StandIn:
    """One stand-in. `folder`: holds its library, configuration, projects and log."""

    folder: Path
    socket: str
    _children: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    _locks: list[ResolveLock] = field(default_factory=list)

    @classmethod
    @contextmanager
    def made(cls, folder: Path, **config: object) -> Iterator["StandIn"]:
        """Its files. The server is not started; what runs at the end is killed."""
        folder.mkdir(parents=True, exist_ok=True)
        # A socket's path has at most 107 bytes.
        with tempfile.TemporaryDirectory(prefix="rs", dir="/tmp") as short:
            standin = cls(folder, f"{short}/s")
            (folder / "fusionscript.so").write_bytes(b"the stand-in's library\n")
            (folder / "projects.json").write_text(json.dumps([FILM]))
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

    def calls(self) -> list[tuple[str, list[object]]]:
        """Every call that reached a server, in order, with its arguments."""
        lines = (self.folder / "calls.jsonl").read_text().splitlines()
        return [(it["call"], it["arguments"]) for it in map(json.loads, lines)]

    def clients(self) -> set[int]:
        """The processes that called."""
        return {json.loads(line)["client"] for line in (self.folder / "calls.jsonl").read_text().splitlines()}

    def projects(self) -> list[str]:
        """What is in the database."""
        names: list[str] = json.loads((self.folder / "projects.json").read_text())
        return names

    def places(self, *, starts: bool = False) -> Places:
        """Where a worker finds it."""
        executable = str(self.folder / "resolve") if starts else None
        return Places.of(str(API), str(self.folder / "fusionscript.so"), executable)

    def engine(self, *, starts: bool = False, limits: Limits = QUICK, argv: Sequence[str] | None = None) -> ResolveEngine:
        """An engine that uses it."""
        places = self.places(starts=starts)
        self._locks.append(lock := ResolveLock(places.lib))
        return ResolveEngine(places, lock, limits, child_argv() if argv is None else argv)

    def settings(self, *, starts: bool = False) -> list[str]:
        """The flags that lead the command to it."""
        places = self.places(starts=starts)
        flags = ["--resolve-script-api", places.api, "--resolve-script-lib", places.lib]
        return flags if places.executable is None else [*flags, "--resolve-executable", places.executable]


def _tools() -> Mapping[str, str]:
    return {"ffmpeg": TOOLS.ffmpeg, "ffprobe": TOOLS.ffprobe}


def alive(pid: int) -> bool:
    """Whether a process runs, and is no corpse that its parent has not asked for yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False
