"""JobSpecs as an integrator's script would write them, and the workspaces they are dropped into."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ABSENT = object()
"""In `jobspec(field=ABSENT)`: leave the field out."""

FFMPEG_PROFILES = {
    "proxy_h264_low": ("h264", "mp4", "half"),
    "proxy_h264_quarter": ("h264", "mp4", "quarter"),
    "proxy_prores_proxy": ("prores_proxy", "mov", "same"),
    "proxy_prores_lt": ("prores_lt", "mov", "same"),
    "proxy_dnxhr_lb": ("dnxhr", "mxf", "same"),
}
RESOLVE_PROFILES = (
    "proxy_prores_proxy_resolve",
    "proxy_prores_lt_resolve",
    "proxy_prores_hq_resolve",
    "proxy_dnxhr_lb_resolve",
    "proxy_dnxhr_sq_resolve",
)
PRORES = ("prores_proxy", "prores_lt", "prores_standard", "prores_hq", "prores_4444")
CONTAINERS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(PRORES, ("mov",)),
    **dict.fromkeys(("h264", "h265", "hevc"), ("mp4", "mov", "mkv")),
    "dnxhr": ("mov", "mxf"),
    "dnxhd": ("mxf",),
    "vp9": ("webm", "mkv"),
    "av1": ("mp4", "mkv", "webm"),
}


def jobspec(sources: Path | list[Path] | list[str], output_directory: Path | str, /, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    """A good JobSpec for `sources`, by the smallest profile; `fields` replace or add."""
    document: dict[str, Any] = {
        "jobspec_version": "2.1",
        "sources": [str(source) for source in ([sources] if isinstance(sources, Path) else sources)],
        "output_directory": str(output_directory),
        "proxy_profile": "proxy_h264_quarter",
        "naming_template": "{source_name}_proxy",
    }
    document.update(fields)
    return {name: value for name, value in document.items() if value is not ABSENT}


def explicit(codec: str, container: str, resolution: str = "same", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    """The fields that replace the profile by explicit settings."""
    return {"proxy_profile": ABSENT, "codec": codec, "container": container, "resolution": resolution, **fields}


def encode(document: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Its bytes."""
    return json.dumps(document, ensure_ascii=False, indent=2).encode()


def drop(inbox: Path, name: str | bytes, data: bytes) -> Path:
    """Put a spec into the inbox the way a copying script does: in place, in one write."""
    path = inbox / (name if isinstance(name, str) else name.decode(errors="surrogateescape"))
    path.write_bytes(data)
    return path


class Workspace:
    """The folders of a workspace, made beforehand so that specs can be dropped before a worker starts."""

    def __init__(self, root: Path) -> None:
        """Make it at `root`."""
        self.root = root
        self.inbox, self.running, self.done, self.failed = (root / name for name in ("inbox", "running", "done", "failed"))
        for folder in (self.inbox, self.running, self.done, self.failed):
            folder.mkdir(parents=True, exist_ok=True)

    def __fspath__(self) -> str:
        """So that it stands in a command line."""
        return str(self.root)

    def drop(self, name: str | bytes, document: dict[str, Any] | bytes) -> Path:
        """Drop a spec as NAME.json."""
        stem = name if isinstance(name, bytes) else name.encode()
        return drop(self.inbox, stem + b".json", document if isinstance(document, bytes) else encode(document))

    def status(self) -> dict[str, Any] | None:
        """What `.proxx/status.json` says now, or None where there is none."""
        try:
            status: dict[str, Any] = json.loads((self.root / ".proxx" / "status.json").read_bytes())
        except FileNotFoundError:
            return None
        return status
