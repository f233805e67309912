"""Schedules by their seeds: what may befall them, how one is run, and how one that failed is told."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.simulation.people import ACTORS
from tests.simulation.seam import simulated
from tests.simulation.weather import Blow, Weather
from tests.simulation.world import World


@dataclass(frozen=True, slots=True)
class Outcome:
    """A schedule that was run. `faults`: what was wrong; `story`: what happened."""

    seed: int
    faults: tuple[str, ...]
    story: tuple[str, ...]
    calls: int

    def __str__(self) -> str:
        lines = [f"seed {self.seed}: {len(self.faults)} faults after {self.calls} calls", *self.story, *self.faults]
        again = f"again: python -m tests.simulation {self.seed}"
        return "\n".join([*lines, again])


EVERY_STORM = 3
"""Every third seed has a storm: kills and power cuts, close together, most of them soon after a name has changed."""


def weather_of(seed: int) -> Weather:
    """What may befall the schedule of that seed."""
    rng = random.Random(f"weather {seed}")  # noqa: S311 - the same seed is to give the same schedule
    switch = rng.choice((3, 10, 40))
    if seed % EVERY_STORM == 0:
        if rng.random() < 0.2:
            return Weather(switch, kill=rng.choice((None, 150, 400)), cut=rng.choice((150, 300, 600)))
        return Weather(switch, lose_reply=rng.choice((None, None, None, 30)), strike=rng.choice((3, 8, 20)))

    def now_and_then(chance: float, *every: int) -> int | None:
        return rng.choice(every) if rng.random() < chance else None

    return Weather(
        switch,
        refuse=now_and_then(0.35, 80, 250, 600),
        lose_reply=now_and_then(0.25, 30, 100),
        slow=now_and_then(0.2, 60, 300),
        kill=now_and_then(0.4, 150, 400),
        cut=now_and_then(0.6, 150, 400, 800),
    )


def weather_after(plan: Sequence[Blow]) -> Weather:
    """What is planned, and then perhaps a power cut once nobody is at work."""
    return Weather(switch=40, strike=1 << 30, plan=tuple(plan))


def run(seed: int, weather: Weather | None = None, *, calls: bool = False) -> Outcome:
    """Run one schedule, in the weather of its seed or another. `calls`: its story has every call."""
    world = World(seed, weather or weather_of(seed), ACTORS)
    world.kernel.tells_calls = calls
    with simulated(world.system):
        faults = world.run()
    return Outcome(seed, tuple(faults), tuple(world.kernel.story), world.kernel.calls)


def first_fault(seeds: Iterable[int], weather: Weather | None = None) -> Outcome | None:
    """The first schedule of these seeds in which something is wrong."""
    return next((outcome for outcome in (run(seed, weather) for seed in seeds) if outcome.faults), None)
