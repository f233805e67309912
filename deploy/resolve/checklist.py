#!/usr/bin/env python3
"""Ask a real DaVinci Resolve Studio what the worker relies on, and what nobody has told yet. Writes one JSON report.

    python3 checklist.py --report resolve.json --output-directory DIR --preset NAME [CLIP ...]

Needs `proxx-worker` on PATH (or `--worker`), and a Resolve that runs with no project open. Give one short clip of every kind of
camera RAW that you have. Every step runs in a process of its own with a time limit: one that hangs is an answer too. It makes
projects called "proxx-worker", 12 hex digits and a number, which it or the next job of a worker removes, and proxies in a new
folder of DIR.
"""

import argparse
import hashlib
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

STEP_SECONDS = 180
RENDER_SECONDS = 3600
LINUX = ("/opt/resolve/Developer/Scripting", "/opt/resolve/libs/Fusion/fusionscript.so")
MACOS = (
    "/Library/Application Support/Blackmagic Design/DaVinci Resolve/Developer/Scripting",
    "/Applications/DaVinci Resolve/DaVinci Resolve.app/Contents/Libraries/Fusion/fusionscript.so",
)
PROJECT = "proxx-worker 000000000000 {}"
WANTED = {
    "mov": [
        "ProRes422P",
        "ProRes422LT",
        "ProRes422",
        "ProRes422HQ",
        "ProRes4444",
        "DNxHRLB",
        "DNxHRSQ",
        "DNxHRHQ",
        "H264",
        "H265",
    ],
    "mp4": ["H264", "H265"],
    "mxf_op1a": ["DNxHRLB", "DNxHRSQ", "DNxHRHQ"],
}
BY_HAND = [
    "Does a headless start (`resolve -nogui`) need an X display on this machine? Try `resolve_executable` without DISPLAY.",
    "What does CloseProject do to a project that is rendering: refuse, wait, or end the render?",
    "Does a location of Media Storage count when the JobSpec's path reaches it through a symlink?",
    (
        "With the interface in another language: which clip properties are in it, and is `open_project` after a fresh "
        "start still `Untitled Project`? Run this once in each language that you use."
    ),
    "How long does a render go on after StopRendering on your longest frames (the next job waits up to 10 minutes)?",
    "Does the call StopRendering itself wait for that? One that waits longer than `stall_seconds` fails the next job.",
    "Do several hosts share this project database? What does DeleteProject answer here for a project that another host has open?",
    "Does Resolve write to a folder whose path holds `..`? The worker requires both spellings to be below Media Storage.",
    "Render a clip whose pixels are not square (PAR in this report): is its picture whole, stretched, or between bars?",
    "Is a Blackmagic RAW clip's sample entry ever `braw`? See `head` and `tags` of your clips in this report.",
    "Do you have .arx, .vrw or .cri files? Send their first 64 bytes: no two sources publish a signature.",
]


def call(api: object, name: str, *arguments: object) -> object:
    """Call a method; None where there is no such one. `hasattr` is always true on these objects."""
    method: object = getattr(api, name, None)
    return method(*arguments) if callable(method) else None


def resolve_of(options: argparse.Namespace) -> object:
    """The application, or an end of this step."""
    os.environ["RESOLVE_SCRIPT_API"], os.environ["RESOLVE_SCRIPT_LIB"] = options.api, options.lib
    sys.path.insert(0, f"{options.api}/Modules")
    module = importlib.import_module("DaVinciResolveScript")
    resolve = call(module, "scriptapp", "Resolve")
    if resolve is None:
        raise SystemExit("Resolve cannot be reached: start it, and set External scripting to Local")
    return resolve


def set_up(options: argparse.Namespace) -> object:
    """What runs here, and in what state."""
    resolve = resolve_of(options)
    manager = call(resolve, "GetProjectManager")
    project = call(manager, "GetCurrentProject")
    return {
        "product": call(resolve, "GetProductName"),
        "version": call(resolve, "GetVersionString"),
        "python": sys.version,
        "database": call(manager, "GetCurrentDatabase"),
        "page": call(resolve, "GetCurrentPage"),
        "open_project": call(project, "GetName"),
        "renders": call(project, "IsRenderingInProgress"),
        "media_storage": call(call(resolve, "GetMediaStorage"), "GetMountedVolumeList"),
    }


def in_project(options: argparse.Namespace, number: int, work: Callable[[object], object]) -> object:
    """What `work` finds in a project of ours, which is removed again."""
    manager = call(resolve_of(options), "GetProjectManager")
    name = PROJECT.format(number)
    project = call(manager, "CreateProject", name)
    if project is None:
        raise SystemExit(f"no project {name!r} can be created: close what is open, and remove an old one with that name")
    try:
        return work(project)
    finally:
        call(manager, "CloseProject", project)
        call(manager, "DeleteProject", name)


def settings(options: argparse.Namespace) -> object:
    """Presets, formats and codecs, and which that the worker asks for are missing; the defaults of new projects."""

    def look(project: object) -> object:
        formats = call(project, "GetRenderFormats")
        codecs = {name: call(project, "GetRenderCodecs", name) for name in WANTED}
        offered = {name: set(map(str, found.values())) if isinstance(found, dict) else set() for name, found in codecs.items()}
        return {
            "presets": call(project, "GetRenderPresetList"),
            "formats": formats,
            "codecs": codecs,
            "missing": {name: [codec for codec in wanted if codec not in offered[name]] for name, wanted in WANTED.items()},
            "project_defaults": call(project, "GetSetting", ""),
            "rate_read_back": [
                call(project, "SetSetting", "timelineFrameRate", "23.976"),
                call(project, "GetSetting", "timelineFrameRate"),
            ],
        }

    return in_project(options, 1, look)


def clips(options: argparse.Namespace) -> object:
    """What Resolve tells of each clip, and how its bytes begin."""

    def look(project: object) -> object:
        pool = call(project, "GetMediaPool")
        return {path: _clip(pool, path) for path in options.clips}

    return in_project(options, 2, look)


def _clip(pool: object, path: str) -> object:
    items = call(pool, "ImportMedia", [path])
    found = list(items) if isinstance(items, list) else []
    with open(path, "rb") as file:  # noqa: PTH123 - as the paths of the worker's own child
        head = file.read(64)
    return {
        "items": len(found),
        "items_of_a_second_import": _count(call(pool, "ImportMedia", [path])),
        "properties": call(found[0], "GetClipProperty", "") if found else None,
        "audio_mapping": call(found[0], "GetAudioMapping") if found else None,
        "head": head.hex(" "),
        "bytes": os.stat(path).st_size,  # noqa: PTH116 - the same
    }


def _count(answer: object) -> object:
    """How many items came, or what came instead."""
    return len(answer) if isinstance(answer, list) else answer


STEPS: dict[str, Callable[[argparse.Namespace], object]] = {"set_up": set_up, "settings": settings, "clips": clips}


def render(options: argparse.Namespace, folder: Path, clip: str, container: str, number: int) -> object:
    """One job by the worker itself: its result has the checks, its log what the library said."""
    codec = "h264" if container == "mp4" else "prores_proxy" if container == "mov" else "dnxhr"
    spec = {
        "jobspec_version": "2.1",
        "sources": [str(Path(clip).absolute())],
        "output_directory": str(folder),
        "codec": codec,
        "container": container,
        "resolution": "same",
        "naming_template": f"{number}_{{source_name}}",
        "resolve_preset": options.preset,
    }
    path = folder / f"{number}.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    command = [options.worker, "run", str(path), "--resolve-script-api", options.api, "--resolve-script-lib", options.lib]
    began = time.monotonic()
    try:
        ended = subprocess.run(command, capture_output=True, timeout=RENDER_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"spec": spec, "fault": repr(error)}
    result: object = None
    with suppress(ValueError):
        result = json.loads(ended.stdout)
    log = ended.stderr.decode(errors="replace").splitlines()[-200:]
    return {"spec": spec, "exit_code": ended.returncode, "seconds": time.monotonic() - began, "result": result, "log": log}


def ask(step: str) -> object:
    """A step in a process of its own: what it found, or how it ended."""
    command = [sys.executable, "-I", str(Path(__file__).absolute()), "--step", step, *sys.argv[1:]]
    try:
        ended = subprocess.run(command, capture_output=True, timeout=STEP_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return {"fault": f"it hung for {STEP_SECONDS} s and was killed"}
    last = ended.stdout.rpartition(b"\0")[2]
    if ended.returncode == 0 and last:
        found: object = json.loads(last)
        return found
    how = signal.Signals(-ended.returncode).name if ended.returncode < 0 else str(ended.returncode)
    return {"fault": f"it ended with {how}", "said": ended.stderr.decode(errors="replace")[-2000:]}


def report(options: argparse.Namespace) -> dict[str, object]:
    """The whole report."""
    folder = Path(options.output_directory) / f"resolve-checklist-{hashlib.sha256(str(time.time_ns()).encode()).hexdigest()[:8]}"
    folder.mkdir()
    found: dict[str, object] = {
        "report_version": "1.0",
        "places": {path: Path(path).exists() for path in (options.api, options.lib)},
        "system": list(os.uname()),
        **{step: ask(step) for step in STEPS},
    }
    jobs = [(clip, container) for clip in options.clips for container in ("mov", "mov", "mxf", "mp4")]
    found["renders"] = [render(options, folder, clip, container, number) for number, (clip, container) in enumerate(jobs)]
    found["same_bytes_twice"] = _same_bytes(found["renders"])
    found["by_hand"] = [{"question": question, "answer": None} for question in BY_HAND]
    return found


def _same_bytes(renders: object) -> list[bool]:
    """For each clip, whether its first two renders, which were asked for alike, have the same bytes."""
    hashes = [_hash_of(it) for it in renders] if isinstance(renders, list) else []
    return [first is not None and first == second for first, second in zip(hashes[0::4], hashes[1::4], strict=False)]


def _hash_of(entry: object) -> object:
    result = entry.get("result") if isinstance(entry, dict) else None
    return result["tasks"][0]["output_sha256"] if isinstance(result, dict) else None


def main() -> int:
    """Run one step, or all of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    api, lib = MACOS if sys.platform == "darwin" else LINUX
    parser.add_argument("--report", required=True, help="the report's file; it must not exist")
    parser.add_argument("--output-directory", required=True, help="a folder below Media Storage")
    parser.add_argument("--preset", required=True, help="a render preset's name")
    parser.add_argument("--api", default=api, help="Developer/Scripting (default: %(default)s)")
    parser.add_argument("--lib", default=lib, help="the fusionscript library (default: %(default)s)")
    parser.add_argument("--worker", default="proxx-worker", help="the worker's command (default: %(default)s)")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("clips", metavar="CLIP", nargs="*", help="one short clip of every kind of camera RAW")
    options = parser.parse_args()
    options.clips = [str(Path(clip).absolute()) for clip in options.clips]
    if options.step is not None:
        # fusionscript writes to standard output as it likes: the finding is what follows the last NUL.
        sys.stdout.buffer.write(b"\0" + json.dumps(STEPS[options.step](options), default=str).encode())
        sys.stdout.buffer.flush()
        os._exit(0)  # at the interpreter's end the library may crash after all went well
    missing = [path for path in (options.output_directory, *options.clips) if not Path(path).exists()]
    if missing:
        parser.error(f"{missing[0]} does not exist")
    # First, so that hours of renders do not end in a place where nothing can be written.
    with open(options.report, "x", encoding="utf-8") as file:  # noqa: PTH123 - a path as given
        try:
            json.dump(report(options), file, indent=2)
        except BaseException:
            Path(options.report).unlink()
            raise
    print(f"written: {options.report}. Answer the questions under by_hand, and keep the file with your pinned versions.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
