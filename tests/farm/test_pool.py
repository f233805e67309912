"""Six jobs, one of them bad, over two workers: by Celery with a real Redis, and by GNU parallel."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.acceptance.command import COMMAND, Command, wait_until
from tests.acceptance.results import names, parse_result, stems
from tests.acceptance.specs import Workspace, encode, jobspec
from tests.farm.venvs import make_venv

pytestmark = pytest.mark.heavy
CLIPS = 6
PATH = f"{COMMAND.parent}:{os.environ['PATH']}"


@pytest.fixture
def specs(tmp_path: Path, clips: Path) -> list[Path]:
    """Each has an output directory of its own; the third's clip is none."""
    (tmp_path / "specs").mkdir()
    (tmp_path / "none.mov").write_text("no movie\n" * 50)
    made = []
    for number in range(CLIPS):
        (tmp_path / "out" / f"{number}").mkdir(parents=True)
        source = tmp_path / "none.mov" if number == 2 else clips / "A001C001.mov"
        made.append(tmp_path / "specs" / f"clip{number}.json")
        made[-1].write_bytes(encode(jobspec(source, tmp_path / "out" / f"{number}")))
    return made


def _proxies(tmp_path: Path) -> list[str]:
    return [name for number in range(CLIPS) for name in names(tmp_path / "out" / f"{number}")]


@contextmanager
def program(*argv: str | Path, log: Path, environment: dict[str, str], cwd: Path) -> Iterator[None]:
    """One that runs until the end of the block."""
    with log.open("wb") as stream:
        started = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=environment, cwd=cwd)
    try:
        yield
    finally:
        started.terminate()
        started.wait()


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="takes redis-server (Debian's package)")
def test_celery(proxx: Command, project_root: Path, tmp_path: Path, specs: list[Path]) -> None:
    tools = make_venv(tmp_path / "venv", "pool")
    redis = tmp_path / "redis.sock"
    folder = project_root / "deploy" / "pool"
    environment = {"PATH": f"{tools}:{PATH}", "PROXX_BROKER": f"redis+socket://{redis}", "PYTHONDONTWRITEBYTECODE": "1"}
    with ExitStack() as running:

        def run(name: str, *argv: str | Path, **more: str) -> None:
            running.enter_context(program(*argv, log=tmp_path / f"{name}.log", environment={**environment, **more}, cwd=folder))

        server = ("redis-server", "--port", "0", "--unixsocket", str(redis), "--save", "", "--dir", str(tmp_path))
        run("redis", *server)
        wait_until(redis.exists, "Redis")
        workspaces = [Workspace(tmp_path / name) for name in ("a", "b")]
        for workspace in workspaces:
            running.enter_context(proxx.start("watch", workspace, "--poll-seconds", "0.2"))
            feed = ("--app", "pool", "worker", "--concurrency", "1", "--loglevel", "info")
            run(
                workspace.root.name,
                "celery",
                *feed,
                "--hostname",
                f"{workspace.root.name}@x",
                PROXX_WORKSPACE=str(workspace.root),
            )
        for workspace in workspaces:
            log = tmp_path / f"{workspace.root.name}.log"
            wait_until(lambda it=log: "ready." in it.read_text(), "a Celery worker")  # type: ignore[misc]
        done = subprocess.run(
            ["python", "pool.py", *specs], env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=120
        )
    assert done.returncode == 1, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == ["COMPLETED"] * 2 + ["FAILED"] + ["COMPLETED"] * 3
    assert lines[2][2] == "SOURCE_UNSUPPORTED"
    for line in lines:
        assert parse_result(Path(line[3]).read_bytes())["status"] == line[0]
    assert len(_proxies(tmp_path)) == CLIPS - 1
    ended = [len(stems(workspace.done) + stems(workspace.failed)) for workspace in workspaces]
    assert (sum(ended), min(ended) > 0) == (CLIPS, True), "both had a part of it"


@pytest.mark.skipif(shutil.which("parallel") is None, reason="takes GNU parallel (Debian: parallel)")
def test_gnu_parallel(project_root: Path, tmp_path: Path, specs: list[Path]) -> None:
    (tmp_path / "results").mkdir()
    readme = (project_root / "deploy" / "pool" / "README.md").read_text()
    (line,) = [line for line in readme.splitlines() if line.startswith("parallel ") and ":::" in line]
    script = line.replace("parallel ", "parallel --will-cite ", 1)
    environment = {"PATH": PATH, "HOME": str(tmp_path)}
    done = subprocess.run(["bash", "-c", script], env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1, done.stderr
    codes = [row.split("\t")[6] for row in (tmp_path / "jobs.log").read_text().splitlines()[1:]]
    assert sorted(codes) == ["0"] * (CLIPS - 1) + ["1"]
    assert len(_proxies(tmp_path)) == CLIPS - 1
    assert len(list((tmp_path / "results").iterdir())) == CLIPS
    assert len(specs) == CLIPS
