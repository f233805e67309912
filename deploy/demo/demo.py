"""From a generated clip to finished proxies through a real workspace: what `make demo` runs.

    python deploy/demo/demo.py FOLDER

FOLDER is recreated: clips, a workspace, JobSpecs, proxies. Everything is done with the installed command, as an operator would.
Ends with 0 only if every job is COMPLETED, which a job is only where no check of its outputs failed.
"""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

WORKER = Path(sys.executable).with_name("proxx-worker")
PROFILES = ("proxy_h264_low", "proxy_prores_proxy")
# Marks a folder as ours, so that nothing else is ever removed.
MARKER = ".proxx-demo"
# Name, rate, start timecode (";" is drop-frame), seconds.
CLIPS = (
    ("A001C001", "25", "10:00:00:00", 5),
    ("B001C001", "30000/1001", "01:00:00;00", 4),
)

console = Console(highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """A headline."""
    console.print(f"\n[bold]{text}[/bold]")


def run(*command: str | Path, codes: tuple[int, ...] = (0,)) -> str:
    """Show a command, run it, and return its stdout. An exit code that is not among `codes` ends the demo."""
    argv = [str(part) for part in command]
    shown = [argv[0] if "/" not in argv[0] else Path(argv[0]).name, *argv[1:]]
    console.print(f"$ {shlex.join(shown)}", style="dim", markup=False)
    done = subprocess.run(argv, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode not in codes:
        sys.exit(f"The demo stopped: {shown[0]} ended with {done.returncode}.")
    return done.stdout


def make_folder(folder: Path) -> None:
    """An empty FOLDER; what an earlier demo left there is removed, anything else is refused."""
    if folder.exists() and not (folder / MARKER).is_file() and any(folder.iterdir()):
        sys.exit(f"{folder} contains something that is not from this demo: remove it, or choose another folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARKER).touch()


def make_clip(path: Path, rate: str, timecode: str, seconds: int) -> None:
    """A clip as a camera would make it: 1080p in Rec. 709, stereo, a start timecode, a reel name."""
    run(
        "ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error",
        "-f", "lavfi", "-i", f"testsrc2=size=1920x1080:rate={rate}:duration={seconds},format=rgb24,"
        "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p",
        "-f", "lavfi", "-i", f"sine=frequency=1000:sample_rate=48000:duration={seconds},aformat=channel_layouts=stereo",
        "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "pcm_s16le",
        "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv",
        "-timecode", timecode, "-metadata:s:v:0", f"reel_name={path.stem}", path,
    )  # fmt: skip


def checks_of(task: dict[str, Any]) -> str:
    """How the checks of one output ended. One without a verdict had nothing to be compared with (a clip without a reel, say)."""
    verdicts = [check["ok"] for check in task["checks"]]
    counts = ((True, "ok"), (False, "FAILED"), (None, "n/a"))
    return ", ".join(f"{verdicts.count(verdict)} {word}" for verdict, word in counts if verdict in verdicts)


def result_rows(table: Table, result: dict[str, Any]) -> bool:
    """Add one row per task; True where the job is COMPLETED."""
    for task in result["tasks"]:
        source = Path(task["source"])
        if task["output"] is None:
            reason = (task["error"] or result["error"] or {"code": ""})["code"]
            table.add_row(source.name, checks_of(task), f"{task['status']} {reason}", "", "")
            continue
        media = next(seconds for name, _, _, seconds in CLIPS if name == source.stem)
        table.add_row(
            source.name,
            checks_of(task),
            "/".join(Path(task["output"]).parts[-2:]),
            f"{task['output_size_bytes'] / 1e6:.2f} MB",
            f"{media / task['duration_seconds']:.1f}x",
        )
    return bool(result["status"] == "COMPLETED")


def main(folder: Path) -> int:
    """Make clips, submit a JobSpec for each profile, drain the workspace, show what came out."""
    make_folder(folder)
    clips, specs, workspace, proxies = (folder / name for name in ("clips", "specs", "workspace", "proxies"))
    for path in (clips, specs, workspace, proxies):
        path.mkdir()

    say("1. Two clips: video, audio, timecode")
    sources = [clips / f"{name}.mov" for name, *_ in CLIPS]
    for source, (_, rate, timecode, seconds) in zip(sources, CLIPS, strict=True):
        make_clip(source, rate, timecode, seconds)

    say("2. A JobSpec for each profile, dropped into the workspace's inbox")
    for profile in PROFILES:
        output_directory = proxies / profile
        output_directory.mkdir()
        spec = specs / f"{profile}.json"
        spec.write_text(run(WORKER, "spec", "--profile", profile, "--output-directory", output_directory, *sources))
        run(WORKER, "submit", workspace, spec)

    say("3. The worker drains the inbox")
    run(WORKER, "watch", "--once", workspace, codes=(0, 1, 2, 4))  # a failed job is shown below, with its reason

    say("4. What came out")
    table = Table(
        "task",
        "checks",
        Column("output", overflow="fold"),
        "size",
        "speed",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    results = sorted(workspace.glob("*/*.result.json"))
    fine = [result_rows(table, json.loads(path.read_bytes())) for path in results]
    Console().print(table)
    console.print(f"proxies:              {proxies}", markup=False)
    for path in results:
        console.print(f"result, log and spec: {path.with_suffix('').with_suffix('')}.*", markup=False)
    return 0 if all(fine) and len(fine) == len(PROFILES) else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and its one argument
        sys.exit(f"usage: {sys.argv[0]} FOLDER")
    sys.exit(main(Path(sys.argv[1]).resolve()))
