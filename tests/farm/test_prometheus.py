"""A worker's metrics all the way: its file, a real node exporter, a real Prometheus, and an alert that really fires."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command import Command, wait_until
from tests.acceptance.results import stems
from tests.acceptance.specs import Workspace, jobspec
from tests.farm.venvs import make_venv

PROGRAMS = ("prometheus", "prometheus-node-exporter")
pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(
        any(shutil.which(program) is None for program in PROGRAMS), reason=f"takes {' and '.join(PROGRAMS)} (Debian's packages)"
    ),
]

PARSE = """
import sys
from pathlib import Path
from prometheus_client.parser import text_string_to_metric_families
for path in sorted(Path(sys.argv[1]).iterdir()):
    families = list(text_string_to_metric_families(path.read_text()))
    assert all(family.name.startswith("proxx_worker_") and family.samples for family in families), path
    print(path.name, len(families), sum(len(family.samples) for family in families))
"""


def free_port() -> int:
    """A port on loopback that nobody has at this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def server(folder: Path, *argv: str) -> Iterator[None]:
    """A server that is ended at the end of the block; its words are in `folder`."""
    with (folder / f"{argv[0]}.log").open("wb") as log:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


class Prometheus:
    """Asked over HTTP, on loopback."""

    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}"
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def is_ready(self) -> bool:
        """Whether it answers queries."""
        try:
            self._opener.open(f"{self._address}/-/ready").close()
        except urllib.error.URLError:
            return False  # nobody listens yet, or it says 503
        return True

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What an instant query finds."""
        with self._opener.open(f"{self._address}/api/v1/query?{urllib.parse.urlencode({'query': expression})}") as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found


def test_a_stopped_worker_is_noticed_and_a_healthy_one_is_not(
    proxx: Command, project_root: Path, clips: Path, tmp_path: Path
) -> None:
    workspace, out, textfiles = Workspace(tmp_path / "ws"), tmp_path / "out", tmp_path / "textfiles"
    for folder in (out, textfiles):
        folder.mkdir()
    ports = free_port(), free_port()
    # Two minutes are eight seconds here: the file is written every five.
    rules = (project_root / "deploy/prometheus/proxx-worker.rules.yml").read_text().replace("> 120", "> 8")
    (tmp_path / "rules.yml").write_text(rules)
    (tmp_path / "prometheus.yml").write_text(
        "global: { scrape_interval: 1s, evaluation_interval: 1s }\nrule_files: [rules.yml]\n"
        f"scrape_configs: [{{ job_name: node, static_configs: [{{ targets: ['127.0.0.1:{ports[0]}'] }}] }}]\n"
    )
    exporter = (
        PROGRAMS[1], f"--web.listen-address=127.0.0.1:{ports[0]}", "--collector.disable-defaults", "--collector.textfile",
        f"--collector.textfile.directory={textfiles}",
    )  # fmt: skip
    prometheus = (
        PROGRAMS[0], "--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{ports[1]}",
    )  # fmt: skip
    asked = Prometheus(ports[1])
    with ExitStack() as servers:
        servers.enter_context(server(tmp_path, *exporter))
        servers.enter_context(server(tmp_path, *prometheus))
        worker = servers.enter_context(
            proxx.start("watch", workspace, "--settle-seconds", "0", "--metrics-file", textfiles / "proxx-ws.prom")
        )
        wait_until(asked.is_ready, "a Prometheus that answers")
        worker.until(lambda: asked.query('proxx_worker_jobs_total{status="COMPLETED"} == 0'), "a worker with nothing done yet")
        for name in ("a", "b"):
            workspace.drop(name, jobspec(clips / "A001C001.mov", out, naming_template=name))
        workspace.drop("bad", b"[]")
        worker.until(lambda: asked.query('proxx_worker_jobs_total{status="COMPLETED"} == 2'), "both jobs, scraped")
        refused = worker.until(lambda: asked.query('proxx_worker_jobs_total{status="FAILED"} > 0'), "the refused job, scraped")
        assert [series["metric"]["code"] for series in refused] == ["SPEC_NOT_JSON"]
        worker.until(lambda: asked.query("time() - proxx_worker_start_time_seconds > 15"), "three times what the alert bears")
        assert asked.query("ALERTS") == []
        assert asked.query("node_textfile_scrape_error == 0")
        for expression in re.findall(r'"expr": "(.*)",', (project_root / "deploy/prometheus/dashboard.json").read_text()):
            query = json.loads(f'"{expression}"').replace("$workspace", ".*")
            assert asked.query(query) or "[30m]" in query, query
        worker.signal(signal.SIGSTOP)
        (alert,) = worker.until(lambda: asked.query('ALERTS{alertstate="firing"}'), "the alert")
        assert alert["metric"]["alertname"] == "ProxxWorkerStuck"
        assert alert["metric"]["workspace"] == str(workspace.root)
        worker.signal(signal.SIGCONT)
        wait_until(lambda: not asked.query("ALERTS"), "the end of the alert")
    assert stems(workspace.done) == ["a", "b"]


def test_prometheus_s_parser_reads_every_file_of_a_worker_that_is_killed(proxx: Command, clips: Path, tmp_path: Path) -> None:
    workspace, out, seen = Workspace(tmp_path / "ws"), tmp_path / "out", tmp_path / "seen"
    for folder in (out, seen):
        folder.mkdir()
    file = tmp_path / 'odd "name"' / "proxx.prom"
    file.parent.mkdir()

    def keep() -> bool:
        """Keep every state of the file, by its inode."""
        try:
            with file.open("rb") as opened:
                (seen / str(os.fstat(opened.fileno()).st_ino)).write_bytes(opened.read())
        except FileNotFoundError:
            return False
        return True

    for turn in range(4):
        workspace.drop(f"job{turn}", jobspec(clips / "A001C001.mov", out, naming_template=f"{turn}"))
        with proxx.start("watch", workspace, "--metrics-file", file) as worker:
            worker.until(keep, "the file")
            worker.until(lambda: keep() and workspace.status() and stems(workspace.running), "a claimed job")
            worker.signal(signal.SIGKILL)
            worker.wait()
        keep()
    assert proxx("watch", "--once", workspace, "--metrics-file", file).exit_code == 2, "the last was interrupted"
    keep()
    python = make_venv(tmp_path / "venv", "prometheus") / "python"
    read = subprocess.run([python, "-c", PARSE, seen], capture_output=True, text=True, check=False)
    assert read.returncode == 0, read.stderr
    assert len(read.stdout.splitlines()) == len(list(seen.iterdir()))
    assert 'code="INTERRUPTED"} 1\n' in file.read_text()
    assert f'workspace="{workspace.root}"' in file.read_text()
