"""The Dockerfile, built on a stand-in for its base, and the worker in a container that may do next to nothing."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.command import Command, wait_until
from tests.acceptance.results import names, parse_result, read_result
from tests.acceptance.specs import Workspace, encode, explicit, jobspec
from tests.farm.containers import IMAGE, Containers, containers_in
from tests.farm.roots import Root, needs_roots

PROGRAMS = ("buildah", "podman", "crun")
pytestmark = [
    pytest.mark.heavy,
    pytest.mark.whole,
    needs_roots,
    pytest.mark.skipif(
        any(shutil.which(program) is None for program in PROGRAMS), reason=f"takes {', '.join(PROGRAMS)} (Debian's packages)"
    ),
]
USER = 10001
CONFINED = (
    "--network=none", "--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--tmpfs=/tmp",
    # What an engine would set up and this machine has not: cgroups of its own, limits.
    "--cgroups=disabled", "--ulimit=nofile=1024:1024", "--ulimit=nproc=4096:4096",
)  # fmt: skip


@pytest.fixture(scope="module")
def containers(debian: Root, project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    folder = tmp_path_factory.mktemp("containers")
    with containers_in(folder) as made:
        made.build(debian.path, project_root, "PIP_CERT=/etc/this-machine.crt")
        yield made
    shutil.rmtree(folder)


@pytest.fixture
def volumes(tmp_path: Path, clips: Path) -> Path:
    """Folders to mount: /workspace and /out of the worker's user, /in that it may read."""
    shutil.copytree(clips, tmp_path / "in").chmod(0o755)
    for name in ("workspace", "out"):
        (tmp_path / name).mkdir()
        os.chown(tmp_path / name, USER, USER)
    return tmp_path


def mounts(volumes: Path) -> list[str]:
    return [f"--volume={volumes}/workspace:/workspace", f"--volume={volumes}/in:/in:ro", f"--volume={volumes}/out:/out"]


def test_the_image_says_what_it_is(containers: Containers) -> None:
    (image,) = json.loads(containers.podman("inspect", IMAGE).stdout)
    config = image["Config"]
    assert config["User"] == f"{USER}:{USER}"
    assert config["Entrypoint"] == ["/usr/bin/tini", "--", "proxx-worker"]
    assert config["Cmd"] == ["watch", "/workspace"]
    assert config["StopSignal"] in ("SIGTERM", "15")
    assert image["Healthcheck"]["Test"] == ["CMD", "proxx-worker", "status", "/workspace", "--health"]


def test_a_job_without_network_capabilities_and_a_root_to_write(
    containers: Containers, volumes: Path, proxx: Command, tmp_path: Path
) -> None:
    (volumes / "in" / "spec.json").write_bytes(encode(jobspec(["/in/A001C001.mov"], "/out", naming_template="a")))
    run = ("run", "--rm", *CONFINED, *mounts(volumes))
    look = "cat /proc/self/status; cat /proc/net/dev; touch /x 2>&1 || true; ffmpeg -version"
    seen = containers.podman(*run, "--entrypoint=sh", IMAGE, "-c", look).stdout
    assert re.search(r"(?m)^Uid:\s+10001\s+10001\s+10001\s+10001$", seen)
    assert set(re.findall(r"(?m)^Cap\w+:\s+(\w+)$", seen)) == {"0" * 16}
    assert re.search(r"(?m)^NoNewPrivs:\s+1$", seen)
    assert re.search(r"(?m)^Seccomp:\s+2$", seen)
    assert re.findall(r"(?m)^\s*(\w+):(?:\s+\d+){16}$", seen) == ["lo"]
    assert "Read-only file system" in seen
    checked = containers.podman(*run, IMAGE, "check", "/workspace").stdout
    assert "VIOLATED" not in checked
    assert re.search(r"(?m)^ok +sandbox: Landlock ", checked)
    done = containers.podman(*run, IMAGE, "run", "/in/spec.json")
    assert parse_result(done.stdout.encode())["status"] == "COMPLETED"
    assert names(volumes / "out") == ["a.mp4"]
    assert (volumes / "out" / "a.mp4").stat().st_uid == USER

    version = re.search(r"(?m)^ffmpeg version .*$", seen)
    ours = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True, check=True).stdout
    if version is None or not ours.startswith(version[0]):
        pytest.skip("the FFmpeg here is another than the image's: no outputs to compare")
    (tmp_path / "local").mkdir()
    document = jobspec([str(volumes / "in" / "A001C001.mov")], tmp_path / "local", naming_template="a")
    (tmp_path / "spec.json").write_bytes(encode(document))
    assert proxx("run", tmp_path / "spec.json").exit_code == 0
    assert (tmp_path / "local" / "a.mp4").read_bytes() == (volumes / "out" / "a.mp4").read_bytes()


def test_health_and_a_stop_in_mid_encode(containers: Containers, volumes: Path) -> None:
    def health() -> int:
        return containers.podman("healthcheck", "run", "worker", check=False).returncode

    def signalled(number: signal.Signals) -> None:
        containers.inside("pkill", f"--signal={number.name}", "--full", "/bin/proxx-worker watch /workspace$")

    workspace = Workspace(volumes / "workspace")
    for folder in workspace.root.iterdir():
        os.chown(folder, USER, USER)
    containers.podman("run", "--detach", "--name=worker", *CONFINED, *mounts(volumes), IMAGE)
    wait_until(lambda: (workspace.status() or {}).get("state") == "idle", "the worker")
    assert health() == 0
    signalled(signal.SIGSTOP)
    wait_until(lambda: health() == 1, "a failing health, once the heartbeat is a minute old")
    signalled(signal.SIGCONT)
    wait_until(lambda: health() == 0, "health of the worker that goes on")
    workspace.drop("a", jobspec(["/in/A001C004.mov"], "/out", **explicit("prores_4444", "mov")))
    wait_until(lambda: ((workspace.status() or {}).get("job") or {}).get("frames"), "frames")
    assert health() == 0, "in mid-encode"
    containers.podman("stop", "--time=15", "worker")
    assert read_result(workspace.failed, "a")["error"]["code"] == "INTERRUPTED"
    assert names(volumes / "out") == []
    assert containers.podman("inspect", "--format={{.State.ExitCode}}", "worker").stdout.strip() == "0", "not killed"
    assert health() not in (0, 1), "nobody to ask"
    asked = containers.podman("run", "--rm", *CONFINED, *mounts(volumes), IMAGE, "status", "/workspace", "--health", check=False)
    assert asked.returncode == 4, asked.stdout
    containers.podman("rm", "worker")
