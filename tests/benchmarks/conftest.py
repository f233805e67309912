"""What the benchmarks share: clips, a worker's command line, and the page that they write."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.benchmarks.report import Report

WORKER = str(Path(sys.executable).with_name("proxx-worker"))


@pytest.fixture(scope="session")
def report(project_root: Path) -> Iterator[Report]:
    """The page. PROXX_BENCH_REPORT names another file than docs/benchmarks.md."""
    made = Report()
    yield made
    made.write(Path(os.environ.get("PROXX_BENCH_REPORT", project_root / "docs" / "benchmarks.md")))


@dataclass(frozen=True)
class Clips:
    """Generated clips: one second at 1080p, ten of it, and a minute."""

    second: Path
    ten: Path
    minute: Path


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Made once: a moving picture with some grain, sound, timecode, as an H.264 camera writes it."""
    folder = tmp_path_factory.mktemp("clips")
    made = Clips(folder / "second.mp4", folder / "ten.mp4", folder / "minute.mp4")
    for path, seconds in ((made.second, 1), (made.ten, 10), (made.minute, 60)):
        subprocess.run(
            [
                "ffmpeg", "-v", "error", "-nostdin", "-y",
                "-f", "lavfi", "-i", f"testsrc2=s=1920x1080:r=25:d={seconds},noise=alls=6:allf=t",
                "-f", "lavfi", "-i", f"sine=f=440:r=48000:d={seconds}",
                "-c:v", "libx264", "-preset", "veryfast", "-b:v", "20M", "-pix_fmt", "yuv420p", "-c:a", "aac",
                "-timecode", "01:00:00:00", str(path),
            ],
            check=True,
        )  # fmt: skip
    return made


@pytest.fixture
def tools() -> tuple[str, str]:
    """FFmpeg and ffprobe, as the worker finds them."""
    ffmpeg, ffprobe = shutil.which("ffmpeg"), shutil.which("ffprobe")
    assert ffmpeg is not None
    assert ffprobe is not None
    return ffmpeg, ffprobe


def spec_of(profile: str, output: Path, *sources: Path, template: str = "{source_name}") -> bytes:
    """A JobSpec's bytes."""
    return json.dumps(
        {
            "jobspec_version": "2.1",
            "sources": [str(source) for source in sources],
            "output_directory": str(output),
            "proxy_profile": profile,
            "naming_template": template,
        }
    ).encode()


def encode_command(profile: str, source: Path, folder: Path) -> list[str]:
    """The command that the worker runs for `source`, as its result tells it; the output is the last word, a bare name."""
    folder.mkdir(parents=True)
    spec = folder / "command.json"
    spec.write_bytes(spec_of(profile, folder, source))
    done = subprocess.run([WORKER, "run", str(spec)], check=True, capture_output=True)
    command = json.loads(done.stdout)["tasks"][0]["command"]
    return [f"file:{source}" if word == "file:/dev/fd/0" else word for word in command]


def into(command: list[str], output: Path) -> list[str]:
    """The same command with another output."""
    return [*command[:-1], f"file:{output}"]


def emptied(folder: Path) -> Path:
    """The folder, new and empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
