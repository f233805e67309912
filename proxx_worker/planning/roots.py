"""Whether a place lies inside the places that are allowed. Pure: the caller has resolved every path to its real location."""

from collections.abc import Sequence


def outside_roots(real_path: str, real_roots: Sequence[str]) -> bool:
    """Whether `real_path` lies in none of `real_roots`. A root itself lies inside."""
    return not any(real_path == root or real_path.startswith(root.rstrip("/") + "/") for root in real_roots)
