"""What the QC report costs: beside the encode, per codec, and in memory for a workspace of many tasks."""

import json
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.benchmarks.conftest import WORKER, Clips, emptied
from tests.benchmarks.measure import Sample, cpu, in_turns, ratios, timed
from tests.benchmarks.report import Report

SECTION = "The report beside the encode"
CODECS = (
    ("prores_proxy", "mov"),
    ("prores_hq", "mov"),
    ("dnxhr", "mxf"),
    ("h264", "mp4"),
    ("h265", "mp4"),
    ("vp9", "webm"),
    ("av1", "mkv"),
)
TASKS = (25, 200)

# The command in a process that then tells its own peak, in KiB: what one learns of a child includes the FFmpegs of that child.
_PEAK = """
import resource, sys
from proxx_worker.cli import main
code = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
sys.exit(code)
"""


def _spec(folder: Path, sources: list[Path], codec: str, container: str, resolution: str) -> Path:
    (folder / "out").mkdir(parents=True)
    spec = folder / "job.json"
    document = {
        "jobspec_version": "2.1",
        "sources": [str(source) for source in sources],
        "output_directory": str(folder / "out"),
        "codec": codec,
        "container": container,
        "resolution": resolution,
        "naming_template": "{source_name}",
    }
    spec.write_text(json.dumps(document))
    return spec


def _job(folder: Path, source: Path, codec: str, container: str) -> Sample:
    spec = _spec(emptied(folder), [source], codec, container, "same")
    return timed([WORKER, "run", str(spec), "--result", str(folder / "job.result.json")])


def _report(folder: Path) -> Sample:
    return timed([WORKER, "report", str(folder / "job.result.json"), "--html", str(folder / "page.html")])


@pytest.mark.parametrize(("codec", "container"), CODECS, ids=str)
def test_per_codec(report: Report, clips: Clips, tmp_path: Path, codec: str, container: str) -> None:
    """Ten seconds of 1080p, at the same size. ProRes Proxy and H.264 are measured with a minute, below."""
    folder = tmp_path / "job"
    encodes, reports = in_turns(
        partial(_job, folder, clips.ten, codec, container), partial(_report, folder), runs=3, warm_up=False
    )
    report.row(SECTION, f"10 s to {codec}/{container}: report's CPU / the job's", ratios(reports, encodes, cpu).show())


@pytest.mark.parametrize(("codec", "container"), [("prores_proxy", "mov"), ("h264", "mp4")])
def test_a_minute(report: Report, clips: Clips, tmp_path: Path, codec: str, container: str) -> None:
    folder = tmp_path / "job"
    encode = partial(_job, folder, clips.minute, codec, container)
    encodes, reports = in_turns(encode, partial(_report, folder), runs=3, warm_up=False)
    what = f"60 s of 1080p to {codec}/{container}: report's CPU / the job's"
    report.row(SECTION, what, ratios(reports, encodes, cpu).show(), "<= 1.5")


def test_many_tasks(report: Report, clips: Clips, tmp_path: Path) -> None:
    for tasks in TASKS:
        folder = tmp_path / str(tasks)
        folder.mkdir()
        sources = [folder / f"clip{number:03}.mp4" for number in range(tasks)]
        for source in sources:
            source.hardlink_to(clips.second)
        spec = _spec(folder / "job", sources, "h264", "mp4", "quarter")
        done = folder / "workspace" / "done"
        done.mkdir(parents=True)
        (done.parent / "failed").mkdir()
        timed([WORKER, "run", str(spec), "--result", str(done / "job.result.json")])
        page = folder / "page.html"
        made = timed([sys.executable, "-c", _PEAK, "report", str(done.parent), "--html", str(page)])
        peak = int(made.stdout.split()[-1]) / 1024
        report.row(SECTION, f"a workspace page of {tasks} tasks: size", f"{page.stat().st_size / 1e6:.1f} MB", "< 10 MB")
        report.row(SECTION, f"a workspace page of {tasks} tasks: the command's own peak memory", f"{peak:.0f} MB", "flat")
