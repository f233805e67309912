"""What a watcher saw since it was last asked."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wakeups:
    """Wakeups, never the truth: each name may have gone again, and on some filesystems changes raise no event at all."""

    names: tuple[bytes, ...] = ()
    """Entries of the inbox that something happened to."""
    changed: bool = False
    """Something else happened in the inbox, to entries unknown."""
    lost: bool = False
    """Events were lost: only a scan shows what there is."""


NO_WAKEUPS = Wakeups()
