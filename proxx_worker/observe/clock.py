"""The clock, in one place. Times are metadata: nothing that affects an output reads them."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant: `wall` (UTC) for people, `monotonic` seconds for durations, which a clock set back must not bend."""

    wall: datetime
    monotonic: float


def now() -> Moment:
    """The present instant."""
    return Moment(datetime.now(UTC), time.monotonic())
