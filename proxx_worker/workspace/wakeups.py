"""What a watcher reports."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wakeups:
    """Changes since the last read. Only hints: a file may be gone again, and some filesystems raise no events at all."""

    names: tuple[bytes, ...] = ()
    """Inbox entries that changed."""
    changed: bool = False
    """Other, unknown entries of the inbox changed."""
    lost: bool = False
    """Events were lost, so the inbox must be scanned."""


NO_WAKEUPS = Wakeups()
