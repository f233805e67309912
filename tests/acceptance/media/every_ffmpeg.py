"""All shared clips as eight kinds of proxies with one FFmpeg after another, and what differs between them."""

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.acceptance.command import Command
from tests.acceptance.media.patient import wait_for
from tests.acceptance.media.table import CLIPS
from tests.acceptance.results import Result, read_result
from tests.acceptance.specs import FFMPEG_PROFILES, Workspace, explicit, jobspec

SETTINGS: Mapping[str, Mapping[str, object]] = {
    **{profile: {"proxy_profile": profile} for profile in FFMPEG_PROFILES},
    "h265/mp4": explicit("h265", "mp4"),
    "prores_4444/mov": explicit("prores_4444", "mov"),
    "vp9/webm": explicit("vp9", "webm", "half"),
}
"""The five FFmpeg profiles, and three in explicit form; WebM is the one container with Opus."""

REASONS: Mapping[str, str] = {
    "sample_vvc.mp4": "VVC (H.266): FFmpeg 5.1 has no decoder for it",
}
"""Why a clip's outcome differs between versions."""

UNKNOWN: Mapping[tuple[str, str], str] = {
    ("h264", "content_light"): "ffprobe tells HDR metadata in H.264 from 7 on only",
    ("h264", "mastering_display"): "ffprobe tells HDR metadata in H.264 from 7 on only",
}
"""By codec and check: why a check can be made on some versions and not on others."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One FFmpeg with its ffprobe. `version`: the first two numbers, for the page alone: the worker never asks."""

    version: str
    ffmpeg: Path
    ffprobe: Path


def pairs(folder: Path) -> list[Pair]:
    """PATH's pair, and those in `folder` (NAME/bin/{ffmpeg,ffprobe}), in the order of their versions; of two alike, one."""
    found: dict[str, Pair] = {}
    here = [Path(path) for tool in ("ffmpeg", "ffprobe") if (path := shutil.which(tool)) is not None]
    for ffmpeg, ffprobe in (tuple(here), *((bin_ / "ffmpeg", bin_ / "ffprobe") for bin_ in sorted(folder.glob("*/bin")))):
        said = subprocess.run([ffmpeg, "-version"], check=True, capture_output=True, text=True).stdout
        version = re.match(r"ffmpeg version n?(\d+\.\d+)", said)
        assert version is not None, said[:100]
        found.setdefault(version[1], Pair(version[1], ffmpeg, ffprobe))
    return sorted(found.values(), key=lambda pair: tuple(map(int, pair.version.split("."))))


@dataclass(frozen=True, slots=True)
class Cell:
    """One clip by one of the settings with one FFmpeg."""

    result: Result

    @property
    def code(self) -> str:
        """`COMPLETED`, or the error's code."""
        return "COMPLETED" if self.result["error"] is None else str(self.result["error"]["code"])

    @property
    def codec(self) -> str:
        """In the words of a JobSpec."""
        return str(self.result["settings"]["codec"])

    def checks(self, ok: bool | None) -> set[str]:
        """The names of the checks that came out so."""
        return {check["name"] for task in self.result["tasks"] for check in task["checks"] if check["ok"] is ok}


class EveryFfmpeg:
    """Makes a clip's row with one pair when it is first asked for, and keeps it."""

    def __init__(self, proxx: Command, media: Path, folder: Path, found: Sequence[Pair]) -> None:
        """`folder` is for workspaces and proxies."""
        self._proxx = proxx
        self._media = media
        self._folder = folder
        self.pairs = found
        self.row = cache(self._make)

    def make_all(self) -> None:
        """Make all rows, as many at a time as there are CPUs."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for _ in pool.map(self.row, *zip(*((name, pair) for name in CLIPS for pair in self.pairs), strict=True)):
                pass

    def _make(self, name: str, pair: Pair) -> dict[str, Cell]:
        folder = self._folder / pair.version / name.replace("/", "_")
        workspace = Workspace(folder / "workspace")
        for position, fields in enumerate(SETTINGS.values()):
            directory = folder / str(position)
            directory.mkdir()
            raw = {"resolve_preset": "ProRes 422 Proxy"} if _is_raw(name) and "codec" in fields else {}
            workspace.drop(str(position), jobspec(self._media / name, directory, **fields, **raw))
        wait_for(
            self._proxx, "watch", workspace.root, "--once", "--ffmpeg", pair.ffmpeg, "--ffprobe", pair.ffprobe,
        )  # fmt: skip
        cells = {}
        for position, settings in enumerate(SETTINGS):
            done = (workspace.done / f"{position}.json").exists()
            cells[settings] = Cell(read_result(workspace.done if done else workspace.failed, str(position)))
        shutil.rmtree(folder)
        return cells


def _is_raw(name: str) -> bool:
    return any(refused.code == "ENGINE_MISMATCH" for refused in CLIPS[name].refused.values())


INTRODUCTION = """# Every FFmpeg, and what it makes of real clips

Written by `PROXX_WRITE_PAGES=1 make heavy PYTEST_ARGS=tests/acceptance/media/test_every_ffmpeg.py`; do not edit. `make heavy`
fails if this page does not match the results, if a version's outcome for a clip differs from the others without a reason that is
written down, or if a proxy fails its checks.

One command serves all versions ([decision 0016](decisions/0016-one-command-for-every-ffmpeg.md)); the worker does not ask for
the version. The bytes of outputs differ from version to version, so pin one.
"""


def render(table: EveryFfmpeg) -> str:
    """The page."""
    versions = [pair.version for pair in table.pairs]
    lines = [INTRODUCTION, "| settings | " + " | ".join(versions) + " |", "|---" * (len(versions) + 1) + "|"]
    for settings in SETTINGS:
        counts = [Counter(table.row(name, pair)[settings].code for name in CLIPS)["COMPLETED"] for pair in table.pairs]
        lines.append(f"| `{settings}` | " + " | ".join(f"{count} completed" for count in counts) + " |")
    everything = [Counter(cell.code for name in CLIPS for cell in table.row(name, pair).values()) for pair in table.pairs]
    lines += [
        f"| `{code}` in all | " + " | ".join(str(count[code]) for count in everything) + " |"
        for code in sorted(set().union(*everything))
    ]
    lines += ["", f"{len(CLIPS)} clips with {len(SETTINGS)} settings each.", "", "## What differs", ""]
    lines += ["| clip | settings | " + " | ".join(versions) + " | reason |", "|---" * (len(versions) + 3) + "|"]
    for name in CLIPS:
        rows = [table.row(name, pair) for pair in table.pairs]
        differing = [settings for settings in SETTINGS if len({row[settings].code for row in rows}) > 1]
        if differing:
            codes = " | ".join(", ".join(sorted({row[settings].code for settings in differing})) for row in rows)
            lines.append(f"| `{name}` | {', '.join(differing)} | {codes} | {REASONS[name]} |")
    return "\n".join(lines) + "\n"
