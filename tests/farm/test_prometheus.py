"""A worker's metrics all the way: its file, a real node exporter, a real Prometheus, and an alert that really fires."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command import Command, wait_until
from tests.acceptance.results import read_result, stems
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

    def evaluated(self) -> set[str]:
        """The alert rules that it evaluates without an error."""
        with self._opener.open(f"{self._address}/api/v1/rules") as answer:
            groups: list[dict[str, Any]] = json.load(answer)["data"]["groups"]
        return {rule["name"] for group in groups for rule in group["rules"] if rule["health"] == "ok"}


FIRING = 'ALERTS{alertstate="firing"}'
UNEXPECTED = 'ALERTS{alertname!="ProxxWorkerBacklogNotMoving"}'
"""That one may be pending at a worker's first sample: jobs wait, and no earlier sample says that they have not waited long."""

FASTER = 10
"""A second here stands for so many of the rules': two minutes are twelve seconds, and the file is written every five."""


def compressed(rules: str) -> str:
    """The rules, with every time in them that much shorter."""

    def shorter(found: re.Match[str]) -> str:
        seconds = int(found["number"]) * (60 if found["minutes"] else 1)
        return f"{found['before']}{seconds // FASTER}{'s' if found['minutes'] else ''}"

    text, times = re.subn(r"(?P<before>\[|for: |> )(?P<number>\d{2,}|\d(?=m))(?P<minutes>m)?\b", shorter, rules)
    assert times == len(re.findall(r"\d+m\b|> \d{2,}", rules))
    return text


@pytest.fixture
def textfiles(tmp_path: Path) -> Path:
    """The folder that the exporter reads."""
    folder = tmp_path / "textfiles"
    folder.mkdir()
    return folder


@pytest.fixture
def asked(project_root: Path, textfiles: Path, tmp_path: Path) -> Iterator[Prometheus]:
    """A Prometheus with the alert rules, that scrapes an exporter every second."""
    ports = free_port(), free_port()
    (tmp_path / "rules.yml").write_text(compressed((project_root / "deploy/prometheus/proxx-worker.rules.yml").read_text()))
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
    with ExitStack() as servers:
        servers.enter_context(server(tmp_path, *exporter))
        servers.enter_context(server(tmp_path, *prometheus))
        made = Prometheus(ports[1])
        wait_until(made.is_ready, "a Prometheus that answers")
        yield made


def test_a_stopped_worker_is_noticed_and_a_healthy_one_is_not(
    asked: Prometheus, proxx: Command, project_root: Path, clips: Path, textfiles: Path, tmp_path: Path
) -> None:
    workspace, out = Workspace(tmp_path / "ws"), tmp_path / "out"
    out.mkdir()
    with proxx.start("watch", workspace, "--settle-seconds", "1", "--metrics-file", textfiles / "proxx-ws.prom") as worker:
        worker.until(lambda: asked.query('proxx_worker_jobs_total{status="COMPLETED"} == 0'), "a worker with nothing done yet")
        for name in ("a", "b"):
            workspace.drop(name, jobspec(clips / "A001C001.mov", out, naming_template=name))
        workspace.drop("bad", b"[]")
        worker.until(lambda: asked.query('proxx_worker_jobs_total{status="COMPLETED"} == 2'), "both jobs, scraped")
        refused = worker.until(lambda: asked.query('proxx_worker_jobs_total{status="FAILED"} > 0'), "the refused job, scraped")
        assert [series["metric"]["code"] for series in refused] == ["SPEC_NOT_JSON"]
        worker.until(lambda: asked.query("time() - proxx_worker_start_time_seconds > 24"), "twice what the alert bears")
        assert asked.query("ALERTS") == []
        assert asked.query("node_textfile_scrape_error == 0")
        for expression in re.findall(r'"expr": "(.*)",', (project_root / "deploy/prometheus/dashboard.json").read_text()):
            query = json.loads(f'"{expression}"').replace("$workspace", ".*")
            assert asked.query(query) or "[30m]" in query, query
        worker.signal(signal.SIGSTOP)
        (alert,) = worker.until(lambda: asked.query(FIRING), "the alert")
        assert alert["metric"]["alertname"] == "ProxxWorkerStuck"
        assert alert["metric"]["workspace"] == str(workspace.root)
        worker.signal(signal.SIGCONT)
        wait_until(lambda: not asked.query("ALERTS"), "the end of the alert")
    assert stems(workspace.done) == ["a", "b"]


@pytest.mark.whole
def test_no_alert_in_an_hour_of_work(asked: Prometheus, proxx: Command, clips: Path, textfiles: Path, tmp_path: Path) -> None:
    """An hour of the rules' time: jobs come in twos all the time, one of nine is refused, and the worker is idle in between."""
    workspace, out = Workspace(tmp_path / "ws"), tmp_path / "out"
    out.mkdir()
    turns = 24
    with proxx.start("watch", workspace, "--settle-seconds", "1", "--metrics-file", textfiles / "proxx-ws.prom") as worker:
        began = time.monotonic()
        for turn in range(turns):
            for name in (f"a{turn}", f"b{turn}"):
                workspace.drop(name, jobspec(clips / "A001C001.mov", out, naming_template=name))
            if turn % 4 == 0:
                workspace.drop(f"bad{turn}", b"[]")
            worker.until(lambda: not stems(workspace.inbox) + stems(workspace.running), "the end of all jobs")
            # It is the hour itself that must pass; nothing is waited for that could come sooner.
            time.sleep(max(0.0, began + (turn + 1) * 3600 / FASTER / turns - time.monotonic()))
            assert asked.query(f"{FIRING} or {UNEXPECTED}") == []
        ended = {stem: (read_result(workspace.failed, stem)["error"] or {})["code"] for stem in stems(workspace.failed)}
        assert ended == {f"bad{turn}": "SPEC_NOT_JSON" for turn in range(0, turns, 4)}
        worker.until(lambda: asked.query(f'proxx_worker_jobs_total{{status="COMPLETED"}} == {2 * turns}'), "all jobs, scraped")
        seen = f'changes(proxx_worker_jobs_total{{status="COMPLETED"}}[10m]) >= {turns // 2}'
        assert asked.query(seen), "samples of all of it"
        # At any of the rules' evaluations, too.
        assert asked.query(f"count_over_time({UNEXPECTED}[10m])") == []
        assert asked.query(f"count_over_time({FIRING}[10m])") == []
        alerts = ("Stuck", "Gone", "MetricsStale", "Environment", "BacklogNotMoving")
        assert asked.evaluated() == {f"ProxxWorker{name}" for name in alerts}


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
