"""Clips that come as clips come (slowly, renamed, under other names first), a feeder that dies anywhere, a worker that does.

The real feeder at real folders. The schedule, the copies, the worker and the clock are the test's: a seed replays a failure.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxx_worker.contract.errors import JsonValue
from proxx_worker.feeding.feeder import Feeder
from proxx_worker.feeding.rules import read_rules
from proxx_worker.files import durable, rename
from proxx_worker.workspace.layout import Workspace
from tests.integration.feeding.conftest import MOVIE

SETTLE_SECONDS = 10.0
PAUSES = (0.5, 2.0, 4.5)
RULES = """
[[rule]]
watch = "{root}/in"
profiles = ["proxy_h264_low", "proxy_prores_proxy"]
output = "mirror"
output_directory = "{root}/in/proxies"
create_directories = true
settle_seconds = 10
"""


class Killed(BaseException):
    """What nothing in the feeder catches: it is dead at once, and its memory gone."""


class Silent:
    """Events are not what is looked at here."""

    def event(self, action: str, message: str = "", *, level: str = "INFO", **fields: JsonValue) -> None:
        """Nothing."""


class World:
    """The watched folder, whoever copies into it, and the worker."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.random = random.Random(seed)  # noqa: S311 - a schedule that a seed replays
        self.workspace = Workspace(root / "ws")
        for folder in ("in", "ws", "ws/inbox", "ws/running", "ws/done", "ws/failed"):
            (root / folder).mkdir()
        self.whole: set[Path] = set()
        self.fed: set[str] = set()
        self.faults: list[str] = []
        self.encoded: Counter[str] = Counter()

    def arrival(self, number: int) -> Iterator[None]:
        """One clip's coming, a step at a time: written piece by piece, perhaps under another name first, perhaps renamed."""
        folder = self.root / "in" / self.random.choice(["A", "B", "B/CLIP", "."])
        folder.mkdir(parents=True, exist_ok=True)
        final = folder / f"clip{number:03d}.mov"
        way = self.random.choice(["in place", "hidden", "part", "renamed at once"])
        path = {"hidden": folder / f".{final.name}.x7Fq", "part": folder / f"{final.name}.part"}.get(way, final)
        if way == "renamed at once":
            path = folder / f"untitled {number}.mov"
        path.write_bytes(MOVIE)
        for _ in range(self.random.randrange(8)):
            yield
            with path.open("ab") as file:
                file.write(b"more")
        if path != final:
            yield
            path.rename(final)
        self.whole.add(final)

    def inspect(self) -> None:
        """Every spec that has come must be of a clip that is whole, under the name that it keeps."""
        for path in (self.root / "ws/inbox").glob("*.json"):
            if path.name not in self.fed:
                self.fed.add(path.name)
                (source,) = map(Path, json.loads(path.read_bytes())["sources"])
                if source not in self.whole:
                    self.faults.append(f"{source} was taken while it grew, or under a name that it did not keep")

    def work(self) -> None:
        """As a worker: one job, from the inbox to done, with its output; or to failed where it is killed in the middle."""
        waiting = sorted((self.root / "ws/inbox").glob("*.json"))
        if not waiting:
            return
        claimed = waiting[0].rename(self.root / "ws/running" / self._free(waiting[0].stem))
        spec = json.loads(claimed.read_bytes())
        (source,) = map(Path, spec["sources"])
        extension = "mp4" if spec["proxy_profile"] == "proxy_h264_low" else "mov"
        output = Path(spec["output_directory"]) / f"{source.stem}.{extension}"
        if self.random.random() < 0.1:
            claimed.rename(self.root / "ws/failed" / claimed.name)
            self._resubmit(claimed.name)
            return
        if output.exists():
            self.faults.append(f"{output} would have been made twice")
        output.write_bytes(MOVIE)
        self.encoded[f"{source}|{extension}"] += 1
        claimed.rename(self.root / "ws/done" / claimed.name)

    def _resubmit(self, name: str) -> None:
        """What an operator does with a job that was interrupted."""
        (self.root / "ws/inbox" / name).write_bytes((self.root / "ws/failed" / name).read_bytes())

    def _free(self, stem: str) -> str:
        numbers = range(2, 1000)
        taken = {path.name for folder in ("running", "done", "failed") for path in (self.root / "ws" / folder).iterdir()}
        return next(name for name in (f"{stem}.json", *(f"{stem}~{number}.json" for number in numbers)) if name not in taken)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "arrivals"), [(1, 60), *(pytest.param(seed, 300, marks=pytest.mark.heavy) for seed in (1, 2, 3))]
)
def test_each_clip_has_one_proxy_per_profile_whatever_happened(
    tmp_path: Path, seed: int, arrivals: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, seed)
    rules = read_rules(RULES.format(root=tmp_path).encode())
    deaths = _killed_at_times(world.random, monkeypatch)

    def start() -> Feeder:
        return Feeder(world.workspace, rules, Silent(), lambda: False)

    feeder, now, number, coming, died = start(), 0.0, 0, list[Iterator[None]](), 0
    stalled: set[Iterator[None]] = set()
    while number < arrivals or coming:
        now += world.random.choice(PAUSES)
        while number < arrivals and world.random.random() < 0.8:
            coming.append(world.arrival(number))
            number += 1
        # A copy may pause, but not for as long as the rule's settle_seconds: that is what they are for.
        stalled = {steps for steps in coming if steps not in stalled and world.random.random() < 0.2}
        coming = [steps for steps in coming if steps in stalled or next(steps, "whole") is None]
        try:
            feeder.look(now)
        except Killed:
            died += 1
            feeder = start()
        world.inspect()
        world.work()
    deaths.clear()
    for _ in range(4):
        now += SETTLE_SECONDS
        feeder.look(now)
        world.inspect()
    while any((tmp_path / "ws/inbox").glob("*.json")):
        world.work()
        feeder.look(now)
    assert start().look(now + 100).fed == 0
    assert world.faults == []
    assert len(world.whole) == arrivals
    assert world.encoded == Counter(f"{path}|{extension}" for path in world.whole for extension in ("mp4", "mov"))
    assert died > arrivals / 50
    assert len(list((tmp_path / "ws/inbox").iterdir())) <= died  # hidden, and swept when they are old


def _killed_at_times(chance: random.Random, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The feeder dies at every twentieth or so of the calls that write, before or after the call. Cleared: it lives."""
    alive: list[str] = ["mortal"]

    def mortal(real: object) -> object:
        def call(*arguments: object, **more: object) -> object:
            fate = chance.random() if alive else 1.0
            if fate < 0.03:
                raise Killed
            result = real(*arguments, **more)  # type: ignore[operator]
            if fate < 0.06:
                raise Killed
            return result

        return call

    monkeypatch.setattr("proxx_worker.feeding.drops.write_all", mortal(durable.write_all))
    monkeypatch.setattr("proxx_worker.workspace.submit.rename_no_clobber", mortal(rename.rename_no_clobber))
    return alive
