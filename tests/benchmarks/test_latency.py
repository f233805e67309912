"""From the rename into an idle inbox to FFmpeg's exec, beyond the ffprobe call."""

import os
import select
import signal
import subprocess
import time
from pathlib import Path

from proxx_worker.media.probe_command import probe_argv
from tests.benchmarks.conftest import WORKER, Clips, emptied, spec_of
from tests.benchmarks.measure import Spread, percentile, timed
from tests.benchmarks.report import Report

DROPS = int(os.environ.get("PROXX_BENCH_DROPS", "100"))

# Tells the time at which it was executed through a FIFO, then becomes the tool.
WRAPPER = """#!/usr/bin/python3 -SIsE
import os, sys, time
fd = os.open({fifo!r}, os.O_WRONLY)
os.write(fd, b"%d\\n" % time.monotonic_ns())
os.close(fd)
os.execv({tool!r}, [{tool!r}, *sys.argv[1:]])
"""


def wrapper(path: Path, fifo: Path, tool: str) -> Path:
    path.write_text(WRAPPER.format(fifo=str(fifo), tool=tool))
    path.chmod(0o755)
    return path


def next_line(stream: int) -> int:
    """The next time that a wrapper told."""
    assert select.select([stream], [], [], 30)[0], "no FFmpeg within 30 s"
    return int(os.read(stream, 64).split()[0])


def test_from_drop_to_exec(report: Report, clips: Clips, tools: tuple[str, str], tmp_path: Path) -> None:
    ffmpeg, ffprobe = tools
    fifo = tmp_path / "times"
    os.mkfifo(fifo)
    stream = os.open(fifo, os.O_RDWR)
    fake = wrapper(tmp_path / "ffmpeg", fifo, ffmpeg)
    started = []
    for _ in range(20):
        before = time.monotonic_ns()
        subprocess.run([str(fake), "-version"], check=True, capture_output=True)
        started.append((next_line(stream) - before) / 1e6)
    wrapping = Spread.of(started).median
    probes = [1000 * timed(probe_argv(ffprobe, str(clips.second))).wall for _ in range(20)]
    probing = Spread.of(probes).median

    workspace, output = emptied(tmp_path / "ws"), emptied(tmp_path / "out")
    worker = subprocess.Popen([WORKER, "watch", str(workspace), "--ffmpeg", str(fake)], stderr=subprocess.DEVNULL)
    try:
        while not (workspace / ".proxx" / "status.json").exists():
            assert worker.poll() is None
            time.sleep(0.01)
        beyond = []
        for number in range(DROPS):
            ready = workspace / f"{number:03}.part"
            ready.write_bytes(spec_of("proxy_h264_quarter", output, clips.second, template=f"clip_{number:03}"))
            done = workspace / "done" / f"{number:03}.json"
            before = time.monotonic_ns()
            ready.rename(workspace / "inbox" / f"{number:03}.json")
            beyond.append((next_line(stream) - before) / 1e6 - probing - wrapping)
            while not done.exists():
                assert worker.poll() is None
                time.sleep(0.005)
            time.sleep(0.05)  # idle again
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait()
        os.close(stream)
    section = "From the rename into an idle inbox to FFmpeg's exec, beyond ffprobe"
    report.row(section, f"median of {DROPS} drops", f"{Spread.of(beyond).median:.1f} ms", "<= 15 ms")
    report.row(section, "99th percentile", f"{percentile(beyond, 0.99):.1f} ms", "<= 60 ms")
    report.note(
        section,
        f"Subtracted: {probing:.1f} ms for the ffprobe call alone and {wrapping:.1f} ms for the wrapper that records the time "
        "(medians of 20).",
    )
