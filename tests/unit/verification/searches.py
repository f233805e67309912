"""What a search for damage found, so that a test names only what it is about."""

from proxx_worker.verification.damage_places import DamageSearchResult, Place


def search_result(
    *places: Place, complete: bool = True, more: int = 0, packets: int = 0, frames: int = 0, at_end: bool = False
) -> DamageSearchResult:
    """A search that came to the source's end, if not told otherwise."""
    return DamageSearchResult(places, complete=complete, more=more, packets=packets, frames=frames, at_end=at_end)
