"""300 arrivals, a real feeder and a real worker that are killed again and again: each clip has one proxy per profile."""

import json
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest

from tests.acceptance.clips import ffmpeg
from tests.acceptance.command import Command, Started, wait_until
from tests.acceptance.results import names, read_result, stems
from tests.acceptance.specs import Workspace

ARRIVALS = 300
PROFILES = {"proxy_h264_quarter": "mp4", "proxy_prores_proxy": "mov"}
TICK_SECONDS = 0.1
SETTLE_SECONDS = 4.0
KILLS_EVERY_TICKS = 30
SLOW_SHARE = 0.05
SLOW_PIECES = 80
"""A tick each: twice as long as a clip has to settle."""
LEAST_KILLS = 4
"""Of each of the two."""
LEAST_SLOW = 10
LEAST_RENAMED_IN_SIGHT = 50


class Copy:
    """A slow copy, piece by piece: under the clip's own name, another clip's name, a hidden one, or one of unfinished copies."""

    def __init__(self, source: bytes, target: Path, chance: random.Random) -> None:
        self.target = target
        others = (f"camera-{target.name}", f".{target.name}.x7Fq", f"{target.name}.part")
        self.first = chance.choice([target, *map(target.with_name, others)])
        self.is_slow = chance.random() < SLOW_SHARE
        pieces = SLOW_PIECES if self.is_slow else chance.randrange(1, 12)
        self._writes = self._written(source, pieces)

    @property
    def is_renamed_in_sight(self) -> bool:
        """Whether it grows under a name that a feeder takes for a clip's, and that it does not keep."""
        return self.first.name.startswith("camera-")

    def goes_on(self) -> bool:
        """Write the next piece; False once it is whole and has its name."""
        return next(self._writes, "whole") is None

    def _written(self, source: bytes, pieces: int) -> Iterator[None]:
        with self.first.open("wb") as file:
            for piece in range(pieces):
                file.write(source[len(source) * piece // pieces : len(source) * (piece + 1) // pieces])
                file.flush()
                yield
        if self.first != self.target:
            self.first.rename(self.target)


def taken(workspace: Workspace, copies: Iterable[Copy]) -> list[str]:
    """The specs, wherever they are, of clips that are still being copied. A spec is named after its clip's file."""
    growing = {path.name for copy in copies for path in (copy.first, copy.target)}
    folders = (workspace.inbox, workspace.running, workspace.done, workspace.failed)
    return [stem for folder in folders for stem in stems(folder) if stem.split("+")[2] in growing]


class Restarted:
    """A command that is killed and started again."""

    def __init__(self, proxx: Command, stack: ExitStack, *arguments: str | Path) -> None:
        self._proxx, self._stack, self._arguments = proxx, stack, arguments
        self.running = self._start()
        self.kills = 0

    def _start(self) -> Started:
        return self._stack.enter_context(self._proxx.start(*self._arguments))

    def kill(self) -> None:
        """SIGKILL, then another process. A worker that had ended by itself would be a fault."""
        assert self.running.process.poll() is None, self.running.stderr
        self.running.signal(SIGKILL)
        self.running.process.wait()
        self.kills += 1
        self.running = self._start()


@pytest.mark.heavy
def test_300_arrivals_with_kills_of_feeder_and_worker(proxx: Command, tmp_path: Path, workspace: Workspace) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x36:rate=25:duration=0.2", "-c:v", "libx264", tmp_path / "tiny.mp4")
    tiny, chance = (tmp_path / "tiny.mp4").read_bytes(), random.Random(14)  # noqa: S311 - a schedule that can be replayed
    (tmp_path / "in").mkdir()
    rules = tmp_path / "rules.toml"
    rules.write_text(
        f'[[rule]]\nwatch = "{tmp_path}/in"\nprofiles = {json.dumps([*PROFILES])}\noutput = "beside"\n'
        f'output_directory = "Proxy"\ncreate_directories = true\nsettle_seconds = {SETTLE_SECONDS}\n'
    )
    targets = [tmp_path / "in" / chance.choice("AB") / f"clip{number:03d}.mp4" for number in range(ARRIVALS)]
    for target in targets:
        target.parent.mkdir(exist_ok=True)
    with ExitStack() as stack:
        feeder = Restarted(proxx, stack, "feed", workspace.root, "--rules", rules)
        worker = Restarted(proxx, stack, "watch", workspace.root)
        copies = [Copy(tiny, target, chance) for target in targets]
        coming, under_way = list(copies), list[Copy]()
        ticks = 0
        while coming or under_way:
            _wait_for_the_next_tick()
            ticks += 1
            assert taken(workspace, under_way) == [], "a clip was taken while it grew"
            under_way += [coming.pop() for _ in range(chance.randrange(3)) if coming]
            under_way = [copy for copy in under_way if copy.goes_on()]
            if ticks % KILLS_EVERY_TICKS == 0:
                (feeder, worker)[ticks // KILLS_EVERY_TICKS % 2].kill()
        wanted = Counter((str(target), profile) for target in targets for profile in PROFILES)
        wait_until_finished(proxx, workspace, feeder, worker, wanted, chance)
        for running in (feeder.running, worker.running):
            running.signal(SIGTERM)
            assert running.wait().exit_code == 0
    assert min(feeder.kills, worker.kills) >= LEAST_KILLS
    assert sum(copy.is_slow for copy in copies) >= LEAST_SLOW
    assert sum(copy.is_renamed_in_sight for copy in copies) >= LEAST_RENAMED_IN_SIGHT
    done = [read_result(workspace.done, stem) for stem in stems(workspace.done)]
    assert Counter((result["tasks"][0]["source"], result["proxy_profile"]) for result in done) == wanted
    assert {read_result(workspace.failed, stem)["error"]["code"] for stem in stems(workspace.failed)} <= {"INTERRUPTED"}
    for folder in ("A", "B"):
        clips = [target.stem for target in targets if target.parent.name == folder]
        assert names(tmp_path / "in" / folder / "Proxy") == sorted(f"{clip}.{end}" for clip in clips for end in PROFILES.values())
        assert names(tmp_path / "in" / folder) == sorted(["Proxy", *(f"{clip}.mp4" for clip in clips)])
    again = proxx("feed", workspace.root, "--rules", rules, "--once")
    assert (again.exit_code, " fed " in again.stderr) == (0, False)


def wait_until_finished(
    proxx: Command,
    workspace: Workspace,
    feeder: Restarted,
    worker: Restarted,
    wanted: Counter[tuple[str, str]],
    chance: random.Random,
) -> None:
    """Until every job is done: what was interrupted is submitted again, as an operator does; a few more kills on the way."""
    resubmitted: set[str] = set()
    kills, ended = 6, 0
    while len(stems(workspace.done)) < wanted.total():
        ended = _wait_for_more_than(ended, workspace)
        for stem in set(stems(workspace.failed)) - resubmitted:
            resubmitted.add(stem)
            assert proxx("submit", workspace.root, workspace.failed / f"{stem}.json").exit_code == 0
        if kills and chance.random() < 0.05:
            kills -= 1
            chance.choice([feeder, worker]).kill()


def _wait_for_more_than(ended: int, workspace: Workspace) -> int:
    """Until more jobs have ended; how many have."""

    def look() -> int | None:
        now = len(stems(workspace.done)) + len(stems(workspace.failed))
        return now if now > ended else None

    return wait_until(look, "a further job's end")


def _wait_for_the_next_tick() -> None:
    due = time.monotonic() + TICK_SECONDS
    wait_until(lambda: time.monotonic() >= due, "the next tick")
