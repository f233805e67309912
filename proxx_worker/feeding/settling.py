"""Which files have settled: size, time and inode unchanged for long enough, by the watcher's own monotonic clock."""

from collections.abc import Collection, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

StampT = TypeVar("StampT", bound=Hashable)


@dataclass(frozen=True, slots=True)
class _Sighting(Generic[StampT]):
    stamp: StampT
    since: float


class Settling(Generic[StampT]):
    """Remembers since when each file has been unchanged. Not kept over a restart: a file then has to settle again."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self._sightings: dict[str, _Sighting[StampT]] = {}

    def settles_at(self, path: str, stamp: StampT, now: float, seconds: float) -> float:
        """When the file will have settled for `seconds`, if nothing changes; in the past if it has. Monotonic seconds."""
        seen = self._sightings.get(path)
        if seen is None or seen.stamp != stamp:
            seen = self._sightings[path] = _Sighting(stamp, now)
        return seen.since + seconds

    def keep_only(self, paths: Collection[str]) -> None:
        """Forget all others: one that disappears and returns has to settle again."""
        self._sightings = {path: seen for path, seen in self._sightings.items() if path in paths}
