"""The worker that gives up its own rights where both roots are set: it does all its work, and nothing else can be done in it."""

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from signal import Signals

import pytest

from proxx_worker.process import landlock
from proxx_worker.process.syscalls import ALLOWED
from tests.acceptance.command import Command
from tests.acceptance.inside_worker import plant, tries
from tests.acceptance.results import names, parse_result, read_result, snapshot
from tests.acceptance.specs import Workspace, jobspec

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ALLOWED or landlock.abi() < 2,
    reason="the worker confines itself by Linux's Landlock from ABI 2 on",
)
BY_ABI = {3: {"truncate a file"}, 4: {"connect by TCP"}, 6: {"connect to an abstract socket", "signal another process"}}
"""What the kernel refuses from which version of Landlock on."""

AS_ROOT_ONLY = frozenset({"trace another process"})
"""What Yama keeps from other users, whatever confines them."""


class Place:
    """A source root with one clip, an output root, and what lies beside them."""

    def __init__(self, root: Path, clip: Path) -> None:
        """Make it."""
        self.sources, self.outputs, self.outside = (root / name for name in ("san", "proxies", "outside"))
        self.day = self.outputs / "day"
        for folder in (self.sources, self.day, self.outside):
            folder.mkdir(parents=True)
        self.source = self.sources / "clip.mov"
        self.source.write_bytes(clip.read_bytes())

    @property
    def roots(self) -> tuple[str, ...]:
        """The flags."""
        return "--source-roots", str(self.sources), "--output-roots", str(self.outputs)


@pytest.fixture
def place(tmp_path: Path, clip: Path) -> Place:
    return Place(tmp_path / "place", clip)


@pytest.fixture
def targets(place: Place, workspace: Workspace) -> Iterator[dict[str, str]]:
    """What there is to be had."""
    for name in ("secret", "victim", "doomed", "moved"):
        (place.outside / name).write_text(name)
    (place.outside / "link to secret").symlink_to(place.outside / "secret")
    for path in (place.day / "own", place.day / "kept", place.sources / "doomed"):
        path.write_text("mine")
    name = f"proxx-test-{os.getpid()}"
    with ExitStack() as opened:
        tcp = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        abstract = opened.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind(f"\0{name}")
        abstract.listen()
        other = opened.enter_context(subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE))
        opened.callback(other.kill)
        yield {
            "outside": str(place.outside),
            "output": str(place.day),
            "source": str(place.source),
            "port": str(tcp.getsockname()[1]),
            "abstract": name,
            "other": str(other.pid),
            "report": str(workspace.root / "report.json"),
        }


def outcomes(proxx: Command, workspace: Workspace, place: Place, targets: dict[str, str], *flags: str) -> dict[str, str]:
    """What came of each try inside the worker, in the middle of a job that then goes on."""
    workspace.drop("job", jobspec(place.source, place.day))
    environment = plant(workspace.root.parent / "planted", targets)
    ended = proxx("watch", "--once", workspace, *flags, environment=environment)
    assert ended.exit_code == 0, ended.stderr
    assert names(workspace.done) == ["job.json", "job.log", "job.result.json"]
    found: dict[str, str] = json.loads(Path(targets["report"]).read_text())
    return found


def test_inside_the_worker_nothing_outside_its_roots_can_be_had(
    proxx: Command, workspace: Workspace, place: Place, targets: dict[str, str]
) -> None:
    before = snapshot(place.outside)
    found = outcomes(proxx, workspace, place, targets, *place.roots)
    beyond = {name for since, many in BY_ABI.items() if landlock.abi() < since for name in many}
    assert {name for name in tries(targets) if found.pop(name) == "it could"} - beyond == set()
    assert set(found.values()) == {"it could"}, "what it needs it still can"
    assert (not beyond and snapshot(place.outside) == before) or beyond
    assert names(place.sources) == ["clip.mov", "doomed"]


@pytest.mark.parametrize("without", ["no output root", "no source root", "sandbox off"])
def test_otherwise_every_single_try_succeeds(
    proxx: Command, workspace: Workspace, place: Place, targets: dict[str, str], without: str
) -> None:
    """So that the test above can fail. And without both keys, or without a sandbox, a worker is what it was."""
    flags = {
        "no output root": place.roots[:2],
        "no source root": place.roots[2:],
        "sandbox off": (*place.roots, "--sandbox", "off"),
    }[without]
    found = outcomes(proxx, workspace, place, targets, *flags)
    excused = frozenset() if os.geteuid() == 0 else AS_ROOT_ONLY
    assert {name: outcome for name, outcome in found.items() if outcome != "it could" and name not in excused} == {}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("profile", ["proxy_prores_proxy", "proxy_dnxhr_lb", "proxy_h264_quarter"])
def test_it_does_its_whole_work(proxx: Command, workspace: Workspace, place: Place, tmp_path: Path, profile: str) -> None:
    metrics = tmp_path / "metrics"
    metrics.mkdir()
    specs = [jobspec(place.source, place.day, proxy_profile=profile, naming_template=f"{name}_proxy") for name in ("a", "b")]
    workspace.drop("job", specs[0])
    ended = proxx("watch", "--once", workspace, *place.roots, "--metrics-file", metrics / "proxx.prom")
    assert ended.exit_code == 0, ended.stderr
    status = workspace.status()
    assert status is not None
    assert status["state"] == "ended"
    assert "proxx_" in (metrics / "proxx.prom").read_text()
    (tmp_path / "job.json").write_text(json.dumps(specs[1]))
    free = proxx("run", tmp_path / "job.json", "--json")
    digests = [
        document["tasks"][0]["output_sha256"] for document in (read_result(workspace.done, "job"), parse_result(free.stdout))
    ]
    assert digests[0] == digests[1], "the bytes are those of a worker that keeps its rights"


def test_paths_may_be_any_bytes(proxx: Command, place: Place, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe9\xff"))
    workspace = Workspace(odd / "workspace")
    (odd / "ffmpeg").symlink_to(str(shutil.which("ffmpeg")))
    workspace.drop("job", jobspec(place.source, place.day))
    ended = proxx("watch", "--once", workspace, *place.roots, "--ffmpeg", odd / "ffmpeg")
    assert ended.exit_code == 0, ended.stderr


def test_run_gives_up_its_rights_too_and_delivers(proxx: Command, place: Place, tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    (tmp_path / "job.json").write_text(json.dumps(jobspec(place.source, place.day)))
    ended = proxx("run", tmp_path / "job.json", *place.roots, "--result", results / "r.json", "--log", tmp_path / "job.log")
    assert ended.exit_code == 0, ended.stderr
    assert names(results) == ["r.json"]
    assert "job_completed" in (tmp_path / "job.log").read_text()


def test_what_a_kill_leaves_is_recovered(proxx: Command, workspace: Workspace, place: Place, long_clip: Path) -> None:
    (place.sources / "long.mov").hardlink_to(long_clip)
    workspace.drop("job", jobspec(place.sources / "long.mov", place.day))
    with proxx.start("watch", workspace, *place.roots) as worker:
        worker.until(lambda: any(place.day.glob(".proxx-*/*")), "the encode")
        assert "NoNewPrivs:\t1" in Path(f"/proc/{worker.pid}/status").read_text()
        worker.signal(Signals.SIGKILL)
        worker.wait()
    assert proxx("watch", "--once", workspace, *place.roots).exit_code == 2
    assert read_result(workspace.failed, "job")["error"]["code"] == "INTERRUPTED"
    assert names(place.day) == []


def test_a_stop_ends_the_encode(proxx: Command, workspace: Workspace, place: Place, long_clip: Path) -> None:
    """By signals, which the confined worker may send to what it started itself."""
    (place.sources / "long.mov").hardlink_to(long_clip)
    workspace.drop("job", jobspec(place.sources / "long.mov", place.day))
    with proxx.start("watch", workspace, *place.roots) as worker:
        worker.until(lambda: any(place.day.glob(".proxx-*/*")), "the encode")
        worker.signal(Signals.SIGTERM)
        assert worker.wait().exit_code == 0
    assert read_result(workspace.failed, "job")["error"]["code"] == "INTERRUPTED"
    assert names(place.day) == []


def test_staging_outside_of_the_roots_is_told_of(proxx: Command, workspace: Workspace, place: Place, long_clip: Path) -> None:
    """The roots were set after the crash: the worker may not enter the old directory any more, and says what lies there."""
    (place.sources / "long.mov").hardlink_to(long_clip)
    elsewhere = place.outside / "old"
    elsewhere.mkdir()
    workspace.drop("job", jobspec(place.sources / "long.mov", elsewhere))
    with proxx.start("watch", workspace) as worker:
        worker.until(lambda: any(elsewhere.glob(".proxx-*/*")), "the encode")
        worker.signal(Signals.SIGKILL)
        worker.wait()
    (staging,) = elsewhere.glob(".proxx-*")
    ended = proxx("watch", "--once", workspace, *place.roots)
    assert "left_behind" in ended.stderr
    assert str(staging) in ended.stderr
    assert read_result(workspace.failed, "job")["error"]["code"] == "INTERRUPTED"


@pytest.mark.parametrize("root", ["sources", "outputs"])
def test_a_root_that_was_put_in_place_anew_stops_the_worker_before_a_claim(
    proxx: Command, workspace: Workspace, place: Place, root: str
) -> None:
    """As a share is that is mounted again: the kernel's rules hold for the folder that was there."""
    folder: Path = getattr(place, root)
    with proxx.start("watch", workspace, *place.roots) as worker:
        worker.until(lambda: "worker_started" in worker.stderr, "the start")
        folder.rename(f"{folder}.old")
        Path(f"{folder}.old").joinpath("..", folder.name).mkdir()
        workspace.drop("job", jobspec(place.source, place.day))
        ended = worker.wait()
    assert ended.exit_code == 4
    assert f"{folder} must be the one" in ended.stderr
    assert names(workspace.inbox) == ["job.json"]


def test_check_says_who_keeps_the_roots(proxx: Command, place: Place) -> None:
    def said(*flags: str) -> list[str]:
        lines = proxx("check", *flags).stdout.decode().splitlines()
        return [line.partition("own rights: ")[2] for line in lines if "own rights" in line]

    assert said() == []
    (kept,) = said(*place.roots)
    assert kept.startswith(
        f"the kernel confines the worker itself to its roots and what it needs to run: Landlock ABI {landlock.abi()}"
    )
    alone = "only the worker's own checks keep it inside its roots: "
    assert said(*place.roots[:2]) == [f"{alone}source_roots and output_roots are not both set"]
    assert said(*place.roots, "--sandbox", "off") == [f'{alone}sandbox = "off"']
    assert said(*place.roots, "--resolve-executable", "/opt/resolve/bin/resolve") == [
        f"{alone}DaVinci Resolve is set up and needs full rights"
    ]
