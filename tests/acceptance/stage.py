"""Where a bad job plays, and what it gets: the parts of the tables in `bad_specs` and `bad_worlds`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.specs import encode, jobspec


@dataclass(frozen=True, slots=True)
class Stage:
    """Where one case plays: `folder` is its own, `clip` a good source in it, `proxies` its output directory."""

    folder: Path
    clip: Path
    proxies: Path

    @classmethod
    def make(cls, folder: Path, clip: Path) -> "Stage":
        """Make it in `folder`."""
        stage = cls(folder, folder / "A001C001.mov", folder / "proxies")
        stage.proxies.mkdir(parents=True)
        (stage.proxies / "somebody's.mov").write_bytes(b"not ours")
        stage.clip.symlink_to(clip)
        return stage

    def spec(self, **fields: Any) -> bytes:  # noqa: ANN401 - any JSON value
        """A good spec for the clip, but for `fields`."""
        return encode(jobspec(self.clip, self.proxies, **fields))

    def source(self, name: str, data: bytes = b"") -> Path:
        """A further file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def link(self, name: str) -> Path:
        """The clip under another name."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(self.clip)
        return path

    def of(self, *sources: Path | str, **fields: Any) -> bytes:  # noqa: ANN401 - any JSON value
        """A good spec, but for its sources."""
        return self.spec(sources=[str(source) for source in sources], **fields)


@dataclass(frozen=True, slots=True)
class Case:
    """`code`: what it gets. `says`: what the message must mention. `faults`: fields that `details.faults` must name, no others.

    `tasks`: how many NOT_RUN tasks the result has.
    """

    name: str
    code: str
    spec: Callable[[Stage], bytes]
    says: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    tasks: int = 1


def fields_of(faults: list[dict[str, Any]]) -> set[str]:
    """The top-level fields that faults are about, however their paths are written: `sources[0]`, `/sources/0`, `$.sources[0]`."""
    return {fault["path"].lstrip("$./").split("[")[0].split(".")[0].split("/")[0] for fault in faults}


def sources_in(spec: bytes) -> list[str] | None:
    """The sources of a spec where they are a list of strings that UTF-8 can say."""
    try:
        sources = json.loads(spec)["sources"]
        json.dumps(sources, ensure_ascii=False).encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return sources if isinstance(sources, list) and all(isinstance(source, str) for source in sources) else None
