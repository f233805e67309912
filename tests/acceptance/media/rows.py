"""The media table as it comes out: each clip's seven jobs through one worker, and the proof of what they made."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.acceptance.clips import decoders
from tests.acceptance.command import Command
from tests.acceptance.media.comparison import Proof, Source, prove
from tests.acceptance.media.inspection import look
from tests.acceptance.media.patient import wait_for
from tests.acceptance.media.table import CLIPS, PROFILES, TARGETS, Refused, Target
from tests.acceptance.results import Result, audit, read_result
from tests.acceptance.specs import ABSENT, Workspace, jobspec


@dataclass(frozen=True, slots=True)
class Cell:
    """One clip as one proxy: the worker's result, and the proof where there is a proxy."""

    target: Target
    result: Result
    proof: Proof | None

    @property
    def code(self) -> str:
        """`COMPLETED`, or the error's code."""
        return "COMPLETED" if self.result["error"] is None else str(self.result["error"]["code"])


class Rows:
    """Makes a row when it is first asked for, and keeps it."""

    def __init__(self, proxx: Command, media: Path, folder: Path) -> None:
        """`folder` is for workspaces and proxies; a proxy is removed when it has been compared."""
        self._proxx = proxx
        self._media = media
        self._folder = folder
        self.row = cache(self._make)

    def _make(self, name: str) -> dict[Target, Cell]:
        folder = self._folder / name.replace("/", "_")
        workspace = Workspace(folder / "workspace")
        proxies = {target: folder / target.name.replace("/", "_") for target in TARGETS}
        for position, (target, directory) in enumerate(proxies.items()):
            directory.mkdir()
            workspace.drop(str(position), jobspec(self._media / name, directory, **_fields(name, target)))
        specs = [path.read_bytes() for path in workspace.inbox.iterdir()]
        wait_for(self._proxx, "watch", workspace.root, "--once")
        audit(workspace.root, specs, proxies.values())
        source: Source | None = None
        cells = {}
        for position, (target, directory) in enumerate(proxies.items()):
            done = (workspace.done / f"{position}.json").exists()
            result = read_result(workspace.done if done else workspace.failed, str(position))
            proof = None
            truth = CLIPS[name].truth
            if done and truth is not None:
                source = source or Source(look(self._media / name))
                output = Path(result["tasks"][0]["output"])
                proof = prove(truth, source, look(output), target)
                output.unlink()
            else:
                assert list(directory.iterdir()) == [], "a job that failed published something"
            cells[target] = Cell(target, result, proof)
        return cells


def _fields(name: str, target: Target) -> dict[str, Any]:
    fields: dict[str, Any] = {"naming_template": "{source_name}", **target.fields}
    if target not in PROFILES:
        fields["proxy_profile"] = ABSENT
        if _is_raw(name):
            fields["resolve_preset"] = "ProRes 422 Proxy"  # without one, that alone would be the fault
    return fields


def _is_raw(name: str) -> bool:
    return any(refused.code == "ENGINE_MISMATCH" for refused in CLIPS[name].refused.values())


def expected(name: str, target: Target) -> Refused | None:
    """Why the clip is refused there by this FFmpeg; None where a proxy is expected."""
    clip = CLIPS[name]
    if clip.decoder is not None and clip.decoder not in decoders():
        return clip.without
    return clip.refused.get(target)
