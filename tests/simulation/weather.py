"""What may befall the calls of a simulated machine: by chance, or by plan."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Blow:
    """What befalls the next call of that name on such a path (a pattern): one of `Weather`'s. None: nothing, it is waited for."""

    what: str | None
    call: str
    path: bytes


@dataclass(frozen=True, slots=True)
class Weather:
    """What may befall a schedule: of how many calls one, on average, meets each. None for never."""

    switch: int
    refuse: int | None = None
    lose_reply: int | None = None
    slow: int | None = None
    kill: int | None = None
    cut: int | None = None
    strike: int | None = None
    """Of how many changes to names one is soon followed by a kill or a power cut; an idle machine may lose power then, too."""
    plan: tuple[Blow, ...] = ()
    """What befalls it for certain, in this order."""


CALM = Weather(switch=1 << 30)
OF_CALLS = tuple(what for what in Weather.__slots__ if what not in {"strike", "plan"})
"""What befalls any call, and is counted in calls."""
