"""The pages' examples, run as they stand with the installed command and a real FFmpeg; only their folders are put elsewhere."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import pytest

from proxx_worker.process import landlock
from tests.support.markdown import Block, Page

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))]
WITH_A_WORKER = {"docs/integrator.md"}
"""The pages whose reader has a worker running; on the others it is started by the page itself."""

FOLDERS = ("/srv/proxx", "/mnt/san", "/mnt/proxies")
INTERPRETERS = {"sh": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}
CLIPS = ("A001C001.mov", "A001C002.mov")
ENOUGH_SECONDS = 120


@dataclass(frozen=True)
class Host:
    """A machine as the pages assume it: their folders below `root`, the command on `PATH`."""

    root: Path
    environment: Mapping[str, str]

    def here(self, text: str) -> str:
        """A page's text with its folders put below `root`."""
        for folder in FOLDERS:
            text = text.replace(folder, f"{self.root}{folder}")
        return text

    def there(self, text: str) -> str:
        """The same, backwards."""
        return text.replace(str(self.root), "")

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """One command, in the folder that stands for the reader's own."""
        home = self.root / "home"
        return subprocess.run(
            argv, cwd=home, env=self.environment, capture_output=True, text=True, timeout=ENOUGH_SECONDS, check=False
        )

    @contextmanager
    def worker(self) -> Iterator[None]:
        """A worker on the pages' workspace, for as long as the body takes."""
        workspace = self.here("/srv/proxx/main")
        Path(workspace).mkdir()
        with subprocess.Popen(
            ["proxx-worker", "watch", workspace], env=self.environment, stderr=subprocess.PIPE, text=True
        ) as process:
            started = next(line for line in process.stderr or () if " worker_started " in line)
            assert started
            try:
                yield
            finally:
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=ENOUGH_SECONDS)
        assert process.returncode == 0


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The pages' clips: a second of picture and sound with timecode."""
    folder = tmp_path_factory.mktemp("clips")
    made = {}
    for name in CLIPS:
        command = [
            "ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=1",
            "-f", "lavfi", "-i", "sine=duration=1:sample_rate=48000", "-c:v", "libx264", "-preset", "ultrafast",
            "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le", "-timecode", "10:00:00:00", str(folder / name),
        ]  # fmt: skip
        subprocess.run(command, check=True)
        made[name] = (folder / name).read_bytes()
    return made


@pytest.fixture
def host(tmp_path: Path, clips: dict[str, bytes], child_environment: dict[str, str]) -> Host:
    for folder in (*FOLDERS, "/home"):
        (tmp_path / folder.removeprefix("/")).mkdir(parents=True)
    for name, data in clips.items():
        (tmp_path / "mnt" / "san" / name).write_bytes(data)
    path = f"{Path(sys.executable).parent}{os.pathsep}{child_environment['PATH']}"
    return Host(tmp_path, {**child_environment, "PATH": path, "LC_ALL": "C.UTF-8"})


def runnable(name: str) -> list[tuple[Block, str | None]]:
    """The blocks of a page that are run, in order, each with what the page says it prints."""
    blocks = [*Page(ROOT / name).blocks(), None]
    return [
        (block, after.text if after is not None and after.marks == ("output",) else None)
        for block, after in pairwise(blocks)
        if block is not None and block.marks == ("run",)
    ]


@pytest.mark.parametrize("name", [name for name in PAGES if runnable(name)])
def test_the_examples_of_a_page_work_one_after_the_other(name: str, host: Host) -> None:
    worker: AbstractContextManager[None] = host.worker() if name in WITH_A_WORKER else nullcontext()
    with worker:
        for block, output in runnable(name):
            done = host.run(*INTERPRETERS[block.language], host.here(block.text))
            assert done.returncode == 0, f"{block}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
            if output is not None:
                assert timeless(host.there(done.stdout)) == timeless(output), str(block)


def timeless(printed: str) -> str:
    """What was printed without its moments and durations, which are others each time."""
    return re.sub(r"\b\d+\.\d s\b", "N.N s", re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME", printed))


VOLATILE = {
    "sha256": r"[0-9a-f]{64}",
    "output_sha256": r"[0-9a-f]{64}",
    "started_at": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "finished_at": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "ffmpeg": r"/.*ffmpeg|\d.*",  # under `worker` a path, under `declared_versions` a version
    "ffprobe": r"/.*ffprobe",
    "output_size_bytes": r"\d+",
    "peak_memory_bytes": r"\d+",
    "duration_seconds": r"\d+(\.\d+)?",
    "cpu_seconds": r"\d+(\.\d+)?",
}
IN_PART = {"source_media", "output_media", "checks", "command"}
"""Of these the page shows a part; of everything else it shows all."""


def differences(shown: Json, actual: Json, path: str = "result", *, part: bool = False) -> Iterator[str]:
    """Where the page's example is not what the program wrote. `part`: it shows less than there is."""
    match shown, actual:
        case dict(), dict():
            if not (shown.keys() <= actual.keys() if part else [*shown] == [*actual]):
                yield f"{path}: fields {[*shown]}, not {[*actual]}"
            for key in shown.keys() & actual.keys():
                yield from differences(shown[key], actual[key], f"{path}.{key}", part=part or key in IN_PART)
        case list(), list() if path.endswith((".checks", ".command")):
            yield from (f"{path}: {item}" for item in shown if item not in actual)
        case list(), list():
            if not (len(shown) <= len(actual) if part else len(shown) == len(actual)):
                yield f"{path}: {len(shown)} items, not {len(actual)}"
            for index, (left, right) in enumerate(zip(shown, actual, strict=False)):
                yield from differences(left, right, f"{path}[{index}]", part=part)
        case _:
            if not _alike(path.rpartition(".")[2], shown, actual):
                yield f"{path}: {shown!r}, not {actual!r}"


def _alike(key: str, shown: Json, actual: Json) -> bool:
    """Whether two values are the same, or of one kind where the value is another each time."""
    pattern = VOLATILE.get(key)
    if pattern is None or shown is None:
        return type(shown) is type(actual) and shown == actual
    return type(shown) is type(actual) and all(re.fullmatch(pattern, str(value)) for value in (shown, actual))


COMPLETED = {
    "jobspec_version": "2.1",
    "job_id": "order-4713",
    "sources": ["/mnt/san/A001C001.mov"],
    "output_directory": "/mnt/proxies",
    "proxy_profile": "proxy_h264_low",
    "naming_template": "{source_name}",
}
SPECS = {
    "completed": COMPLETED,
    "failed": {**COMPLETED, "job_id": "order-4714", "codec": "vp9", "naming_template": "{clip}"},
}


@pytest.mark.parametrize(("kind", "exit_code"), [("completed", 0), ("failed", 1)])
def test_the_results_on_the_page_are_what_the_program_writes(kind: str, exit_code: int, host: Host) -> None:
    (example,) = (block for block in Page(ROOT / "docs/integrator.md").blocks() if block.marks == ("result", kind))
    spec = host.root / "home" / f"{SPECS[kind]['job_id']}.json"
    spec.write_text(host.here(json.dumps(SPECS[kind])))
    done = host.run("proxx-worker", "run", "--declared-versions", "ffmpeg=5.1.9", spec.name)
    assert done.returncode == exit_code, done.stderr
    written = json.loads(host.there(done.stdout))
    shown = json.loads(example.text.replace("/usr/bin/ffmpeg", written["worker"]["ffmpeg"]))
    shown["worker"]["sandbox"] = re.sub(r"ABI \d+", f"ABI {landlock.abi()}", shown["worker"]["sandbox"])
    assert [*differences(shown, written)] == []


ELSEWHERE = {
    "render_percentage", "field_order_first_pictures", "field_order_of_source", "frames_left_out", "frames_left_out_at_end",
    "rate_of_source",
}  # fmt: skip
"""Checks that an ordinary proxy lacks: of Resolve, interlaced H.264, changing fields, a start between keyframes, a wrong rate."""


def test_every_check_of_a_real_result_is_described(host: Host) -> None:
    described = Page(ROOT / "docs/integrator.md").table("Checks").column("check")
    host.run(
        "bash",
        "-c",
        host.here("proxx-worker spec --profile proxy_dnxhr_lb --output-directory /mnt/proxies /mnt/san/A001C001.mov > x.json"),
    )
    result = json.loads(host.run("proxx-worker", "run", "x.json").stdout)
    made = [re.sub(r"_\d+_", "_N_", check["name"]) for check in result["tasks"][0]["checks"]]
    assert result["status"] == "COMPLETED"
    assert made == [check for cell in described if (check := cell.strip("`")) not in ELSEWHERE]


def test_the_worker_s_own_fault_is_no_result(host: Host) -> None:
    done = host.run("proxx-worker", "run", "missing.json")
    assert (done.returncode, done.stdout) == (64, "")
