"""The whole worker over thousands of clips whose structure is broken: each costs its own job and nothing else.

The clips are made by `broken_clips`, a seed each. One may happen to be sound: a proxy is right only of one that FFmpeg itself
decodes to its end, giving up at the first fault.

Debian has no FFmpeg that is built with a sanitizer. So a part of the clips is read once more by FFmpeg inside valgrind, which
ends it at its first access outside what it has allocated, as a sanitizer would: there, too, the job fails and nothing else does.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.acceptance.command import Command
from tests.acceptance.results import Result, names, read_result, stems
from tests.acceptance.specs import Workspace, jobspec
from tests.faults.broken_clips import SOURCES, broken, make_sources
from tests.support.slices import Slice

CLIPS = 5000
PER_WORKER = 25
MEMORY = 1 << 30
CONFINED = ("--stall-seconds", "20", "--encoder-memory-bytes", str(MEMORY))
CHECKED_CLIPS = 80
PER_CHECKED_WORKER = 10
"""A clip takes 7 seconds in valgrind, more beside other work, and a command of the tests 300 at most."""
CHECKER = "valgrind --quiet --vgdb=no --undef-value-errors=no --exit-on-first-error=yes --error-exitcode=99"
EXPECTED = {
    "SOURCE_UNSUPPORTED", "SOURCE_NO_VIDEO", "SOURCE_DAMAGED", "SOURCE_UNREADABLE", "ENCODE_FAILED", "ENCODE_STALLED",
    "ENCODE_OUT_OF_MEMORY", "OUTPUT_INVALID", "ENGINE_MISMATCH",
}  # fmt: skip


@pytest.fixture
def proxx(tmp_path: Path) -> Command:
    logs = tmp_path / "streams"
    logs.mkdir()
    return Command({"PATH": os.environ["PATH"]}, logs)


@pytest.mark.heavy
def test_thousands_of_broken_clips(proxx: Command, tmp_path: Path, part: Slice, capsys: pytest.CaptureFixture[str]) -> None:
    whole_clips = tmp_path / "whole"
    whole_clips.mkdir()
    wholes = make_sources(whole_clips)
    seeds = part.of(range(CLIPS))
    told: Counter[str] = Counter()
    most = 0
    for start in range(0, len(seeds), PER_WORKER):
        folder = tmp_path / f"from-{start}"
        codes, peak = work(proxx, folder, wholes, seeds[start : start + PER_WORKER], CONFINED)
        told += codes
        most = max(most, peak)
    with capsys.disabled():
        sys.stdout.write(f"\n{sum(told.values())} broken clips: {dict(told.most_common())}; the most memory {most >> 20} MiB\n")
    assert sum(told.values()) == len(seeds)


@pytest.mark.heavy
def test_broken_clips_where_a_wrong_access_ends_the_decoder(
    proxx: Command, tmp_path: Path, part: Slice, capsys: pytest.CaptureFixture[str]
) -> None:
    tools = [checked(tmp_path / name, str(shutil.which(name))) for name in ("ffmpeg", "ffprobe")]
    require_that_the_checker_works(tmp_path)
    # valgrind translates code while it runs, which the sandbox does not let a decoder do.
    unconfined = ("--sandbox", "off", "--ffmpeg", str(tools[0]), "--ffprobe", str(tools[1]), "--stall-seconds", "120")
    wholes = make_sources(tmp_path)
    seeds = part.of(range(CLIPS, CLIPS + CHECKED_CLIPS))
    told: Counter[str] = Counter()
    for start in range(0, len(seeds), PER_CHECKED_WORKER):
        codes, _ = work(proxx, tmp_path / f"from-{start}", wholes, seeds[start : start + PER_CHECKED_WORKER], unconfined)
        told += codes
    ended = [found for tool in tools for found in accesses(tool)]
    with capsys.disabled():
        sys.stdout.write(
            f"\n{sum(told.values())} broken clips under valgrind: {dict(told.most_common())}; ended by it: {ended}\n"
        )
    assert sum(told.values()) == len(seeds)


def checked(script: Path, program: str) -> Path:
    """A script that runs the program inside valgrind, which writes what it finds into a file per process beside the script."""
    script.write_text(f'#!/bin/sh\nexec {CHECKER} --log-file={script}.%p.found {program} "$@"\n')
    script.chmod(0o755)
    return script


def accesses(script: Path) -> list[str]:
    """The accesses for which valgrind ended a process: the kind and where, one line each."""
    found = [path.read_text() for path in script.parent.glob(f"{script.name}.*.found")]
    return [re.sub(r"(?m)^==\d+== *", "", text).replace("\n", " ")[:200] for text in found if text]


def require_that_the_checker_works(folder: Path) -> None:
    """A program that reads past what it allocated is ended by it, and one that does not is not."""
    for size, expected in ((7, 1), (8, 0)):
        source, program = folder / f"{size}.c", folder / f"reads-{size}"
        source.write_text(
            f"#include <stdlib.h>\nint main(void) {{ volatile char *p = malloc({size}); char read = p[7]; return read * 0; }}\n"
        )
        subprocess.run(["cc", "-O0", "-o", program, source], check=True)
        script = checked(folder / f"checked-{size}", str(program))
        assert subprocess.run([script], check=False).returncode == expected * 99
        assert len(accesses(script)) == expected


def work(
    proxx: Command, folder: Path, wholes: dict[str, bytes], seeds: Sequence[int], options: Sequence[str]
) -> tuple[Counter[str], int]:
    """One worker over the clips of these seeds; what became of each, and the most memory that a child held."""
    workspace, proxies = Workspace(folder / "workspace"), folder / "proxies"
    proxies.mkdir(parents=True)
    kinds = [*SOURCES]
    clips = {}
    for seed in seeds:
        kind = kinds[seed % len(kinds)]
        clip = folder / f"{seed:05}-{kind}"
        clip.write_bytes(broken(kind, wholes[kind], seed))
        clips[f"{seed:05}"] = clip
        workspace.drop(f"{seed:05}", jobspec(clip, proxies, naming_template=f"{seed:05}"))
    ended = proxx("watch", "--once", workspace, *options)
    assert ended.exit_code in {0, 1, 2}, ended.stderr[-4000:]
    assert sorted(stems(workspace.done) + stems(workspace.failed)) == sorted(clips), "the worker came through, and with all"
    assert (names(workspace.inbox), names(workspace.running)) == ([], [])
    told: Counter[str] = Counter()
    peak = 0
    for name, clip in clips.items():
        place = workspace.done if (workspace.done / f"{name}.json").exists() else workspace.failed
        result = read_result(place, name)
        peak = max(peak, *(task["peak_memory_bytes"] or 0 for task in result["tasks"]), 0)
        if result["error"] is None:
            judge = complaints_but_of_the_last if leaves_out_the_last(result) else complaints
            said = judge(clip, left_out(result))
            assert said == "", f"{clip.name} has a proxy"
        else:
            assert result["error"]["code"] in EXPECTED, (clip.name, result["error"])
        told[result["error"]["code"] if result["error"] else "COMPLETED"] += 1
        clip.unlink()
    assert len(names(proxies)) == told["COMPLETED"], "no failed job left anything"
    assert peak < 2 * MEMORY
    return told, peak


def leaves_out_the_last(result: Result) -> bool:
    """Whether the proxy is without the last frame of a transport stream, which is not known to be whole (decision 0024)."""
    return any(check["name"] == "frames_left_out_at_end" for check in result["tasks"][0]["checks"])


def left_out(result: Result) -> int:
    """How many packets of audio or data, cut by the end of a transport stream, its proxy is without (decision 0024)."""
    notes = "\n".join(result["tasks"][0]["source_media"]["notes"])
    found = re.search(r"ends within the last packets of audio or data \((\d+)\)", notes)
    return int(found[1]) if found else 0


def complaints_but_of_the_last(clip: Path, packets: int) -> str:
    """What FFmpeg says of the clip without its last frame: it is cut where that one begins. `packets`: see `left_out`."""
    command = ["ffprobe", "-v", "error", "-select_streams", "V:0", "-show_entries", "packet=pos", "-of", "csv=p=0", str(clip)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    last = int(re.findall(r"^\d+", told, re.MULTILINE)[-1])
    before = clip.with_name(f"before-the-last-of-{clip.name}")
    before.write_bytes(clip.read_bytes()[:last])
    picture = given_up(str(before), "-map", "0:V:0")
    before.unlink()
    audio = ("-f", "lavfi", "-i", "anullsrc=d=0.1", "-map", "0:a?", "-map", "1:a")
    return picture + given_up(str(clip), *audio, corrupt=packets)


def complaints(clip: Path, packets: int) -> str:
    """What FFmpeg says of the clip where it gives up decoding its picture and sound; nothing where it comes to their end."""
    return given_up(str(clip), "-map", "0:V:0", "-map", "0:a?", corrupt=packets)


def given_up(*arguments: str, corrupt: int = 0) -> str:
    """What FFmpeg says of a clip where it gives up decoding it. `arguments`: the clip, then what to map.

    `corrupt`: how many packets may be incomplete. FFmpeg leaves them out, as it does for the worker, and goes on to the end.
    """
    leniently = ("-fflags", "+discardcorrupt") if corrupt else ()
    command = ["ffmpeg", "-nostdin", "-v", "warning", *leniently, "-xerror", "-i", *arguments, "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    # Each is told when the clip is probed and when it is read.
    met = set(re.findall(r"Packet corrupt \(stream = \d+, dts = \S+?\)", done.stderr))
    return done.stderr if done.returncode or (corrupt and len(met) > corrupt) else ""
