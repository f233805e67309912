"""Many small jobs and one large one, beside a bare loop of the very same commands: that loop is the limit."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

from proxx_worker.media.probe_command import probe_argv
from tests.benchmarks.conftest import Clips, emptied, encode_command, into, spec_of
from tests.benchmarks.measure import Sample, Spread, in_turns, ratios, timed, wall
from tests.benchmarks.report import Report

JOBS = int(os.environ.get("PROXX_BENCH_JOBS", "200"))
RIVALS_JOBS, RIVALS_RUNS = 50, 3
PROFILE = "proxy_h264_quarter"

OWN_CPU = """
import resource, sys
from proxx_worker.cli import main
code = main(sys.argv[1:])
usage = resource.getrusage(resource.RUSAGE_SELF)
print("own", usage.ru_utime + usage.ru_stime, file=sys.stderr)
sys.exit(code)
"""


def drain(workspace: Path, specs: dict[str, bytes]) -> Sample:
    """`watch --once` over these specs; the worker prints its own CPU seconds last."""
    inbox = emptied(workspace) / "inbox"
    inbox.mkdir()
    for name, data in specs.items():
        (inbox / f"{name}.json").write_bytes(data)
    return timed([sys.executable, "-c", OWN_CPU, "watch", str(workspace), "--once"])


def own_cpu(sample: Sample) -> float:
    return float(sample.stderr.rsplit(b"own ", 1)[1])


def loop_of(command: list[str], tools: tuple[str, str], source: Path, output: Path) -> str:
    """One clip's lines of the bare loop: look at the source, encode, decode the proxy."""
    ffmpeg, ffprobe = tools
    lines = (
        probe_argv(ffprobe, str(source)),
        into(command, output),
        [ffmpeg, "-nostdin", "-v", "error", "-i", str(output), "-map", "0", "-f", "null", "-"],
    )
    return "".join(f"{shlex.join(line)} >/dev/null 2>&1\n" for line in lines)


def test_many_small_jobs(report: Report, clips: Clips, tools: tuple[str, str], tmp_path: Path) -> None:
    section = f"{JOBS} jobs of one 1-second 1080p clip, H.264 quarter"
    command = encode_command(PROFILE, clips.second, tmp_path / "command")
    output = tmp_path / "out"

    def worker() -> Sample:
        emptied(output)
        specs = {f"{n:04}": spec_of(PROFILE, output, clips.second, template=f"clip_{n:04}") for n in range(JOBS)}
        sample = drain(tmp_path / "ws", specs)
        assert len(list(output.iterdir())) == JOBS
        return sample

    script = tmp_path / "loop.sh"
    script.write_text(
        "set -e\n" + "".join(loop_of(command, tools, clips.second, tmp_path / "loop" / f"clip_{n:04}.mp4") for n in range(JOBS))
    )

    def loop() -> Sample:
        emptied(tmp_path / "loop")
        return timed(["bash", str(script)])

    ours, theirs = in_turns(worker, loop, warm_up=False)  # so many jobs a turn warm each other
    report.row(section, "worker / bare loop, wall", ratios(ours, theirs, wall).show(3), "<= 1.10")
    per_job = [1000 * own_cpu(sample) / JOBS for sample in ours]
    report.row(section, "the worker's own CPU per job, start-up included", Spread.of(per_job).show(1, " ms"), "<= 15 ms")
    report.row(section, "wall per job", Spread.of([1000 * sample.wall / JOBS for sample in ours]).show(0, " ms"))


def test_rivals(report: Report, clips: Clips, tools: tuple[str, str], tmp_path: Path) -> None:
    """GNU parallel and task-spooler with the very same commands, where they are installed, beside the bare loop."""
    section = f"{RIVALS_JOBS} of the same commands, without the worker"
    command = encode_command(PROFILE, clips.second, tmp_path / "command")
    lines = tmp_path / "lines"
    lines.write_text(
        "".join(
            loop_of(command, tools, clips.second, tmp_path / "loop" / f"clip_{n:04}.mp4").replace("\n", "; ").rstrip("; ") + "\n"
            for n in range(RIVALS_JOBS)
        )
    )
    each = "".join(f"tsp -n bash -c {shlex.quote(line)} >/dev/null\n" for line in lines.read_text().splitlines())
    queue = tmp_path / "tsp.sh"
    queue.write_text(f"{each}tsp -w\n")
    environment = {**os.environ, "TS_SOCKET": str(tmp_path / "tsp.socket"), "TS_MAXFINISHED": "1000"}

    def ran(*argv: str) -> Sample:
        emptied(tmp_path / "loop")
        return timed(argv, env=environment)

    rivals = {"parallel": ("GNU parallel -j1", "--will-cite", "-j1", "-a", str(lines)), "tsp": ("task-spooler",)}
    for program, (name, *arguments) in rivals.items():
        if not shutil.which(program):
            report.note(section, f"{name} is not installed here, so not measured.")
            continue
        argv = [program, *arguments] if arguments else ["bash", str(queue)]
        theirs, loop = in_turns(partial(ran, *argv), partial(ran, "bash", str(lines)), runs=RIVALS_RUNS, warm_up=False)
        report.row(section, f"{name} / bare loop, wall", ratios(theirs, loop, wall).show(3))
    if shutil.which("tsp"):
        subprocess.run(["tsp", "-K"], env=environment, check=False)


def test_one_long_clip(report: Report, clips: Clips, tools: tuple[str, str], tmp_path: Path) -> None:
    section = "One 60-second 1080p clip to ProRes Proxy"
    command = encode_command("proxy_prores_proxy", clips.second, tmp_path / "command")
    command = [word.replace(str(clips.second), str(clips.minute)) for word in command]
    output = tmp_path / "out"

    def worker() -> Sample:
        emptied(output)
        return drain(tmp_path / "ws", {"minute": spec_of("proxy_prores_proxy", output, clips.minute)})

    def loop() -> Sample:
        target = emptied(tmp_path / "loop") / "minute.mov"
        return timed(["bash", "-ec", loop_of(command, tools, clips.minute, target)])

    def bare() -> Sample:
        return timed(["bash", "-ec", f"{shlex.join(into(command, emptied(tmp_path / 'loop') / 'minute.mov'))} >/dev/null 2>&1"])

    ours, theirs, alone = in_turns(worker, loop, bare, warm_up=False)
    report.row(section, "worker / bare loop, wall", ratios(ours, theirs, wall).show(3), "<= 1.02")
    report.row(section, "worker / FFmpeg alone, wall", ratios(ours, alone, wall).show(3), "<= 1.25")


def test_a_job_of_many_tasks(report: Report, tmp_path: Path) -> None:
    section = "One job of many tasks"
    tasks = int(os.environ.get("PROXX_BENCH_TASKS", "5000"))
    tiny = tmp_path / "tiny.mov"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=0.2", "-c:v", "mjpeg", str(tiny)],
        check=True,
    )
    output = emptied(tmp_path / "out")
    sources = []
    for number in range(tasks):
        link = tmp_path / f"s{number:05}.mov"
        os.link(tiny, link)
        sources.append(link)
    spec = spec_of("proxy_h264_low", output, *sources)
    sample = drain(tmp_path / "ws", {"many": spec})
    result = json.loads((tmp_path / "ws" / "done" / "many.result.json").read_bytes())
    assert len(result["tasks"]) == tasks
    report.row(section, f"{tasks} tasks: wall per task", f"{1000 * sample.wall / tasks:.0f} ms")
    report.row(section, f"{tasks} tasks: the worker's own CPU per task", f"{1000 * own_cpu(sample) / tasks:.1f} ms")
