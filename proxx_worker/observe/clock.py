"""The clock. Times are metadata only: they never affect an output."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant: `wall` (UTC) for display, `monotonic` seconds for durations, which clock changes must not affect."""

    wall: datetime
    monotonic: float


def now() -> Moment:
    """The current time."""
    return Moment(datetime.now(UTC), time.monotonic())
