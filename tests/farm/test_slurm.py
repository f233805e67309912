"""An array job on a real Slurm of two nodes: exit codes, a gather that depends on it, a cancel and a drain mid-encode."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.command import COMMAND, Command, wait_until
from tests.acceptance.results import names, parse_result
from tests.acceptance.specs import encode, explicit, jobspec
from tests.farm.test_prometheus import free_port

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "munged")
pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(
        any(shutil.which(program) is None for program in PROGRAMS),
        reason="takes Slurm and munge (Debian: slurmctld, slurmd, slurm-client, munge)",
    ),
]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that is up, and how to talk to it."""

    folder: Path

    def run(self, *argv: str | Path, check: bool = True) -> str:
        """Run a command as a user of the cluster would; returns what it prints."""
        environment = {"PATH": f"{COMMAND.parent}:{os.environ['PATH']}", "SLURM_CONF": str(self.folder / "slurm.conf")}
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done.stdout.strip()

    def ended(self, job: str) -> list[dict[str, str]]:
        """The state of every task of a job, once none of them waits or runs."""

        def states() -> list[dict[str, str]] | None:
            rows = [dict(re.findall(r"(\w+)=(\S*)", row)) for row in self.run("scontrol", "-o", "show", "job", job).splitlines()]
            return None if any(row["JobState"] in ("PENDING", "RUNNING", "COMPLETING") for row in rows) else rows

        return wait_until(states, f"the end of job {job}")

    def is_running(self, job: str) -> bool:
        """Whether the job runs."""
        return "JobState=RUNNING" in self.run("scontrol", "-o", "show", "job", job)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("slurm")
    port = free_port()
    up = subprocess.run(
        [Path(__file__).parent / "slurm-two-nodes", folder, str(port)], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    made = Cluster(folder)
    try:
        assert up.returncode == 0, up.stdout + up.stderr
        yield made
    finally:
        pids = [int(path.read_text()) for path in folder.glob("slurm*.pid")]
        made.run("scontrol", "shutdown", check=False)
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "the end of Slurm")
        os.kill(int((folder / "munged.pid").read_text()), signal.SIGTERM)


def test_six_chunks_one_of_them_bad(cluster: Cluster, proxx: Command, project_root: Path, clips: Path, tmp_path: Path) -> None:
    media, work, into = (tmp_path / name for name in ("media", "work", "into"))
    for folder in (media, work, into):
        folder.mkdir()
    for number in range(6):
        (media / f"clip{number}.mov").symlink_to(clips / "A001C001.mov")
    (media / "clip2.mov").unlink()
    (media / "clip2.mov").write_text("no movie\n" * 50)
    submit = project_root / "deploy" / "slurm" / "submit.sh"
    sources = sorted(media.iterdir())
    tasks, gather = cluster.run(submit, work, "proxy_h264_quarter", "1", into, *sources).split()
    ended = cluster.ended(tasks)
    assert sorted((row["JobState"], row["ExitCode"]) for row in ended) == [("COMPLETED", "0:0")] * 5 + [("FAILED", "1:0")]
    assert {row["NodeList"] for row in ended} == {"n1", "n2"}
    assert {row["Requeue"] for row in ended} == {"0"}
    results = sorted((work / "results").iterdir())
    codes = [(parse_result(path.read_bytes())["error"] or {"code": None})["code"] for path in results]
    assert sorted(map(str, codes)) == ["None"] * 5 + ["SOURCE_UNSUPPORTED"]
    (gathered,) = cluster.ended(gather)
    assert gathered["ExitCode"] == "1:0", "the failed result's class"
    made = [name for name in names(into) if name.endswith(".mp4")]
    assert made == [f"clip{number}.mp4" for number in (0, 1, 3, 4, 5)]
    before = {path: path.read_bytes() for path in into.iterdir()}
    assert proxx("gather", *results, "--into", into).exit_code == 1
    assert {path: path.read_bytes() for path in into.iterdir()} == before, "a second gather changes nothing"
    local = tmp_path / "local"
    local.mkdir()
    (tmp_path / "spec.json").write_bytes(encode(jobspec(media / "clip0.mov", local, naming_template="{source_name}")))
    assert proxx("run", tmp_path / "spec.json").exit_code == 0
    assert (local / "clip0.mp4").read_bytes() == (into / "clip0.mp4").read_bytes()


def test_a_collision_moves_nothing(cluster: Cluster, project_root: Path, clips: Path, tmp_path: Path) -> None:
    work, into = tmp_path / "work", tmp_path / "into"
    for folder in (work, into):
        folder.mkdir()
    for name in ("a", "b"):
        (tmp_path / f"{name}.mov").symlink_to(clips / "A001C001.mov")
    (into / "b.mp4").write_bytes(b"somebody's")
    submit = project_root / "deploy" / "slurm" / "submit.sh"
    tasks, gather = cluster.run(submit, work, "proxy_h264_quarter", "1", into, tmp_path / "a.mov", tmp_path / "b.mov").split()
    assert [row["JobState"] for row in cluster.ended(tasks)] == ["COMPLETED"] * 2
    (gathered,) = cluster.ended(gather)
    assert gathered["JobState"] == "FAILED"
    assert names(into) == ["b.mp4"]
    assert (into / "b.mp4").read_bytes() == b"somebody's"
    assert len(list((work / "out").glob("*/*.mp4"))) == 2


@pytest.fixture
def running(cluster: Cluster, project_root: Path, clips: Path, tmp_path: Path) -> str:
    """The number of a job mid-encode."""
    for name in ("out", "results"):
        (tmp_path / name).mkdir()
    document = jobspec(clips / "A001C004.mov", tmp_path / "out", **explicit("prores_4444", "mov"))
    (tmp_path / "endless.json").write_bytes(encode(document))
    (tmp_path / "specs.txt").write_text(f"{tmp_path}/endless.json\n")
    task = project_root / "deploy" / "slurm" / "task.sbatch"
    job = cluster.run("sbatch", "--parsable", "--array=0", f"--output={tmp_path}/log", task, tmp_path)
    wait_until(lambda: list((tmp_path / "out").glob(".proxx-*/*.mov")), "a file in staging")
    return job


def test_a_cancel_in_mid_encode(cluster: Cluster, running: str, tmp_path: Path) -> None:
    cluster.run("scancel", running)
    (ended,) = cluster.ended(running)
    assert ended["JobState"] == "CANCELLED"
    result = tmp_path / "results" / "endless.result.json"
    wait_until(result.exists, "the result")
    assert parse_result(result.read_bytes())["error"]["code"] == "INTERRUPTED"
    wait_until(lambda: names(tmp_path / "out") == [], "the end of staging")
    encoders = subprocess.run(["pgrep", "--full", str(tmp_path)], capture_output=True, text=True, check=False).stdout
    assert encoders == ""


def test_a_drain_signal_to_all_leaves_the_encoder_at_work(cluster: Cluster, running: str, tmp_path: Path) -> None:
    cluster.run("scancel", "--signal=USR1", "--full", running)
    (staged,) = (tmp_path / "out").glob(".proxx-*/*.mov")
    size = staged.stat().st_size
    wait_until(lambda: staged.stat().st_size > size + (1 << 20), "more frames after the signal")
    assert cluster.is_running(running)
    cluster.run("scancel", running)
    cluster.ended(running)
