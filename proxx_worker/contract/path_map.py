"""`path_map`: paths as written in a spec, and where they are on this machine."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PathMapping:
    """Paths below `prefix` in a spec are below `target` here. Both are absolute."""

    prefix: str
    target: str


@dataclass(frozen=True, slots=True)
class PathMap:
    """The operator's mappings. The longest prefix of whole components that fits a path decides; a path is mapped once.

    `..` is a component like any other: the file system decides where it leads, and the roots are checked after that.
    """

    mappings: Sequence[PathMapping] = ()

    def mapped(self, path: str) -> str | None:
        """Where the absolute `path` is here; None if no mapping fits, and it is used as it is."""
        parts = components(path)
        prefixes = ((components(mapping.prefix), mapping.target) for mapping in self.mappings)
        fitting = [(len(prefix), target) for prefix, target in prefixes if parts[: len(prefix)] == prefix]
        if not fitting:
            return None
        length, target = max(fitting)
        return "/" + "/".join([*components(target), *parts[length:]])

    def local(self, path: str) -> str:
        """The path to open for `path`: the mapped one, or `path` itself."""
        mapped = self.mapped(path)
        return path if mapped is None else mapped


NO_MAPPINGS = PathMap()


def components(path: str) -> list[str]:
    """The components of a path. Doubled slashes and `.` mean nothing and are left out."""
    return [part for part in path.split("/") if part not in {"", "."}]
