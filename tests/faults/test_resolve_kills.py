"""A worker that is killed at any call to Resolve: its next start leaves nothing half done, in the workspace and in Resolve.

On the stand-in, which itself kills the worker at the call that is asked for.
"""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.invariants import Expected, violations
from tests.support.jobs import spec
from tests.support.resolve.world import FILM, PRESET, StandIn, alive, raw_clip
from tests.support.slices import Slice

ROOT = Path(__file__).resolve().parents[2]
CALLS = 60
"""A job of one source makes so many calls before its render is awaited."""

PLACES = [1 + at * CALLS // 40 for at in range(40)]


def work(workspace: Path, standin: StandIn, *, starts: bool) -> int:
    how = "starts" if starts else "attaches"
    program = (sys.executable, "-m", "tests.support.resolve.worker_process")
    command = [*program, str(workspace), str(standin.folder), standin.socket, how]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode


def processes(standin: StandIn, *, but: list[int]) -> list[int]:
    """The children and servers that live, without those of `but`; those that are just dying are given their time."""
    deadline = time.monotonic() + 10
    while left := [pid for pid in {*standin.clients(), *standin.pids()} if alive(pid) and pid not in but]:
        if time.monotonic() >= deadline:
            break
        time.sleep(0.01)
    return left


def kill_at(place: int, folder: Path, clip: Path, *, starts: bool) -> list[str]:
    """What is wrong after a kill at the call `place` of a job, a restart, and a job after it."""
    workspace, out = folder / "workspace", folder / "out"
    (workspace / "inbox").mkdir(parents=True)
    out.mkdir()
    settings = {"proxy_profile": "proxy_prores_proxy_resolve", "resolve_preset": PRESET}
    killed, later = (spec([clip], out, naming_template=name, **settings) for name in ("killed", "later"))
    (workspace / "inbox" / "a.json").write_bytes(killed)
    with StandIn.made(folder / "standin", kills_worker_at=place) as standin:
        if not starts:
            standin.start()
        servers = standin.pids()
        faults: list[str] = []
        if (code := work(workspace, standin, starts=starts)) != -9:
            faults.append(f"ended with {code}")
        faults += [f"process {pid} is left" for pid in processes(standin, but=servers)]
        standin.configure(kills_worker_at=0)
        (workspace / "inbox" / "b.json").write_bytes(later)
        work(workspace, standin, starts=starts)
        faults += violations(workspace, Expected([killed, later], {out: {}}), settled=True)
        if standin.projects() != [FILM]:
            faults.append(f"projects: {standin.projects()}")
        if sorted(entry.name for entry in out.iterdir()) != ["later.mov"]:
            faults.append(f"outputs: {sorted(out.iterdir())}")
        faults += standin.violations()
        if standin.pids() != servers:
            faults.append(f"servers: {standin.pids()} instead of {servers}")
        return faults


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return raw_clip(tmp_path_factory.mktemp("raw"))


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("place", "starts"), [(PLACES[5], False), (PLACES[30], False), (PLACES[38], True)])
def test_a_killed_worker_leaves_nothing(place: int, clip: Path, tmp_path: Path, *, starts: bool) -> None:
    assert kill_at(place, tmp_path, clip, starts=starts) == []


@pytest.mark.heavy
@pytest.mark.parametrize("starts", [False, True], ids=["attached", "started"])
def test_a_worker_killed_at_every_place(clip: Path, tmp_path: Path, part: Slice, *, starts: bool) -> None:
    places = [place for place in PLACES if part.holds(str(place))]
    wrong = {place: faults for place in places if (faults := kill_at(place, tmp_path / str(place), clip, starts=starts))}
    assert wrong == {}
