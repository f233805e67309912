"""A stop is heard, and the heart beats, in every pass that may take long: with outputs of 20 GB, slow storage, slow children.

A worker has 3 s to end (contract, section 6). What happens after the signal is counted in place of the seconds, because a busy
machine slows both sides of that count. Slow calls take 0.2 s each, and at most two of them, 0.4 s, come to their end before the
worker does. A child that ignores SIGTERM writes at most one line every 0.2 s, and is gone before it has written the fifteenth.
A heart that beats every second lets five slow calls begin from beat to beat; twice as many are granted.
"""

import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from tests.acceptance.clips import tool
from tests.acceptance.command import Command, Started, is_running
from tests.acceptance.results import audit, names, parse_result, read_result, statuses
from tests.acceptance.specs import Workspace, encode, jobspec
from tests.acceptance.stand_ins import Gate, program

NEVER_POLLS = ("--poll-seconds", "86400")
STAGES_OF_FFPROBE = ("probing", "verifying")
TICKS_IN_3_SECONDS = 15
CALLS_BETWEEN_BEATS = 10

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the storage is made slow by a preloaded library")


@dataclass(frozen=True, slots=True)
class Pass:
    """A long pass over an output of 20 GB: what it spends its time with, and where the job is meanwhile."""

    slow: str
    stage: str
    profile: str


PASSES = {
    "reading an MXF file for its patch": Pass("read", "encoding", "proxy_dnxhr_lb"),
    "patching an MXF file": Pass("write", "encoding", "proxy_dnxhr_lb"),
    "handing the output to its disk": Pass("sync", "sealing", "proxy_prores_proxy"),
    "hashing the output": Pass("read", "sealing", "proxy_prores_proxy"),
}


@pytest.fixture(scope="session")
def slow_storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that makes storage slow."""
    library = tmp_path_factory.mktemp("library") / "slow_storage.so"
    source = Path(__file__).with_name("slow_storage.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


class Storage:
    """Storage on which calls of one kind are slow. `environment`: what the worker is started with."""

    def __init__(self, library: Path, kind: str, count: Path) -> None:
        """Nothing is slow but for who is started with `environment`."""
        self.environment = {"LD_PRELOAD": str(library), "SLOW_STORAGE": kind, "SLOW_STORAGE_COUNT": str(count)}
        self._count = count

    def calls(self) -> int:
        """How many slow calls have begun."""
        return self._count.stat().st_size if self._count.exists() else 0


@pytest.fixture(params=PASSES)
def long_pass(request: pytest.FixtureRequest) -> Pass:
    """Each of the long passes."""
    return PASSES[request.param]


@pytest.fixture
def storage(long_pass: Pass, slow_storage: Path, tmp_path: Path) -> Storage:
    """Storage that is slow in this pass."""
    return Storage(slow_storage, long_pass.slow, tmp_path / "count")


Tools = tuple[str | Path, ...]

# What follows the last item of an MXF file must be one more: a fill item (SMPTE ST 336), eight bytes of length, up to the end.
GROWING = """
import os, subprocess, sys
ended = subprocess.run([{tool!r}, *sys.argv[1:]], close_fds=False)
output = sys.argv[-1].removeprefix("file:")
if not output.startswith("/dev/"):
    with open(output, "r+b") as file:
        length = {size} - file.seek(0, os.SEEK_END) - 25
        if output.endswith(".mxf"):
            file.write(bytes.fromhex("060e2b34010101020301021001000000" "88") + length.to_bytes(8))
        file.truncate({size})
sys.exit(ended.returncode)
"""


def growing(folder: Path, name: str, size: int) -> Tools:
    """Flags that name a tool which lets the output go on with a hole up to `size` bytes."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{GROWING.format(tool=tool(name), size=size)}")
    path.chmod(0o755)
    return f"--{name}", path


@pytest.fixture
def tools(long_pass: Pass, tmp_path: Path) -> Tools:
    """Flags that name FFmpeg or ffprobe: the last that runs before the pass lets the output go on with a hole up to 20 GB."""
    if long_pass.slow == "write":
        return ()  # FFmpeg's own file has places enough to patch
    return growing(tmp_path, "ffmpeg" if long_pass.stage == "encoding" else "ffprobe", 20 << 30)


def stage_of(workspace: Workspace) -> str | None:
    job = (workspace.status() or {}).get("job") or {}
    stage: str | None = job.get("stage")
    return stage


@pytest.mark.one_in(2)
def test_a_stop_is_heard_by_watch(
    proxx: Command, workspace: Workspace, hd_clip: Path, proxies: Path, tools: Tools, long_pass: Pass, storage: Storage
) -> None:
    dropped = workspace.drop("a", jobspec(hd_clip, proxies, proxy_profile=long_pass.profile)).read_bytes()
    with proxx.start("watch", workspace, *NEVER_POLLS, *tools, environment=storage.environment) as worker:
        _in_the_middle(worker, storage)
        worker.until(lambda: stage_of(workspace) == long_pass.stage, f"{long_pass.stage} in status.json")
        before = storage.calls()
        worker.signal(signal.SIGTERM)
        assert worker.wait().exit_code == 0
    assert storage.calls() - before <= 2, "the one that went on, and one that may have begun before the signal came"
    result = read_result(workspace.failed, "a")
    assert result["error"]["code"] == "INTERRUPTED"
    assert statuses(result) == ["FAILED"]
    assert names(proxies) == []
    audit(workspace.root, [dropped], [proxies])


@pytest.mark.one_in(2)
def test_a_stop_is_heard_by_run(
    proxx: Command, hd_clip: Path, proxies: Path, tools: Tools, long_pass: Pass, storage: Storage, tmp_path: Path
) -> None:
    spec = tmp_path / "spec.json"
    spec.write_bytes(encode(jobspec(hd_clip, proxies, proxy_profile=long_pass.profile)))
    with proxx.start("run", spec, *tools, environment=storage.environment) as job:
        _in_the_middle(job, storage)
        before = storage.calls()
        job.signal(signal.SIGINT)
        ended = job.wait()
    assert storage.calls() - before <= 2
    assert ended.exit_code == 130
    assert parse_result(ended.stdout)["error"]["code"] == "INTERRUPTED"
    assert names(proxies) == []


def _in_the_middle(worker: Started, storage: Storage) -> None:
    worker.until(lambda: storage.calls() >= 3, "the third slow call")


@pytest.mark.parametrize("stage", STAGES_OF_FFPROBE)
def test_a_stop_is_heard_while_ffprobe_does_not_answer(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path, stage: str
) -> None:
    gate = Gate(tmp_path / "gate", "ffprobe")
    dropped = workspace.drop("a", jobspec(clip, proxies)).read_bytes()
    with proxx.start("watch", workspace, *NEVER_POLLS, "--ffprobe", gate.program) as worker:
        if stage == "verifying":
            gate.open()
        worker.until(lambda: stage_of(workspace) == stage, f"{stage} in status.json")
        worker.until(lambda: gate.reached() == STAGES_OF_FFPROBE.index(stage) + 1, "ffprobe")
        children = worker.children("ffprobe")
        worker.signal(signal.SIGTERM)
        assert worker.wait().exit_code == 0
    assert children
    assert not any(is_running(child) for child in children)
    result = read_result(workspace.failed, "a")
    assert result["error"]["code"] == "INTERRUPTED"
    assert statuses(result) == [{"probing": "NOT_RUN", "verifying": "FAILED"}[stage]]
    assert names(proxies) == []
    audit(workspace.root, [dropped], [proxies])


class Stubborn:
    """An ffprobe that ignores SIGTERM from its look `number` on, and writes a line into a file of its own every 0.2 s instead."""

    def __init__(self, folder: Path, number: int) -> None:
        """`program` is the stand-in."""
        calls, self._ticks = folder / "calls", folder / "ticks"
        stuck = f"trap '' TERM; while :; do echo tick >>{self._ticks}; sleep 0.2; done"
        body = f'echo called >>{calls}\n[ $(wc -l <{calls}) -lt {number} ] || {{ {stuck}; }}\nexec {tool("ffprobe")} "$@"'
        self.program = program(folder / "ffprobe", body)

    def ticks(self) -> int:
        """How many lines it has written."""
        return len(self._ticks.read_bytes().splitlines()) if self._ticks.exists() else 0


@pytest.mark.parametrize("stage", STAGES_OF_FFPROBE)
def test_a_stop_is_heard_while_ffprobe_does_not_end(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path, stage: str
) -> None:
    stubborn = Stubborn(tmp_path, STAGES_OF_FFPROBE.index(stage) + 1)
    workspace.drop("a", jobspec(clip, proxies))
    with proxx.start("watch", workspace, *NEVER_POLLS, "--ffprobe", stubborn.program) as worker:
        worker.until(lambda: stubborn.ticks() >= 2, f"ffprobe, {stage}")
        before = stubborn.ticks()
        worker.signal(signal.SIGTERM)
        assert worker.wait().exit_code == 0
    assert stubborn.ticks() - before < TICKS_IN_3_SECONDS
    assert read_result(workspace.failed, "a")["error"]["code"] == "INTERRUPTED"
    assert names(proxies) == []


class Heart:
    """What was seen of a worker's heart: when it beat, in which stage, and how many slow calls had begun by then."""

    def __init__(self, workspace: Workspace, storage: Storage | None = None) -> None:
        """Nothing is seen yet."""
        self._workspace = workspace
        self._storage = storage
        self._stages: dict[str, str | None] = {}
        self._calls: dict[str, int] = {}

    def look(self) -> None:
        """See its last beat."""
        status = self._workspace.status()
        if status is not None:
            self._stages.setdefault(status["heartbeat_at"], (status["job"] or {}).get("stage"))
            self._calls.setdefault(status["heartbeat_at"], self._calls_so_far())

    def has_beaten(self, stage: str) -> bool:
        """Whether three beats were seen in a stage, after another look."""
        self.look()
        return list(self._stages.values()).count(stage) >= 3

    def most_calls_between_beats(self) -> int:
        """How many slow calls have begun at most from one beat to the next, before the first and after the last included."""
        calls = [0, *self._calls.values(), self._calls_so_far()]
        return max(after - before for before, after in pairwise(calls))

    def _calls_so_far(self) -> int:
        return 0 if self._storage is None else self._storage.calls()


def test_the_heart_beats_through_a_whole_job(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path
) -> None:
    """Ffprobe is held before each of its two looks, and the encoder before its encode, until the heart has beaten three times."""
    gates = [Gate(tmp_path / "ffprobe", "ffprobe"), Gate(tmp_path / "ffmpeg")]
    held = {"probing": gates[0], "encoding": gates[1], "verifying": gates[0]}
    heart = Heart(workspace)

    def done() -> bool:
        heart.look()
        return (workspace.done / "a.json").exists()

    workspace.drop("a", jobspec(clip, proxies))
    with proxx.start("watch", workspace, "--ffprobe", gates[0].program, "--ffmpeg", gates[1].program) as worker:
        for stage, gate in held.items():
            worker.until(partial(heart.has_beaten, stage), f"three heartbeats while {stage}")
            gate.open()
        worker.until(done, "the end of the job")
    assert read_result(workspace.done, "a")["status"] == "COMPLETED"


def test_the_heart_beats_through_a_whole_pass(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, slow_storage: Path, tmp_path: Path
) -> None:
    """An output of 20 MiB is hashed by reads of at most 1 MiB, each of which takes 0.2 s: 4 s from the first to the last."""
    storage = Storage(slow_storage, "read", tmp_path / "count")
    heart = Heart(workspace, storage)
    tools = growing(tmp_path, "ffprobe", 20 << 20)

    def done() -> bool:
        heart.look()
        return (workspace.done / "a.json").exists()

    workspace.drop("a", jobspec(clip, proxies))
    with proxx.start("watch", workspace, *tools, environment=storage.environment) as worker:
        worker.until(done, "the end of the job")
    assert storage.calls() >= 2 * CALLS_BETWEEN_BEATS, "enough that a heart that stands still is found out"
    assert heart.most_calls_between_beats() <= CALLS_BETWEEN_BEATS


def test_an_idle_workers_heart_beats_however_seldom_it_polls(proxx: Command, workspace: Workspace) -> None:
    seen: set[str] = set()

    def beaten() -> bool:
        seen.update(status["heartbeat_at"] for status in [workspace.status()] if status is not None)
        return len(seen) >= 3

    with proxx.start("watch", workspace, *NEVER_POLLS) as worker:
        worker.until(beaten, "three heartbeats")


def test_a_stop_is_heard_while_recovery_looks_at_outputs(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, slow_storage: Path, tmp_path: Path
) -> None:
    """The job stays where it is, decided and not published, and the next start finishes it."""
    dropped = workspace.drop("a", jobspec(clip, proxies)).read_bytes()
    deadly, storage = (Storage(slow_storage, kind, tmp_path / kind) for kind in ("publish", "read"))
    with proxx.start("watch", workspace, environment=deadly.environment) as worker:
        assert worker.wait().exit_code == -signal.SIGKILL
    assert (workspace.running / "a.result.json").exists()
    with proxx.start("watch", workspace, environment=storage.environment) as worker:
        worker.until(storage.calls, "the first slow call")
        worker.signal(signal.SIGTERM)
        assert worker.wait().exit_code == 0
    assert names(workspace.running) == ["a.json", "a.log", "a.result.json"]
    assert [name for name in names(proxies) if not name.startswith(".")] == []
    assert proxx("watch", workspace, "--once").exit_code == 0
    assert read_result(workspace.done, "a")["status"] == "COMPLETED"
    audit(workspace.root, [dropped])
